import { BatchClient, DescribeJobsCommand, ListJobsCommand } from '@aws-sdk/client-batch';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { list } from '../../aws/s3.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import type { Cloud } from '../../local/boot.ts';
import type { Hooks } from '../../local/gateway/hooks.ts';
import { REGION } from '../../local/kernel/account.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { apiAs } from '../support/api.ts';
import { numbersIn } from '../support/chunks.ts';
import { eventually } from '../support/cloud.ts';
import { filmCloud, makeFilm, RATE, SECONDS } from '../support/films.ts';
import { temporaryDirectory } from '../support/media.ts';
import { decode, drop, probe, reached, readJobs, readMedia } from '../support/pipeline.ts';

const LONG = { timeoutMs: 240_000 };
const ALL = Array.from({ length: SECONDS * RATE }, (_, i) => i);
let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
let film: string;
beforeAll(async () => {
  folder = await temporaryDirectory();
  film = await makeFilm(folder.path);
});
afterAll(() => folder[Symbol.asyncDispose]());

type Call = Parameters<NonNullable<Hooks['before']>>[0];
/** Whether a worker writes an object of that name under its job's prefix. */
const writes = ({ operation, request }: Call, name: string) =>
  operation === 'PutObject' && request?.path.includes('/tmp/') === true && request.path.includes(name);

/** The engine jobs of a job, by their names without its id; each child of an array with the statuses of its attempts. */
async function engineJobs(cloud: Cloud, jobId: string) {
  const client = new BatchClient({ endpoint: cloud.endpoint, region: REGION, credentials: cloud.credentials });
  const { JobQueue: jobQueue } = cloud.outputs;
  const filters = [{ name: 'JOB_NAME', values: [`${jobId}*`] }];
  const { jobSummaryList = [] } = await client.send(new ListJobsCommand({ jobQueue, filters }));
  const found: Record<string, { status?: string | undefined; attempts: number[] }> = {};
  for (const { jobName = '', jobId: id = '', status, arrayProperties } of jobSummaryList) {
    const { size } = arrayProperties ?? {};
    const ids = size === undefined ? [id] : Array.from({ length: size }, (_, i) => `${id}:${i}`);
    const { jobs = [] } = await client.send(new DescribeJobsCommand({ jobs: ids }));
    found[jobName.slice(jobId.length)] = { status, attempts: jobs.map(({ attempts = [] }) => attempts.length) };
  }
  client.destroy();
  return found;
}

async function keysOf(cloud: Cloud, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of list(developerClients(cloud).s3, cloud.outputs.MediaBucket ?? '', prefix)) keys.push(key);
  return keys;
}

