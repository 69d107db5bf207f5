import { ListJobsCommand } from '@aws-sdk/client-batch';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { head } from '../../aws/s3.ts';
import { apply, getCollection, getJob, getMedia } from '../../aws/table.ts';
import { queryTodo } from '../../aws/table-queries.ts';
import { mediaKeys, parseDropKey, tmpPrefix } from '../../core/contracts/keys.ts';
import { CHORE, type JobRow, type MediaRow, rowKeys } from '../../core/contracts/rows.ts';
import { expireVersion, flagMedia, newCollection } from '../../core/jobs/transitions.ts';
import { ingest } from '../../functions/ingest-upload/ingest.ts';
import { AwsError } from '../../local/service.ts';
import { changeOf, job, result, source, version } from '../unit/core/jobs/factories.ts';
import { arns, startWorld, type World } from '../unit/local/batch/setup.ts';
import { MEDIA, QUEUES, type Services, startServices, UPLOADS } from './services.ts';
import {
  addMedia as add,
  addJob as addSilentJob,
  CAP,
  dropObject,
  engineOf,
  LONG_AGO,
  received as receivedFrom,
  sweepOnce,
} from './swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

let services: Services;
let world: World;
const RUNS = { HOLD: '/nowhere', ON_TERM: '143' };

beforeAll(async () => {
  services = await startServices();
  // What is submitted by the code ends at once; what a test submits runs until it is ended.
  world = await startWorld({ slots: 4 });
});
afterAll(async () => {
  await services[Symbol.asyncDispose]();
  await world.close();
});
beforeEach(() => {
  services.onCall = () => {};
});

const run = (minutes = 0) => sweepOnce(services, world, minutes);
const drop = (key: string, body: string | Uint8Array) => dropObject(services, key, body);
const addMedia = (collectionId: string, name: string, more: Partial<MediaRow> = {}) =>
  add(services, collectionId, name, more);
const addJob = (of: MediaRow, more: Partial<JobRow> = {}) => addSilentJob(services, of, more);
const received = (queue: string) => receivedFrom(services, queue);
const rowOf = (row: MediaRow) => getMedia(services.table, row.mediaId);

describe('an upload', () => {
  const WAV = Buffer.from(
    `RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\x08\0\0${'\0'.repeat(2048)}`,
    'latin1',
  );
  const take = (key: string, sequencer = '0A') =>
    ingest(
      {
        table: services.breakable.table,
        s3: services.breakable.s3,
        engine: engineOf(services, world),
        maxUploadBytes: 1e9,
      },
      { bucket: { name: UPLOADS }, object: { key, size: 1, etag: 'x', sequencer } },
    );
  const jobsNamed = async (name: string) => {
    const filters = [{ name: 'JOB_NAME', values: [name] }];
    return (await world.client.send(new ListJobsCommand({ jobQueue: arns.queue, filters }))).jobSummaryList ?? [];
  };

  it('whose function dies at each of its calls has one media, one job and one engine job in the end', async () => {
    for (let at = 1; ; at++) {
      const { key, mediaId } = await drop(`drop/ann/sounds/a b+${at}.wav`, WAV);
      let calls = 0;
      services.onCall = () => {
        // Before and after each call in turn.
        if (++calls >= at) throw new AwsError('ServiceUnavailable', 503, 'Dead.');
      };
      const died = await take(key).then(
        () => false,
        () => true,
      );
      services.onCall = () => {};
      await take(key);
      await take(key, '0B');
      expect(await getMedia(services.table, mediaId)).toMatchObject({
        state: 'transcoding',
        jobCount: 1,
        kind: 'audio',
        sourceInfo: { audioCodec: 'pcm-s16' },
      });
      const known = await jobsNamed(`${mediaId}-1`);
      expect(known).toHaveLength(1);
      expect((await getJob(services.table, mediaId, 1))?.engineJobId).toBe(known[0]?.jobId);
      if (!died) break;
    }
    expect(await getCollection(services.table, 'ann', 'sounds')).toMatchObject({ preset: 'standard' });
  });

  it('that is no media fails before any job is made', async () => {
    const { key, mediaId } = await drop('drop/ann/sounds/letter.mp4', 'Dear all, this is no video.');
    await take(key);
    expect(await getMedia(services.table, mediaId)).toMatchObject({ state: 'failed', error: { code: 'not_media' } });
    expect(await getJob(services.table, mediaId, 1)).toBeNull();
  });

  it('replaced by a newer version becomes the next job of the same media; the older event, late, changes nothing', async () => {
    const { key, mediaId } = await drop('drop/ann/sounds/twice.wav', WAV);
    await take(key, '0A');
    await drop(key, Buffer.concat([WAV, Buffer.alloc(2)]));
    await take(key, '0C');
    const row = await getMedia(services.table, mediaId);
    expect(row).toMatchObject({ state: 'transcoding', jobCount: 2, jobId: `${mediaId}-2`, attempts: 1 });
    await take(key, '0A');
    await take(key, '0C');
    expect(await getMedia(services.table, mediaId)).toEqual(row);
  });
});

