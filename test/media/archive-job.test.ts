import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { head, list } from '../../aws/s3.ts';
import { archive } from '../../containers/transcoder/archive/archive-job.ts';
import { hashFile } from '../../containers/transcoder/archive/hash-file.ts';
import { Drained } from '../../containers/transcoder/failures.ts';
import { EncodePolicy } from '../../core/contracts/archive.ts';
import { ArchiveJob, ArchiveResult } from '../../core/contracts/archive-job.ts';
import { tmpPrefix } from '../../core/contracts/keys.ts';
import { developer, type SmallCloud, smallCloud } from '../../local/test/support/small-cloud.ts';
import { H264_AAC, make, picture, TOOLS, temporaryDirectory, tone } from '../support/media.ts';

const UPLOADS = 'uploads';
const MEDIA = 'media';
const MEDIA_ID = 'abcdefghijklmnopqrstuvwxyz';
/** A recorder's stream: far more bytes than the pictures need. */
const RICH = [...H264_AAC, '-crf', '8'];

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let small: SmallCloud;
let s3: S3Client;
let clip: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  small = await smallCloud({
    resources: {
      Uploads: {
        Type: 'AWS::S3::Bucket',
        Properties: { BucketName: UPLOADS, VersioningConfiguration: { Status: 'Enabled' } },
      },
      Media: { Type: 'AWS::S3::Bucket', Properties: { BucketName: MEDIA } },
    },
  });
  s3 = new S3Client({ ...developer(small.cloud), requestChecksumCalculation: 'WHEN_REQUIRED' });
  clip = await make(directory.path, ...picture('160x90', '25', 1), ...tone(1), ...RICH, 'clip.mp4');
});
afterAll(async () => {
  s3?.destroy();
  await small?.[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

let count = 0;

async function jobFor(path: string, policy: object = {}): Promise<ArchiveJob> {
  count += 1;
  const body = await readFile(path);
  const key = `drop/maria/talks/file ${count}.mp4`;
  const { ETag = '', VersionId } = await s3.send(new PutObjectCommand({ Bucket: UPLOADS, Key: key, Body: body }));
  const jobId = `${MEDIA_ID}-${count}`;
  return ArchiveJob.parse({
    ...{ kind: 'archive', jobId, mediaId: MEDIA_ID, creatorId: 'maria' },
    source: { bucket: UPLOADS, key, versionId: VersionId, sequencer: '0', size: body.length, etag: ETag },
    output: { bucket: MEDIA, prefix: tmpPrefix(jobId) },
    policy: { ...EncodePolicy.parse({}), ...policy },
  });
}

const run = (job: ArchiveJob, engineJobId = 'first', signal = new AbortController().signal) =>
  archive(job, { s3, tools: TOOLS, engineJobId, scratchDirectory: directory.path, signal });

async function resultOf({ output }: ArchiveJob): Promise<ArchiveResult> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: MEDIA, Key: `${output.prefix}result.json` }));
  return ArchiveResult.parse(JSON.parse((await Body?.transformToString()) ?? ''));
}

async function keysOf({ output }: ArchiveJob): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of list(s3, MEDIA, output.prefix)) keys.push(key.slice(output.prefix.length));
  return keys;
}

test('makes a verified HEVC copy, with the checksums of both, and leaves the original as it is', async () => {
  const job = await jobFor(clip);
  expect(await run(job)).toBe(0);
  const result = await resultOf(job);
  if (result.status !== 'archived') throw new Error(JSON.stringify(result));
  expect(result.original).toEqual(await hashFile(clip));
  const copy = await head(s3, { bucket: MEDIA, key: `${job.output.prefix}archive.mp4` });
  expect(copy).toMatchObject({ size: result.copy.bytes, crc64nvme: result.copy.crc64nvme });
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: MEDIA, Key: `${job.output.prefix}archive.mp4` }));
  const path = join(directory.path, 'copy.mp4');
  await writeFile(path, (await Body?.transformToByteArray()) ?? '');
  const shown = await execa(TOOLS.ffprobe, [
    '-v',
    'error',
    '-show_entries',
    'stream=codec_name,codec_tag_string',
    path,
  ]);
  expect(shown.stdout).toContain('codec_tag_string=hvc1');
  const original = await head(s3, { bucket: UPLOADS, key: job.source.key });
  expect(original).toMatchObject({ versionId: job.source.versionId, size: job.source.size });
});

test('an attempt after a good result encodes nothing, and a second engine job neither', async () => {
  const job = await jobFor(clip);
  expect(await run(job)).toBe(0);
  const before = await head(s3, { bucket: MEDIA, key: `${job.output.prefix}result.json` });
  expect(await run(job)).toBe(0);
  expect(await run(job, 'second')).toBe(0);
  expect((await head(s3, { bucket: MEDIA, key: `${job.output.prefix}result.json` }))?.etag).toBe(before?.etag);
});

test('says why a file is refused, and pushes no copy of it', async () => {
  const job = await jobFor(clip, { minSavingsPercent: 99 });
  expect(await run(job)).toBe(0);
  expect(await resultOf(job)).toMatchObject({ status: 'refused', refusals: [{ reason: 'savings' }] });
  expect(await keysOf(job)).toEqual(['claim.json', 'result.json']);
});

test('a source that is gone is no refusal: it has failed for good', async () => {
  const job = await jobFor(clip);
  const { key, versionId } = job.source;
  await s3.send(new DeleteObjectCommand({ Bucket: UPLOADS, Key: key, VersionId: versionId }));
  expect(await run(job)).toBe(65);
  expect(await resultOf(job)).toMatchObject({ status: 'failed', error: { code: 'source_missing' } });
});

test('a worker that is stopped leaves no result, and the next attempt makes the copy', async () => {
  const job = await jobFor(clip);
  expect(await run(job, 'first', AbortSignal.abort(new Drained('SIGTERM')))).toBe(143);
  expect(await keysOf(job)).toEqual(['claim.json']);
  expect(await run(job)).toBe(0);
  expect(await resultOf(job)).toMatchObject({ status: 'archived' });
});
