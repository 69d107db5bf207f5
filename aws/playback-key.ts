import { createHash, createPublicKey } from 'node:crypto';

/** The private half of a key of the distribution's key group, as PEM, and CloudFront's id of the public one. */
export interface PlaybackKey {
  keyPairId: string;
  privateKey: string;
}

/** `{fingerprint}={CloudFront's id}` of each public key of the key group, separated by commas: PLAYBACK_KEYS. */
export function readKeyIds(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(',').map((pair) => pair.split('=') as [string, string]));
}

/**
 * Which of the key group's public keys belongs to this private one. While two are in the group, the secret alone decides which
 * one signs, so a rotation needs no step at which both change at once. Null: none does.
 */
export function playbackKey(privateKey: string, keyIds: ReadonlyMap<string, string>): PlaybackKey | null {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const keyPairId = keyIds.get(fingerprintOf(der));
  return keyPairId === undefined ? null : { keyPairId, privateKey };
}

function fingerprintOf(der: Buffer): string {
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}
