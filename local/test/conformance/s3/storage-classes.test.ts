import { CopyObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { type Case, runCases } from '../../support/s3-cases.ts';
import { failure, type Target } from '../../support/s3-target.ts';

const put = async (t: Target, StorageClass?: 'STANDARD' | 'STANDARD_IA' | 'GLACIER' | 'DEEP_ARCHIVE') => {
  const object = { Bucket: t.plain, Key: t.key() };
  await t.s3.send(new PutObjectCommand({ ...object, Body: 'hello', ...(StorageClass && { StorageClass }) }));
  return object;
};

const CASES: Case[] = [
  {
    title: 'HEAD names a storage class other than STANDARD',
    truth: 'API/API_HeadObject.html, x-amz-storage-class',
    run: async (t) => {
      const classes = [];
      for (const wanted of ['STANDARD', 'STANDARD_IA', 'GLACIER'] as const) {
        classes.push((await t.s3.send(new HeadObjectCommand(await put(t, wanted)))).StorageClass);
      }
      return classes;
    },
    expected: [undefined, 'STANDARD_IA', 'GLACIER'],
  },
  {
    title: 'a GET of an archived object, or of a range of it, is refused before it is restored',
    truth: 'API/API_GetObject.html, InvalidObjectState',
    run: async (t) => {
      const answers = [];
      for (const wanted of ['GLACIER', 'DEEP_ARCHIVE'] as const) {
        const object = await put(t, wanted);
        answers.push(await failure(t.s3.send(new GetObjectCommand({ ...object, Range: 'bytes=0-1' }))));
      }
      return answers;
    },
    expected: ['403 InvalidObjectState', '403 InvalidObjectState'],
  },
  {
    title: 'a copy of an archived object is refused',
    truth:
      'API/API_CopyObject.html: "If the source object\'s storage class is GLACIER or DEEP_ARCHIVE … you must restore a copy"',
    run: async (t) => {
      const { Bucket, Key } = await put(t, 'GLACIER');
      return failure(t.s3.send(new CopyObjectCommand({ Bucket, Key: t.key(), CopySource: `${Bucket}/${Key}` })));
    },
    expected: '403 InvalidObjectState',
  },
  {
    title: 'a copy has the requested storage class, not that of its source',
    truth: 'API/API_CopyObject.html, x-amz-storage-class',
    run: async (t) => {
      const { Bucket, Key } = await put(t, 'STANDARD_IA');
      const target = { Bucket, Key: t.key() };
      await t.s3.send(new CopyObjectCommand({ ...target, CopySource: `${Bucket}/${Key}` }));
      return (await t.s3.send(new HeadObjectCommand(target))).StorageClass;
    },
    expected: undefined,
  },
];

runCases(CASES);
