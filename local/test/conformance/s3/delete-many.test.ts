import { createHash } from 'node:crypto';
import { DeleteObjectsCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { type Case, runCases } from '../../support/s3-cases.ts';
import { failure, type Target } from '../../support/s3-target.ts';

const API = 'API/API_DeleteObjects.html';
const STRANGE = ['a&b', '<c>', 'd\'e"', 'ü 日本', ' f '];
const put = (t: Target, Key: string) => t.s3.send(new PutObjectCommand({ Bucket: t.plain, Key, Body: 'x' }));
const remove = (t: Target, keys: string[], Quiet = false) =>
  t.s3.send(new DeleteObjectsCommand({ Bucket: t.plain, Delete: { Objects: keys.map((Key) => ({ Key })), Quiet } }));

const CASES: Case[] = [
  {
    title: 'named keys of any characters are deleted, and missing ones count as deleted',
    truth: API,
    run: async (t) => {
      const prefix = t.key();
      for (const name of STRANGE) await put(t, prefix + name);
      const got = await remove(
        t,
        [...STRANGE, 'missing'].map((name) => prefix + name),
      );
      const left = await t.s3.send(new ListObjectsV2Command({ Bucket: t.plain, Prefix: prefix }));
      return [got.Deleted?.map(({ Key }) => Key?.slice(prefix.length)).sort(), got.Errors, left.KeyCount];
    },
    expected: [[...STRANGE, 'missing'].sort(), undefined, 0],
  },
  {
    title: 'with Quiet the answer contains errors only',
    truth: API,
    moto: 'it tells of all',
    run: async (t) => {
      const key = t.key();
      await put(t, key);
      const got = await remove(t, [key], true);
      return [got.Deleted, got.Errors];
    },
    expected: [undefined, undefined],
  },
  {
    title: 'more than 1,000 keys are MalformedXML',
    truth: `${API}: "The request can contain a list of up to 1,000 keys"`,
    moto: '200',
    run: (t) =>
      failure(
        remove(
          t,
          Array.from({ length: 1001 }, (_, i) => `${t.key()}${i}`),
        ),
      ),
    expected: '400 MalformedXML',
  },
  {
    title: 'a request without Content-MD5 or a checksum is InvalidRequest',
    truth: `${API}: "The Content-MD5 request header is required for all Multi-Object Delete requests"`,
    moto: '200',
    run: async (t) => {
      const body = '<Delete><Object><Key>a</Key></Object></Delete>';
      const got = await t.raw({ method: 'POST', bucket: t.plain, query: { delete: '' }, body });
      return [got.status, got.code];
    },
    expected: [400, 'InvalidRequest'],
  },
  {
    title: 'a body that is not XML is MalformedXML',
    truth: 'API/ErrorResponses.html',
    moto: '500',
    run: async (t) => {
      const body = '{"Delete":[]}';
      const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
      const got = await t.raw({ method: 'POST', bucket: t.plain, query: { delete: '' }, body, headers });
      return [got.status, got.code];
    },
    expected: [400, 'MalformedXML'],
  },
];

runCases(CASES);
