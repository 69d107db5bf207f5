import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { head } from '../../aws/s3.ts';
import { COPY_LIMIT, copyObject } from '../../aws/s3-copy.ts';
import { MEDIA, type Services, startServices } from '../support/services.ts';

const MIB = 2 ** 20;
/** The smallest part but the last that S3 takes. */
const PART = 5 * MIB;
/** Writes and copies an object of this many GiB too, more than 5: `DROPREEL_COPY_GIB=6`. Needs twice that on the disk. */
const GIB = Number(process.env.DROPREEL_COPY_GIB ?? 0);

const HEADERS = { contentType: 'video/mp4', cacheControl: 'public, max-age=5' };

let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services[Symbol.asyncDispose]());

/** Each MiB differs from its neighbours, so that parts in a wrong order show. */
async function write(Key: string, size: number): Promise<string | undefined> {
  function* chunks() {
    for (let at = 0; at < size; at += MIB) yield Buffer.alloc(Math.min(MIB, size - at), at / MIB);
  }
  const params = { Bucket: MEDIA, Key, Body: Readable.from(chunks()), ChecksumAlgorithm: 'CRC64NVME' as const };
  await new Upload({ client: services.s3, params, partSize: 64 * MIB, queueSize: 2 }).done();
  return (await head(services.s3, { bucket: MEDIA, key: Key }))?.crc64nvme;
}

async function unfinishedUploads(): Promise<number> {
  const { Uploads = [] } = await services.s3.send(new ListMultipartUploadsCommand({ Bucket: MEDIA }));
  return Uploads.length;
}

describe('a copy above the limit of one CopyObject', () => {
  const from = 'tmp/a b+c/full.mp4';
  const size = 2 * PART + 12_345;
  let crc: string | undefined;
  beforeAll(async () => {
    crc = await write(from, size);
  });

  it('is made in parts, and has the same bytes and the requested headers', async () => {
    const parts: string[] = [];
    services.onCall = (when, { operation }) => {
      if (when === 'before') parts.push(operation);
    };
    const copy = { bucket: MEDIA, from, to: 'v2/full.mp4', size, ...HEADERS };
    const said = await copyObject(services.breakable.s3, copy, PART, PART);
    services.onCall = () => {};
    expect(parts.filter((name) => name === 'UploadPartCopy')).toHaveLength(3);
    expect(parts).not.toContain('CopyObject');
    expect(said).toBe(crc);
    const answer = await services.s3.send(new GetObjectCommand({ Bucket: MEDIA, Key: copy.to }));
    expect(answer).toMatchObject({ ContentType: 'video/mp4', CacheControl: 'public, max-age=5', ContentLength: size });
    const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    expect(Array.from({ length: 11 }, (_, i) => bytes[i * MIB])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(bytes.length).toBe(size);
  });

  it('of a missing object leaves no upload behind', async () => {
    const copy = { bucket: MEDIA, from: 'tmp/gone.mp4', to: 'v2/gone.mp4', size, ...HEADERS };
    await expect(copyObject(services.s3, copy, PART, PART)).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await unfinishedUploads()).toBe(0);
    expect(await head(services.s3, { bucket: MEDIA, key: copy.to })).toBeNull();
  });

  it('that fails half-way leaves no upload behind, and can be repeated', async () => {
    let parts = 0;
    services.onCall = (when, { operation }) => {
      if (when === 'before' && operation === 'UploadPartCopy' && ++parts === 2) throw new Error('broken on purpose');
    };
    const copy = { bucket: MEDIA, from, to: 'v3/full.mp4', size, ...HEADERS };
    await expect(copyObject(services.breakable.s3, copy, PART, PART)).rejects.toThrow();
    services.onCall = () => {};
    expect(await unfinishedUploads()).toBe(0);
    expect(await copyObject(services.s3, copy, PART, PART)).toBe(crc);
  });
});

it.each([
  ['in parts', PART],
  ['by one call', COPY_LIMIT],
])('a copy %s takes what was looked at, and nothing that has come since', async (_, limit) => {
  const [from, size] = ['tmp/swapped.mp4', PART + 1];
  await write(from, size);
  const { etag = '' } = (await head(services.s3, { bucket: MEDIA, key: from })) ?? {};
  await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: from, Body: Buffer.alloc(size) }));
  const copy = { bucket: MEDIA, from, etag, to: 'v4/full.mp4', size, ...HEADERS };
  await expect(copyObject(services.s3, copy, limit, PART)).rejects.toMatchObject({ name: 'PreconditionFailed' });
  expect(await head(services.s3, { bucket: MEDIA, key: copy.to })).toBeNull();
});

it.runIf(GIB > 5)(
  `${GIB} GiB, which is more than CopyObject accepts, is copied in parts by copyObject`,
  async () => {
    const [from, to, size] = ['tmp/large/full.mp4', 'v2/large.mp4', GIB * 1024 * MIB + 1];
    expect(size).toBeGreaterThan(COPY_LIMIT);
    const crc = await write(from, size);
    const alone = new CopyObjectCommand({ Bucket: MEDIA, Key: to, CopySource: `${MEDIA}/${from}` });
    await expect(services.s3.send(alone)).rejects.toMatchObject({ name: 'InvalidRequest' });
    expect(await copyObject(services.s3, { bucket: MEDIA, from, to, size, ...HEADERS })).toBe(crc);
    const copied = await services.s3.send(new HeadObjectCommand({ Bucket: MEDIA, Key: to }));
    expect(copied.ContentLength).toBe(size);
  },
  1_800_000,
);
