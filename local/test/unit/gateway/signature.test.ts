import { expect, test } from 'vitest';
import {
  ChunkSigner,
  EMPTY_SHA256,
  parseAmzDate,
  type SignedRequest,
  signingKey,
  signRequest,
} from '../../../gateway/signature.ts';

// Keys, requests and signatures of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
const SCOPE = { date: '20130524', region: 'us-east-1', service: 's3' };
const TIME = '20130524T000000Z';
const KEY = signingKey('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', SCOPE);
const HOST = 'examplebucket.s3.amazonaws.com';
const get = (request: Partial<SignedRequest>): SignedRequest => ({
  method: 'GET',
  path: '/',
  query: [],
  headers: { host: HOST, 'x-amz-content-sha256': EMPTY_SHA256, 'x-amz-date': TIME, range: 'bytes=0-9' },
  signedHeaders: ['host', 'x-amz-content-sha256', 'x-amz-date'],
  payloadHash: EMPTY_SHA256,
  ...request,
});
const PUT_HASH = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072';

test.each<[string, SignedRequest, string]>([
  [
    'GET Object with a range',
    get({ path: '/test.txt', signedHeaders: ['host', 'range', 'x-amz-content-sha256', 'x-amz-date'] }),
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'PUT Object whose key has a dollar sign',
    get({
      method: 'PUT',
      path: '/test$file.text',
      headers: {
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        host: HOST,
        'x-amz-content-sha256': PUT_HASH,
        'x-amz-date': TIME,
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      },
      signedHeaders: ['date', 'host', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-storage-class'],
      payloadHash: PUT_HASH,
    }),
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  [
    'a parameter without a value',
    get({ query: [['lifecycle', '']] }),
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'parameters in whatever order',
    get({
      query: [
        ['prefix', 'J'],
        ['max-keys', '2'],
      ],
    }),
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
  [
    'a presigned URL',
    get({
      path: '/test.txt',
      query: [
        ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
        ['X-Amz-Credential', 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request'],
        ['X-Amz-Date', TIME],
        ['X-Amz-Expires', '86400'],
        ['X-Amz-SignedHeaders', 'host'],
      ],
      signedHeaders: ['host'],
      payloadHash: 'UNSIGNED-PAYLOAD',
    }),
    'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  ],
])("AWS's example: %s", (_, request, signature) => {
  expect(signRequest(request, KEY, SCOPE, TIME)).toBe(signature);
});

test("AWS's example of a chunked upload: 65536 and 1024 times the letter a, and the last chunk", () => {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
  const signer = new ChunkSigner(KEY, SCOPE, TIME, '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9');
  expect([
    signer.chunk('bf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a'),
    signer.chunk('2edc986847e209b4016e141a6dc8716d3207350f416969382d431539bf292e4a'),
    signer.chunk(EMPTY_SHA256),
  ]).toEqual([
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  ]);
});

test('a date is read to the second, and other text is refused', () => {
  expect(parseAmzDate('20261121T140720Z')).toBe(Date.UTC(2026, 10, 21, 14, 7, 20));
  expect(parseAmzDate('2026-11-21T14:07:20Z')).toBeNaN();
});
