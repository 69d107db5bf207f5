import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DeleteObjectCommand, ListObjectsV2Command, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MediaLink, MediaView, PlaybackSession } from '../../core/contracts/http/media.ts';
import { type Access, mediaKeys } from '../../core/contracts/keys.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { type Api, apiAs, tokenOf } from '../support/api.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { dropreel } from '../support/command.ts';
import { keyedApp } from '../support/keyed-app.ts';
import {
  decode,
  drop,
  FFPROBE,
  graceOver,
  makeClip,
  reached,
  readJobs,
  readMedia,
  sweepUntil,
  sweepUntilJob,
  testVideo,
} from '../support/pipeline.ts';

let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-private-'));
  file = await testVideo(join(folder, 'film.mp4'), { seconds: 1 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function viewOf(api: Api, mediaId: string) {
  const view = MediaView.parse((await api('GET', `/media/${mediaId}`)).body);
  if (!view.playback) throw new Error(`It is ${view.state}, and cannot be played.`);
  return { access: view.access, playback: view.playback };
}

const statusOf = async (url: string | undefined, cookie = '') =>
  (await fetch(url ?? 'http://127.0.0.1:0/', { headers: { Cookie: cookie } })).status;

/** The first URI of a playlist that is no tag. */
async function firstOf(playlist: string, cookie = ''): Promise<string> {
  const text = await (await fetch(playlist, { headers: { Cookie: cookie } })).text();
  const [uri = ''] = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new URL(uri, playlist).href;
}

it('a cloud without the value of its secret boots, as the demo does', async () => {
  const app = await keyedApp();
  await using booted = await testCloud({ assembly: app.assembly });
  expect((await fetch(`${booted.cloud.apiUrl}/openapi.json`)).status).toBe(200);
  const { status } = await (await apiAs(booted.cloud, 'ann'))('GET', '/media');
  expect(status).toBe(200);
  await app[Symbol.asyncDispose]();
});

describe('with a key', () => {
  let app: Awaited<ReturnType<typeof keyedApp>>;
  let booted: Awaited<ReturnType<typeof testCloud>>;
  let api: Api;
  let mediaId: string;

  beforeAll(async () => {
    app = await keyedApp();
    booted = await testCloud({ assembly: app.assembly, stateDir: app.stateDir });
    api = await apiAs(booted.cloud, 'ann');
    const body = { id: 'films', playback: 'private', retranscodeFromOutput: true };
    expect((await api('POST', '/collections', { body })).status).toBe(201);
    mediaId = await drop(booted.cloud, 'drop/ann/films/film.mp4', { file });
    await reached(booted.cloud, mediaId, 'ready');
  }, 120_000);
  afterAll(async () => {
    await booted?.[Symbol.asyncDispose]();
    await app?.[Symbol.asyncDispose]();
  });

  const masterAt = (access: Access) => `${booted.cloud.deliveryUrl}/${mediaKeys('ann', mediaId, access).master}`;

  async function session(id = mediaId) {
    const answer = await api('POST', `/media/${id}/playback-session`);
    const { cookies } = PlaybackSession.parse(answer.body);
    const lines = Object.entries(cookies).map(([name, value]) => `${name}=${value}`);
    return lines.join('; ');
  }

  /** Every object of the media in one of the two places. */
  async function keysAt(access: Access): Promise<string[]> {
    const { s3 } = developerClients(booted.cloud);
    const Bucket = booted.cloud.outputs.MediaBucket;
    const found = mediaKeys('ann', mediaId, access).prefixes.map(async (Prefix) => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
      return Contents.map(({ Key = '' }) => Key);
    });
    return (await Promise.all(found)).flat();
  }

  async function publishAgain(playback: Access, jobs: number): Promise<void> {
    expect((await api('PATCH', '/collections/films', { body: { playback } })).status).toBe(200);
    expect((await api('POST', `/media/${mediaId}/retranscode`)).status).toBeLessThan(300);
    await sweepUntilJob(booted.cloud, mediaId, jobs);
    await reached(booted.cloud, mediaId, 'ready', { jobs });
  }

  /** The token ends before that, too. */
  async function noPrevious(): Promise<void> {
    await graceOver(booted.cloud, mediaId);
    api = await apiAs(booted.cloud, 'ann');
  }

  it('a private video plays with a session only; its preview and pictures are public', async () => {
    const { access, playback } = await viewOf(api, mediaId);
    expect(access).toBe('private');
    expect(playback.hls).toBe(masterAt('private'));
    const cookie = await session();
    const rendition = await firstOf(playback.hls, cookie);
    const segment = await firstOf(rendition, cookie);
    for (const url of [playback.hls, rendition, segment, playback.mp4]) {
      expect([url, await statusOf(url), await statusOf(url, cookie)]).toEqual([url, 403, 200]);
    }
    expect(segment).toMatch(/\/\d+p\.mp4$/);
    await execa(FFPROBE, ['-v', 'error', '-headers', `Cookie: ${cookie}\r\n`, '-count_packets', playback.hls]);
    for (const url of [playback.preview, playback.thumbnail, playback.poster]) expect(await statusOf(url)).toBe(200);
    await decode(playback.preview ?? '');
    expect(await keysAt('public')).toEqual([]);
  }, 60_000);

  it("the bucket answers a browser's preflight for public files", async () => {
    const { playback } = await viewOf(api, mediaId);
    const asks = { Origin: 'http://localhost:3000', 'Access-Control-Request-Method': 'GET' };
    const headers = { ...asks, 'Access-Control-Request-Headers': 'x-player' };
    const answer = await fetch(playback.preview ?? '', { method: 'OPTIONS', headers });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('a page of another site may read a range of a public file', async () => {
    const { playback } = await viewOf(api, mediaId);
    const file = await firstOf(await firstOf(playback.preview ?? ''));
    const origin = { Origin: 'http://localhost:3000' };
    const asks = { ...origin, 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'range' };
    const preflight = await fetch(file, { method: 'OPTIONS', headers: asks });
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([200, '*']);
    const answer = await fetch(file, { headers: { ...origin, Range: 'bytes=4-7' } });
    expect([answer.status, await answer.text()]).toEqual([206, 'ftyp']);
    expect(answer.headers.get('content-range')).toMatch(/^bytes 4-7\/\d+$/);
    expect(answer.headers.get('content-length')).toBe('4');
    expect(answer.headers.get('accept-ranges')).toBe('bytes');
    expect(answer.headers.get('access-control-expose-headers')).toBe(
      'Accept-Ranges, Content-Length, Content-Range, ETag',
    );
  });

  it('a private video can be downloaded by its creator with the command', async () => {
    const target = join(folder, 'downloaded.mp4');
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      DROPREEL_ENDPOINT: booted.cloud.apiUrl,
      DROPREEL_TOKEN: await tokenOf(booted.cloud, 'ann'),
    };
    const command = [resolve('cli/dropreel.mjs'), 'download', mediaId, '-o', target];
    await execa('node', command, { env, extendEnv: false, cwd: folder, stdin: 'ignore' });
    await decode(target);
  }, 60_000);

  it('one session opens one media item', async () => {
    const other = await drop(booted.cloud, 'drop/ann/films/other.mp4', { file });
    await reached(booted.cloud, other, 'ready');
    const { playback } = await viewOf(api, other);
    const mine = await session();
    expect(await statusOf(playback.hls, mine)).toBe(403);
    expect(await statusOf(playback.hls, await session(other))).toBe(200);
    const pretences = [`?x=/${mediaId}`, `?x=/private/ann/${mediaId}/`, `?/private/ann/${mediaId}/hls/master.m3u8`];
    for (const url of [playback.hls, playback.mp4]) {
      for (const query of pretences) expect([query, await statusOf(`${url}${query}`, mine)]).toEqual([query, 403]);
    }
  }, 60_000);

  it('sessions and links are made anew, and not kept for an Idempotency-Key', async () => {
    for (const what of ['playback-session', 'links']) {
      const headers = { 'Idempotency-Key': what };
      const body = what === 'links' ? { output: 'mp4' } : undefined;
      const ask = () => api('POST', `/media/${mediaId}/${what}`, { headers, ...(body && { body }) });
      const [first, again] = [await ask(), await ask()];
      expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 200, null]);
    }
  }, 60_000);

  it('a private path accepts no query other than that of a signature, even with a session', async () => {
    const { playback } = await viewOf(api, mediaId);
    const cookie = await session();
    const parameters = new URLSearchParams(cookie.replaceAll('CloudFront-', '').replaceAll('; ', '&'));
    expect(await statusOf(`${playback.hls}?${parameters}`)).toBe(200);
    expect(await statusOf(`${playback.hls}?${parameters}&x=1`)).toBe(403);
    expect(await statusOf(`${playback.hls}?x=1`, cookie)).toBe(403);
  }, 60_000);

  it('a signed address of one output opens that one without cookies, until it expires', async () => {
    const { playback } = await viewOf(api, mediaId);
    const link = async (body: object) => MediaLink.parse((await api('POST', `/media/${mediaId}/links`, { body })).body);
    const { url, expiresAt } = await link({ output: 'mp4', hours: 2 });
    expect(url.startsWith(`${playback.mp4}?Expires=`)).toBe(true);
    expect([await statusOf(url), await statusOf(playback.mp4)]).toEqual([200, 403]);
    expect(await statusOf(url.replace(playback.mp4 ?? '', playback.hls))).toBe(403);
    expect(Date.parse(expiresAt ?? '') - booted.cloud.clock.now()).toBeLessThanOrEqual(7_200_000);
    expect(await link({ output: 'poster' })).toEqual({ url: playback.poster, expiresAt: null });
    booted.cloud.clock.advance(7_200_000);
    expect(await statusOf(url)).toBe(403);
    api = await apiAs(booted.cloud, 'ann');
  }, 60_000);

  it('`dropreel link` prints addresses of the MP4, the poster and the waveform that are open to anyone until they expire', async () => {
    const { cloud } = booted;
    const tone = await makeClip(join(folder, 'tone.mp3'), '-f', 'lavfi', '-i', 'sine=frequency=300:duration=1');
    const sound = await drop(cloud, 'drop/ann/films/tone.mp3', { file: tone });
    await reached(cloud, sound, 'ready');
    const run = async (...args: string[]) =>
      dropreel(folder, ['link', ...args], {
        DROPREEL_ENDPOINT: cloud.apiUrl,
        DROPREEL_TOKEN: await tokenOf(cloud, 'ann'),
      });
    const [mp4, poster, waveform] = await Promise.all([
      run(mediaId),
      run(mediaId, '--what', 'poster'),
      run(sound, '--what', 'waveform', '--hours', '2', '--json'),
    ]);
    expect([mp4.stderr, poster.stderr, waveform.stderr]).toEqual(['', '', '']);
    const ofWaveform = MediaLink.parse(JSON.parse(waveform.stdout));
    await decode(mp4.stdout);
    expect(await (await fetch(ofWaveform.url)).json()).toMatchObject({ version: 2, bits: 8 });
    expect(Date.parse(ofWaveform.expiresAt ?? '') - cloud.clock.now()).toBeLessThanOrEqual(7_200_000);
    const unsigned = [mp4.stdout, ofWaveform.url].map((url) => url.split('?')[0]);
    expect([await statusOf(unsigned[0]), await statusOf(unsigned[1])]).toEqual([403, 403]);
    const { playback } = await viewOf(api, mediaId);
    expect([poster.stdout, await statusOf(poster.stdout)]).toEqual([playback.poster, 200]);

    // The video's for an hour, as nothing else was said.
    cloud.clock.advance(3_600_000);
    expect([await statusOf(mp4.stdout), await statusOf(ofWaveform.url)]).toEqual([403, 200]);
    cloud.clock.advance(3_600_000);
    expect(await statusOf(ofWaveform.url)).toBe(403);
    api = await apiAs(cloud, 'ann');

    const refused = [await run(mediaId, '--what', 'waveform'), await run(mediaId, '--hours', '169')];
    expect(refused.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual([
      [5, ''],
      [5, ''],
    ]);
    expect(refused[0]?.stderr).toContain('This media item has no waveform.');
  }, 120_000);

  it('a new signing key is in use minutes after the secret contains it, and sessions of the old one stay valid', async () => {
    const { playback } = await viewOf(api, mediaId);
    const old = await session();
    await app.setKey(1);
    booted.cloud.clock.advance(5 * 60_000);
    const young = await session();
    const keyId = (cookie: string) => /Key-Pair-Id=(\w+)/.exec(cookie)?.[1];
    expect(keyId(young)).not.toBe(keyId(old));
    expect([await statusOf(playback.hls, old), await statusOf(playback.hls, young)]).toEqual([200, 200]);
  }, 60_000);

  it('a private video is public after a switch and a re-transcode, and its private objects are removed after the grace period', async () => {
    const { cloud } = booted;
    const { s3 } = developerClients(cloud);
    const Bucket = cloud.outputs.UploadsBucket;
    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'drop/ann/films/film' }));
    for (const { Key, VersionId } of Versions) await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
    const cookie = await session();
    const rendition = await firstOf(masterAt('private'), cookie);

    await publishAgain('public', 2);
    const jobs = await readJobs(cloud, mediaId);
    expect(jobs[1]?.source.key).toBe(mediaKeys('ann', mediaId, 'private').version(1).mp4);
    const { access, playback } = await viewOf(api, mediaId);
    expect([access, playback.hls]).toEqual(['public', masterAt('public')]);
    await decode(playback.hls);
    // Who watches the old version goes on with it; nobody else comes to it.
    expect(await statusOf(rendition, cookie)).toBe(200);
    expect(await statusOf(masterAt('private'), cookie)).not.toBe(200);
    expect(await session()).toBe('');

    await noPrevious();
    expect(await keysAt('private')).toEqual([]);
    await decode(playback.hls);
  }, 120_000);

  it('a switch back leaves no pointer in the public place, neither by a publish nor by two rollbacks', async () => {
    const { cloud } = booted;
    await publishAgain('private', 3);
    const now = async () => ({
      access: (await viewOf(api, mediaId)).access,
      open: [await statusOf(masterAt('public')), await statusOf(masterAt('private'))].map((status) => status === 200),
      withCookies: (await statusOf(masterAt('private'), await session())) === 200,
    });
    const isPrivate = { access: 'private', open: [false, false], withCookies: true };
    expect(await now()).toEqual(isPrivate);
    for (const [version, expected] of [
      [2, { access: 'public', open: [true, false], withCookies: false }],
      [3, isPrivate],
    ] as const) {
      expect((await api('POST', `/media/${mediaId}/rollback`)).status).toBeLessThan(300);
      await eventually(
        `version ${version} is current`,
        async () => (await readMedia(cloud, mediaId))?.current?.version === version,
      );
      expect(await now()).toEqual(expected);
    }
    const versions = (await keysAt('public')).filter((key) => !/\/v2[/.]/.test(key));
    expect(versions).toEqual([]);

    await noPrevious();
    expect(await keysAt('public')).toEqual([]);
    expect((await keysAt('private')).length).toBeGreaterThan(0);
  }, 120_000);

  it('a deleted private video leaves no object in either place', async () => {
    await publishAgain('public', 4);
    expect([await keysAt('public'), await keysAt('private')].every((keys) => keys.length > 0)).toBe(true);
    expect((await api('DELETE', `/media/${mediaId}`)).status).toBeLessThan(300);
    // A publisher may be at work for a quarter of an hour after its job ended.
    booted.cloud.clock.advance(17 * 60_000);
    await sweepUntil(booted.cloud, 'the media is gone', async () => {
      return (await readMedia(booted.cloud, mediaId)) === undefined;
    });
    expect([await keysAt('public'), await keysAt('private')]).toEqual([[], []]);
  }, 120_000);
});

it('without a key a private media item is served to nobody, and the API says so', async () => {
  await using booted = await testCloud();
  const { cloud } = booted;
  const api = await apiAs(cloud, 'ann');
  await api('POST', '/collections', { body: { id: 'films' } });
  // As it is after a deployment that has lost its key.
  await developerClients(cloud).table.send(
    new UpdateCommand({
      TableName: cloud.outputs.Table,
      Key: rowKeys.collection('ann', 'films'),
      UpdateExpression: 'SET playback = :private',
      ExpressionAttributeValues: { ':private': 'private' },
    }),
  );
  const mediaId = await drop(cloud, 'drop/ann/films/film.mp4', { file });
  await reached(cloud, mediaId, 'ready');
  const { access, playback } = await viewOf(api, mediaId);
  expect(access).toBe('private');
  const { hls, mp4, preview, thumbnail } = playback;
  for (const url of [hls, mp4, preview, thumbnail]) expect([url, await statusOf(url)]).toEqual([url, 403]);
  expect(await statusOf(`${cloud.deliveryUrl}/${mediaKeys('ann', mediaId, 'public').master}`)).not.toBe(200);
  const answer = await api('POST', `/media/${mediaId}/playback-session`);
  expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
}, 120_000);
