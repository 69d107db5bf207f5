import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  ChecksumMode,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type Case, runCases } from '../../support/s3-cases.ts';
import { failure, type Target } from '../../support/s3-target.ts';

const PAGE = 'userguide/checking-object-integrity.html';
const UPLOADS = 'userguide/checking-object-integrity-upload.html';
const MIB = 2 ** 20;
/** Of `123456789`, by https://reveng.sourceforge.io/crc-catalogue/all.htm and coreutils. */
const KNOWN = {
  CRC32: 'y/Q5Jg==',
  CRC32C: '4waSgw==',
  CRC64NVME: 'rosUhgp5mIg=',
  SHA1: '98O8HYCOBHMq32eZZczDTKeuNEE=',
  SHA256: 'FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=',
} as const;
const base64Crc = (text: string | Buffer) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64');
};

const head = async (t: Target, Key: string) => {
  const got = await t.s3.send(new HeadObjectCommand({ Bucket: t.plain, Key, ChecksumMode: ChecksumMode.ENABLED }));
  const { ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256, ChecksumType } = got;
  const values = { ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256, ChecksumType };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
};
const put = (t: Target, key: string, headers: Record<string, string> = {}) =>
  t.raw({ method: 'PUT', bucket: t.plain, key, body: '123456789', headers });

/** Two parts, 5 MiB of a and one b, by the SDK, and what S3 says of the whole. */
async function uploadTwo(t: Target, more: Partial<CreateMultipartUploadCommandInput>) {
  const target = { Bucket: t.plain, Key: t.key() };
  const { UploadId } = await t.s3.send(new CreateMultipartUploadCommand({ ...target, ...more }));
  const { ChecksumAlgorithm } = more;
  const Parts = [];
  for (const [i, Body] of ['a'.repeat(5 * MIB), 'b'].entries()) {
    const PartNumber = i + 1;
    const { $metadata: _, ...part } = await t.s3.send(
      new UploadPartCommand({ ...target, UploadId, PartNumber, Body, ChecksumAlgorithm }),
    );
    Parts.push({ ...part, PartNumber });
  }
  await t.s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }));
  return head(t, target.Key);
}

