import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { head, list } from '../../aws/s3.ts';
import { busReporter } from '../../containers/transcoder/bus-reporter.ts';
import { Drained } from '../../containers/transcoder/failures.ts';
import { reportProgress } from '../../containers/transcoder/progress.ts';
import { work } from '../../containers/transcoder/worker.ts';
import { type Job, Result } from '../../core/contracts/job.ts';
import { tmpPrefix } from '../../core/contracts/keys.ts';
import { developer, type SmallCloud, smallCloud } from '../../local/test/support/small-cloud.ts';
import { H264_AAC, make, picture, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { presetNamed } from '../support/transcode.ts';

const UPLOADS = 'uploads';
const MEDIA = 'media';
const MEDIA_ID = 'abcdefghijklmnopqrstuvwxyz'.slice(0, 26);

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
      Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'bus' } },
    },
  });
  s3 = new S3Client({ ...developer(small.cloud), requestChecksumCalculation: 'WHEN_REQUIRED' });
  clip = await make(directory.path, ...picture('320x240'), ...tone(), ...H264_AAC, 'clip.mp4');
});
afterAll(async () => {
  s3?.destroy();
  await small?.[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

let count = 0;

/** Uploads a file and describes the job for it. */
async function jobFor(path: string, ending = 'mp4'): Promise<Job> {
  count += 1;
  const body = await readFile(path);
  const key = `drop/maria/talks/file ${count}.${ending}`;
  const { ETag = '', VersionId } = await s3.send(new PutObjectCommand({ Bucket: UPLOADS, Key: key, Body: body }));
  const jobId = `${MEDIA_ID}-${count}`;
  return {
    jobId,
    mediaId: MEDIA_ID,
    creatorId: 'maria',
    source: {
      bucket: UPLOADS,
      key,
      versionId: VersionId,
      sequencer: '0',
      size: body.length,
      etag: ETag.replaceAll('"', ''),
    },
    output: { bucket: MEDIA, prefix: tmpPrefix(jobId) },
    preset: presetNamed('standard'),
  };
}

async function run(
  job: Job,
  options: { engineJobId?: string; signal?: AbortSignal; ffmpeg?: string; paidSince?: number } = {},
): Promise<number> {
  const bus = new EventBridgeClient(developer(small.cloud));
  const progress = reportProgress(busReporter(bus, 'bus'), { jobId: job.jobId, engineJobId: 'engine-1', attempt: 1 });
  const { engineJobId = 'engine-1', signal = new AbortController().signal, ffmpeg = TOOLS.ffmpeg, paidSince } = options;
  const tools = { ...TOOLS, ffmpeg };
  const exit = await work(job, {
    s3,
    tools,
    gpu: false,
    engineJobId,
    scratchDirectory: directory.path,
    progress,
    signal,
    paidSince,
  });
  await progress.close();
  bus.destroy();
  return exit;
}

async function resultOf(job: Job): Promise<Result> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: MEDIA, Key: `${job.output.prefix}result.json` }));
  return Result.parse(JSON.parse((await Body?.transformToString()) ?? ''));
}

async function keysOf(job: Job): Promise<string[]> {
  const keys = [];
  for await (const { key } of list(s3, MEDIA, job.output.prefix)) keys.push(key.slice(job.output.prefix.length));
  return keys;
}

const scratchOf = (job: Job) => stat(join(directory.path, job.jobId)).catch(() => null);