describe('a flagged collection', () => {
  it('has each media encoded again, once, never more at a time than the cap, whatever state they are in', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const ready = await Promise.all(names.map((name) => addMedia('lectures', `${name}.mp4`)));
    const busy = await addMedia('lectures', 'busy.mp4', { state: 'retranscoding' });
    const gone = await addMedia('lectures', 'gone.mp4', {
      state: 'deleting',
      todo: 'delete',
      todoAt: '2999-01-01T00:00:00.000Z',
    });
    const flag = { scheduleRetranscode: true, todo: CHORE.collection, todoAt: LONG_AGO, preset: 'compact' };
    const made = newCollection({ creatorId: 'ann', collectionId: 'lectures', path: '' }, LONG_AGO);
    await apply(services.table, [{ ...made, row: { ...made.row, ...flag } }]);

    expect(await run()).toMatchObject({ collectionsExpanded: 1, mediaFlagged: 6, retranscodesStarted: CAP });
    expect(await getCollection(services.table, 'ann', 'lectures')).toMatchObject({ scheduleRetranscode: false });
    expect(await rowOf(gone)).toMatchObject({ state: 'deleting', scheduleRetranscode: false });
    expect(await rowOf(busy)).toMatchObject({ state: 'retranscoding', scheduleRetranscode: true });
    const states = async () => (await Promise.all(ready.map(rowOf))).map((row) => row?.state);
    expect((await states()).filter((state) => state === 'retranscoding')).toHaveLength(CAP);

    expect(await run()).toMatchObject({ collectionsExpanded: 0, retranscodesStarted: 0 });
    const started = (await Promise.all(ready.map(rowOf))).find((row) => row?.state === 'retranscoding');
    expect(await getJob(services.table, started?.mediaId ?? '', 2)).toMatchObject({
      purpose: 'retranscode',
      preset: { name: 'compact' },
      engineJobId: expect.any(String),
    });

    // Those that run end; the rest gets its turn.
    for (const row of await Promise.all(ready.map(rowOf))) {
      if (row?.state !== 'retranscoding') continue;
      const end = { remove: ['todo', 'todoAt'], set: { state: 'published' } };
      await apply(services.table, [{ op: 'update', key: rowKeys.job(row.mediaId, 2), expect: {}, ...end }]);
      await apply(services.table, [
        { op: 'update', key: rowKeys.media(row.mediaId), expect: {}, set: { state: 'ready' } },
      ]);
    }
    expect(await run()).toMatchObject({ retranscodesStarted: 2 });
    // The flag comes back with the same wave, as after a crash before it was cleared: nobody is encoded twice.
    await apply(services.table, [
      {
        op: 'update',
        key: made.key,
        expect: {},
        set: { scheduleRetranscode: true, todo: 'collection', todoAt: LONG_AGO },
      },
    ]);
    expect(await run()).toMatchObject({ collectionsExpanded: 1, mediaFlagged: 0, retranscodesStarted: 0 });
    expect((await Promise.all(ready.map(rowOf))).map((row) => row?.jobCount)).toEqual([2, 2, 2, 2, 2]);
    await apply(services.table, [
      { op: 'update', key: rowKeys.media(busy.mediaId), expect: {}, set: {}, remove: ['todo', 'todoAt'] },
    ]);
  });
});

