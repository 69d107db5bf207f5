import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { head } from '../../aws/s3.ts';
import { apply, getJob, getMedia, getRow } from '../../aws/table.ts';
import { queryMedia } from '../../aws/table-queries.ts';
import { claim, renewClaim } from '../../containers/transcoder/claim.ts';
import { mediaKeys } from '../../core/contracts/keys.ts';
import { PRESETS } from '../../core/contracts/presets.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { SweepRow } from '../../core/contracts/table/sweep.ts';
import { jobFor } from '../../core/jobs/transitions.ts';
import { metrics } from '../../functions/shared/observability.ts';
import { expandCollections } from '../../functions/sweep/collections.ts';
import type { Part } from '../../functions/sweep/sweep.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { startWorld } from '../../local/test/support/batch-world.ts';
import { job, source } from '../support/factories.ts';
import { MEDIA, QUEUES } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import {
  addCollection,
  addJob,
  addMedia,
  dropObject,
  LONG_AGO,
  received,
  sweepOnce,
  sweepWith,
} from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, world } = await startStand({ slots: 1 });
const HOLDS = { HOLD: '/nowhere', ON_TERM: '143' };

const run = (minutes = 0) => sweepOnce(services, world, minutes);
const rowOf = ({ mediaId }: MediaRow) => getMedia(services.table, mediaId);

describe('the parts of a run', () => {
  const NAMES = ['one', 'two', 'three'] as const;

  /** Which part ran at which of the run's milliseconds left; each uses all of its share. */
  async function sharesAt(now: string): Promise<[string, number][]> {
    let left = 300;
    const seen: [string, number][] = [];
    const greedy = (name: string): Part => {
      return async ({ timeIsUp }) => {
        seen.push([name, left]);
        while (!timeIsUp()) left--;
      };
    };
    await sweepWith(services, world, now, () => left, NAMES.map(greedy));
    return seen;
  }

  it('have a share of the time each, and take turns to be first', async () => {
    expect(await sharesAt('2026-01-01T00:00:00.000Z')).toEqual([
      ['one', 300],
      ['two', 200],
      ['three', 100],
    ]);
    expect((await sharesAt('2026-01-01T00:05:00.000Z')).map(([name]) => name)).toEqual(['two', 'three', 'one']);
    expect((await sharesAt('2026-01-01T00:10:00.000Z')).map(([name]) => name)).toEqual(['three', 'one', 'two']);
  });

  it('continue after one that failed, and the run ends as failed', async () => {
    const did: string[] = [];
    const parts = [
      async () => {
        throw new Error('broken');
      },
      async () => void did.push('two'),
    ];
    await expect(sweepWith(services, world, '2026-01-01T00:00:00.000Z', () => 300, parts)).rejects.toThrow('broken');
    expect(did).toEqual(['two']);
  });
});

describe('a row of a later release', () => {
  const LATER = { code: 'of_a_later_release', message: 'x', at: LONG_AGO };
  const write = (key: object, row: object) =>
    services.table.client.send(new PutCommand({ TableName: services.table.name, Item: { ...key, ...row } }));

  it('does not prevent that a later lost upload is found, nor that a later media item is listed', async () => {
    const odd = await addMedia(services, 'later', 'a.mp4');
    await write(rowKeys.media(odd.mediaId), { ...odd, state: 'of_a_later_release', error: LATER });
    const lost = await dropObject(services, 'drop/ann/later/b.mp4', 'bytes');
    const other = await addMedia(services, 'later', 'c.mp4');
    await received(services, QUEUES.ingest);
    expect(await run(16)).toMatchObject({ dropsRecovered: 1, errors: 0 });
    expect(await received(services, QUEUES.ingest)).toMatchObject([{ detail: { object: { key: lost.key } } }]);
    const listed = await queryMedia(services.table, { creatorId: 'ann', collectionId: 'later' }, { limit: 10 });
    expect(listed.items.map(({ mediaId }) => mediaId)).toEqual([other.mediaId]);
  });

  it('does not prevent the repair of a later job, and is counted', async () => {
    const [odd, other] = [await addMedia(services, 'jobs', 'a.mp4'), await addMedia(services, 'jobs', 'b.mp4')];
    const job = await addJob(services, odd, { engineJobId: 'forgotten' });
    await write(rowKeys.job(odd.mediaId, 1), { ...job, error: LATER });
    await addJob(services, other, { engineJobId: 'forgotten', todoAt: '2026-01-02T00:00:00.000Z' });
    expect(await run()).toMatchObject({ rowsUnreadable: 1, jobsRepaired: 1 });
    expect(await getJob(services.table, other.mediaId, 1)).toMatchObject({ state: 'failed' });
  });
});

describe('a deletion', () => {
  const marked = { state: 'deleting' as const, current: undefined, todo: DUE_WORK.delete, todoAt: LONG_AGO };

  it('of more objects than a run has time for continues in the next', async () => {
    const row = await addMedia(services, 'large', 'a.mp4', marked);
    const { hls } = mediaKeys('ann', row.mediaId).version(1);
    await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: `${hls}${i}.m3u8`, Body: 'x' })),
      ),
    );
    let deletes = 0;
    services.onCall = (when, { operation }) => {
      if (when === 'after' && operation === 'DeleteObjects') deletes++;
    };
    // Time is up after the first page of objects.
    expect(await sweepOnce(services, world, 0, () => deletes > 0)).toMatchObject({ mediaDeleted: 0, errors: 0 });
    expect(await rowOf(row)).toMatchObject({ state: 'deleting' });
    expect(await run()).toMatchObject({ mediaDeleted: 1 });
  });

  it('is done by one run at a time', async () => {
    const row = await addMedia(services, 'large', 'b.mp4', marked);
    const until = new Date(Date.now() + 60_000).toISOString();
    const key = rowKeys.lease('deletions');
    await apply(services.table, [{ op: 'put', key, row: { type: 'turn', until } }]);
    expect(await run()).toMatchObject({ mediaDeleted: 0 });
    expect(await run(2)).toMatchObject({ mediaDeleted: 1 });
    expect(await rowOf(row)).toBeNull();
  });

  it('waits for a publisher that may still copy for a job that was published a moment ago', async () => {
    const row = await addMedia(services, 'large', 'c.mp4', marked);
    const finishedAt = new Date().toISOString();
    await addJob(services, row, { state: 'published', finishedAt, todo: undefined, todoAt: undefined });
    expect(await run()).toMatchObject({ mediaDeleted: 0 });
    expect(await run(17)).toMatchObject({ mediaDeleted: 1 });
  });
});