test('every file of the result is in S3 with its size and checksum, and nothing else is; texts of playlists are in the result, too', async () => {
  const job = await jobFor(clip);
  expect(await run(job)).toBe(0);
  const result = await resultOf(job);
  if (result.status !== 'succeeded') throw new Error(result.error.message);
  expect(result.files.map(({ path }) => path)).toEqual([
    '240p-iframes.m3u8',
    '240p.m3u8',
    '240p.mp4',
    'audio-64k.m3u8',
    'audio-64k.mp4',
    'poster-large.jpg',
    'poster.jpg',
    'preview/240p-iframes.m3u8',
    'preview/240p.m3u8',
    'preview/240p.mp4',
    'preview/audio-64k.m3u8',
    'preview/audio-64k.mp4',
    'preview/preview.m3u8',
    'thumbnail.jpg',
    'video.mp4',
  ]);
  expect(Object.keys(result.playlists ?? {})).toEqual([
    '240p-iframes.m3u8',
    '240p.m3u8',
    'audio-64k.m3u8',
    'preview/240p-iframes.m3u8',
    'preview/240p.m3u8',
    'preview/audio-64k.m3u8',
    'preview/preview.m3u8',
  ]);
  expect(result.playlists?.['240p.m3u8']).toMatch(/^#EXTM3U\n.*#EXT-X-ENDLIST\n$/s);
  expect(await keysOf(job)).toEqual([...result.files.map(({ path }) => path), 'claim.json', 'result.json'].sort());
  for (const { path, size, crc64nvme } of result.files) {
    expect(await head(s3, { bucket: MEDIA, key: `${job.output.prefix}${path}` })).toMatchObject({ size, crc64nvme });
  }
  expect(await scratchOf(job)).toBeNull();
});

test('a machine that is paid from when it was given the job counts from then, whatever attempts came before', async () => {
  const job = await jobFor(await make(directory.path, ...tone(1), 'short.wav'));
  expect(await run(job, { paidSince: performance.now() - 100_000 })).toBe(0);
  const result = await resultOf(job);
  expect(result.status === 'succeeded' && result.usage.wallSeconds).toBeGreaterThan(100);
});

test('a second engine job for the same job does nothing', async () => {
  const job = await jobFor(clip);
  await s3.send(
    new PutObjectCommand({
      Bucket: MEDIA,
      Key: `${job.output.prefix}claim.json`,
      Body: JSON.stringify({ jobId: job.jobId, engineJobId: 'engine-0' }),
    }),
  );
  expect(await run(job)).toBe(0);
  expect(await keysOf(job)).toEqual(['claim.json']);
});

test('a broken file fails permanently, with its code, and leaves nothing on the scratch disk', async () => {
  const job = await jobFor(await make(directory.path, ...picture('64x64'), '-frames:v', '1', 'picture.png'));
  expect(await run(job)).toBe(65);
  expect(await resultOf(job)).toMatchObject({ status: 'failed', error: { code: 'still_image' } });
  expect(await keysOf(job)).toEqual(['claim.json', 'result.json']);
  expect(await scratchOf(job)).toBeNull();
});

test('a missing version and a replaced one fail with different codes', async () => {
  const gone = await jobFor(clip);
  await s3.send(new DeleteObjectCommand({ Bucket: UPLOADS, Key: gone.source.key, VersionId: gone.source.versionId }));
  expect(await run(gone)).toBe(65);
  expect(await resultOf(gone)).toMatchObject({ error: { code: 'source_missing' } });

  const { versionId: _, ...unversioned } = (await jobFor(clip)).source;
  const replaced = { ...(await jobFor(clip)), source: { ...unversioned, etag: '00000000000000000000000000000000' } };
  expect(await run(replaced)).toBe(65);
  expect(await resultOf(replaced)).toMatchObject({ error: { code: 'source_changed' } });
});

test('an archived source fails permanently, without a further request', async () => {
  const job = await jobFor(clip);
  const { Bucket, Key } = { Bucket: UPLOADS, Key: job.source.key };
  const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: await readFile(clip), StorageClass: 'GLACIER' }));
  const cold = { ...job, source: { ...job.source, versionId: put.VersionId } };
  expect(await run(cold)).toBe(65);
  expect(await resultOf(cold)).toMatchObject({ status: 'failed', error: { code: 'source_unreadable' } });
});