describe('a job without a sign of life', () => {
  it('that was never submitted is submitted', async () => {
    const row = await addMedia('talks', 'unsent.mp4', { state: 'uploaded' });
    const { engineJobId: _, ...unsent } = job({ mediaId: row.mediaId, jobId: `${row.mediaId}-1`, state: 'queued' });
    await apply(services.table, [
      { op: 'put', key: rowKeys.job(row.mediaId, 1), row: { ...unsent, heartbeatAt: LONG_AGO, todoAt: LONG_AGO } },
    ]);
    expect(await run()).toMatchObject({ jobsRepaired: 1 });
    expect(await getJob(services.table, row.mediaId, 1)).toMatchObject({ engineJobId: expect.any(String) });
    expect(await rowOf(row)).toMatchObject({ state: 'transcoding' });
  });

  it('whose start was missed runs; that the engine has ended ends', async () => {
    const row = await addMedia('talks', 'started.mp4', { state: 'transcoding', current: undefined });
    const engineJobId = await world.submit(RUNS, { jobName: `${row.mediaId}-1` });
    await world.until(engineJobId, 'RUNNING');
    await addJob(row, { state: 'queued', engineJobId });
    await run();
    expect(await getJob(services.table, row.mediaId, 1)).toMatchObject({ state: 'running' });
    await world.batch.kill(engineJobId, 'host-lost');
    await world.until(engineJobId, 'FAILED');
    const key = rowKeys.job(row.mediaId, 1);
    await apply(services.table, [{ op: 'update', key, expect: {}, set: { heartbeatAt: LONG_AGO, todoAt: LONG_AGO } }]);
    await run();
    expect(await rowOf(row)).toMatchObject({ state: 'failed', error: { code: 'worker_lost' } });
  });

  it('whose result is there is asked to be published, though its end was missed', async () => {
    const row = await addMedia('talks', 'done.mp4', { state: 'retranscoding' });
    await addJob(row, { engineJobId: 'forgotten' });
    const made = { ...result(), jobId: `${row.mediaId}-1` };
    const Key = `${tmpPrefix(made.jobId)}result.json`;
    await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body: JSON.stringify(made) }));
    await run();
    expect(await getJob(services.table, row.mediaId, 1)).toMatchObject({ state: 'succeeded', progress: 100 });
    expect(await received(QUEUES.publish)).toContainEqual({ jobId: made.jobId });
    // Nobody published it: asked once more, after another quarter of an hour.
    await run(20);
    expect(await received(QUEUES.publish)).toContainEqual({ jobId: made.jobId });
  });

  it('that the engine no longer knows fails, and the media gets one more', async () => {
    const row = await addMedia('talks', 'lost.mp4', { state: 'transcoding', current: undefined });
    await addJob(row, { engineJobId: '00000000-0000-0000-0000-000000000000' });
    await run();
    expect(await getJob(services.table, row.mediaId, 1)).toMatchObject({
      state: 'failed',
      error: { code: 'engine_lost' },
    });
    expect(await rowOf(row)).toMatchObject({ state: 'transcoding', jobId: `${row.mediaId}-2`, attempts: 2 });
  });

  it('that runs in silence is told of, and left to its time limit', async () => {
    const row = await addMedia('talks', 'silent.mp4', { state: 'transcoding', current: undefined });
    const engineJobId = await world.submit(RUNS, { jobName: `${row.mediaId}-1` });
    await addJob(row, { engineJobId });
    await world.until(engineJobId, 'RUNNING');
    expect((await run(40)).jobsEscalated).toBeGreaterThan(0);
    expect(await getJob(services.table, row.mediaId, 1)).toMatchObject({
      state: 'running',
      error: { code: 'engine_stuck' },
    });
  });
});

