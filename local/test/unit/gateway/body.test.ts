import { describe, expect, test } from 'vitest';
import { declaredChecksum, verifiedBody } from '../../../gateway/body.ts';
import { ChunkSigner, EMPTY_SHA256, signingKey } from '../../../gateway/signature.ts';

const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const HELLO_CRC32 = 'NhCmhg==';

/** The body as it comes out, when its bytes arrive `step` at a time. */
async function read(
  text: string,
  headers: Record<string, string>,
  payloadHash = 'UNSIGNED-PAYLOAD',
  signer?: ChunkSigner,
  step = 3,
): Promise<string> {
  async function* source() {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of verifiedBody(source(), headers, payloadHash, signer)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('plain bodies', () => {
  test.each<[string, Record<string, string>, string]>([
    ['their SHA-256', {}, '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'],
    ['a CRC32 header', { 'x-amz-checksum-crc32': HELLO_CRC32 }, 'UNSIGNED-PAYLOAD'],
    ['Content-MD5', { 'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==' }, 'UNSIGNED-PAYLOAD'],
  ])('pass when %s matches', async (_, headers, hash) => {
    expect(await read('hello', headers, hash)).toBe('hello');
  });

  test.each<[string, Record<string, string>, string, string]>([
    ['XAmzContentSHA256Mismatch', {}, EMPTY_SHA256, 'the SHA-256'],
    ['BadDigest', { 'x-amz-checksum-crc32': 'AAAAAA==' }, 'UNSIGNED-PAYLOAD', 'the CRC32'],
    ['BadDigest', { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' }, 'UNSIGNED-PAYLOAD', 'Content-MD5'],
    ['InvalidDigest', { 'content-md5': 'nonsense' }, 'UNSIGNED-PAYLOAD', 'a Content-MD5 that is none'],
  ])('fail with %s for %s', async (code, headers, hash) => {
    await expect(read('hello', headers, hash)).rejects.toMatchObject({ code });
  });
});

describe('aws-chunked bodies', () => {
  const framed = '3\r\nhel\r\n2\r\nlo\r\n0\r\n';
  const headers = { 'x-amz-decoded-content-length': '5', 'x-amz-trailer': 'x-amz-checksum-crc32' };
  const trailer = `x-amz-checksum-crc32:${HELLO_CRC32}\r\n\r\n`;

  test.each([1, 2, 7, 1000])('are read without their framing in packets of %i bytes', async (step) => {
    expect(await read(framed + trailer, headers, UNSIGNED_TRAILER, undefined, step)).toBe('hello');
  });

  test('may be empty', async () => {
    expect(await read('0\r\n\r\n', { 'x-amz-decoded-content-length': '0' }, UNSIGNED_TRAILER)).toBe('');
  });

  test.each<[string, string, string, Record<string, string>]>([
    ['BadDigest', 'a trailer with another checksum', `${framed}x-amz-checksum-crc32:AAAAAA==\r\n\r\n`, headers],
    ['BadDigest', 'a promised trailer that does not come', `${framed}\r\n`, headers],
    ['IncompleteBody', 'a body cut short', framed.slice(0, 6), headers],
    [
      'IncompleteBody',
      'another length than announced',
      framed + trailer,
      { ...headers, 'x-amz-decoded-content-length': '6' },
    ],
    ['IncompleteBody', 'a size that is not a number', `zz\r\nhello\r\n${trailer}`, headers],
    ['IncompleteBody', 'a chunk longer than it says', `2\r\nhello\r\n0\r\n${trailer}`, headers],
  ])('fail with %s: %s', async (code, _, body, given) => {
    await expect(read(body, given, UNSIGNED_TRAILER)).rejects.toMatchObject({ code });
  });
});

describe('signed chunks', () => {
  // The example of https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
  const scope = { date: '20130524', region: 'us-east-1', service: 's3' };
  const signer = () =>
    new ChunkSigner(
      signingKey('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', scope),
      scope,
      '20130524T000000Z',
      '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    );
  const body = (letter: string) =>
    `10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n${'a'.repeat(65536)}\r\n` +
    `400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n${letter.repeat(1024)}\r\n` +
    '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n';
  const headers = { 'x-amz-decoded-content-length': '66560' };
  const hash = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';

  test("AWS's example passes", async () => {
    expect(await read(body('a'), headers, hash, signer(), 4096)).toHaveLength(66_560);
  });

  test('a changed byte is SignatureDoesNotMatch', async () => {
    await expect(read(body('b'), headers, hash, signer(), 4096)).rejects.toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
  });
});

test('two checksums at once are InvalidRequest', () => {
  expect(() =>
    declaredChecksum({ 'x-amz-checksum-crc32': HELLO_CRC32, 'x-amz-trailer': 'x-amz-checksum-sha256' }),
  ).toThrow(expect.objectContaining({ code: 'InvalidRequest' }));
});
