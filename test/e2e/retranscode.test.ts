import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaKeys } from '../../core/contracts/keys.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { type Api, apiAs } from '../support/api.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import {
  drop,
  graceOver,
  makeClip,
  probe,
  reached,
  readJobs,
  readMedia,
  sweepUntil,
  sweepUntilJob,
  testVideo,
} from '../support/pipeline.ts';
import { playForever } from '../support/player.ts';

let booted: Awaited<ReturnType<typeof testCloud>>;
let folder: string;
let api: Api;
/** Results that workers must not put before that. */
const held = new Map<string, Promise<void>>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-retranscode-'));
  booted = await testCloud({
    hooks: {
      before: ({ operation, request }) => (operation === 'PutObject' ? held.get(request?.path ?? '') : undefined),
    },
  });
  api = await apiAs(booted.cloud, 'ann');
});
afterAll(async () => {
  await booted[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const masterOf = (mediaId: string) => `${booted.cloud.deliveryUrl}/${mediaKeys('ann', mediaId).master}`;
const readText = async (url: string) => (await fetch(url)).text();
const collection = async (id: string) => (await api('GET', `/collections/${id}`)).body;

/** Lets job `n` run and not end, until the function that it returns is called. */
function hold(mediaId: string, n: number): () => void {
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  held.set(`/${booted.cloud.outputs.MediaBucket}/tmp/${mediaId}-${n}/result.json`, until);
  return release;
}

/** Two rungs under `standard`, one under a preset that ends at 720p. */
const hdClip = (name: string) =>
  makeClip(
    join(folder, name),
    ...['-f', 'lavfi', '-i', 'color=c=teal:size=1920x1080:rate=10:duration=1'],
    ...['-f', 'lavfi', '-i', 'sine=duration=1', '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'],
  );

// The steps under "Testing & Rollout" of the requirement for re-transcodes.
describe('after a change of presets', () => {
  it('a flagged video and a flagged collection are encoded again, and are playable throughout', async () => {
    const { cloud } = booted;
    const file = await hdClip('hd.mp4');
    for (const id of ['one', 'two']) await api('POST', '/collections', { body: { id, preset: 'standard' } });
    const [alone, spared] = [
      await drop(cloud, 'drop/ann/one/alone.mp4', { file }),
      await drop(cloud, 'drop/ann/one/spared.mp4', { file }),
    ];
    const [first, second] = [
      await drop(cloud, 'drop/ann/two/first.mp4', { file }),
      await drop(cloud, 'drop/ann/two/second.mp4', { file }),
    ];
    for (const id of [alone, spared, first, second]) await reached(cloud, id, 'ready', { timeoutMs: 120_000 });
    expect(await readText(masterOf(alone))).toContain('v1/1080p.m3u8');

    for (const id of ['one', 'two']) {
      const { status } = await api('PATCH', `/collections/${id}`, { body: { preset: 'compact' } });
      expect(status).toBe(200);
    }
    expect((await api('POST', `/media/${alone}/retranscode`)).status).toBeLessThan(300);
    expect((await api('POST', '/collections/two/retranscode')).status).toBeLessThan(300);
    expect(await collection('two')).toMatchObject({ scheduleRetranscode: true });
    const player = playForever(masterOf(first));
    await player.played('v1');

    // What a run has flagged is on the index for its own second half or only for the next: an index lags behind its table.
    await sweepUntil(cloud, 'sweep has begun each that is flagged', async () => {
      const flagged = await Promise.all([alone, first, second].map((id) => readMedia(cloud, id)));
      return flagged.every((media) => media?.scheduleRetranscode === false);
    });
    expect(await collection('two')).toMatchObject({ scheduleRetranscode: false });
    expect(await collection('one')).toMatchObject({ scheduleRetranscode: false });
    for (const id of [alone, first, second]) {
      const media = await readMedia(cloud, id);
      expect(media?.scheduleRetranscode).toBe(false);
      expect(media?.jobCount).toBe(2);
      expect((await fetch(masterOf(id))).status).toBe(200);
    }
    expect((await readMedia(cloud, alone))?.state).toBe('retranscoding');
    expect(await readMedia(cloud, spared)).toMatchObject({ state: 'ready', jobCount: 1 });

    for (const id of [alone, first, second]) {
      const media = await reached(cloud, id, 'ready', { jobs: 2, timeoutMs: 120_000 });
      expect(media.current).toMatchObject({ version: 2, preset: { name: 'compact' } });
      expect(media.previous).toMatchObject({ version: 1 });
      const master = await readText(masterOf(id));
      expect(master).toContain('v2/720p.m3u8');
      expect(master).not.toContain('1080p');
      const [ingest, again] = await readJobs(cloud, id);
      expect([ingest?.purpose, again?.purpose]).toEqual(['ingest', 'retranscode']);
    }
    expect(await readText(masterOf(spared))).toContain('v1/1080p.m3u8');
    await player.played('v2');
    const played = await player.close();
    expect(played.faults).toEqual([]);
    expect(played.versions).toEqual(['v1', 'v2']);
  }, 300_000);
});

describe('a re-transcode that fails', () => {
  it('leaves the media item ready with the old version, and records the reason', async () => {
    const { cloud } = booted;
    const file = await testVideo(join(folder, 'fails.mp4'), { seconds: 1 });
    const mediaId = await drop(cloud, 'drop/ann/three/fails.mp4', { file });
    const before = await reached(cloud, mediaId, 'ready');
    const { s3 } = developerClients(cloud);
    const Bucket = cloud.outputs.UploadsBucket;
    const { Versions } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'drop/ann/three/' }));
    for (const { Key, VersionId } of Versions ?? []) await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
    await api('POST', `/media/${mediaId}/retranscode`);
    await sweepUntil(cloud, 'it is tried', async () => (await readMedia(cloud, mediaId))?.error !== undefined);
    const media = await reached(cloud, mediaId, 'ready');
    expect(media.error?.code).toBe('original_gone');
    expect(media.current).toEqual(before.current);
    expect(media.scheduleRetranscode).toBe(false);
    expect((await fetch(masterOf(mediaId))).status).toBe(200);
  }, 120_000);
});