it('an original that is gone ends a re-transcode with its reason, or its MP4 takes its place where that is allowed', async () => {
  const flagged = { scheduleRetranscode: true, todo: CHORE.retranscode, todoAt: LONG_AGO };
  const lost = source({ bucket: UPLOADS, key: 'drop/ann/films/never.mp4', versionId: undefined });
  const mp4 = version(1, { source: lost });
  const refused = await addMedia('films', 'one.mp4', { source: lost, current: mp4, ...flagged });
  const allowed = await addMedia('shorts', 'one.mp4', { source: lost, current: mp4, ...flagged });
  const shorts = newCollection({ creatorId: 'ann', collectionId: 'shorts', path: '' }, LONG_AGO);
  await apply(services.table, [{ ...shorts, row: { ...shorts.row, retranscodeFromOutput: true } }]);
  await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: mp4.outputs.mp4, Body: 'an mp4' }));
  // Room under the cap.
  const { table } = services;
  const { items } = await queryTodo(table, CHORE.retranscodeJob, { until: '9999', limit: 100 });
  for (const { pk, sk } of items) await apply(table, [{ op: 'remove', key: { pk, sk }, expect: {} }]);
  expect(await run()).toMatchObject({ originalsGone: 1 });
  expect(await rowOf(refused)).toMatchObject({
    state: 'ready',
    scheduleRetranscode: false,
    error: { code: 'original_gone' },
  });
  expect(await rowOf(allowed)).toMatchObject({ state: 'retranscoding' });
  expect(await getJob(table, allowed.mediaId, 2)).toMatchObject({
    source: { bucket: MEDIA, key: mp4.outputs.mp4, size: 6 },
  });
});

