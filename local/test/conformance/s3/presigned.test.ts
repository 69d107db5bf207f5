import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { type Case, runCases } from '../../support/s3-cases.ts';
import type { Target } from '../../support/s3-target.ts';

const PAGE = 'userguide/using-presigned-url.html';
const put = (t: Target, Key: string) =>
  t.s3.send(new PutObjectCommand({ Bucket: t.plain, Key, Body: 'hello', ContentType: 'text/plain' }));
const answer = async (url: string, init: RequestInit = {}) => {
  const got = await fetch(url, init);
  const text = await got.text();
  return [got.status, /<Code>(\w+)</.exec(text)?.[1] ?? text];
};

const CASES: Case[] = [
  {
    title: 'a GET requires no credentials but the URL',
    truth: PAGE,
    run: async (t) => {
      const Key = t.key('a b+ü.txt');
      await put(t, Key);
      return answer(await getSignedUrl(t.s3, new GetObjectCommand({ Bucket: t.plain, Key }), { expiresIn: 60 }));
    },
    expected: [200, 'hello'],
  },
  {
    title: 'a PUT accepts any body, whose checksum the signer could not know',
    truth: `${PAGE}; localstack#12169 and ministack#1695: AWS ignores the checksum of nothing in such a URL`,
    run: async (t) => {
      const Key = t.key();
      const url = await getSignedUrl(t.s3, new PutObjectCommand({ Bucket: t.plain, Key }), { expiresIn: 60 });
      const [status] = await answer(url, { method: 'PUT', body: 'uploaded' });
      return [status, (await t.raw({ method: 'GET', bucket: t.plain, key: Key })).text];
    },
    expected: [200, 'uploaded'],
  },
  {
    title: 'an expired URL is AccessDenied',
    truth: `${PAGE}: "If an action continues past the expiration"; API/ErrorResponses.html`,
    moto: '200: it verifies no signatures',
    run: async (t) => {
      const Key = t.key();
      await put(t, Key);
      const signingDate = new Date(Date.now() - 120_000);
      return answer(
        await getSignedUrl(t.s3, new GetObjectCommand({ Bucket: t.plain, Key }), { expiresIn: 60, signingDate }),
      );
    },
    expected: [403, 'AccessDenied'],
  },
  {
    title: 'a URL with another key is SignatureDoesNotMatch',
    truth: 'API/ErrorResponses.html',
    moto: '404 NoSuchKey: it verifies no signatures',
    run: async (t) => {
      const Key = t.key('mine');
      const url = await getSignedUrl(t.s3, new GetObjectCommand({ Bucket: t.plain, Key }), { expiresIn: 60 });
      return answer(url.replace('mine', 'yours'));
    },
    expected: [403, 'SignatureDoesNotMatch'],
  },
  {
    title: 'response overrides that the URL signs are in the answer',
    truth: 'API/API_GetObject.html',
    run: async (t) => {
      const Key = t.key();
      await put(t, Key);
      const command = new GetObjectCommand({ Bucket: t.plain, Key, ResponseContentType: 'video/mp4' });
      return (await fetch(await getSignedUrl(t.s3, command, { expiresIn: 60 }))).headers.get('content-type');
    },
    expected: 'video/mp4',
  },
];

runCases(CASES);
