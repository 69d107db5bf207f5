import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { head, list } from '../../aws/s3.ts';
import { busReporter } from '../../containers/transcoder/bus-reporter.ts';
import { reportProgress } from '../../containers/transcoder/progress.ts';
import { work } from '../../containers/transcoder/worker.ts';
import { type Job, Result } from '../../core/contracts/job.ts';
import { PREPARED_FILE, tmpPrefix } from '../../core/contracts/keys.ts';
import type { Preset } from '../../core/contracts/presets.ts';
import { ChunkRecord } from '../../core/media/chunk-record.ts';
import { SMALL_BYTES } from '../../core/media/in-place.ts';
import { Piece } from '../../core/media/piece.ts';
import { Prepared } from '../../core/media/prepared.ts';
import { developer, type SmallCloud, smallCloud } from '../../local/test/support/small-cloud.ts';
import { numbered, numbersIn } from '../support/chunks.ts';
import { make, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { presetNamed } from '../support/transcode.ts';

const SECONDS = 125;
const standard = presetNamed('standard');
const preset: Preset = {
  ...standard,
  rungs: [{ name: '90p', shortSide: 90, maxBitrate: 100_000, audio: '64k' }],
  outputs: { ...standard.outputs, preview: false },
};

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let small: SmallCloud;
let s3: S3Client;
let source: Job['source'];

beforeAll(async () => {
  directory = await temporaryDirectory();
  small = await smallCloud({
    resources: {
      Uploads: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'uploads' } },
      Media: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'media' } },
      Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'bus' } },
    },
  });
  s3 = new S3Client({ ...developer(small.cloud), requestChecksumCalculation: 'WHEN_REQUIRED' });
  const scaled = ['-vf', 'scale=160:90', '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '53'];
  const film = [...numbered('5', SECONDS), ...tone(SECONDS), ...scaled, '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
  const file = await make(directory.path, ...film, '-movflags', '+faststart', 'film.mp4');
  // As large as what is read in place, by a box that no demuxer reads.
  const free = Buffer.alloc(SMALL_BYTES);
  free.writeUInt32BE(SMALL_BYTES);
  free.write('free', 4);
  await appendFile(file, free);
  const Body = await readFile(file);
  const { ETag = '' } = await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: 'drop/a/b/film.mp4', Body }));
  const etag = ETag.replaceAll('"', '');
  source = { bucket: 'uploads', key: 'drop/a/b/film.mp4', sequencer: '0', size: Body.length, etag };
}, 60_000);
afterAll(async () => {
  s3?.destroy();
  await small?.[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

let count = 0;
function film() {
  count += 1;
  const mediaId = 'abcdefghijklmnopqrstuvwxyz';
  const jobId = `${mediaId}-${count}`;
  const job: Job = {
    ...{ jobId, mediaId, creatorId: 'a', source, preset },
    output: { bucket: 'media', prefix: tmpPrefix(jobId) },
  };
  const run = async (
    task: Job['task'],
    engineJobId: string,
    arrayIndex?: number,
    signal = new AbortController().signal,
  ) => {
    const bus = new EventBridgeClient(developer(small.cloud));
    const progress = reportProgress(busReporter(bus, 'bus'), { jobId, engineJobId, attempt: 1 });
    const scratchDirectory = join(directory.path, engineJobId.replace(':', '-'));
    const context = { s3, tools: TOOLS, gpu: false, engineJobId, arrayIndex, scratchDirectory, progress, signal };
    const exit = await work({ ...job, task }, context);
    await progress.close();
    bus.destroy();
    return exit;
  };
  const text = async (name: string) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'media', Key: `${job.output.prefix}${name}` }));
    return JSON.parse((await Body?.transformToString()) ?? '');
  };
  const bring = async (name: string) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'media', Key: `${job.output.prefix}${name}` }));
    const path = join(directory.path, `${jobId}-${name}`);
    await rm(path, { force: true });
    await appendFile(path, (await Body?.transformToByteArray()) ?? '');
    return path;
  };
  const remove = (name: string) =>
    s3.send(new DeleteObjectCommand({ Bucket: 'media', Key: `${job.output.prefix}${name}` }));
  const keys = async () => {
    const found: string[] = [];
    for await (const { key } of list(s3, 'media', job.output.prefix)) found.push(key.slice(job.output.prefix.length));
    return found;
  };
  const has = async (name: string) =>
    (await head(s3, { bucket: 'media', key: `${job.output.prefix}${name}` })) !== null;
  const result = async () => {
    const found = Result.parse(await text('result.json'));
    if (found.status !== 'succeeded') throw new Error(found.error.message);
    return found;
  };
  return { run, text, bring, remove, keys, has, result };
}

/** So slow a worker that an encode of two minutes is worth several. */
const SLOW = { name: 'cut', vcpus: 0.0001, workers: 16 } as const;
const ALL = Array.from({ length: SECONDS * 5 }, (_, i) => i);

