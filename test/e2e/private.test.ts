import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DeleteObjectCommand, ListObjectsV2Command, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MediaView, PlaybackSession } from '../../core/contracts/api.ts';
import { type Access, mediaKeys } from '../../core/contracts/keys.ts';
import { rowKeys } from '../../core/contracts/rows.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { type Api, apiAs, tokenOf } from '../helpers/api.ts';
import { eventually, testCloud } from '../helpers/cloud.ts';
import { keyedApp } from '../helpers/keyed-app.ts';
import { decode, drop, FFPROBE, reached, readJobs, readMedia, sweepNow, testVideo } from '../helpers/pipeline.ts';

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
    await sweepNow(booted.cloud);
    await reached(booted.cloud, mediaId, 'ready', { jobs });
  }

  /** The token ends before that, too. */
  async function graceOver(): Promise<void> {
    booted.cloud.clock.advance(25 * 3_600_000);
    await sweepNow(booted.cloud);
    api = await apiAs(booted.cloud, 'ann');
  }

  it('a private video is for who has a session; its preview and pictures are for anyone', async () => {
    const { access, playback } = await viewOf(api, mediaId);
    expect(access).toBe('private');
    expect(playback.hls).toBe(masterAt('private'));
    const cookie = await session();
    const rendition = await firstOf(playback.hls, cookie);
    const segment = await firstOf(rendition, cookie);
    for (const url of [playback.hls, rendition, segment, playback.mp4]) {
      expect([url, await statusOf(url), await statusOf(url, cookie)]).toEqual([url, 403, 200]);
    }
    expect(segment).toMatch(/\.m4s$/);
    await execa(FFPROBE, ['-v', 'error', '-headers', `Cookie: ${cookie}\r\n`, '-count_packets', playback.hls]);
    for (const url of [playback.preview, playback.thumbnail, playback.poster]) expect(await statusOf(url)).toBe(200);
    await decode(playback.preview ?? '');
    expect(await keysAt('public')).toEqual([]);
  }, 60_000);

  it('the command downloads it for its creator', async () => {
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

  it('one session opens one media', async () => {
    const other = await drop(booted.cloud, 'drop/ann/films/other.mp4', { file });
    await reached(booted.cloud, other, 'ready');
    const { playback } = await viewOf(api, other);
    expect(await statusOf(playback.hls, await session())).toBe(403);
    expect(await statusOf(playback.hls, await session(other))).toBe(200);
  }, 60_000);

  it('after a switch to public and a re-transcode it is public, from its own MP4 too, and the old place is emptied after its grace', async () => {
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

    await graceOver();
    expect(await keysAt('private')).toEqual([]);
    await decode(playback.hls);
  }, 120_000);

  it('and back: no pointer is left in the public place, neither by a publish nor by two rollbacks', async () => {
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

    await graceOver();
    expect(await keysAt('public')).toEqual([]);
    expect((await keysAt('private')).length).toBeGreaterThan(0);
  }, 120_000);

  it('deleted, it leaves nothing in either place', async () => {
    await publishAgain('public', 4);
    expect([await keysAt('public'), await keysAt('private')].every((keys) => keys.length > 0)).toBe(true);
    expect((await api('DELETE', `/media/${mediaId}`)).status).toBeLessThan(300);
    await sweepNow(booted.cloud);
    await eventually('the media is gone', async () => (await readMedia(booted.cloud, mediaId)) === undefined);
    expect([await keysAt('public'), await keysAt('private')]).toEqual([[], []]);
  }, 120_000);
});

it('without a key, what is private is published for nobody, and the API says so', async () => {
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
