import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** AES-256-GCM: nonce and tag in bytes. */
const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

/**
 * Deflates and encrypts a text so that only the holder of `secret` can read it: salt, nonce, tag, ciphertext. The row that holds it has
 * the hash of the secret only. A guessable secret protects nothing: docs/api.md asks for a random one. Deflated because an answer with
 * 100 presigned URLs repeats one session token 100 times, and DynamoDB takes 400 KB.
 */
export function seal(secret: string, text: string): Uint8Array {
  const [salt, nonce] = [randomBytes(NONCE), randomBytes(NONCE)];
  const cipher = createCipheriv(CIPHER, keyFrom(secret, salt), nonce);
  const body = Buffer.concat([cipher.update(deflateRawSync(text)), cipher.final()]);
  return Buffer.concat([salt, nonce, cipher.getAuthTag(), body]);
}

/** @throws Error when it was sealed with another secret, or altered */
export function unseal(secret: string, sealed: Uint8Array): string {
  const bytes = Buffer.from(sealed);
  const [salt, nonce] = [bytes.subarray(0, NONCE), bytes.subarray(NONCE, 2 * NONCE)];
  const decipher = createDecipheriv(CIPHER, keyFrom(secret, salt), nonce);
  decipher.setAuthTag(bytes.subarray(2 * NONCE, 2 * NONCE + TAG));
  return inflateRawSync(Buffer.concat([decipher.update(bytes.subarray(2 * NONCE + TAG)), decipher.final()])).toString(
    'utf8',
  );
}

function keyFrom(secret: string, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, 'dropreel: answers kept for an Idempotency-Key', 32));
}