test('a long film is left in chunks, which workers encode in any order, twice, and one joins', async () => {
  const { run, text, bring, remove, keys, has, result } = film();
  expect(await run(SLOW, 'cutter')).toBe(0);
  expect(await has('result.json')).toBe(false);
  expect(Prepared.parse(await text(PREPARED_FILE)).chunks).toBe(2);
  // An attempt that follows finds it done.
  expect(await run(SLOW, 'cutter')).toBe(0);
  const part = { name: 'chunk', part: 'chunks-2', count: 2 } as const;
  expect(await run(part, 'array:2', 2)).toBe(0);
  expect(await Promise.all([run(part, 'array:1', 1), run(part, 'twin:1', 1)])).toEqual([0, 0]);
  expect(await run(part, 'array:0', 0)).toBe(0);
  const before = await keys();
  expect(await run(part, 'late:0', 0)).toBe(0);
  expect(await keys()).toEqual(before);
  expect(await run({ name: 'join', part: 'join-2', count: 2 }, 'joiner')).toBe(0);
  // Once the film is joined, what a late worker makes is of no use, whatever is left of its part.
  await remove('chunks/0/record.json');
  const left = await keys();
  expect(await run(part, 'later:0', 0)).toBe(0);
  expect(await keys()).toEqual(left);
  const { renditions, files, source: found } = await result();
  expect(renditions[0]).toMatchObject({ name: '90p', durationSeconds: SECONDS });
  expect(found.durationSeconds).toBeCloseTo(SECONDS, 1);
  expect(files.map(({ path }) => path)).not.toEqual(expect.arrayContaining([expect.stringContaining('whole')]));
  for (const name of ['90p.mp4', 'video.mp4']) {
    expect(
      (await numbersIn(await bring(name))).map(({ number }) => number),
      name,
    ).toEqual(ALL);
  }
}, 300_000);

test('the workers of the first chunk and of the sound leave pieces where they are asked for, and others none', async () => {
  const { run, text, keys } = film();
  expect(await run(SLOW, 'cutter')).toBe(0);
  const { chunks: count } = Prepared.parse(await text(PREPARED_FILE));
  if (count === undefined) throw new Error('It is not cut.');
  const task = { name: 'chunk', part: `chunks-${count}`, count } as const;
  expect(await run({ ...task, grows: true }, 'array:0', 0)).toBe(0);
  expect(await run({ ...task, grows: true }, `array:${count}`, count)).toBe(0);
  expect(await run({ ...task, grows: true }, 'array:1', 1)).toBe(0);
  const pictures = Piece.parse(await text('chunks/0/piece-2.json'));
  const sound = Piece.parse(await text('chunks/sound/piece-2.json'));
  const times = (piece: Piece) => piece.renditions.map(({ file, segments }) => [file, ...segments.map(({ at }) => at)]);
  expect(times(pictures)).toEqual([['90p', 0, 6]]);
  expect(times(sound)).toEqual([['audio-64k', 0, expect.closeTo(6, 1)]]);
  const there = await keys();
  for (const [part, { folder, file }] of [['0', pictures] as const, ['sound', sound] as const]) {
    expect(there).toContain(`chunks/${part}/${folder}${file.path}`);
  }
  expect(there.filter((key) => key.startsWith('chunks/1/') && key.includes('piece'))).toEqual([]);
  const record = ChunkRecord.parse(await text('chunks/1/record.json'));
  const [rendition] = record.status === 'encoded' ? record.renditions : [];
  const { segments = [], codec } = rendition ?? {};
  expect(codec).toMatch(/^avc1\./);
  for (const [i, { at, seconds }] of segments.slice(0, -1).entries()) {
    expect([at % 6, at + seconds]).toEqual([0, segments[i + 1]?.at]);
  }
});

test('a film of which a chunk is missing is encoded whole by the worker that was to join it', async () => {
  const { run, bring, result } = film();
  expect(await run(SLOW, 'cutter-2')).toBe(0);
  const part = { name: 'chunk', part: 'chunks-2', count: 2 } as const;
  for (const index of [0, 2]) expect(await run(part, `array-2:${index}`, index)).toBe(0);
  expect(await run({ name: 'join', part: 'join-2', count: 2 }, 'joiner-2')).toBe(0);
  expect((await result()).reading).toMatchObject({ how: 'in place' });
  expect((await numbersIn(await bring('video.mp4'))).map(({ number }) => number)).toEqual(ALL);
}, 300_000);

test('a film that is not worth more workers is encoded by the first', async () => {
  const { run, result, has } = film();
  expect(await run({ name: 'cut', vcpus: 4, workers: 16 }, 'first')).toBe(0);
  expect((await result()).renditions).toHaveLength(1);
  expect(await has(PREPARED_FILE)).toBe(false);
}, 300_000);
