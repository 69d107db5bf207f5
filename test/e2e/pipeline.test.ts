import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { parse, type types } from 'hls-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { developerClients } from '../../scripts/demo/clients.ts';
import { brokenRules } from '../support/by-the-book.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { decode, drop, makeClip, probe, reached, readJobs, readMedia, testVideo } from '../support/pipeline.ts';
import { allTaken, sqsOf } from '../support/queues.ts';

let booted: Awaited<ReturnType<typeof testCloud>>;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-media-'));
  booted = await testCloud();
});
afterAll(async () => {
  await booted[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const url = (key: string | undefined) => `${booted.cloud.deliveryUrl}/${key}`;
/** What a client that asks for the middle of a file, as a player does that seeks, is answered. */
const ask = async (address: string, init: RequestInit = {}) => {
  const { status, headers } = await fetch(address, {
    ...init,
    headers: { range: 'bytes=1000-1099' },
    redirect: 'manual',
  });
  return { status, location: headers.get('location'), range: headers.get('content-range') };
};
const text = async (key: string | undefined) => (await fetch(url(key))).text();

describe('a dropped video', () => {
  it('becomes a stream, an MP4, a preview, a poster and a thumbnail that play', async () => {
    const file = await testVideo(join(folder, 'video.mp4'), { seconds: 8, size: '1280x720' });
    const mediaId = await drop(booted.cloud, 'drop/ann/lectures/week 1+2/100% über "quoted".mp4', { file });
    const media = await reached(booted.cloud, mediaId, 'ready', { timeoutMs: 120_000 });

    expect(media).toMatchObject({
      creatorId: 'ann',
      collectionId: 'lectures',
      kind: 'video',
      attempts: 0,
      jobCount: 1,
    });
    expect(media.current?.outputs).toEqual({
      master: `ann/hls/${mediaId}/master.m3u8`,
      dash: `ann/hls/${mediaId}/manifest.mpd`,
      preview: `ann/hls/${mediaId}/preview/preview.m3u8`,
      mp4: `ann/mp4/${mediaId}/v1.mp4`,
      thumbnail: `ann/thumbnails/media/${mediaId}/v1/auto-generated.jpg`,
      poster: `ann/thumbnails/media/${mediaId}/v1/poster.jpg`,
      posterLarge: `ann/thumbnails/media/${mediaId}/v1/poster-large.jpg`,
    });
    const master = parse(await text(media.current?.outputs.master)) as types.MasterPlaylist;
    expect(master.variants.map(({ uri, resolution }) => [uri, resolution])).toEqual([
      ['v1/720p.m3u8', { width: 1280, height: 720 }],
      ['v1/480p.m3u8', { width: 854, height: 480 }],
      ['v1/360p.m3u8', { width: 640, height: 360 }],
      ['v1/audio-64k.m3u8', undefined],
      ['v1/720p-iframes.m3u8', { width: 1280, height: 720 }],
      ['v1/480p-iframes.m3u8', { width: 854, height: 480 }],
      ['v1/360p-iframes.m3u8', { width: 640, height: 360 }],
    ]);
    // RFC 8216, section 6.2.4.
    const playlists = ['v1/720p', 'v1/480p', 'v1/360p', 'v1/audio-128k', 'v1/audio-64k'].map(async (name) => {
      const { targetDuration } = parse(await text(`ann/hls/${mediaId}/${name}.m3u8`)) as types.MediaPlaylist;
      return targetDuration;
    });
    expect(await Promise.all(playlists)).toEqual([6, 6, 6, 6, 6]);
    expect(await brokenRules(url(media.current?.outputs.master))).toEqual([]);
    await decode(url(media.current?.outputs.master));
    const dash = url(media.current?.outputs.dash);
    expect((await fetch(dash)).headers.get('content-type')).toBe('application/dash+xml');
    expect((await probe(dash)).streams.map((stream) => stream.width ?? stream.codec_name)).toEqual([
      ...[1280, 854, 640],
      ...['aac', 'aac'],
    ]);
    await decode(dash);
    // The address that the API gives, which redirects what asks for a part of it, too.
    const address = url(`ann/mp4/${mediaId}/video.mp4`);
    expect(await ask(address)).toEqual({ status: 302, location: 'v1.mp4', range: null });
    expect(await ask(address, { method: 'HEAD' })).toEqual({ status: 302, location: 'v1.mp4', range: null });
    const part = await fetch(address, { headers: { range: 'bytes=1000-1099' } });
    expect([part.url, part.status]).toEqual([url(`ann/mp4/${mediaId}/v1.mp4`), 206]);
    expect((await part.arrayBuffer()).byteLength).toBe(100);
    const mp4 = await probe(address);
    expect(mp4.streams.map((stream) => stream.codec_name).sort()).toEqual(['aac', 'h264']);
    expect(Number(mp4.format.duration)).toBeCloseTo(8, 1);
    const preview = await probe(url(media.current?.outputs.preview));
    expect(preview.streams.map((stream) => stream.codec_type).sort()).toEqual(['audio', 'video']);
    const [poster] = (await probe(url(media.current?.outputs.poster))).streams;
    expect([poster?.codec_name, poster?.width, poster?.height]).toEqual(['mjpeg', 320, 180]);
    const [large] = (await probe(url(media.current?.outputs.posterLarge))).streams;
    expect([large?.codec_name, large?.width, large?.height]).toEqual(['mjpeg', 1280, 720]);

    const [job] = await readJobs(booted.cloud, mediaId);
    expect(job?.state).toBe('published');
    expect(job?.progress).toBe(100);
    expect(job?.steps.map((step) => step.name)).toEqual(['pulled', 'transcoded', 'pushed']);
    expect(job?.expiresAt).toBeGreaterThan(Date.now() / 1000);
  }, 180_000);

  it('leaves its claim and its result under tmp/, and nothing else, and tmp/ is not served', async () => {
    const file = await testVideo(join(folder, 'served.mp4'), { seconds: 1 });
    const mediaId = await drop(booted.cloud, 'drop/ann/lectures/served.mp4', { file });
    await reached(booted.cloud, mediaId, 'ready');
    const { s3 } = developerClients(booted.cloud);
    const Bucket = booted.cloud.outputs.MediaBucket;
    const Prefix = `tmp/${mediaId}-1/`;
    // The rest is removed after the media is ready.
    const left = await eventually("the worker's files are removed", async () => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
      return Contents.length <= 2 && Contents.map(({ Key }) => Key);
    });
    expect(left).toEqual([`${Prefix}claim.json`, `${Prefix}result.json`]);
    for (const key of left) expect((await fetch(url(key))).status).toBe(403);
  });
});

describe('a dropped audio file', () => {
  it('becomes two renditions, a preview and a waveform', async () => {
    const file = await makeClip(join(folder, 'tone.mp3'), '-f', 'lavfi', '-i', 'sine=frequency=300:duration=3');
    const mediaId = await drop(booted.cloud, 'drop/ann/podcast/tone.mp3', { file });
    const media = await reached(booted.cloud, mediaId, 'ready');
    expect(media.kind).toBe('audio');
    expect(media.current?.renditions.map((rendition) => rendition.name)).toEqual(['128k', '64k']);
    expect(media.current?.outputs.mp4).toBeUndefined();
    await decode(url(media.current?.outputs.master));
    const waveform = JSON.parse(await text(media.current?.outputs.waveform)) as { version: number; data: number[] };
    expect(waveform.version).toBe(2);
    expect(waveform.data.length).toBeGreaterThan(2 * 3 * 20 - 6);
  });
});

describe('a file that is not media', () => {
  it.each([
    ['empty.mp4', '', 'empty_file'],
    ['note.mp4', 'just a note, long enough to be looked at by somebody who expects a video\n'.repeat(20), 'not_media'],
    ['list.m3u8', '#EXTM3U\n#EXTINF:6,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n', 'playlist_refused'],
    ['list.mp4', "ffconcat version 1.0\nfile '/etc/passwd'\n", 'playlist_refused'],
  ])('%s fails with its reason, and nothing is published', async (name, content, code) => {
    const mediaId = await drop(booted.cloud, `drop/ann/bad/${name}`, { text: content });
    const media = await reached(booted.cloud, mediaId, 'failed', { jobs: 0 });
    expect(media.error?.code).toBe(code);
    expect(media.error?.message).toMatch(/^[A-Z].{20,}\.$/s);
    expect((await fetch(url(`ann/hls/${mediaId}/master.m3u8`))).status).not.toBe(200);
  });
});

it('a newer upload of the same key becomes a second version, and the first one stays', async () => {
  const key = 'drop/bob/default/clip.mp4';
  const file = await testVideo(join(folder, 'clip.mp4'), { seconds: 1 });
  const mediaId = await drop(booted.cloud, key, { file });
  const first = await reached(booted.cloud, mediaId, 'ready');

  await drop(booted.cloud, key, { file: await testVideo(join(folder, 'clip2.mp4'), { seconds: 2 }) });
  const second = await reached(booted.cloud, mediaId, 'ready', { jobs: 2 });
  expect(second.current?.version).toBe(2);
  expect(second.previous?.version).toBe(1);
  expect(second.source.sequencer > first.source.sequencer).toBe(true);
  expect(await text(second.current?.outputs.master)).toContain('v2/');
  expect((await fetch(url(`bob/hls/${mediaId}/v1/${first.current?.renditions[0]?.name}.m3u8`))).status).toBe(200);
  const mp4 = url(`bob/mp4/${mediaId}/video.mp4`);
  expect(await ask(mp4)).toEqual({ status: 302, location: 'v2.mp4', range: null });
  // A download of the first version that a client goes on with gets no bytes of the second.
  expect(await ask(url(`bob/mp4/${mediaId}/v1.mp4`))).toMatchObject({ status: 206 });
  expect(await readJobs(booted.cloud, mediaId)).toHaveLength(2);
});

it("duplicates of an upload's event and of the message that publishes its job change nothing", async () => {
  const key = 'drop/bob/default/once.mp4';
  const file = await testVideo(join(folder, 'once.mp4'), { seconds: 1 });
  const mediaId = await drop(booted.cloud, key, { file });
  const { source } = await reached(booted.cloud, mediaId, 'ready');
  const sqs = sqsOf(booted.cloud);
  const rows = async () => [await readMedia(booted.cloud, mediaId), await readJobs(booted.cloud, mediaId)];
  const send = (queue: 'Ingest' | 'Publish', message: object) =>
    sqs.send(
      new SendMessageCommand({
        QueueUrl: booted.cloud.outputs[`${queue}QueueUrl`],
        MessageBody: JSON.stringify(message),
      }),
    );
  await allTaken(sqs);
  const before = await rows();
  const { size, etag, versionId, sequencer } = source;
  const created = {
    ...{ id: 'again', time: new Date().toISOString(), source: 'aws.s3', 'detail-type': 'Object Created' },
    detail: {
      bucket: { name: source.bucket },
      object: { key, size, etag, 'version-id': versionId, sequencer },
    },
  };
  for (let copies = 0; copies < 2; copies++) {
    await send('Ingest', created);
    await send('Publish', { jobId: `${mediaId}-1` });
  }
  await allTaken(sqs);
  expect(await rows()).toEqual(before);
  sqs.destroy();
});

describe('an object outside the form of a drop', () => {
  it('is ignored, and the next file is processed', async () => {
    const bucket = booted.cloud.outputs.UploadsBucket ?? '';
    const { s3 } = developerClients(booted.cloud);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'drop/loose.mp4', Body: 'x' }));
    const file = await testVideo(join(folder, 'after.mp4'), { seconds: 1 });
    const mediaId = await drop(booted.cloud, 'drop/bob/default/after.mp4', { file });
    await reached(booted.cloud, mediaId, 'ready');
    expect(await readMedia(booted.cloud, mediaId)).toMatchObject({ state: 'ready' });
  });
});
