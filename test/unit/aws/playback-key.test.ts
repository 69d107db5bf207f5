import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { playbackKey, readKeyIds } from '../../../aws/playback-key.ts';
import { secretReader } from '../../../aws/secrets.ts';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
const mine = createHash('sha256').update(der).digest('hex').slice(0, 16);

it('a private key signs under the id of its own public key, even beside others', () => {
  expect(playbackKey(privateKey, readKeyIds(`0011223344556677=KOLD,${mine}=KNEW`))).toEqual({
    keyPairId: 'KNEW',
    privateKey,
  });
  expect(playbackKey(privateKey, readKeyIds('0011223344556677=KOLD'))).toBeNull();
});

it('a secret is fetched once within its time, again after it, and at once after a failure', async () => {
  const answers: (string | Error)[] = ['one', 'two', new Error('down'), 'three'];
  const client = {
    send: async () => {
      const next = answers.shift();
      if (next instanceof Error) throw next;
      return { SecretString: next };
    },
  };
  let now = 0;
  const read = secretReader(client as unknown as Parameters<typeof secretReader>[0], 'key', 1000, () => now);
  expect([await read(), await read()]).toEqual(['one', 'one']);
  now = 1000;
  expect(await read()).toBe('two');
  now = 2000;
  await expect(read()).rejects.toThrow('down');
  expect(await read()).toBe('three');
});
