import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { CopyObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { head, list } from '../../aws/s3.ts';
import { reportProgress } from '../../containers/transcoder/progress.ts';
import { work } from '../../containers/transcoder/worker.ts';
import { type Job, Result } from '../../core/contracts/job.ts';
import { tmpPrefix } from '../../core/contracts/keys.ts';
import type { Preset } from '../../core/contracts/presets.ts';
import { SMALL_BYTES } from '../../core/media/in-place.ts';
import { developer, type SmallCloud, smallCloud } from '../../local/test/support/small-cloud.ts';
import { numbered, numbersIn } from '../support/chunks.ts';
import { make, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { presetNamed } from '../support/transcode.ts';

/**
 * A worker of a chunk, of the sound, or of the join dies at each of its calls to S3 in turn, before and after it took effect: from then on nothing
 * that it asks for is done. Another attempt follows, on the same disk or on another one, and then the parts that follow. DEATH_STEP tries
 * every so many points only.
 */
const STEP = Number(process.env.DEATH_STEP ?? 1);
const SECONDS = 13;
const RATE = 5;
const ALL = Array.from({ length: SECONDS * RATE }, (_, i) => i);
const MEDIA_ID = 'abcdefghijklmnopqrstuvwxyz';
const standard = presetNamed('standard');
const preset: Preset = {
  ...standard,
  rungs: [{ name: '90p', shortSide: 90, maxBitrate: 100_000, audio: '64k' }],
  outputs: { ...standard.outputs, preview: false },
};
const COUNT = 2;
const CHUNK = { name: 'chunk', part: `chunks-${COUNT}`, count: COUNT } as const;
const JOIN = { name: 'join', part: `join-${COUNT}`, count: COUNT } as const;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let small: SmallCloud;
let s3: S3Client;
let source: Job['source'];
/** Of the jobs that others are copied from: cut, and with all its parts. */
let cut: string;
let encoded: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const buckets = { Uploads: 'uploads', Media: 'media' };
  small = await smallCloud({
    resources: Object.fromEntries(
      Object.entries(buckets).map(([id, BucketName]) => [id, { Type: 'AWS::S3::Bucket', Properties: { BucketName } }]),
    ),
  });
  s3 = client();
  const codec = ['-vf', 'scale=160:90', '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '23'];
  const film = [...numbered(String(RATE), SECONDS), ...tone(SECONDS), ...codec, '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
  const file = await make(directory.path, ...film, '-movflags', '+faststart', 'film.mp4');
  const free = Buffer.alloc(SMALL_BYTES);
  free.writeUInt32BE(SMALL_BYTES);
  free.write('free', 4);
  await appendFile(file, free);
  const Body = await readFile(file);
  const { ETag = '' } = await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: 'drop/a/b/film.mp4', Body }));
  source = {
    ...{ bucket: 'uploads', key: 'drop/a/b/film.mp4', sequencer: '0', size: Body.length },
    etag: ETag.replaceAll('"', ''),
  };
  cut = await newJob();
  const alive = () => ({ s3, disk: crypto.randomUUID() });
  expect(await attempt(cut, { name: 'cut', vcpus: 4, workers: 16 }, alive())).toBe(0);
  encoded = await newJob(cut);
  for (let index = 0; index <= COUNT; index++) expect(await attempt(encoded, CHUNK, { ...alive(), index })).toBe(0);
}, 120_000);
afterAll(async () => {
  s3?.destroy();
  await small?.[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

function client(): S3Client {
  return new S3Client({ ...developer(small.cloud), requestChecksumCalculation: 'WHEN_REQUIRED', maxAttempts: 1 });
}

let jobs = 0;
/** A job, with what another one has left. */
async function newJob(like?: string): Promise<string> {
  jobs += 1;
  const jobId = `${MEDIA_ID}-${jobs}`;
  if (like === undefined) return jobId;
  for await (const { key } of list(s3, 'media', tmpPrefix(like))) {
    const Key = `${tmpPrefix(jobId)}${key.slice(tmpPrefix(like).length)}`;
    if (key.endsWith('prepared.json')) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'media', Key: key }));
      const text = ((await Body?.transformToString()) ?? '').replaceAll(like, jobId);
      await s3.send(new PutObjectCommand({ Bucket: 'media', Key, Body: text }));
    } else if (!key.endsWith('claim.json')) {
      await s3.send(new CopyObjectCommand({ Bucket: 'media', Key, CopySource: `media/${key}` }));
    }
  }
  return jobId;
}

interface Attempt {
  s3: S3Client;
  /** Name of its scratch disk. */
  disk: string;
  index?: number;
  signal?: AbortSignal;
}

