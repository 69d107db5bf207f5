import { expect, it, vi } from 'vitest';
import { apply, getCollection, getJob, getMedia, getRow } from '../../aws/table.ts';
import { queryTodo } from '../../aws/table-queries.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import { monthOf, SpentRow, spentKey } from '../../core/jobs/spending.ts';
import { plus } from '../../core/time.ts';
import { room } from '../../functions/shared/caps.ts';
import { failJob } from '../../functions/shared/end-job.ts';
import { submitJob } from '../../functions/shared/submit-job.ts';
import { job } from '../support/factories.ts';
import { MEDIA, QUEUES } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import { addCollection, addMedia, enginesOf, sweepOnce } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, world } = await startStand({ slots: 0 });

/** Of which an hour is expected to cost 0.12 USD. */
const HOUR = { durationSeconds: 3600, width: 1920, height: 1080, frameRate: 30, videoCodec: 'h264', audioCodec: 'aac' };
const USD = 0.120312;

const submission = (maxUsdPerMonth?: number) => ({
  table: services.breakable.table,
  engines: enginesOf(world),
  s3: services.s3,
  mediaBucket: MEDIA,
  maxUsdPerMonth,
});

async function queued(collectionId: string, name: string, more: Partial<JobRow> = {}): Promise<JobRow> {
  const { mediaId } = await addMedia(services, collectionId, name, {
    ...{ state: 'uploaded', current: undefined, sourceInfo: HOUR },
  });
  const now = new Date().toISOString();
  const { engineJobId: _, ...row } = job({
    ...{ mediaId, jobId: `${mediaId}-1`, collectionId, state: 'queued', createdAt: now, heartbeatAt: now, ...more },
  });
  await apply(services.table, [{ op: 'put', key: rowKeys.job(mediaId, 1), row }]);
  return row;
}

const jobOf = ({ mediaId, n }: JobRow) => getJob(services.table, mediaId, n);
const spent = async (collectionId?: string) =>
  (await getRow(services.table, spentKey('ann', monthOf(new Date().toISOString()), collectionId), SpentRow))?.usd ?? 0;
const cancel = (row: JobRow, usd?: number) =>
  failJob(
    { table: services.table, sqs: services.sqs, ingestQueueUrl: QUEUES.ingest, publishQueueUrl: QUEUES.publish },
    row.jobId,
    {
      ...{ code: 'cancelled', message: 'Cancelled.' },
      costFor: () => (usd === undefined ? undefined : { usd, vcpuSeconds: 1 }),
    },
  );

it('as many simultaneous encodes begin as the cap of the creator has room for, and the others are held with the reason', async () => {
  const rows = await Promise.all([1, 2, 3, 4].map((i) => queued('talks', `at once ${i}.mp4`)));
  const done = await Promise.all(rows.map((row) => submitJob(submission(2.5 * USD), row)));
  expect(done.toSorted()).toEqual(['held', 'held', 'submitted', 'submitted']);
  expect(await spent()).toBe(2 * USD);
  for (const [i, row] of rows.entries()) {
    const media = await getMedia(services.table, row.mediaId);
    const expected = done[i] === 'held' ? 'cap_reached' : undefined;
    expect([(await jobOf(row))?.error?.code, media?.error?.code, media?.state]).toEqual([
      ...[expected, expected, done[i] === 'held' ? 'uploaded' : 'transcoding'],
    ]);
  }
});

it('an encode that is held counts for no limit of others, and begins when the cap of its collection is raised', async () => {
  await addCollection(services, 'poor', { maxUsdPerMonth: 0.05 });
  const row = await queued('poor', 'held.mp4', { purpose: 'retranscode', todo: 'retranscode-job' });
  expect(await submitJob(submission(), row)).toBe('held');
  const { seq } = (await getMedia(services.table, row.mediaId)) ?? expect.fail('no media item');
  const far = { until: '9999', limit: 10 };
  const dueAs = async (todo: string) => (await queryTodo(services.table, todo, far)).items.map(({ pk }) => pk);
  expect(await dueAs(DUE_WORK.retranscodeJob)).not.toContain(rowKeys.media(row.mediaId).pk);
  expect((await sweepOnce(services, world, 20)).jobsHeld).toBe(1);
  // It is announced once, not by each run.
  expect((await getMedia(services.table, row.mediaId))?.seq).toBe(seq);
  const set = { maxUsdPerMonth: 1 };
  await apply(services.table, [{ op: 'update', key: rowKeys.collection('ann', 'poor'), expect: {}, set }]);
  await sweepOnce(services, world, 40);
  expect(await jobOf(row)).toMatchObject({ todo: 'retranscode-job', engineJobId: expect.any(String) });
  expect(await jobOf(row)).not.toHaveProperty('error');
  expect(await getMedia(services.table, row.mediaId)).not.toHaveProperty('error');
  expect(await spent('poor')).toBe(USD);
});

it('a job under a cap counts with its cost once it has ended, and with nothing while that is unknown, each once', async () => {
  await addCollection(services, 'sums', { maxUsdPerMonth: 5 });
  const row = await queued('sums', 'a.mp4');
  for (const _ of [1, 2]) await submitJob(submission(), row);
  expect(await spent('sums')).toBe(USD);
  for (const _ of [1, 2]) await cancel(row, 0.5);
  expect(await spent('sums')).toBe(0.5);
  const other = await queued('sums', 'b.mp4');
  await submitJob(submission(), other);
  await cancel(other);
  expect(await spent('sums')).toBe(0.5);
});

it('a job that has begun is not held before its next part, though a cap without room was set meanwhile', async () => {
  await addCollection(services, 'late-cap', { maxUsdPerMonth: 0 });
  const row = await queued('late-cap', 'begun.mp4', { part: 'finish' });
  expect(await submitJob(submission(), row)).toBe('submitted');
});

it('a flagged media item of a collection without room keeps its flag and plays, and shows why', async () => {
  await addCollection(services, 'spent', { maxUsdPerMonth: 0 });
  const flag = { scheduleRetranscode: true, todo: DUE_WORK.retranscode, todoAt: '2026-01-01T00:00:00.000Z' };
  const { mediaId } = await addMedia(services, 'spent', 'flagged.mp4', flag);
  await sweepOnce(services, world);
  const held = await getMedia(services.table, mediaId);
  expect(held).toMatchObject({
    state: 'ready',
    scheduleRetranscode: true,
    error: { code: 'cap_reached' },
    jobCount: 1,
  });
  await sweepOnce(services, world, 61);
  expect((await getMedia(services.table, mediaId))?.error).toEqual(held?.error);
  const set = { maxUsdPerMonth: null };
  await apply(services.table, [{ op: 'update', key: rowKeys.collection('ann', 'spent'), expect: {}, set }]);
  await sweepOnce(services, world, 122);
  expect(await getMedia(services.table, mediaId)).toMatchObject({ state: 'retranscoding', jobCount: 2 });
});

it('the cap of a collection has its room again in the next month', async () => {
  await addCollection(services, 'monthly', { maxUsdPerMonth: 1.5 * USD });
  await submitJob(submission(), await queued('monthly', 'first.mp4'));
  const collection = await getCollection(services.table, 'ann', 'monthly');
  const at = async (now: string) =>
    (await room(services, { creatorId: 'ann', collectionId: 'monthly' }, collection, USD, now)).over;
  const now = new Date().toISOString();
  expect([(await at(now))?.code, await at(plus(now, { days: 31 }))]).toEqual(['cap_reached', null]);
});