describe('what is to go', () => {
  const fill = async (row: MediaRow, n: number) => {
    const keys = mediaKeys('ann', row.mediaId).version(n);
    const paths = [`${keys.hls}360p.m3u8`, `${keys.preview}preview.m3u8`, keys.mp4, keys.poster];
    for (const Key of paths) await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body: 'x' }));
    return paths;
  };
  const there = async (keys: string[]) =>
    (await Promise.all(keys.map((key) => head(services.s3, { bucket: MEDIA, key })))).filter(Boolean).length;

  it('is an old version whose grace is over, but not the one that viewers see', async () => {
    const row = await addMedia('talks', 'versions.mp4');
    const previous = { ...version(1), expiresAt: LONG_AGO };
    await apply(services.table, [
      { op: 'update', key: rowKeys.media(row.mediaId), expect: {}, set: { current: version(2), previous } },
      expireVersion(row, 1, LONG_AGO),
      expireVersion(row, 2, LONG_AGO),
    ]);
    const [old, current] = [await fill(row, 1), await fill(row, 2)];
    expect(await run()).toMatchObject({ versionsRemoved: 1 });
    expect([await there(old), await there(current)]).toEqual([0, 4]);
    const after = await rowOf(row);
    expect(after).not.toHaveProperty('previous');
    expect(after?.current?.version).toBe(2);
    expect(await run()).toMatchObject({ versionsRemoved: 0 });
  });

  it('is not a version that the master playlist names, as after a rollback that was cut off, whatever the rows say', async () => {
    const previous = { ...version(1), expiresAt: LONG_AGO };
    const row = await addMedia('talks', 'shown.mp4', { current: version(2), previous });
    const keys = await fill(row, 1);
    const Key = mediaKeys('ann', row.mediaId).master;
    const Metadata = { job: `${row.mediaId}-1` };
    await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body: 'v1/360p.m3u8', Metadata }));
    await apply(services.table, [expireVersion(row, 1, LONG_AGO)]);
    expect(await run()).toMatchObject({ versionsRemoved: 0 });
    expect(await there(keys)).toBe(4);
    expect(await rowOf(row)).toHaveProperty('previous');
    await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body: 'v2/360p.m3u8' }));
    expect(await run()).toMatchObject({ versionsRemoved: 1 });
    expect(await there(keys)).toBe(0);
  });

  it('is a media marked for deletion: its job, its objects, its uploads and its rows, though the run dies half-way', async () => {
    const row = await addMedia('talks', 'delete.mp4', { state: 'transcoding' });
    const engineJobId = await world.submit(RUNS, { jobName: `${row.mediaId}-1` });
    await addJob(row, { engineJobId });
    const keys = await fill(row, 1);
    const marked = {
      state: 'deleting',
      todo: CHORE.delete,
      todoAt: LONG_AGO,
      updatedAt: new Date(Date.now() + 5000).toISOString(),
    };
    await apply(services.table, [{ op: 'update', key: rowKeys.media(row.mediaId), expect: {}, set: marked }]);
    let deletes = 0;
    services.onCall = (when, { operation }) => {
      if (when === 'after' && operation === 'DeleteObjects' && ++deletes === 2)
        throw new AwsError('SlowDown', 503, 'Dead.');
    };
    await expect(run()).rejects.toThrow();
    services.onCall = () => {};
    // Its worker may be at work yet.
    expect(await run()).toMatchObject({ mediaDeleted: 0 });
    expect(await rowOf(row)).toMatchObject({ state: 'deleting' });
    expect(await run(17)).toMatchObject({ mediaDeleted: 1 });
    expect(await there(keys)).toBe(0);
    expect(await head(services.s3, row.source)).toBeNull();
    expect([await rowOf(row), await getJob(services.table, row.mediaId, 1)]).toEqual([null, null]);
    await world.until(engineJobId, 'FAILED');
  });

  it('is an announced upload that nobody finished; one whose bytes came only missed its event', async () => {
    const due = { state: 'uploading' as const, current: undefined, todo: CHORE.upload, todoAt: LONG_AGO };
    const came = await addMedia('talks', 'came.mp4', due);
    const never = await addMedia('talks', 'never.mp4', {
      ...due,
      source: source({ bucket: UPLOADS, key: 'drop/ann/talks/none' }),
    });
    await received(QUEUES.ingest);
    expect(await run()).toMatchObject({ uploadsExpired: 1, dropsRecovered: 1 });
    expect(await rowOf(never)).toMatchObject({ state: 'failed', error: { code: 'upload_expired' } });
    expect(await rowOf(came)).toMatchObject({ state: 'uploading' });
    const [event] = await received(QUEUES.ingest);
    expect(event).toMatchObject({ 'detail-type': 'Object Created', detail: { object: { key: came.source.key } } });
  });
});

it('an upload over a known one whose event never came is found, though the media was changed since for other reasons', async () => {
  const row = await addMedia('talks', 'again.mp4', { sourceSeenAt: LONG_AGO });
  await drop(row.source.key, 'another text');
  const now = new Date(Date.now() + 60_000).toISOString();
  await apply(services.table, changeOf(flagMedia(row, now)));
  await received(QUEUES.ingest);
  await run(16);
  const events = (await received(QUEUES.ingest)) as { detail: { object: { key: string; sequencer: string } } }[];
  const found = events.find(({ detail }) => detail.object.key === row.source.key);
  expect(found?.detail.object.sequencer).toBe('0B');
});

it('an upload whose event never came is found, and those that are known are not', async () => {
  const { key } = await drop('drop/ann/talks/unnoticed "ü".mp4', 'bytes');
  await run();
  const seen = async () =>
    (await received(QUEUES.ingest)).map(
      (event) => (event as { detail: { object: { key: string } } }).detail.object.key,
    );
  // Too young: its event may be on its way.
  expect(await seen()).not.toContain(key);
  await run(16);
  const found = await seen();
  expect(found).toContain(key);
  expect(found.filter((name) => parseDropKey(name)?.path === 'versions.mp4')).toEqual([]);
});
