import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import type { Cloud } from '../../local/boot.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { drop, makeClip, probe, reached, readJobs, readMedia } from '../support/pipeline.ts';

let booted: Awaited<ReturnType<typeof testCloud>>;
let cloud: Cloud;
let folder: string;
/** PUTs that wait, by their path. */
const held = new Map<string, Promise<void>>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-pending-'));
  // Room for two workers, so that it is the media's row alone that lets one encode at a time.
  booted = await testCloud({
    slots: 2,
    hooks: {
      before: ({ operation, request }) => (operation === 'PutObject' ? held.get(request?.path ?? '') : undefined),
    },
  });
  cloud = booted.cloud;
});
afterAll(async () => {
  await booted[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** A tone of so many seconds, by whose length it is known again. */
const tone = (seconds: number) =>
  makeClip(join(folder, `${seconds}.mp3`), '-f', 'lavfi', '-i', `sine=frequency=300:duration=${seconds}`);

/** A job encodes and cannot say that it is done until it is released. */
function hold(mediaId: string, n: number): () => void {
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  held.set(`/${cloud.outputs.MediaBucket}/tmp/${mediaId}-${n}/result.json`, until);
  return release;
}

/** Puts a tone on the key, and awaits that it waits behind the job under way. */
async function dropBehind(key: string, seconds: number): Promise<void> {
  const file = await tone(seconds);
  const { size } = await stat(file);
  const mediaId = await drop(cloud, key, { file });
  await eventually(`${seconds} s wait`, async () => (await readMedia(cloud, mediaId))?.pending?.source.size === size);
}

/** Seconds of what viewers get. */
async function played(mediaId: string): Promise<number> {
  const media = await readMedia(cloud, mediaId);
  const { format } = await probe(`${cloud.deliveryUrl}/${media?.current?.outputs.master}`);
  return Math.round(Number(format.duration));
}

describe('uploads of a key that is being encoded', () => {
  it('are encoded one at a time, the newest next, and the last finished version plays meanwhile', async () => {
    const key = 'drop/ann/default/recording.mp3';
    const mediaId = await mediaIdFor(cloud.outputs.UploadsBucket ?? '', key);
    const [first, second] = [hold(mediaId, 1), hold(mediaId, 2)];
    await drop(cloud, key, { file: await tone(1) });
    await reached(cloud, mediaId, 'transcoding');
    await dropBehind(key, 2);
    await dropBehind(key, 3);
    await drop(cloud, key, { text: 'no media' });
    await eventually('the bad file is noted', async () => (await readMedia(cloud, mediaId))?.refused !== undefined);
    expect(await readMedia(cloud, mediaId)).toMatchObject({ state: 'transcoding', pending: {}, jobCount: 1 });
    expect([await readJobs(cloud, mediaId), cloud.batch.running()].map(({ length }) => length)).toEqual([1, 1]);

    first();
    const between = await reached(cloud, mediaId, 'retranscoding', { jobs: 2 });
    expect([between.current?.version, between.pending]).toEqual([1, undefined]);
    expect(await played(mediaId)).toBe(1);
    await eventually('the next one runs', async () => cloud.batch.running().length === 1);

    second();
    const media = await reached(cloud, mediaId, 'ready', { jobs: 2 });
    expect(media.current?.version).toBe(2);
    expect(await played(mediaId)).toBe(3);
    const jobs = await readJobs(cloud, mediaId);
    expect(jobs.map(({ state }) => state)).toEqual(['published', 'published']);
    expect(jobs[1]?.source.versionId).toBe(media.source.versionId);
  });

  it('replace a job that fails, and the media item does not fail', async () => {
    const key = 'drop/ann/default/failing.mp3';
    const mediaId = await mediaIdFor(cloud.outputs.UploadsBucket ?? '', key);
    const release = hold(mediaId, 1);
    await drop(cloud, key, { file: await tone(1) });
    await reached(cloud, mediaId, 'transcoding');
    await dropBehind(key, 2);
    await cloud.batch.kill(cloud.batch.running()[0] ?? '', 'terminate');
    await reached(cloud, mediaId, 'ready', { jobs: 2 });
    release();
    expect(await played(mediaId)).toBe(2);
    expect((await readJobs(cloud, mediaId)).map(({ state }) => state)).toEqual(['failed', 'published']);
    expect((await readMedia(cloud, mediaId))?.error).toBeUndefined();
  });
});
