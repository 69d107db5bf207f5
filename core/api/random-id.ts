const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** `length` characters of base32, 5 random bits each. */
export function randomId(length: number): string {
  return [...crypto.getRandomValues(new Uint8Array(length))].map((byte) => ALPHABET[byte & 31]).join('');
}
