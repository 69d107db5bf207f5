import { ListJobsCommand } from '@aws-sdk/client-batch';
import { expect, it, vi } from 'vitest';
import { apply, getJob, getMedia, getRow } from '../../aws/table.ts';
import { CollectionRow } from '../../core/contracts/table/collections.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { arns } from '../../local/test/support/batch-world.ts';
import { startStand } from '../support/stand.ts';
import { addCollection, addJob, addMedia, LONG_AGO, sweepOnce } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

/** Of the points of death of a run, those tried; 1 for all of them. Odd, so that both kinds are among them. */
const STEP = Number(process.env.DEATH_STEP ?? 5);

const { services, world } = await startStand();
/** After LONG_AGO: whose turn comes second. */
const LESS_LONG_AGO = '2026-01-02T00:00:00.000Z';

const run = () => sweepOnce(services, world);
const rowOf = ({ mediaId }: MediaRow) => getMedia(services.table, mediaId);
const jobOf = ({ mediaId }: MediaRow) => getJob(services.table, mediaId, 1);

it('a run that dies at any of its calls loses no flag of a collection, and encodes none of its media items twice', async () => {
  let deaths = 0;
  for (let at = 1; ; at += STEP) {
    const id = `c${at}`;
    const key = await addCollection(services, id, { scheduleRetranscode: true, todo: 'collection', todoAt: LONG_AGO });
    const [plain, flagged] = [
      await addMedia(services, id, 'plain.mp4'),
      await addMedia(services, id, 'flagged.mp4', { scheduleRetranscode: true, todo: 'retranscode', todoAt: LONG_AGO }),
    ];
    let calls = 0;
    services.onCall = () => {
      // Before and after each call in turn.
      if (++calls >= at) throw new AwsError('ServiceUnavailable', 503, 'Dead.');
    };
    const died = await run().then(
      () => false,
      () => true,
    );
    services.onCall = () => {};
    // A job of a run that died is submitted by one a quarter of an hour later, when nobody can be submitting it any more.
    for (const row of [plain, flagged]) await endLease(row);
    for (const minutes of [5, 20]) await sweepOnce(services, world, minutes);
    expect(await getRow(services.table, key, CollectionRow)).toMatchObject({ scheduleRetranscode: false });
    for (const row of [plain, flagged]) {
      expect(await rowOf(row), `died at ${at}`).toMatchObject({ scheduleRetranscode: false, jobCount: 2 });
      const filters = [{ name: 'JOB_NAME', values: [`${row.mediaId}-2`] }];
      const { jobSummaryList } = await world.client.send(new ListJobsCommand({ jobQueue: arns.fair, filters }));
      expect(jobSummaryList, `died at ${at}`).toHaveLength(1);
      await endJobOf(row);
    }
    if (!died) break;
    deaths++;
  }
  console.info(`sweep: ${deaths} points of death, each ${STEP}th`);
  expect(deaths * STEP).toBeGreaterThan(40);
}, 600_000);

/** The lease on submitting a job, which a run that died has left, ends by this machine's clock. */
async function endLease({ mediaId }: MediaRow): Promise<void> {
  const job = await getJob(services.table, mediaId, 2);
  if (job?.submittingUntil === undefined) return;
  const key = rowKeys.job(mediaId, 2);
  await apply(services.table, [{ op: 'update', key, expect: {}, set: { submittingUntil: LONG_AGO } }]);
}

/** Room under the cap. */
async function endJobOf({ mediaId }: MediaRow): Promise<void> {
  const remove = ['todo', 'todoAt'] as const;
  await apply(services.table, [{ op: 'update', key: rowKeys.job(mediaId, 2), expect: {}, set: {}, remove }]);
}

it('a job whose result cannot be read does not prevent the repair of others', async () => {
  const odd = await addMedia(services, 'talks', 'odd.mp4', { state: 'retranscoding' });
  const other = await addMedia(services, 'talks', 'other.mp4', { state: 'retranscoding' });
  await addJob(services, odd, { engineJobId: 'forgotten' });
  await addJob(services, other, { engineJobId: 'forgotten', todoAt: LESS_LONG_AGO });
  services.onCall = (when, { operation, request }) => {
    const its = operation === 'GetObject' && request?.path.includes(`${odd.mediaId}-1`);
    if (when === 'before' && its) throw new AwsError('AccessDenied', 403, 'Access Denied');
  };
  await expect(run()).rejects.toThrow();
  services.onCall = () => {};
  expect([(await jobOf(odd))?.state, (await jobOf(other))?.state]).toEqual(['running', 'failed']);
  await run();
  expect((await jobOf(odd))?.state).toBe('failed');
});

it('a media item that cannot be removed does not prevent the removal of others', async () => {
  const marked = { state: 'deleting' as const, current: undefined, todo: DUE_WORK.delete, todoAt: LONG_AGO };
  const updatedAt = new Date(Date.now() + 5000).toISOString();
  const held = await addMedia(services, 'talks', 'held.mp4', { ...marked, updatedAt });
  const free = await addMedia(services, 'talks', 'free.mp4', { ...marked, updatedAt, todoAt: LESS_LONG_AGO });
  services.onCall = (when, { operation, request }) => {
    const its = operation === 'DeleteObject' && request?.path.includes('held.mp4');
    if (when === 'before' && its) throw new AwsError('NotImplemented', 501, 'It is not served.');
  };
  await expect(run()).rejects.toThrow();
  services.onCall = () => {};
  expect([(await rowOf(held))?.state, await rowOf(free)]).toEqual(['deleting', null]);
  expect(await run()).toMatchObject({ mediaDeleted: 1 });
});

it('a media item whose upload is under an Object Lock is tried again after a day, and the run goes well', async () => {
  const marked = { state: 'deleting' as const, current: undefined, todo: DUE_WORK.delete, todoAt: LONG_AGO };
  const updatedAt = new Date(Date.now() + 5000).toISOString();
  const held = await addMedia(services, 'talks', 'locked.mp4', { ...marked, updatedAt });
  services.onCall = (when, { operation, request }) => {
    const its = operation === 'DeleteObject' && request?.path.includes('locked.mp4');
    if (when === 'before' && its) throw new AwsError('AccessDenied', 403, 'Its retention is not over.');
  };
  await run();
  services.onCall = () => {};
  const row = await rowOf(held);
  expect(row?.state).toBe('deleting');
  expect(Math.round((Date.parse(row?.todoAt ?? '') - Date.now()) / 3_600_000)).toBe(24);
});
