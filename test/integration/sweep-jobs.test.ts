import { PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import { apply, getJob, getMedia } from '../../aws/table.ts';
import { tmpPrefix } from '../../core/contracts/keys.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { job, result } from '../support/factories.ts';
import { MEDIA, QUEUES } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import {
  addMedia as add,
  addJob as addSilentJob,
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
const addMedia = (collectionId: string, name: string, more: Partial<MediaRow> = {}) =>
  add(services, collectionId, name, more);
const addJob = (of: MediaRow, more: Partial<JobRow> = {}) => addSilentJob(services, of, more);
const received = (queue: string) => receivedFrom(services, queue);
const rowOf = (row: MediaRow) => getMedia(services.table, row.mediaId);

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

  it('whose start event was lost becomes running, and ends when the engine has ended it', async () => {
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
    await received(QUEUES.ingest);
    await run();
    expect(await getJob(services.table, row.mediaId, 1)).toMatchObject({
      state: 'failed',
      error: { code: 'worker_lost' },
    });
    // Its machine was taken away: one more, where none is.
    expect(await rowOf(row)).toMatchObject({ state: 'transcoding', jobId: `${row.mediaId}-2`, attempts: 2 });
    expect(await getJob(services.table, row.mediaId, 2)).toMatchObject({ state: 'queued', onDemand: true });
    expect(await received(QUEUES.ingest)).toContainEqual(
      expect.objectContaining({
        detail: expect.objectContaining({ object: expect.objectContaining({ key: row.source.key }) }),
      }),
    );
  });

  it('with a complete result is sent to be published, though its end event was lost', async () => {
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

  it('that the engine no longer knows fails, and the media item gets another job', async () => {
    const row = await addMedia('talks', 'lost.mp4', { state: 'transcoding', current: undefined });
    await addJob(row, { engineJobId: '00000000-0000-0000-0000-000000000000' });
    await run();
    expect(await getJob(services.table, row.mediaId, 1)).toMatchObject({
      state: 'failed',
      error: { code: 'engine_lost' },
    });
    expect(await rowOf(row)).toMatchObject({ state: 'transcoding', jobId: `${row.mediaId}-2`, attempts: 2 });
  });

  it('for an hour is ended while it runs, and the media item gets another job; until then it stays without an error', async () => {
    const row = await addMedia('talks', 'silent.mp4', { state: 'transcoding', current: undefined });
    const engineJobId = await world.submit(RUNS, { jobName: `${row.mediaId}-1` });
    const heartbeatAt = new Date().toISOString();
    await addJob(row, { engineJobId, heartbeatAt });
    await world.until(engineJobId, 'RUNNING');
    await run(40);
    expect(await getJob(services.table, row.mediaId, 1)).toMatchObject({ state: 'running' });
    expect(await getJob(services.table, row.mediaId, 1)).not.toHaveProperty('error');
    await run(61);
    expect(await getJob(services.table, row.mediaId, 1)).toMatchObject({
      state: 'failed',
      error: {
        code: 'worker_stuck',
        message: `The worker has given no sign of life since ${heartbeatAt}, though AWS Batch said that it ran.`,
      },
    });
    expect(await rowOf(row)).toMatchObject({ state: 'transcoding', jobId: `${row.mediaId}-2`, attempts: 2 });
    await world.until(engineJobId, 'FAILED');
  });

  it.each([
    'claim.json',
    'prepare/claim.json',
  ])('in its events, but with a renewed %s, stays running', async (claim) => {
    const row = await addMedia('talks', `${claim.length}.mp4`, { state: 'transcoding', current: undefined });
    const engineJobId = await world.submit(RUNS, { jobName: `${row.mediaId}-1` });
    await addJob(row, { engineJobId });
    await world.until(engineJobId, 'RUNNING');
    const Key = `${tmpPrefix(`${row.mediaId}-1`)}${claim}`;
    await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body: '{}' }));
    await run(40);
    expect(await getJob(services.table, row.mediaId, 1)).toMatchObject({ state: 'running', engineJobId });
    await world.batch.kill(engineJobId, 'host-lost');
  });
});
