import { createVerify, generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { playbackCookies } from '../../../aws/playback-cookies.ts';

it('signs the custom policy that CloudFront checks', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { keyPairId: 'K1', privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  const cookies = playbackCookies(key, 'https://d.example/private/ada/*/m*', 1795269600.7);
  const decode = (text = '') =>
    Buffer.from(text.replaceAll('-', '+').replaceAll('_', '=').replaceAll('~', '/'), 'base64');
  const policy = decode(cookies['CloudFront-Policy']);
  expect(policy.toString()).toBe(
    '{"Statement":[{"Resource":"https://d.example/private/ada/*/m*","Condition":{"DateLessThan":{"AWS:EpochTime":1795269600}}}]}',
  );
  expect(createVerify('SHA1').update(policy).verify(publicKey, decode(cookies['CloudFront-Signature']))).toBe(true);
  expect(cookies['CloudFront-Key-Pair-Id']).toBe('K1');
});
