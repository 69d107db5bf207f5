import type { Secret } from '../contracts/webhooks.ts';

/** How long the old secret signs beside the new one. */
export const ROTATION_HOURS = 24;

export function newSecret(): string {
  return `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`;
}

/** The newest comes first. A rotation within another's 24 hours ends the oldest secret at once. */
export function rotate(secrets: readonly Secret[], fresh: string, now: number): Secret[] {
  const [current] = secrets;
  const expiresAt = new Date(now + ROTATION_HOURS * 3_600_000).toISOString();
  return [{ secret: fresh }, ...(current ? [{ secret: current.secret, expiresAt }] : [])];
}

/** Those that sign at `now` (ISO). */
export function validSecrets(secrets: readonly Secret[], now: string): string[] {
  return secrets.filter((secret) => !secret.expiresAt || secret.expiresAt > now).map((secret) => secret.secret);
}