describe('an audio file whose original is deleted', () => {
  it('is not encoded again, or from its best rendition where its collection allows that', async () => {
    const { cloud } = booted;
    const file = await makeClip(join(folder, 'tone.wav'), '-f', 'lavfi', '-i', 'sine=duration=8');
    await api('POST', '/collections', { body: { id: 'pod', deleteOriginal: true } });
    const mediaId = await drop(cloud, 'drop/ann/pod/tone.wav', { file });
    await eventually('its original is gone', async () => (await readMedia(cloud, mediaId))?.originalDeletedAt, 60_000);
    expect((await api('POST', `/media/${mediaId}/retranscode`)).body).toMatchObject({ code: 'original_gone' });

    await api('PATCH', '/collections/pod', { body: { retranscodeFromOutput: true } });
    expect((await api('POST', `/media/${mediaId}/retranscode`)).status).toBe(202);
    await sweepUntilJob(cloud, mediaId, 2);
    const media = await reached(cloud, mediaId, 'ready', { jobs: 2 });
    expect(media).toMatchObject({ current: { version: 2 }, sourceInfo: { audioCodec: 'pcm_s16le' } });
    expect(media).not.toHaveProperty('error');
    expect(Number((await probe(masterOf(mediaId))).format.duration)).toBeCloseTo(8, 1);
  }, 120_000);
});

