import {
  CopyObjectCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { type Case, runCases } from '../../support/s3-cases.ts';
import { failure, type Target } from '../../support/s3-target.ts';

type Tags = Record<string, string>;

const setOf = (tags: Tags) => ({ TagSet: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) });
const put = async (t: Target, Body = 'hello') => {
  const object = { Bucket: t.versioned, Key: t.key() };
  const { VersionId } = await t.s3.send(new PutObjectCommand({ ...object, Body }));
  return { ...object, VersionId };
};
const tagged = async (t: Target, tags: Tags) => {
  const object = await put(t);
  await t.s3.send(new PutObjectTaggingCommand({ ...object, Tagging: setOf(tags) }));
  return object;
};
const tagsOf = async (t: Target, object: { Bucket: string; Key: string; VersionId?: string | undefined }) =>
  Object.fromEntries(
    ((await t.s3.send(new GetObjectTaggingCommand(object))).TagSet ?? []).map(({ Key = '', Value = '' }) => [
      Key,
      Value,
    ]),
  );

const CASES: Case[] = [
  {
    title: 'PutObjectTagging replaces all tags of the version',
    truth: 'API/API_PutObjectTagging.html: "Sets the supplied tag-set to an object that already exists in a bucket"',
    run: async (t) => {
      const object = await tagged(t, { a: '1', b: 'x/y z+-=._:@' });
      const first = await tagsOf(t, object);
      await t.s3.send(new PutObjectTaggingCommand({ ...object, Tagging: setOf({ c: '3' }) }));
      return [first, await tagsOf(t, object)];
    },
    expected: [{ a: '1', b: 'x/y z+-=._:@' }, { c: '3' }],
  },
  {
    title: 'tags belong to one version: an older one can be tagged, and stays the older one',
    truth: 'API/API_PutObjectTagging.html: "To put tags of any other version, use the versionId query parameter"',
    run: async (t) => {
      const older = await put(t, 'older');
      const newer = { ...older, VersionId: undefined };
      await t.s3.send(new PutObjectCommand({ Bucket: older.Bucket, Key: older.Key, Body: 'newer' }));
      await t.s3.send(new PutObjectTaggingCommand({ ...older, Tagging: setOf({ of: 'older' }) }));
      const { Body } = await t.s3.send(new GetObjectCommand(newer));
      const listed = await t.s3.send(new ListObjectVersionsCommand({ Bucket: older.Bucket, Prefix: older.Key }));
      const order = listed.Versions?.map(({ VersionId, IsLatest }) => [VersionId === older.VersionId, IsLatest]);
      return [await tagsOf(t, older), await tagsOf(t, newer), await Body?.transformToString(), order];
    },
    expected: [
      { of: 'older' },
      {},
      'newer',
      [
        [false, true],
        [true, false],
      ],
    ],
  },
  {
    title: 'tagging changes neither ETag, version nor date',
    truth: 'userguide/object-tagging.html: tags are added "to existing objects", without a new version',
    run: async (t) => {
      const object = await put(t);
      const before = await t.s3.send(new HeadObjectCommand({ ...object, VersionId: undefined }));
      await t.s3.send(new PutObjectTaggingCommand({ ...object, Tagging: setOf({ a: '1' }) }));
      const after = await t.s3.send(new HeadObjectCommand({ ...object, VersionId: undefined }));
      return [
        before.ETag === after.ETag,
        before.VersionId === after.VersionId,
        before.LastModified?.getTime() === after.LastModified?.getTime(),
      ];
    },
    expected: [true, true, true],
  },
  {
    title: 'DeleteObjectTagging removes all tags',
    truth: 'API/API_DeleteObjectTagging.html',
    run: async (t) => {
      const object = await tagged(t, { a: '1' });
      await t.s3.send(new DeleteObjectTaggingCommand(object));
      return tagsOf(t, object);
    },
    expected: {},
  },
  {
    title: 'a copy has the tags of its source',
    truth: 'API/API_CopyObject.html, x-amz-tagging-directive: "The default value is COPY"',
    run: async (t) => {
      const { Bucket, Key } = await tagged(t, { a: '1' });
      const target = { Bucket, Key: t.key() };
      await t.s3.send(new CopyObjectCommand({ ...target, CopySource: `${Bucket}/${Key}` }));
      return tagsOf(t, target);
    },
    expected: { a: '1' },
  },
  {
    title: 'eleven tags, a key twice, a key that is too long, and a key of AWS are refused',
    truth: 'userguide/object-tagging.html: up to 10 tags, unique keys, 128 and 256 characters; aws: is reserved',
    run: async (t) => {
      const object = await put(t);
      const wrong = [
        setOf(Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`k${i}`, 'v']))),
        { TagSet: [...setOf({ a: '1' }).TagSet, ...setOf({ a: '2' }).TagSet] },
        setOf({ ['k'.repeat(129)]: 'v' }),
        setOf({ 'aws:k': 'v' }),
      ];
      const answers = [];
      for (const Tagging of wrong) {
        answers.push(await failure(t.s3.send(new PutObjectTaggingCommand({ ...object, Tagging }))));
      }
      return answers;
    },
    expected: ['400 BadRequest', '400 InvalidTag', '400 InvalidTag', '400 InvalidTag'],
  },
  {
    title: 'tags of a missing key are 404',
    truth: 'API/ErrorResponses.html, NoSuchKey',
    run: (t) => failure(t.s3.send(new GetObjectTaggingCommand({ Bucket: t.versioned, Key: t.key('none') }))),
    expected: '404 NoSuchKey',
  },
];

runCases(CASES);
