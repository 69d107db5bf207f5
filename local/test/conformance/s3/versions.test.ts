import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type Case, runCases } from '../../support/s3-cases.ts';
import { failure, type Target } from '../../support/s3-target.ts';

const MARKERS = 'userguide/DeleteMarker.html';
const put = async (t: Target, Key: string, Body: string, Bucket = t.versioned) =>
  (await t.s3.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId ?? '';
const text = async (t: Target, Key: string, VersionId?: string) =>
  (await t.s3.send(new GetObjectCommand({ Bucket: t.versioned, Key, VersionId }))).Body?.transformToString();
const remove = (t: Target, Key: string, VersionId?: string) =>
  t.s3.send(new DeleteObjectCommand({ Bucket: t.versioned, Key, VersionId }));

const CASES: Case[] = [
  {
    title: 'each write makes a version, and the newest is current',
    truth: 'userguide/AddingObjectstoVersioningEnabledBuckets.html',
    run: async (t) => {
      const key = t.key();
      const [one, two] = [await put(t, key, 'one'), await put(t, key, 'two')];
      return [one !== two, await text(t, key), await text(t, key, one), await text(t, key, two)];
    },
    expected: [true, 'two', 'one', 'two'],
  },
  {
    title: 'an unversioned bucket returns no version id',
    truth: 'API/API_PutObject.html',
    run: (t) => put(t, t.key(), 'x', t.plain),
    expected: '',
  },
  {
    title: 'a delete adds a marker, and the key is 404 with x-amz-delete-marker',
    truth: MARKERS,
    moto: '404 without the headers',
    run: async (t) => {
      const key = t.key();
      await put(t, key, 'x');
      const gone = await remove(t, key);
      const got = await t.raw({ method: 'GET', bucket: t.versioned, key });
      const listed = await t.s3.send(new ListObjectsV2Command({ Bucket: t.versioned, Prefix: key }));
      return [
        gone.DeleteMarker,
        got.status,
        got.code,
        got.headers['x-amz-delete-marker'],
        got.headers['x-amz-version-id'] === gone.VersionId,
        listed.KeyCount,
      ];
    },
    expected: [true, 404, 'NoSuchKey', 'true', true, 0],
  },
  {
    title: 'a GET of a delete marker is MethodNotAllowed',
    truth: `${MARKERS}: 405`,
    moto: '404 NoSuchVersion',
    run: async (t) => {
      const key = t.key();
      const { VersionId = '' } = await remove(t, key);
      const got = await t.raw({ method: 'GET', bucket: t.versioned, key, query: { versionId: VersionId } });
      return [got.status, got.code, got.headers['x-amz-delete-marker']];
    },
    expected: [405, 'MethodNotAllowed', 'true'],
  },
  {
    title: 'the deletion of the marker restores the object',
    truth: 'userguide/ManagingDelMarkers.html',
    moto: 'it comes back, but the answer does not say that a marker went',
    run: async (t) => {
      const key = t.key();
      await put(t, key, 'back');
      const { VersionId } = await remove(t, key);
      const undone = await remove(t, key, VersionId);
      return [undone.DeleteMarker, undone.VersionId === VersionId, await text(t, key)];
    },
    expected: [true, true, 'back'],
  },
  {
    title: 'the deletion of a version is permanent, and the previous one becomes current',
    truth: 'userguide/DeletingObjectVersions.html',
    run: async (t) => {
      const key = t.key();
      await put(t, key, 'one');
      const two = await put(t, key, 'two');
      await remove(t, key, two);
      return [await text(t, key), await failure(text(t, key, two))];
    },
    expected: ['one', '404 NoSuchVersion'],
  },
  {
    title: 'a version id with an invalid form is InvalidArgument',
    truth: 'versity/versitygw#1698: an answer of AmazonS3',
    moto: '404 NoSuchVersion',
    run: (t) => failure(text(t, t.key(), 'nonsense')),
    expected: '400 InvalidArgument',
  },
  {
    title: 'versions are listed by key, the newest first, and markers separately',
    truth: 'API/API_ListObjectVersions.html',
    run: async (t) => {
      const prefix = t.key();
      const ids = [await put(t, `${prefix}a`, '1'), await put(t, `${prefix}a`, '22'), await put(t, `${prefix}b`, '3')];
      const marker = (await remove(t, `${prefix}a`)).VersionId;
      const got = await t.s3.send(new ListObjectVersionsCommand({ Bucket: t.versioned, Prefix: prefix }));
      return [
        got.Versions?.map((v) => [v.Key?.slice(prefix.length), ids.indexOf(v.VersionId ?? ''), v.IsLatest, v.Size]),
        got.DeleteMarkers?.map((m) => [m.Key?.slice(prefix.length), m.VersionId === marker, m.IsLatest]),
      ];
    },
    expected: [
      [
        ['a', 1, false, 2],
        ['a', 0, false, 1],
        ['b', 2, true, 1],
      ],
      [['a', true, true]],
    ],
  },
  {
    title: 'pages of versions may end within a key and continue there',
    truth: 'API/API_ListObjectVersions.html: KeyMarker and VersionIdMarker',
    run: async (t) => {
      const prefix = t.key();
      const ids = [await put(t, `${prefix}a`, '1'), await put(t, `${prefix}a`, '2'), await put(t, `${prefix}a`, '3')];
      ids.push(await put(t, `${prefix}b`, '4'));
      const seen: number[][] = [];
      let next: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
      for (let more: boolean | undefined = true; more && seen.length < 9; ) {
        const got = await t.s3.send(
          new ListObjectVersionsCommand({ Bucket: t.versioned, Prefix: prefix, MaxKeys: 2, ...next }),
        );
        seen.push((got.Versions ?? []).map(({ VersionId = '' }) => ids.indexOf(VersionId)));
        next = { KeyMarker: got.NextKeyMarker, VersionIdMarker: got.NextVersionIdMarker };
        more = got.IsTruncated;
      }
      return seen;
    },
    expected: [
      [2, 1],
      [0, 3],
    ],
  },
  {
    title: 'in an unversioned bucket the version id is null',
    truth: 'userguide/versioning-workflows.html',
    run: async (t) => {
      const key = t.key();
      await put(t, key, 'x', t.plain);
      const got = await t.s3.send(new ListObjectVersionsCommand({ Bucket: t.plain, Prefix: key }));
      return got.Versions?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]);
    },
    expected: [['null', true]],
  },
  {
    title: 'a copy may read an old version, and its answer names it',
    truth: 'API/API_CopyObject.html',
    run: async (t) => {
      const key = t.key();
      const one = await put(t, key, 'one');
      await put(t, key, 'two');
      const CopySource = `${t.versioned}/${key}?versionId=${one}`;
      const copied = await t.s3.send(new CopyObjectCommand({ Bucket: t.versioned, Key: `${key}copy`, CopySource }));
      return [await text(t, `${key}copy`), copied.CopySourceVersionId === one, copied.VersionId !== undefined];
    },
    expected: ['one', true, true],
  },
  {
    title: 'DeleteObjects adds markers, and removes named versions',
    truth: 'API/API_DeleteObjects.html',
    run: async (t) => {
      const key = t.key();
      const [one, two] = [await put(t, `${key}a`, '1'), await put(t, `${key}b`, '2')];
      const got = await t.s3.send(
        new DeleteObjectsCommand({
          Bucket: t.versioned,
          Delete: { Objects: [{ Key: `${key}a` }, { Key: `${key}b`, VersionId: two }] },
        }),
      );
      const told = Object.fromEntries(
        (got.Deleted ?? []).map((it) => [
          it.Key?.slice(key.length),
          [it.DeleteMarker ?? false, it.DeleteMarkerVersionId !== undefined, it.VersionId === two],
        ]),
      );
      return [told, await text(t, `${key}a`, one), await failure(text(t, `${key}b`, two))];
    },
    expected: [{ a: [true, true, false], b: [false, false, true] }, '1', '404 NoSuchVersion'],
  },
  {
    title: 'versions are listed by when they were stored, the newest first, whatever their LastModified',
    truth:
      'userguide/list-obj-version-enabled-bucket.html: the most recently stored first; userguide/UsingMetadata.html: a multipart upload has the date of its initiation',
    run: async (t) => {
      const target = { Bucket: t.versioned, Key: t.key() };
      const { UploadId } = await t.s3.send(new CreateMultipartUploadCommand(target));
      const one = await put(t, target.Key, 'one');
      const { ETag } = await t.s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'two' }));
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      const two = await t.s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }));
      const listed = await t.s3.send(new ListObjectVersionsCommand({ Bucket: t.versioned, Prefix: target.Key }));
      const names = new Map([
        [one, 'one'],
        [two.VersionId, 'two'],
      ]);
      return listed.Versions?.map(({ VersionId, IsLatest }) => [names.get(VersionId ?? ''), IsLatest]);
    },
    expected: [
      ['two', true],
      ['one', false],
    ],
  },
];

runCases(CASES);