describe('while a re-transcode runs', () => {
  it('a new upload of the key replaces it, and a rollback comes first, without a gap in playback', async () => {
    const { cloud } = booted;
    const key = 'drop/ann/five/overtaken.mp4';
    const [first, other] = [
      await testVideo(join(folder, 'first.mp4'), { seconds: 1 }),
      await testVideo(join(folder, 'other.mp4'), { seconds: 1, size: '160x90' }),
    ];
    const mediaId = await drop(cloud, key, { file: first });
    await reached(cloud, mediaId, 'ready', { timeoutMs: 120_000 });
    const player = playForever(masterOf(mediaId));
    await player.played('v1');
    const runs = async (n: number) => {
      const release = hold(mediaId, n);
      await api('POST', `/media/${mediaId}/retranscode`);
      await sweepUntilJob(cloud, mediaId, n);
      await eventually(`job ${n} runs`, async () => (await readJobs(cloud, mediaId))[n - 1]?.state === 'running');
      return release;
    };

    const releaseSecond = await runs(2);
    await drop(cloud, key, { file: other });
    await eventually('job 3 decides', async () => (await readMedia(cloud, mediaId))?.jobCount === 3);
    releaseSecond();
    const replaced = await reached(cloud, mediaId, 'ready', { jobs: 3, timeoutMs: 120_000 });
    expect(replaced).toMatchObject({ current: { version: 3 }, sourceInfo: { width: 160 } });
    await player.played('v3');
    await eventually('job 2 has ended', async () => (await readJobs(cloud, mediaId))[1]?.state === 'cancelled');

    await drop(cloud, key, { file: first });
    await reached(cloud, mediaId, 'ready', { jobs: 4, timeoutMs: 120_000 });
    await player.played('v4');
    const releaseFifth = await runs(5);
    // Twice: the second message finds it done.
    for (let i = 0; i < 2; i++) expect((await api('POST', `/media/${mediaId}/rollback`)).status).toBe(202);
    const back = await eventually('version 3 again', async () => {
      const media = await readMedia(cloud, mediaId);
      return media?.current?.version === 3 && media;
    });
    expect(back.state).toBe('retranscoding');
    releaseFifth();
    const last = await reached(cloud, mediaId, 'ready', { jobs: 5, timeoutMs: 120_000 });
    expect(last).toMatchObject({ current: { version: 5 }, previous: { version: 3 } });
    await player.played('v5');
    const played = await player.close();
    expect(played.faults).toEqual([]);
    expect(played.versions).toEqual(['v1', 'v3', 'v4', 'v5']);
  }, 300_000);
});

describe('the previous version', () => {
  it('is restored by one rollback within its grace period, and is removed after it', async () => {
    const { cloud } = booted;
    const file = await testVideo(join(folder, 'back.mp4'), { seconds: 1 });
    const mediaId = await drop(cloud, 'drop/ann/four/back.mp4', { file });
    await reached(cloud, mediaId, 'ready');
    await api('POST', `/media/${mediaId}/retranscode`);
    await sweepUntilJob(cloud, mediaId, 2);
    await reached(cloud, mediaId, 'ready', { jobs: 2 });
    expect(await readText(masterOf(mediaId))).toContain('v2/');

    expect((await api('POST', `/media/${mediaId}/rollback`)).status).toBeLessThan(300);
    const back = await eventually('version 1 is current', async () => {
      const media = await readMedia(cloud, mediaId);
      return media?.current?.version === 1 && media;
    });
    expect(back.previous?.version).toBe(2);
    expect(await readText(masterOf(mediaId))).toContain('v1/');

    await graceOver(cloud, mediaId);
    const { s3 } = developerClients(cloud);
    const { KeyCount } = await s3.send(
      new ListObjectsV2Command({ Bucket: cloud.outputs.MediaBucket, Prefix: mediaKeys('ann', mediaId).version(2).hls }),
    );
    expect(KeyCount).toBe(0);
    const Key = mediaKeys('ann', mediaId).version(1).mp4;
    await s3.send(new HeadObjectCommand({ Bucket: cloud.outputs.MediaBucket, Key }));
  }, 120_000);
});