async function attempt(jobId: string, task: Job['task'], { s3, disk, index, signal }: Attempt): Promise<number> {
  const job: Job = {
    ...{ jobId, mediaId: MEDIA_ID, creatorId: 'a', source, preset, task },
    output: { bucket: 'media', prefix: tmpPrefix(jobId) },
  };
  const engineJobId = index === undefined ? `${jobId}-${task?.name}` : `${jobId}:${index}`;
  const progress = reportProgress(async () => {}, { jobId, engineJobId, attempt: 1 });
  const scratchDirectory = join(directory.path, disk);
  const context = { s3, tools: TOOLS, gpu: false, engineJobId, arrayIndex: index, scratchDirectory, progress };
  try {
    return await work(job, { ...context, chunkSeconds: 6, signal: signal ?? new AbortController().signal });
  } finally {
    await progress.close();
  }
}

type Death = { call: number; moment: 'before' | 'after' };

/** A client of a worker that dies at one of its calls; `calls` counts them. */
function dying(death?: Death) {
  const mortal = client();
  const end = new AbortController();
  const seen = { calls: 0 };
  const dead = () => Object.assign(new Error('The worker is dead.'), { $metadata: {}, name: 'Dead' });
  mortal.middlewareStack.add(
    (next) => async (args) => {
      seen.calls += 1;
      const isNow = seen.calls === death?.call;
      if (isNow && death.moment === 'before') end.abort(dead());
      if (end.signal.aborted) throw dead();
      const answer = await next(args);
      if (isNow) end.abort(dead());
      if (!end.signal.aborted) return answer;
      // Nobody reads what comes, nor hears how its connection ends.
      const { Body } = answer.output as { Body?: Readable };
      Body?.on('error', () => undefined).resume();
      throw dead();
    },
    { step: 'initialize' },
  );
  return { s3: mortal, signal: end.signal, seen };
}

async function expectFilm(jobId: string): Promise<void> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'media', Key: `${tmpPrefix(jobId)}result.json` }));
  const result = Result.parse(JSON.parse((await Body?.transformToString()) ?? ''));
  if (result.status !== 'succeeded') throw new Error(result.error.message);
  // Joined, and not encoded whole.
  expect(result.reading).toBeUndefined();
  for (const { path, size } of result.files) {
    expect((await head(s3, { bucket: 'media', key: `${tmpPrefix(jobId)}${path}` }))?.size, path).toBe(size);
  }
  const mp4 = await s3.send(new GetObjectCommand({ Bucket: 'media', Key: `${tmpPrefix(jobId)}${result.mp4}` }));
  const path = join(directory.path, `${jobId}.mp4`);
  await appendFile(path, (await mp4.Body?.transformToByteArray()) ?? '');
  expect((await numbersIn(path)).map(({ number }) => number)).toEqual(ALL);
}

test.each([
  ['a chunk', 1],
  ['the sound', COUNT],
  ['the join', undefined],
])('%s: killed at each of its calls, nothing is lost or doubled, and the film is joined', async (what, index) => {
  const task = index === undefined ? JOIN : CHUNK;
  const from = index === undefined ? encoded : cut;
  const whole = dying();
  const first = await newJob(from);
  const ofIndex = index === undefined ? {} : { index };
  expect(await attempt(first, task, { ...whole, ...ofIndex, disk: first })).toBe(0);
  const { calls } = whole.seen;
  let tried = 0;
  const failed: string[] = [];
  for (let point = 0; point < 2 * calls; point += STEP) {
    const death: Death = { call: 1 + Math.floor(point / 2), moment: point % 2 === 0 ? 'before' : 'after' };
    const jobId = await newJob(from);
    tried += 1;
    try {
      const killed = dying(death);
      await attempt(jobId, task, { ...killed, ...ofIndex, disk: `${jobId}-0` }).catch(() => undefined);
      killed.s3.destroy();
      const disk = tried % 2 === 0 ? `${jobId}-0` : `${jobId}-1`;
      expect(await attempt(jobId, task, { s3, ...ofIndex, disk })).toBe(0);
      if (index === undefined) await expectFilm(jobId);
      else await expectPart(jobId, index);
    } catch (error) {
      failed.push(`${death.moment} call ${death.call}: ${error}`);
    }
  }
  console.log(`${what}: ${calls} calls, ${tried - failed.length} of ${tried} points survived`);
  expect(failed).toEqual([]);
});

/** The others do their parts, and the film is joined. */
async function expectPart(jobId: string, done: number): Promise<void> {
  for await (const { key } of list(s3, 'media', tmpPrefix(encoded))) {
    const name = key.slice(tmpPrefix(encoded).length);
    const isOther = name.startsWith('chunks/') && !name.startsWith(`chunks/${done === COUNT ? 'sound' : done}/`);
    const Key = `${tmpPrefix(jobId)}${name}`;
    if (isOther) await s3.send(new CopyObjectCommand({ Bucket: 'media', Key, CopySource: `media/${key}` }));
  }
  expect(await attempt(jobId, JOIN, { s3, disk: `${jobId}-join` })).toBe(0);
  await expectFilm(jobId);
}
