import { PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import { head } from '../../aws/s3.ts';
import { apply, getJob, getMedia } from '../../aws/table.ts';
import { mediaKeys, parseDropKey } from '../../core/contracts/keys.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { expireVersion, flagMedia } from '../../core/jobs/transitions.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { changeOf, source, version } from '../support/factories.ts';
import { MEDIA, QUEUES, UPLOADS } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import {
  addMedia as add,
  addJob as addSilentJob,
  dropObject,
  LONG_AGO,
  received as receivedFrom,
  sweepOnce,
} from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

// Jobs that the code submits end at once; those that a test submits run until they are ended.
const { services, world } = await startStand({ slots: 4 });
const RUNS = { HOLD: '/nowhere', ON_TERM: '143' };

const run = (minutes = 0) => sweepOnce(services, world, minutes);
const drop = (key: string, body: string | Uint8Array) => dropObject(services, key, body);
const addMedia = (collectionId: string, name: string, more: Partial<MediaRow> = {}) =>
  add(services, collectionId, name, more);
const addJob = (of: MediaRow, more: Partial<JobRow> = {}) => addSilentJob(services, of, more);
const received = (queue: string) => receivedFrom(services, queue);
const rowOf = (row: MediaRow) => getMedia(services.table, row.mediaId);

describe('what sweep removes', () => {
  const fill = async (row: MediaRow, n: number) => {
    const keys = mediaKeys('ann', row.mediaId).version(n);
    const paths = [`${keys.hls}360p.m3u8`, `${keys.preview}preview.m3u8`, keys.mp4, keys.poster];
    for (const Key of paths) await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body: 'x' }));
    return paths;
  };
  const there = async (keys: string[]) =>
    (await Promise.all(keys.map((key) => head(services.s3, { bucket: MEDIA, key })))).filter(Boolean).length;

  it('is an old version after its grace period, but not the one that viewers see', async () => {
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

  it('is not a version that the master playlist names, as after an interrupted rollback, whatever the rows say', async () => {
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

  it('is a media item marked for deletion: its job, its objects, its uploads and its rows, though the run dies half-way', async () => {
    const row = await addMedia('talks', 'delete.mp4', { state: 'transcoding' });
    const engineJobId = await world.submit(RUNS, { jobName: `${row.mediaId}-1` });
    await addJob(row, { engineJobId });
    const keys = await fill(row, 1);
    const marked = {
      state: 'deleting',
      todo: DUE_WORK.delete,
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

  it('is an announced upload that was not finished; one whose bytes arrived gets its event again', async () => {
    const due = { state: 'uploading' as const, current: undefined, todo: DUE_WORK.upload, todoAt: LONG_AGO };
    const came = await addMedia('talks', 'came.mp4', due);
    const never = await addMedia('talks', 'never.mp4', {
      ...due,
      source: source({ bucket: UPLOADS, key: 'drop/ann/talks/none', versionId: undefined }),
    });
    await received(QUEUES.ingest);
    expect(await run()).toMatchObject({ uploadsExpired: 1, dropsRecovered: 1 });
    expect(await rowOf(never)).toMatchObject({ state: 'failed', error: { code: 'upload_expired' } });
    expect(await rowOf(came)).toMatchObject({ state: 'uploading' });
    const [event] = await received(QUEUES.ingest);
    expect(event).toMatchObject({ 'detail-type': 'Object Created', detail: { object: { key: came.source.key } } });
  });
});

it('an upload over a known one whose event was lost is found, though the media item was changed since for another reason', async () => {
  const row = await addMedia('talks', 'again.mp4', { sourceSeenAt: LONG_AGO });
  await drop(row.source.key, 'another text');
  const now = new Date(Date.now() + 60_000).toISOString();
  await apply(services.table, changeOf(flagMedia(row, now)));
  await received(QUEUES.ingest);
  await run(16);
  const events = (await received(QUEUES.ingest)) as { detail: { object: { key: string; sequencer: string } } }[];
  const found = events.find(({ detail }) => detail.object.key === row.source.key);
  expect(found?.detail.object.sequencer).toBe('0A1');
});

it('an upload whose event was lost is found, and known ones are not', async () => {
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

it('an upload that S3 refuses to describe does not prevent that later ones are found, and the run ends as failed', async () => {
  // S3 answers 400 for a version id that it cannot have given.
  const row = await addMedia('untold', 'a.mp4', {
    source: source({ bucket: UPLOADS, key: 'drop/ann/untold/a.mp4', versionId: 'no version', etag: '"other"' }),
  });
  const { key } = await drop('drop/ann/untold/b.mp4', 'bytes');
  await received(QUEUES.ingest);
  await expect(run(16)).rejects.toThrow();
  const found = (await received(QUEUES.ingest)) as { detail: { object: { key: string } } }[];
  expect(found.map(({ detail }) => detail.object.key)).toContain(key);
  expect(await rowOf(row)).toMatchObject({ state: 'ready' });
});