const CASES: Case[] = [
  ...Object.entries(KNOWN).map(
    ([algorithm, value]): Case => ({
      title: `${algorithm} in a header is verified, stored and returned`,
      truth: `${PAGE}; values of the CRC catalogue and coreutils`,
      moto: 'it keeps only what x-amz-sdk-checksum-algorithm names, and verifies none',
      run: async (t) => {
        const key = t.key();
        const name = `x-amz-checksum-${algorithm.toLowerCase()}`;
        const answer = await put(t, key, { [name]: value });
        return [answer.status, answer.headers[name], await head(t, key)];
      },
      expected: [200, value, { [`Checksum${algorithm}`]: value, ChecksumType: 'FULL_OBJECT' }],
    }),
  ),
  {
    title: 'an object without a checksum gets CRC64NVME',
    truth: `${PAGE}: "S3 automatically … CRC-64/NVME"`,
    moto: 'no checksum at all',
    run: async (t) => {
      const key = t.key();
      await put(t, key);
      return head(t, key);
    },
    expected: { ChecksumCRC64NVME: KNOWN.CRC64NVME, ChecksumType: 'FULL_OBJECT' },
  },
  {
    title: 'without x-amz-checksum-mode no checksum is returned',
    truth: 'API/API_HeadObject.html',
    run: async (t) => {
      const key = t.key();
      await put(t, key);
      const { headers } = await t.raw({ method: 'HEAD', bucket: t.plain, key });
      return Object.keys(headers).filter((name) => name.startsWith('x-amz-checksum'));
    },
    expected: [],
  },
  {
    title: 'a checksum, MD5 or SHA-256 that does not match is refused, and nothing is stored',
    truth: 'API/ErrorResponses.html: BadDigest, XAmzContentSHA256Mismatch',
    moto: '200: it verifies none of them',
    run: async (t) => {
      const key = t.key();
      const bad = [
        await put(t, key, { 'x-amz-checksum-crc32': 'AAAAAA==' }),
        await put(t, key, { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' }),
        await t.raw({
          method: 'PUT',
          bucket: t.plain,
          key,
          body: 'x',
          payloadHash: createHash('sha256').update('y').digest('hex'),
        }),
      ];
      const left = await t.raw({ method: 'GET', bucket: t.plain, key });
      return [...bad.map(({ status, code }) => `${status} ${code}`), left.status];
    },
    expected: ['400 BadDigest', '400 BadDigest', '400 XAmzContentSHA256Mismatch', 404],
  },
  {
    title: 'a malformed checksum is InvalidDigest or InvalidRequest',
    truth: 'API/ErrorResponses.html: InvalidDigest; localstack#12169 and versity/versitygw#1186 for InvalidRequest',
    moto: '200: it reads none of them',
    run: async (t) => {
      const bad = [
        await put(t, t.key(), { 'content-md5': 'nonsense' }),
        await put(t, t.key(), { 'x-amz-checksum-crc32': 'nonsense' }),
        await put(t, t.key(), { 'x-amz-checksum-crc32': KNOWN.CRC32, 'x-amz-checksum-sha1': KNOWN.SHA1 }),
      ];
      return bad.map(({ status, code }) => `${status} ${code}`);
    },
    expected: ['400 InvalidDigest', '400 InvalidRequest', '400 InvalidRequest'],
  },
  {
    title: 'a part with a wrong checksum is refused',
    truth: 'API/API_UploadPart.html',
    moto: '200: it verifies none',
    run: async (t) => {
      const target = { Bucket: t.plain, Key: t.key() };
      const { UploadId } = await t.s3.send(new CreateMultipartUploadCommand(target));
      const part = { ...target, UploadId, PartNumber: 1, Body: 'x', ContentMD5: '1B2M2Y8AsgTpgAmY7PhCfg==' };
      return failure(t.s3.send(new UploadPartCommand(part)));
    },
    expected: '400 BadDigest',
  },
  {
    title: 'SHA-256 of a multipart object is that of its parts’ digests, with their number',
    truth: `${UPLOADS}: composite checksums`,
    moto: 'no number and no type',
    run: (t) => uploadTwo(t, { ChecksumAlgorithm: 'SHA256' }),
    expected: {
      ChecksumSHA256: `${createHash('sha256')
        .update(
          createHash('sha256')
            .update('a'.repeat(5 * MIB))
            .digest(),
        )
        .update(createHash('sha256').update('b').digest())
        .digest('base64')}-2`,
      ChecksumType: 'COMPOSITE',
    },
  },
  {
    title: 'CRC32 of a multipart object is composite by default',
    truth: `${UPLOADS}; floci#3093, row 4, seen on AWS`,
    moto: 'no number and no type',
    run: (t) => uploadTwo(t, { ChecksumAlgorithm: 'CRC32' }),
    expected: {
      ChecksumCRC32: `${base64Crc(
        Buffer.concat(['a'.repeat(5 * MIB), 'b'].map((part) => Buffer.from(base64Crc(part), 'base64'))),
      )}-2`,
      ChecksumType: 'COMPOSITE',
    },
  },
  {
    title: 'CRC32 with type FULL_OBJECT is that of the whole object',
    truth: `${UPLOADS}; zlib's crc32 of the whole`,
    run: (t) => uploadTwo(t, { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' }),
    expected: { ChecksumCRC32: base64Crc(`${'a'.repeat(5 * MIB)}b`), ChecksumType: 'FULL_OBJECT' },
  },
  {
    title: 'an upload with a SHA-256 of the whole object or a composite CRC64NVME is refused',
    truth: `${UPLOADS}; floci#3093, rows 11 and 12, seen on AWS`,
    moto: '200',
    run: async (t) => {
      const begin = (more: object) =>
        failure(t.s3.send(new CreateMultipartUploadCommand({ Bucket: t.plain, Key: t.key(), ...more })));
      return [
        await begin({ ChecksumAlgorithm: 'SHA256', ChecksumType: 'FULL_OBJECT' }),
        await begin({ ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'COMPOSITE' }),
      ];
    },
    expected: ['400 InvalidRequest', '400 InvalidRequest'],
  },
  {
    title: 'an upload with SHA-256 refuses a part without it, and a list without its values',
    truth: 'floci#3093, rows 22 and 23, seen on AWS',
    moto: '200',
    run: async (t) => {
      const key = t.key();
      const target = { Bucket: t.plain, Key: key };
      const { UploadId = '' } = await t.s3.send(
        new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'SHA256' }),
      );
      const query = { partNumber: '1', uploadId: UploadId };
      const bare = await t.raw({ method: 'PUT', bucket: t.plain, key, query, body: 'x' });
      const { ETag } = await t.s3.send(
        new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'x', ChecksumAlgorithm: 'SHA256' }),
      );
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      const whole = t.s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }));
      return [`${bare.status} ${bare.code}`, await failure(whole)];
    },
    expected: ['400 InvalidRequest', '400 InvalidRequest'],
  },
  {
    title: "a copy has its source's algorithm, or the requested one",
    truth: 'API/API_CopyObject.html: x-amz-checksum-algorithm',
    moto: 'the same values without their type',
    run: async (t) => {
      const key = t.key();
      await t.s3.send(
        new PutObjectCommand({ Bucket: t.plain, Key: key, Body: '123456789', ChecksumAlgorithm: 'SHA1' }),
      );
      const copy = { Bucket: t.plain, CopySource: `${t.plain}/${key}` };
      await t.s3.send(new CopyObjectCommand({ ...copy, Key: `${key}same` }));
      await t.s3.send(new CopyObjectCommand({ ...copy, Key: `${key}other`, ChecksumAlgorithm: 'CRC32' }));
      return [await head(t, `${key}same`), await head(t, `${key}other`)];
    },
    expected: [
      { ChecksumSHA1: KNOWN.SHA1, ChecksumType: 'FULL_OBJECT' },
      { ChecksumCRC32: KNOWN.CRC32, ChecksumType: 'FULL_OBJECT' },
    ],
  },
];

runCases(CASES);