/** Names of what is published, and each playlist without what depends on the bytes of the encode. */
async function published(cloud: Cloud, { mediaId, current }: MediaRow) {
  // What was shown of it before is kept for those who watch it.
  const keys = (await keysOf(cloud, 'ann/')).filter((key) => key.includes(mediaId) && !key.includes('/g1/'));
  const playlists: Record<string, string> = {};
  for (const key of keys.filter((it) => it.endsWith('.m3u8'))) {
    const text = await (await fetch(`${cloud.deliveryUrl}/${key}`)).text();
    playlists[key.replace(mediaId, 'ID')] = text
      .replace(/(BANDWIDTH=|BYTERANGE[:=]"?)[\d@]+/g, '$1')
      // The publisher's own mark of each.
      .replace(/^# [0-9a-f-]{36}\n?/gm, '');
  }
  const { renditions = [], kind } = { kind: current?.outputs.mp4 ? 'video' : 'audio', renditions: current?.renditions };
  return {
    ...{ names: keys.map((key) => key.replace(mediaId, 'ID')), playlists, kind },
    renditions: renditions.map(({ name, width, height, durationSeconds }) => ({
      name,
      width,
      height,
      durationSeconds,
    })),
  };
}

/** Every picture of the film is in the stream and in the MP4 once, in order, and the sound is as long as they are. */
async function expectWhole(cloud: Cloud, media: MediaRow): Promise<void> {
  const { mediaId, current } = media;
  const url = (key: string | undefined) => `${cloud.deliveryUrl}/${key}`;
  const version = current?.version;
  for (const key of [`ann/hls/${mediaId}/v${version}/90p.m3u8`, current?.outputs.mp4]) {
    const shown = await numbersIn(url(key));
    expect(
      shown.map(({ number }) => number),
      key,
    ).toEqual(ALL);
    expect(
      shown.every(({ at }, i) => Math.abs(at - i / RATE) < 0.001),
      key,
    ).toBe(true);
  }
  await decode(url(current?.outputs.mp4));
  await decode(url(current?.outputs.master));
  const { streams } = await probe(url(current?.outputs.mp4));
  const [sound, picture] = ['audio', 'video'].map((type) =>
    Number((streams.find((one) => one.codec_type === type) as { duration?: string } | undefined)?.duration),
  );
  expect(Math.abs((sound ?? 0) - (picture ?? 0))).toBeLessThan(0.15);
}

test.each([1, 2])('a film in three chunks on %d slots is what one worker makes of it', async (slots) => {
  await using world = await filmCloud({ slots });
  const { cloud } = world;
  const id = await drop(cloud, 'drop/ann/default/film.mp4', { file: film });
  const media = await reached(cloud, id, 'ready', LONG);
  await expectWhole(cloud, media);
  const [job] = await readJobs(cloud, id);
  expect(job).toMatchObject({ state: 'published', part: 'join-3', progress: 100, submissions: 3 });
  expect(job?.steps.map(({ name }) => name)).toEqual(['pulled', 'transcoded', 'pushed']);
  expect(job?.cost?.vcpuSeconds).toBeGreaterThan(0);
  expect(await engineJobs(cloud, `${id}-1`)).toEqual({
    '': { status: 'SUCCEEDED', attempts: [1] },
    '-chunks-3': { status: 'SUCCEEDED', attempts: [1, 1, 1, 1] },
    '-join-3': { status: 'SUCCEEDED', attempts: [1] },
  });
  await eventually('nothing but claims and the result is left', async () => {
    const left = (await keysOf(cloud, `tmp/${id}-1/`)).map((key) => key.slice(`tmp/${id}-1/`.length));
    return left.every((name) => ['claim.json', 'join/claim.json', 'result.json'].includes(name));
  });
  world.cut(false);
  const other = await reached(cloud, await drop(cloud, 'drop/ann/default/whole.mp4', { file: film }), 'ready', LONG);
  await expectWhole(cloud, other);
  expect(Object.keys(await engineJobs(cloud, `${other.mediaId}-1`))).toEqual(['']);
  expect(await published(cloud, media)).toEqual(await published(cloud, other));
}, 300_000);

test('a machine that is lost costs its chunk alone, and of parts whose ends no event tells sweep learns', async () => {
  let lost = '';
  let cloud: Cloud | undefined;
  const before = (call: Call) => {
    const rule = call.principal.type === 'service' ? (call.principal.sourceArn ?? '') : '';
    if (call.operation === 'SendMessage' && /jobstatechange/i.test(rule)) {
      throw new AwsError('AccessDenied', 403, 'Lost on purpose.');
    }
    if (lost || !writes(call, 'chunks/1/')) return;
    lost = cloud?.batch.running().find((id) => id.endsWith(':1')) ?? '';
    cloud?.batch.kill(lost, 'host-lost').catch(() => {});
    throw new AwsError('InternalError', 500, 'The worker is gone.');
  };
  await using world = await filmCloud({ slots: 2, hooks: { before } });
  cloud = world.cloud;
  const id = await drop(cloud, 'drop/ann/default/film.mp4', { file: film });
  for (const part of ['', '-chunks-3', '-join-3']) {
    const hasEnded = async () => (await engineJobs(world.cloud, `${id}-1`))[part]?.status === 'SUCCEEDED';
    await eventually(`${part} has ended`, hasEnded, 120_000);
    cloud.clock.advance(16 * 60_000);
    await cloud.fireSchedule('sweep');
  }
  await expectWhole(cloud, await reached(cloud, id, 'ready', LONG));
  expect(lost).not.toBe('');
  expect((await engineJobs(cloud, `${id}-1`))['-chunks-3']).toEqual({ status: 'SUCCEEDED', attempts: [1, 2, 1, 1] });
  expect((await readJobs(cloud, id)).length).toBe(1);
}, 300_000);

test('a film of which a chunk fails for good is encoded whole by the worker that was to join it', async () => {
  const before = (call: Call) => {
    if (writes(call, 'chunks/2/record.json')) throw new AwsError('InternalError', 500, 'It is not to be.');
  };
  await using world = await filmCloud({ slots: 2, hooks: { before } });
  const { cloud } = world;
  const id = await drop(cloud, 'drop/ann/default/film.mp4', { file: film });
  await expectWhole(cloud, await reached(cloud, id, 'ready', LONG));
  const jobs = await engineJobs(cloud, `${id}-1`);
  expect(jobs['-chunks-3']).toEqual({ status: 'FAILED', attempts: [1, 1, 3, 1] });
  expect(jobs['-join-3']).toEqual({ status: 'SUCCEEDED', attempts: [1] });
}, 300_000);

test('a join that is killed is done again, and the chunks are not', async () => {
  let killed = false;
  let cloud: Cloud | undefined;
  const before = (call: Call) => {
    if (killed || !writes(call, '-1/90p.mp4')) return;
    killed = true;
    for (const running of cloud?.batch.running() ?? []) cloud?.batch.kill(running, 'SIGKILL').catch(() => {});
    throw new AwsError('InternalError', 500, 'The worker is gone.');
  };
  await using world = await filmCloud({ slots: 1, hooks: { before } });
  cloud = world.cloud;
  const id = await drop(cloud, 'drop/ann/default/film.mp4', { file: film });
  await expectWhole(cloud, await reached(cloud, id, 'ready', LONG));
  const jobs = await engineJobs(cloud, `${id}-1`);
  expect(jobs['-chunks-3']?.attempts).toEqual([1, 1, 1, 1]);
  expect(jobs['-join-3']?.attempts).toEqual([2]);
}, 300_000);

test('a chunk far slower than the rest is started a second time, and the first result counts', async () => {
  let slow: string | undefined;
  const before = (call: Call) => {
    const { operation, request } = call;
    const [, key] = /Credential=([^/]+)/.exec(String(request?.headers.authorization)) ?? [];
    if (operation === 'HeadObject' && request?.path.endsWith('chunks/0/record.json')) slow ??= key;
    // Not one byte of the film, for ever.
    const isHeld = operation === 'GetObject' && key === slow && request?.path.endsWith('film.mp4');
    return isHeld ? new Promise<void>(() => {}) : undefined;
  };
  await using world = await filmCloud({ slots: 3, hooks: { before } });
  const { cloud } = world;
  const id = await drop(cloud, 'drop/ann/default/film.mp4', { file: film });
  await expectWhole(cloud, await reached(cloud, id, 'ready', LONG));
  const { '': first, ...others } = await engineJobs(cloud, `${id}-1`);
  expect(first?.status).toBe('SUCCEEDED');
  expect(Object.entries(others).sort()).toEqual([
    ['-chunks-3', { status: 'FAILED', attempts: [1, 1, 1, 1] }],
    ['-join-3', { status: 'SUCCEEDED', attempts: [1] }],
    [expect.stringMatching(/^-twin-0-/), { status: 'SUCCEEDED', attempts: [1] }],
  ]);
}, 300_000);

test('a film that is deleted while its chunks are encoded leaves no worker and nothing else', async () => {
  await using world = await filmCloud({ slots: 2 });
  const { cloud } = world;
  const ann = await apiAs(cloud, 'ann');
  const id = await drop(cloud, 'drop/ann/default/film.mp4', { file: film });
  await eventually('a chunk is encoded', async () => cloud.batch.running().some((it) => it.includes(':')), 120_000);
  expect((await ann('DELETE', `/media/${id}`)).status).toBe(202);
  await eventually(
    'no worker is left',
    async () => {
      await cloud.fireSchedule('sweep');
      const jobs = await engineJobs(cloud, `${id}-1`);
      return cloud.batch.running().length === 0 && jobs['-chunks-3']?.status === 'FAILED';
    },
    120_000,
  );
  await eventually('its cost is known', async () => ((await readJobs(cloud, id))[0]?.cost?.vcpuSeconds ?? 0) > 0);
  // For so long a worker may go on.
  cloud.clock.advance(17 * 60_000);
  await eventually(
    'all of it is gone',
    async () => {
      await cloud.fireSchedule('sweep');
      const left = [...(await keysOf(cloud, `tmp/${id}-1/`)), ...(await keysOf(cloud, 'ann/'))];
      return (await readMedia(cloud, id)) === undefined && left.length === 0;
    },
    120_000,
  );
  expect(Object.keys(await engineJobs(cloud, `${id}-1`)).sort()).toEqual(['', '-chunks-3']);
}, 300_000);
