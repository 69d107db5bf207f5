import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configuredApp } from './configured-app.ts';

const SECRET = 'dropreel/playback';

/**
 * The app synthesized with two public keys for private playback, and a state directory that knows the private half of the
 * first. `setKey` makes the other one the secret's text, as a rotation does.
 */
export async function keyedApp(more: Record<string, unknown> = {}) {
  const pairs = [newPair(), newPair()];
  const keys = { playbackPublicKeyPem: pairs.map(({ publicKey }) => publicKey), playbackPrivateKeySecret: SECRET };
  const app = await configuredApp({ ...keys, ...more });
  const setKey = (n: 0 | 1) =>
    writeFile(join(app.stateDir, 'secrets.json'), JSON.stringify({ [SECRET]: pairs[n]?.privateKey }));
  await setKey(0);
  return { ...app, setKey };
}

function newPair() {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}