it('an invalid compute environment is reported at each run, until it is valid again', async () => {
  const reason = 'CLIENT_ERROR - The subnet ID does not exist';
  const counted = vi.spyOn(metrics, 'addMetric');
  const told = () => counted.mock.calls.filter(([name]) => name === 'EnvironmentInvalid').length;
  expect(await run()).toMatchObject({ environmentsInvalid: 0, errors: 0 });
  world.batch.invalidate('spot', reason);
  expect(await run()).toMatchObject({ environmentsInvalid: 1, errors: 0 });
  expect(await run(5)).toMatchObject({ environmentsInvalid: 1 });
  expect(told()).toBe(2);
  world.batch.invalidate('spot', null);
  expect(await run(10)).toMatchObject({ environmentsInvalid: 0 });
  counted.mockRestore();
});

describe('a queue of the engine', () => {
  it('that is long but moves is not reported, nor is a job in it', async () => {
    const first = await world.submit(HOLDS, { jobName: 'first' });
    await world.until(first, 'RUNNING');
    const row = await addMedia(services, 'queue', 'waits.mp4', { state: 'transcoding', current: undefined });
    const engineJobId = await world.submit(HOLDS, { jobName: `${row.mediaId}-1` });
    await addJob(services, row, { state: 'queued', engineJobId });
    for (const minutes of [0, 35, 70]) expect(await run(minutes)).toMatchObject({ queuesStuck: 0, jobsEscalated: 0 });
    expect(await getJob(services.table, row.mediaId, 1)).not.toHaveProperty('error');
    await world.batch.kill(first, 'host-lost');
    await world.until(engineJobId, 'RUNNING');
    await world.batch.kill(engineJobId, 'host-lost');
    await world.until(engineJobId, 'FAILED');
  });

  it('that started nothing for half an hour is reported once a run', async () => {
    const nowhere = await startWorld({ slots: 0 });
    const queued = { jobQueue: 'on-demand', shareIdentifier: 'ann', schedulingPriorityOverride: 1 };
    for (const jobName of ['a', 'b']) {
      await nowhere.until(await nowhere.submit(HOLDS, { jobName, ...queued }), 'RUNNABLE');
    }
    expect(await sweepOnce(services, nowhere)).toMatchObject({ queuesStuck: 0 });
    expect(await sweepOnce(services, nowhere, 29)).toMatchObject({ queuesStuck: 0 });
    expect(await sweepOnce(services, nowhere, 31)).toMatchObject({ queuesStuck: 1 });
    expect(await getRow(services.table, rowKeys.sweep(), SweepRow)).toHaveProperty('engineIdleSince');
    await nowhere.close();
    // The other world's queues are empty.
    await run(40);
    expect(await getRow(services.table, rowKeys.sweep(), SweepRow)).not.toHaveProperty('engineIdleSince');
  });
});

it('a collection is flagged completely, though DynamoDB throttles', async () => {
  await addCollection(services, 'hot', { scheduleRetranscode: true, todo: 'collection', todoAt: LONG_AGO });
  const gone = source({ bucket: 'uploads', key: 'drop/ann/hot/never', versionId: undefined });
  for (const name of ['a', 'b', 'c']) await addMedia(services, 'hot', name, { source: gone });
  let pushedBack = 0;
  services.onCall = (when, { operation }) => {
    if (when !== 'before' || operation !== 'UpdateItem' || pushedBack >= 4) return;
    pushedBack++;
    throw new AwsError('ProvisionedThroughputExceededException', 400, 'Slow down.');
  };
  const flag = await sweepWith(services, world, new Date().toISOString(), () => 265_000, [expandCollections]);
  expect(flag).toMatchObject({ mediaFlagged: 3, collectionsExpanded: 1, errors: 0 });
  expect(pushedBack).toBe(4);
});

it('a worker renews its claim while it works, and does not write it again once it is removed', async () => {
  const mine = jobFor(job({ jobId: 'abcdefghijklmnopqrstuvwxyz-7' }), PRESETS.standard ?? expect.fail(), MEDIA);
  const { s3 } = services.breakable;
  let [tried, written] = [0, 0];
  services.onCall = (when, { operation, request }) => {
    if (operation !== 'PutObject' || !request?.headers['if-match']) return;
    if (when === 'after') written++;
    else tried++;
  };
  expect(await claim(s3, mine, 'engine-1')).toBe('mine');
  const stop = renewClaim(s3, mine, 'engine-1', 100);
  await vi.waitUntil(() => written >= 2, 20_000);
  const Key = `${mine.output.prefix}claim.json`;
  await services.s3.send(new DeleteObjectCommand({ Bucket: MEDIA, Key }));
  const before = tried;
  await vi.waitUntil(() => tried >= before + 3, 20_000);
  stop();
  expect(await head(services.s3, { bucket: MEDIA, key: Key })).toBeNull();
});