test('a published audio rendition is read as one file of init segment and segments', async () => {
  const seconds = 13;
  const job = await jobFor(await make(directory.path, ...tone(seconds), 'tone.wav'));
  expect(await run(job)).toBe(0);
  const made = await resultOf(job);
  const best = made.status === 'succeeded' ? made.renditions[0] : undefined;
  expect(best?.playlist).toBe('128k.m3u8');
  const folder = `maria/hls/${MEDIA_ID}/v1/`;
  for (const name of await keysOf(job)) {
    const CopySource = `${MEDIA}/${job.output.prefix}${name}`;
    await s3.send(new CopyObjectCommand({ Bucket: MEDIA, Key: `${folder}${name}`, CopySource }));
  }
  const key = `${folder}128k.m3u8`;
  const { etag } = (await head(s3, { bucket: MEDIA, key })) ?? expect.fail('It is not there.');
  const source = { bucket: MEDIA, key, sequencer: '0', size: best?.bytes ?? 0, etag };
  const again = { ...(await jobFor(clip)), source };
  expect(await run(again)).toBe(0);
  const result = await resultOf(again);
  expect(result).toMatchObject({ kind: 'audio', source: { audioCodec: 'aac' }, waveform: 'waveform.json' });
  expect(result.source?.durationSeconds).toBeCloseTo(seconds, 1);

  const short = { ...(await jobFor(clip)), source: { ...source, size: source.size + 1 } };
  expect(await run(short)).toBe(75);
  expect(await resultOf(short)).toMatchObject({ error: { code: 'storage_failed' } });
  await s3.send(new DeleteObjectCommand({ Bucket: MEDIA, Key: `${folder}128k.mp4` }));
  const broken = { ...(await jobFor(clip)), source };
  expect(await run(broken)).toBe(65);
  expect(await resultOf(broken)).toMatchObject({ error: { code: 'source_missing' } });
});

test('an upload with the name of a playlist is read as an upload', async () => {
  const job = await jobFor(clip, 'm3u8');
  expect(await run(job)).toBe(0);
});

test('a stopped attempt keeps its checkpoint, and the next attempt continues from it', async () => {
  const job = await jobFor(clip);
  const stop = new AbortController();
  const running = run(job, { signal: stop.signal });
  const marker = join(directory.path, job.jobId, 'encode.done.json');
  await expect
    .poll(
      () =>
        stat(marker).then(
          () => true,
          () => false,
        ),
      { timeout: 30_000, interval: 5 },
    )
    .toBe(true);
  stop.abort(new Drained('SIGTERM'));
  expect(await running).toBe(143);
  const { mtimeMs } = await stat(marker);

  // No ffmpeg encodes in the second attempt: the marker is as it was when the result is there.
  const resumed = run(job);
  let seen = mtimeMs;
  await expect
    .poll(
      async () => {
        seen = (await stat(marker).catch(() => null))?.mtimeMs ?? seen;
        return (await keysOf(job)).includes('result.json');
      },
      { timeout: 30_000, interval: 20 },
    )
    .toBe(true);
  expect(await resumed).toBe(0);
  expect(seen).toBe(mtimeMs);
  expect(await resultOf(job)).toMatchObject({ status: 'succeeded' });
});

test('a second attempt after success changes nothing', async () => {
  const job = await jobFor(clip);
  expect(await run(job)).toBe(0);
  const before = await head(s3, { bucket: MEDIA, key: `${job.output.prefix}result.json` });
  expect(await run(job)).toBe(0);
  expect(await head(s3, { bucket: MEDIA, key: `${job.output.prefix}result.json` })).toEqual(before);
});

test('an unexpected error is reported as a bug of the worker, and can be retried', async () => {
  const job = await jobFor(clip);
  expect(await run(job, { ffmpeg: '/nowhere/ffmpeg' })).toBe(75);
  expect(await resultOf(job)).toMatchObject({ status: 'failed', error: { code: 'worker_bug' } });
  expect(await scratchOf(job)).not.toBeNull();
});

test.each([
  ['the source', (job: Job) => ({ ...job, source: { ...job.source, bucket: MEDIA, key: 'x.m3u8', size: 1e15 } })],
  [
    'the outputs',
    (job: Job) => {
      const rungs = job.preset.rungs.map((rung) => ({ ...rung, maxBitrate: 1e16 }));
      return { ...job, preset: { ...job.preset, rungs } };
    },
  ],
])('a job of MediaConvert whose disk does not hold %s is one for another engine', async (_, large) => {
  const job: Job = { ...large(await jobFor(clip)), task: { name: 'prepare' } };
  expect(await run(job)).toBe(65);
  expect(await resultOf(job)).toMatchObject({
    error: { code: 'engine_unfit', message: expect.stringMatching(/^MediaConvert is not fit .* the scratch disk has/) },
  });
  expect(await keysOf(job)).not.toContain('prepared.json');
});
