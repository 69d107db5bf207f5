import { ListObjectsCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { type Case, runCases } from '../../support/s3-cases.ts';
import type { Target } from '../../support/s3-target.ts';

const V2 = 'API/API_ListObjectsV2.html';
const V1 = 'API/API_ListObjects.html';
const PREFIXES = 'userguide/using-prefixes.html';

/** Puts the keys under a prefix of their own, and returns it. */
async function fill(t: Target, ...names: string[]): Promise<string> {
  const prefix = t.key();
  for (const name of names) {
    await t.s3.send(new PutObjectCommand({ Bucket: t.plain, Key: prefix + name, Body: name }));
  }
  return prefix;
}

/** A page as names relative to `prefix`, and what it says of itself. */
async function page(t: Target, prefix: string, more: object = {}) {
  const input = { Bucket: t.plain, Prefix: prefix, ...more };
  const got = await t.s3.send(new ListObjectsV2Command(input));
  return {
    keys: (got.Contents ?? []).map(({ Key = '' }) => Key.slice(prefix.length)),
    prefixes: (got.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix.slice(prefix.length)),
    count: got.KeyCount,
    more: got.IsTruncated,
    token: got.NextContinuationToken,
  };
}

/** Every page of `size`, as lists of keys and common prefixes. */
async function pages(t: Target, prefix: string, size: number, more: object = {}): Promise<string[][]> {
  const all: string[][] = [];
  let token: string | undefined;
  do {
    const got = await page(t, prefix, { MaxKeys: size, ContinuationToken: token, ...more });
    all.push([...got.keys, ...got.prefixes]);
    token = got.token;
  } while (token !== undefined && all.length < 20);
  return all;
}

const CASES: Case[] = [
  {
    title: 'keys are in the order of their UTF-8 bytes',
    truth: `${V2}: "returned in UTF-8 binary order"; LC_ALL=C sort`,
    run: async (t) => (await page(t, await fill(t, '～', '😀', 'é', 'z', 'a', 'A', '_', '0'))).keys,
    expected: ['0', 'A', '_', 'a', 'z', 'é', '～', '😀'],
  },
  {
    title: 'keys are grouped up to a delimiter',
    truth: PREFIXES,
    run: async (t) => {
      const { token: _, ...got } = await page(t, await fill(t, 'a/1', 'a/2', 'b', 'c/d/e', 'c'), { Delimiter: '/' });
      return got;
    },
    expected: { keys: ['b', 'c'], prefixes: ['a/', 'c/'], count: 4, more: false },
  },
  {
    title: 'a delimiter may have several characters',
    truth: PREFIXES,
    run: async (t) => (await page(t, await fill(t, 'a--1', 'a--2', 'a-3'), { Delimiter: '--' })).prefixes,
    expected: ['a--'],
  },
  {
    title: 'a key that ends at the delimiter under a prefix is grouped, too',
    truth: PREFIXES,
    run: async (t) => {
      const { keys, prefixes } = await page(t, await fill(t, 'a/', 'a/b'), { Delimiter: '/' });
      return [keys, prefixes];
    },
    expected: [[], ['a/']],
  },
  {
    title: 'the key that is the prefix itself is not grouped',
    truth: PREFIXES,
    run: async (t) => (await page(t, await fill(t, '', 'b'), { Delimiter: '/' })).keys,
    expected: ['', 'b'],
  },
  {
    title: 'pages add up to the whole, without gap or duplicate',
    truth: V2,
    run: async (t) => pages(t, await fill(t, 'a', 'b', 'c', 'd', 'e'), 2),
    expected: [['a', 'b'], ['c', 'd'], ['e']],
  },
  {
    title: 'a common prefix counts as one towards max-keys, and its keys are not paged through',
    truth: `${V2}: "all of the keys that roll up into a common prefix count as a single return"`,
    run: async (t) => pages(t, await fill(t, 'a/1', 'a/2', 'a/3', 'b', 'c/1', 'd'), 2, { Delimiter: '/' }),
    expected: [
      ['b', 'a/'],
      ['d', 'c/'],
    ],
  },
  {
    title: 'pages of one key with Unicode continue where they ended',
    truth: V2,
    run: async (t) => pages(t, await fill(t, 'ä/ü', '日本', '😀+ &'), 1),
    expected: [['ä/ü'], ['日本'], ['😀+ &']],
  },
  {
    title: 'start-after begins behind a key, which need not exist',
    truth: V2,
    run: async (t) => {
      const prefix = await fill(t, 'a', 'b', 'd');
      return [
        (await page(t, prefix, { StartAfter: `${prefix}a` })).keys,
        (await page(t, prefix, { StartAfter: `${prefix}c` })).keys,
      ];
    },
    expected: [['b', 'd'], ['d']],
  },
  {
    title: 'max-keys 0 is an empty page that is not truncated',
    truth: 'ceph/s3-tests test_bucket_listv2_maxkeys_zero, not marked as failing on AWS',
    run: async (t) => {
      const { token: _, ...got } = await page(t, await fill(t, 'a'), { MaxKeys: 0 });
      return got;
    },
    expected: { keys: [], prefixes: [], count: 0, more: false },
  },
  {
    title: 'max-keys that is not a number is InvalidArgument',
    truth: 'ceph/s3-tests test_bucket_listv2_maxkeys_invalid: 400 InvalidArgument',
    moto: '500',
    run: async (t) => {
      const got = await t.raw({ method: 'GET', bucket: t.plain, query: { 'list-type': '2', 'max-keys': 'blah' } });
      return [got.status, got.code];
    },
    expected: [400, 'InvalidArgument'],
  },
  {
    title: 'encoding-type=url encodes keys and prefixes',
    truth: `${V2}: "test_file(3).png will appear as test_file%283%29.png"; botocore decodes + as a space`,
    moto: 'a space is %20',
    run: async (t) => {
      const prefix = await fill(t, 'a b+é(3)', 'd e/f');
      const query = { 'list-type': '2', 'encoding-type': 'url', delimiter: '/', prefix };
      const { text } = await t.raw({ method: 'GET', bucket: t.plain, query });
      const tags = (name: string) =>
        [...text.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'g'))].map(([, it]) => it);
      return [
        tags('Key').map((key) => key?.slice(prefix.length)),
        tags('Prefix').at(-1)?.slice(prefix.length),
        tags('EncodingType'),
      ];
    },
    expected: [['a+b%2B%C3%A9%283%29'], 'd+e/', ['url']],
  },
  {
    title: 'each key has its ETag, size and storage class',
    truth: V2,
    run: async (t) => {
      const Prefix = await fill(t, 'hello');
      const { Contents } = await t.s3.send(new ListObjectsV2Command({ Bucket: t.plain, Prefix }));
      return Contents?.map(({ ETag, Size, StorageClass }) => [ETag, Size, StorageClass]);
    },
    expected: [['"5d41402abc4b2a76b9719d911017c592"', 5, 'STANDARD']],
  },
  {
    title: 'version 1 names the next marker only with a delimiter',
    truth: `${V1}: "NextMarker … is returned only if you have the delimiter request parameter specified"`,
    moto: 'always, and opaque',
    run: async (t) => {
      const Prefix = await fill(t, 'a', 'b/1', 'c');
      const list = (more: object) =>
        t.s3.send(new ListObjectsCommand({ Bucket: t.plain, Prefix, MaxKeys: 1, ...more }));
      const [bare, folded] = [await list({}), await list({ Delimiter: '/' })];
      const second = await list({ Marker: `${Prefix}a`, Delimiter: '/' });
      return [
        bare.IsTruncated,
        bare.NextMarker,
        folded.NextMarker?.slice(Prefix.length),
        second.CommonPrefixes?.map((it) => it.Prefix?.slice(Prefix.length)),
        second.NextMarker?.slice(Prefix.length),
      ];
    },
    expected: [true, undefined, 'a', ['b/'], 'b/'],
  },
];

runCases(CASES);
