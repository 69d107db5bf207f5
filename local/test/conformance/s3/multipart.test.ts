import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { type Case, runCases } from '../../support/s3-cases.ts';
import { failure, type Target } from '../../support/s3-target.ts';

const COMPLETE = 'API/API_CompleteMultipartUpload.html';
const LIMITS = 'userguide/qfacts.html';
const MIB = 2 ** 20;
const five = (letter: string) => letter.repeat(5 * MIB);
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** One upload: its parts are put, chosen and completed by hand. */
async function begin(t: Target, more: Partial<CreateMultipartUploadCommandInput> = {}) {
  const target = { Bucket: t.plain, Key: t.key() };
  const { UploadId } = await t.s3.send(new CreateMultipartUploadCommand({ ...target, ...more }));
  const upload = { ...target, UploadId };
  return {
    upload,
    part: async (PartNumber: number, Body: string): Promise<CompletedPart> => {
      const { ETag } = await t.s3.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
      return { PartNumber, ETag };
    },
    complete: (Parts: CompletedPart[]) =>
      t.s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })),
    size: async () => (await t.s3.send(new HeadObjectCommand(target))).ContentLength,
  };
}

const CASES: Case[] = [
  {
    title: 'parts become one object, whose ETag is the MD5 of their MD5s with their number',
    truth: 'API/API_Object.html: ETag; openssl dgst of the digests laid end to end',
    run: async (t) => {
      const u = await begin(t, { ContentType: 'video/mp4', Metadata: { a: '1' } });
      const parts = [await u.part(1, five('a')), await u.part(2, 'b')];
      const { ETag } = await u.complete(parts);
      const got = await t.s3.send(
        new GetObjectCommand({ Bucket: t.plain, Key: u.upload.Key, Range: 'bytes=5242879-' }),
      );
      return [ETag, await got.Body?.transformToString(), got.ContentType, got.Metadata];
    },
    expected: [
      `"${createHash('md5')
        .update(Buffer.from(md5(five('a')) + md5('b'), 'hex'))
        .digest('hex')}-2"`,
      'ab',
      'video/mp4',
      { a: '1' },
    ],
  },
  {
    title: 'part numbers need not be contiguous, and parts may be uploaded in any order',
    truth: 'userguide/mpuoverview.html',
    run: async (t) => {
      const u = await begin(t);
      const last = await u.part(10_000, 'c');
      const first = await u.part(7, five('a'));
      await u.complete([first, last]);
      return u.size();
    },
    expected: 5 * MIB + 1,
  },
  {
    title: 'only the parts that are listed make the object',
    truth: COMPLETE,
    run: async (t) => {
      const u = await begin(t);
      await u.part(1, 'unlisted');
      await u.complete([await u.part(2, 'listed')]);
      return u.size();
    },
    expected: 6,
  },
  {
    title: 'a part that is uploaded again replaces the previous one',
    truth: 'userguide/mpuoverview.html: "the previously uploaded part is overwritten"',
    run: async (t) => {
      const u = await begin(t);
      const before = await u.part(1, 'before');
      const after = await u.part(1, 'after!!');
      return [await failure(u.complete([before])), await failure(u.complete([after])), await u.size()];
    },
    expected: ['400 InvalidPart', 'no error', 7],
  },
  {
    title: 'parts out of order are InvalidPartOrder',
    truth: COMPLETE,
    moto: 'EntityTooSmall: it looks at sizes first',
    run: async (t) => {
      const u = await begin(t);
      const parts = [await u.part(1, five('a')), await u.part(2, 'b')];
      return failure(u.complete(parts.reverse()));
    },
    expected: '400 InvalidPartOrder',
  },
  {
    title: 'a part that was never put is InvalidPart',
    truth: COMPLETE,
    run: async (t) => {
      const u = await begin(t);
      const part = await u.part(1, five('a'));
      return failure(u.complete([part, { PartNumber: 2, ETag: '"5d41402abc4b2a76b9719d911017c592"' }]));
    },
    expected: '400 InvalidPart',
  },
  {
    title: 'a part of less than 5 MiB that is not the last is refused',
    truth: `${LIMITS}; ${COMPLETE}: EntityTooSmall`,
    run: async (t) => {
      const u = await begin(t);
      const parts = [await u.part(1, five('a').slice(1)), await u.part(2, 'b')];
      return failure(u.complete(parts));
    },
    expected: '400 EntityTooSmall',
  },
  {
    title: 'no parts at all are MalformedXML',
    truth: 'API/ErrorResponses.html: MalformedXML; ceph/s3-tests test_multipart_upload_empty',
    run: async (t) => failure((await begin(t)).complete([])),
    expected: '400 MalformedXML',
  },
  {
    title: 'part numbers are 1 to 10,000',
    truth: LIMITS,
    moto: '404 NoSuchUpload for 0',
    run: async (t) => {
      const u = await begin(t);
      return [await failure(u.part(0, 'x')), await failure(u.part(10_001, 'x')), await failure(u.part(10_000, 'x'))];
    },
    expected: ['400 InvalidArgument', '400 InvalidArgument', 'no error'],
  },
  {
    title: 'an aborted upload does not exist, nor do its parts',
    truth: 'API/API_AbortMultipartUpload.html',
    moto: '500 for a part of it',
    run: async (t) => {
      const u = await begin(t);
      const part = await u.part(1, 'x');
      await t.s3.send(new AbortMultipartUploadCommand(u.upload));
      return [
        await failure(u.part(2, 'y')),
        await failure(u.complete([part])),
        await failure(t.s3.send(new ListPartsCommand(u.upload))),
        await failure(t.s3.send(new AbortMultipartUploadCommand(u.upload))),
      ];
    },
    expected: ['404 NoSuchUpload', '404 NoSuchUpload', '404 NoSuchUpload', '404 NoSuchUpload'],
  },
  {
    title: 'a second completion has the same answer',
    truth: 'adobe/S3Mock#2586 and minio#13318: both show a real S3 that does',
    run: async (t) => {
      const u = await begin(t);
      const part = await u.part(1, 'x');
      const tags = [await u.complete([part]), await u.complete([part])].map(({ ETag }) => ETag);
      return new Set(tags).size;
    },
    expected: 1,
  },
  {
    title: 'a completed upload accepts no further part',
    truth: 'API/ErrorResponses.html: NoSuchUpload',
    moto: '500',
    run: async (t) => {
      const u = await begin(t);
      await u.complete([await u.part(1, 'x')]);
      return failure(u.part(2, 'y'));
    },
    expected: '404 NoSuchUpload',
  },
  {
    title: 'an object is not visible before its upload is complete',
    truth: 'userguide/mpuoverview.html',
    run: async (t) => {
      const u = await begin(t);
      await u.part(1, 'x');
      return failure(u.size());
    },
    expected: '404 NotFound',
  },
  {
    title: 'parts are listed by number, in pages',
    truth: 'API/API_ListParts.html',
    run: async (t) => {
      const u = await begin(t);
      for (const number of [3, 1, 2]) await u.part(number, 'x'.repeat(number));
      const one = await t.s3.send(new ListPartsCommand({ ...u.upload, MaxParts: 2 }));
      const two = await t.s3.send(new ListPartsCommand({ ...u.upload, PartNumberMarker: one.NextPartNumberMarker }));
      return [one, two].map((page) => [page.Parts?.map((it) => [it.PartNumber, it.Size]), page.IsTruncated]);
    },
    expected: [
      [
        [
          [1, 1],
          [2, 2],
        ],
        true,
      ],
      [[[3, 3]], false],
    ],
  },
  {
    title: 'uploads under way are listed by prefix, in pages',
    truth: 'API/API_ListMultipartUploads.html',
    moto: 'unsorted and unpaged',
    run: async (t) => {
      const prefix = t.key();
      const Bucket = t.plain;
      for (const name of ['b', 'a', 'c'])
        await t.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: prefix + name }));
      const list = (more: object) => t.s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: prefix, ...more }));
      const one = await list({ MaxUploads: 2 });
      const two = await list({ KeyMarker: one.NextKeyMarker, UploadIdMarker: one.NextUploadIdMarker });
      return [one, two].map((page) => [page.Uploads?.map((it) => it.Key?.slice(prefix.length)), page.IsTruncated]);
    },
    expected: [
      [['a', 'b'], true],
      [['c'], false],
    ],
  },
  {
    title: 'a part may be copied from a range of an object, even of a small one',
    truth:
      'API/API_UploadPartCopy.html, but for its "only if the source object is greater than 5 MB": ceph/s3-tests test_multipart_copy_small is not marked as failing on AWS',
    run: async (t) => {
      const u = await begin(t);
      const source = t.key('a b');
      await t.s3.send(new PutObjectCommand({ Bucket: t.plain, Key: source, Body: '0123456789' }));
      const CopySource = encodeURI(`${t.plain}/${source}`);
      const { CopyPartResult } = await t.s3.send(
        new UploadPartCopyCommand({ ...u.upload, PartNumber: 1, CopySource, CopySourceRange: 'bytes=2-4' }),
      );
      await u.complete([{ PartNumber: 1, ETag: CopyPartResult?.ETag }]);
      const got = await t.s3.send(new GetObjectCommand({ Bucket: t.plain, Key: u.upload.Key }));
      return [await got.Body?.transformToString(), CopyPartResult?.ETag];
    },
    expected: ['234', `"${md5('234')}"`],
  },
  {
    title: 'a range of a copied part beyond its source is refused',
    truth:
      'API/API_UploadPartCopy.html: "must use the form bytes=first-last"; seen on AWS: versity/versitygw#610 (400), #245 (416), gaul/s3proxy#304 (400)',
    run: async (t) => {
      const u = await begin(t);
      const source = t.key();
      await t.s3.send(new PutObjectCommand({ Bucket: t.plain, Key: source, Body: '0123456789' }));
      const copy = (CopySourceRange: string) =>
        t.s3.send(
          new UploadPartCopyCommand({
            ...u.upload,
            PartNumber: 1,
            CopySource: `${t.plain}/${source}`,
            CopySourceRange,
          }),
        );
      return [await failure(copy('bytes=5-10')), await failure(copy('bytes=5-'))].map((it) => it.slice(0, 3) >= '400');
    },
    expected: [true, true],
  },
  {
    title: 'LastModified of a multipart upload is the second in which it was initiated, in HEAD and in lists',
    truth: 'userguide/UsingMetadata.html: of multipart uploads, the creation date is that of initiation',
    run: async (t) => {
      const u = await begin(t);
      const begun = Date.now();
      const part = await u.part(1, 'x');
      // Two whole seconds later, so that no rounding can make them the same.
      await new Promise((resolve) => setTimeout(resolve, 2000));
      await u.complete([part]);
      const { Bucket, Key } = u.upload;
      const { LastModified: told } = await t.s3.send(new HeadObjectCommand({ Bucket, Key }));
      const { Contents = [] } = await t.s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }));
      const listed = Contents[0]?.LastModified;
      return [told?.getTime() === listed?.getTime(), (told?.getTime() ?? 0) % 1000, (told?.getTime() ?? 0) <= begun];
    },
    expected: [true, 0, true],
  },
];

runCases(CASES);
