import { PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { apply, applyWithRetry, getJob, getMedia, getRow } from '../../aws/table.ts';
import { TrackMessage } from '../../core/contracts/events.ts';
import { tmpPrefix } from '../../core/contracts/keys.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { SpentRow, spentKey } from '../../core/jobs/spending.ts';
import { markDeleting } from '../../core/jobs/transitions.ts';
import { type BatchEnd, endOf } from '../../engines/batch/reasons.ts';
import { type Engine, NO_SIGN_OF_LIFE } from '../../engines/engine.ts';
import { Engines } from '../../engines/registry.ts';
import { continueJob } from '../../functions/shared/continue-job.ts';
import { endJob, failJob } from '../../functions/shared/end-job.ts';
import { endNow } from '../../functions/shared/end-now.ts';
import { metrics } from '../../functions/shared/observability.ts';
import { repairJobs } from '../../functions/sweep/jobs.ts';
import { track } from '../../functions/track-job/track.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { arns, type BatchEvent } from '../../local/test/support/batch-world.ts';
import { result, source } from '../support/factories.ts';
import { MEDIA, QUEUES, UPLOADS } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import { addJob, addMedia, enginesOf, received, sweepOnce, sweepWith } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, world } = await startStand({ slots: 1 });
let names = 0;

const endServices = () => ({
  ...services.breakable,
  engines: enginesOf(world),
  mediaBucket: MEDIA,
  publishQueueUrl: QUEUES.publish,
  ingestQueueUrl: QUEUES.ingest,
});

async function running(more: Partial<JobRow> = {}, mediaMore: Partial<MediaRow> = {}): Promise<JobRow> {
  const media = await addMedia(services, 'talks', `${++names}.mp4`, {
    state: 'transcoding',
    current: undefined,
    ...mediaMore,
  });
  return addJob(services, media, { engineJobId: 'e-1', ...more });
}

const leave = (row: JobRow, name: string, content: object) =>
  services.s3.send(
    new PutObjectCommand({ Bucket: MEDIA, Key: `${tmpPrefix(row.jobId)}${name}`, Body: JSON.stringify(content) }),
  );
const claimed = (row: JobRow, engineJobId: string) => leave(row, 'claim.json', { jobId: row.jobId, engineJobId });
const failedFor = (row: JobRow, code: string, more: object = {}) =>
  leave(row, 'result.json', { status: 'failed', jobId: row.jobId, error: { code, message: 'No.' }, ...more });
/** As AWS Batch tells it. */
const end = (row: JobRow, { engineJobId = 'e-1', ...more }: Partial<BatchEnd> & { engineJobId?: string }) =>
  endJob(endServices(), { jobId: row.jobId, engineJobId, end: endOf({ status: 'FAILED', ...more }) });
const loseJob = (row: JobRow) => {
  const reason = { code: 'engine_lost' as const, message: 'Unknown.' };
  return endJob(endServices(), { jobId: row.jobId, engineJobId: 'e-1', end: { by: 'unseen', reason } });
};
/** The end of `e-1` without a result, and what happens to the row after the first look at it. */
async function endMeanwhile(row: JobRow, set: Partial<JobRow>) {
  const { table } = endServices();
  let looked = false;
  const send = async (command: GetCommand) => {
    const answer = await table.client.send(command);
    const isLook = command instanceof GetCommand && String(command.input.Key?.sk).startsWith('JOB#') && !looked;
    if (isLook) {
      looked = true;
      await apply(services.table, [{ op: 'update', key: rowKeys.job(row.mediaId, row.n), expect: {}, set }]);
    }
    return answer;
  };
  const client = { send } as unknown as typeof table.client;
  const reason = { code: 'engine_refused' as const, message: 'No.' };
  const of = { jobId: row.jobId, engineJobId: 'e-1', end: { by: 'outside' as const, reason } };
  return endJob({ ...endServices(), table: { ...table, client } }, of);
}

const rowOf = ({ mediaId, n }: JobRow) => getJob(services.table, mediaId, n);
const mediaOf = ({ mediaId }: JobRow) => getMedia(services.table, mediaId);

/** The row names that engine job. */
const named = (row: JobRow, engineJobId: string) =>
  ({ op: 'update', key: rowKeys.job(row.mediaId, 1), expect: {}, set: { engineJobId } }) as const;

const isEndOf = ({ detail }: BatchEvent, engineJobId: string) => {
  const { jobId, status } = z.object({ jobId: z.string(), status: z.string() }).parse(detail);
  return jobId === engineJobId && status === 'FAILED';
};

describe('the end of a duplicate engine job', () => {
  it('that found the claim changes nothing, though an attempt of the holder has failed temporarily', async () => {
    const row = await running();
    await claimed(row, 'e-1');
    await failedFor(row, 'storage_failed');
    expect(await end(row, { engineJobId: 'e-2', status: 'SUCCEEDED', exitCode: 0 })).toBe('ignored');
    expect(await rowOf(row)).toMatchObject({ state: 'running', engineJobId: 'e-1' });
    expect(await mediaOf(row)).toMatchObject({ state: 'transcoding' });
  });

  it('before any claim changes nothing, because the row names the other', async () => {
    const row = await running({ state: 'queued' });
    expect(await end(row, { engineJobId: 'e-2', statusReason: 'Task failed to start' })).toBe('ignored');
    expect(await rowOf(row)).toMatchObject({ state: 'queued', engineJobId: 'e-1' });
  });

  it('puts the holder of the claim in the row, when the row names the duplicate', async () => {
    const row = await running({ engineJobId: 'e-2' });
    await claimed(row, 'e-1');
    expect(await end(row, { engineJobId: 'e-2', status: 'SUCCEEDED', exitCode: 0 })).toBe('ignored');
    expect(await rowOf(row)).toMatchObject({ state: 'running', engineJobId: 'e-1' });
  });
});

describe('the end of an engine job is that of no job', () => {
  it.each([
    ['whose row names another one by the time that this is written', { state: 'queued', engineJobId: 'e-2' }],
    ['whose result has come by then', { state: 'succeeded' }],
    ['that has gone on with its next part by then', { state: 'queued', part: 'encode' }],
  ] as const)('%s', async (_, meanwhile) => {
    const row = await running({ state: 'queued' });
    const noId = { op: 'update', key: rowKeys.job(row.mediaId, 1), expect: {}, set: {} } as const;
    await apply(services.table, [{ ...noId, remove: ['engineJobId'] }]);
    expect(await endMeanwhile(row, meanwhile)).toBe('ignored');
    expect(await rowOf(row)).toMatchObject(meanwhile);
  });
});

describe('the end of a duplicate of the worker that prepares', () => {
  const prepares = (row: JobRow, engineJobId: string) =>
    leave(row, 'prepare/claim.json', { jobId: row.jobId, engineJobId });

  it('that found the claim changes nothing, and puts the holder in the row', async () => {
    const row = await running({ engine: 'mediaconvert', engineJobId: 'e-2' });
    await prepares(row, 'e-1');
    expect(await end(row, { engineJobId: 'e-2', status: 'SUCCEEDED', exitCode: 0 })).toBe('ignored');
    expect(await rowOf(row)).toMatchObject({ state: 'running', engineJobId: 'e-1' });
    expect(await end(row, { exitCode: 65 })).toBe('failed');
  });

  it.each([
    ['encode', 'm-1'],
    ['finish-1', 'e-3'],
  ])('and of the holder itself changes nothing when the job is in its part %s', async (part, engineJobId) => {
    const row = await running({ engine: 'mediaconvert', part, engineJobId });
    await prepares(row, 'e-1');
    for (const id of ['e-1', 'e-2']) {
      expect(await end(row, { engineJobId: id, status: 'SUCCEEDED', exitCode: 0 })).toBe('ignored');
    }
    expect(await rowOf(row)).toMatchObject({ state: 'running', part, engineJobId });
  });
});

describe('the end of the engine job that decides', () => {
  it.each([
    ['that is not JSON', '{'],
    ['with a field missing', '{"status":"succeeded"}'],
    ['of 33 MiB', ' '.repeat(33 * 2 ** 20)],
    ['of another job', null],
  ])('fails the job when its worker left a result %s, and changes no other job', async (_, text) => {
    const [row, other] = [await running({}, { attempts: 2 }), await running()];
    const of = (jobId: string) =>
      JSON.stringify({ status: 'failed', jobId, error: { code: 'corrupt', message: 'No.' } });
    const Key = `${tmpPrefix(row.jobId)}result.json`;
    await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body: text ?? of(other.jobId) }));
    expect(await end(row, { status: 'SUCCEEDED', exitCode: 0 })).toBe('failed');
    expect(await rowOf(row)).toMatchObject({ state: 'failed', error: { code: 'worker_bug' } });
    expect(await rowOf(other)).toMatchObject({ state: 'running' });
  });

  it.each([
    { wallSeconds: 10, cpuSeconds: -1 },
    { wallSeconds: 10, cpuSeconds: 1e12 },
    { wallSeconds: -1, cpuSeconds: 10 },
  ])('fails the job when its worker says that it has used %j', async (usage) => {
    const row = await running({}, { attempts: 2 });
    await leave(row, 'result.json', { ...result(), jobId: row.jobId, usage });
    expect(await end(row, { status: 'SUCCEEDED', exitCode: 0 })).toBe('failed');
    expect(await rowOf(row)).toMatchObject({ state: 'failed', error: { code: 'worker_bug' } });
  });

  it.each([
    ['that is not JSON', '{'],
    ['on another job', null],
  ])('is that of the engine job in the row where the worker left a claim %s', async (_, text) => {
    const [row, other] = [await running({}, { attempts: 2 }), await running()];
    const of = (jobId: string) => JSON.stringify({ jobId, engineJobId: 'e-2' });
    const Key = `${tmpPrefix(row.jobId)}claim.json`;
    await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body: text ?? of(other.jobId) }));
    expect(await end(row, { engineJobId: 'e-2', statusReason: 'Task failed to start' })).toBe('ignored');
    expect(await end(row, { statusReason: 'Task failed to start' })).toBe('failed');
    expect(await rowOf(other)).toMatchObject({ state: 'running', engineJobId: 'e-1' });
  });

  it('which has the claim, or is in the row before there is one, fails the job', async () => {
    const [withClaim, without] = [await running({ engineJobId: 'e-2' }), await running({ state: 'queued' })];
    await claimed(withClaim, 'e-1');
    for (const row of [withClaim, without]) {
      expect(await end(row, { statusReason: 'Job attempt duration exceeded timeout' })).toBe('failed');
      expect(await rowOf(row)).toMatchObject({ state: 'failed', error: { code: 'job_timeout' } });
    }
  });

  it('which tells what the worker learnt of the source says it of the media item', async () => {
    const row = await running();
    await claimed(row, 'e-1');
    await failedFor(row, 'corrupt', { source: { width: 320, height: 180, videoCodec: 'h264' } });
    expect(await end(row, { exitCode: 65 })).toBe('failed');
    expect(await mediaOf(row)).toMatchObject({ kind: 'video', sourceInfo: { width: 320, videoCodec: 'h264' } });
  });

  it('which the row does not name yet, because its submission is being recorded, fails the job, too', async () => {
    const row = await running({ state: 'queued' });
    const noId = {
      op: 'update',
      key: rowKeys.job(row.mediaId, 1),
      expect: {},
      set: {},
      remove: ['engineJobId'],
    } as const;
    await apply(services.table, [noId]);
    expect(await end(row, { exitCode: 1 })).toBe('failed');
  });

  it('which the engine has forgotten is the permanent failure that it reported last', async () => {
    const [broken, silent] = [await running({}, { attempts: 2 }), await running({}, { attempts: 2 })];
    await failedFor(broken, 'no_tracks');
    await loseJob(broken);
    await loseJob(silent);
    expect(await rowOf(broken)).toMatchObject({ error: { code: 'no_tracks' } });
    expect(await rowOf(silent)).toMatchObject({ error: { code: 'engine_lost' } });
  });
});

describe('the cost of a job', () => {
  const ATTEMPTS = {
    attempts: [
      { startedAt: 1_000, stoppedAt: 601_000 },
      { startedAt: 700_000, stoppedAt: 1_000_000 },
    ],
    container: { exitCode: 1, resourceRequirements: [{ type: 'VCPU', value: '4' }] },
  };
  const COST = { usd: 0.04937, vcpuSeconds: 3600 };
  const tell = (row: JobRow, more: object) =>
    track(
      endServices(),
      TrackMessage.parse({
        id: 'e',
        time: '2026-11-21T12:00:00Z',
        source: 'aws.batch',
        'detail-type': 'Batch Job State Change',
        detail: { jobId: 'e-1', jobName: row.jobId, jobQueue: 'q', status: 'FAILED', ...ATTEMPTS, ...more },
      }),
    );

  it('that failed is that of all its attempts', async () => {
    const row = await running();
    await tell(row, { statusReason: 'Essential container in task exited' });
    expect(await rowOf(row)).toMatchObject({ state: 'failed', cost: COST });
  });

  it('that ended before its engine job is known once that ends, and a repeated event does not change it', async () => {
    const row = await running({ state: 'cancelled' });
    await tell(row, { statusReason: 'dropreel: the job is over' });
    expect(await rowOf(row)).toMatchObject({ state: 'cancelled', cost: COST });
    await tell(row, { statusReason: 'dropreel: the job is over', attempts: [{ startedAt: 1, stoppedAt: 2 }] });
    expect(await rowOf(row)).toMatchObject({ cost: COST });
  });

  it('whose output came after its end is that of the output', async () => {
    const row = await running({ state: 'failed' });
    await leave(row, 'result.json', { ...result(), jobId: row.jobId });
    await tell(row, { status: 'SUCCEEDED' });
    expect(await rowOf(row)).toMatchObject({ state: 'failed', cost: COST });
  });

  it('that succeeded after a lost attempt includes that attempt', async () => {
    const row = await running();
    await leave(row, 'result.json', { ...result(), jobId: row.jobId });
    await tell(row, { status: 'SUCCEEDED' });
    expect(await rowOf(row)).toMatchObject({ state: 'succeeded', heldInVain: 3560 });
  });

  it('that succeeded after a lost attempt includes that attempt, though sweep found the result', async () => {
    const row = await running({ engine: 'tape' });
    await leave(row, 'result.json', { ...result(), jobId: row.jobId });
    const end = { ...endOf({ status: 'SUCCEEDED' }), held: { vcpus: 4, seconds: [600, 300] } };
    const describe = async (ids: readonly string[]) => new Map(ids.map((id) => [id, { kind: 'ended', end }]));
    const engines = new Engines({ tape: { describe } as unknown as Engine });
    await sweepWith(services, world, new Date().toISOString(), () => 265_000, [repairJobs], engines);
    expect(await rowOf(row)).toMatchObject({ state: 'succeeded', heldInVain: 3560 });
  });

  it('does not include a duplicate engine job', async () => {
    const row = await running();
    await tell(row, { jobId: 'e-2' });
    expect(await rowOf(row)).not.toHaveProperty('cost');
  });

  it("whose end sweep found is that of its attempts by the engine's record", async () => {
    const row = await running();
    const engineJobId = await world.submit({ EXIT: '1' }, { jobName: row.jobId });
    await apply(services.table, [named(row, engineJobId)]);
    const { attempts: [attempt] = [] } = await world.until(engineJobId, 'FAILED');
    await sweepOnce(services, world);
    const seconds = ((attempt?.stoppedAt ?? 0) - (attempt?.startedAt ?? 0)) / 1000;
    expect((await rowOf(row))?.cost?.vcpuSeconds).toBe(Number((4 * seconds).toFixed(1)));
  });
});

describe('the cost', () => {
  const estimate = { seconds: 1, usd: 0.04, of: 'usual hd', assumed: { seconds: 1, usd: 0.04 } };

  it('of a job that is given up after MediaConvert was paid for its encode is what was expected', async () => {
    const row = await running({ engine: 'mediaconvert', part: 'finish-1', estimate });
    expect(await failJob(endServices(), row.jobId, { code: 'engine_refused', message: 'No.' })).toBe('failed');
    expect(await rowOf(row)).toMatchObject({ state: 'failed', cost: { usd: 0.04, vcpuSeconds: 0 } });
  });

  it('of an encode that MediaConvert has completed though its job had ended is what was expected, once', async () => {
    const charged = { usd: 0, month: '2026-11', under: ['creator' as const] };
    const row = await running({ engine: 'mediaconvert', part: 'encode', state: 'cancelled', estimate, charged });
    const complete = { jobId: row.jobId, engineJobId: 'm-1', part: 'encode', next: 'finish-1' };
    for (let times = 0; times < 2; times++) expect(await continueJob(endServices(), complete)).toBe('ignored');
    const after = { cost: { usd: 0.04, vcpuSeconds: 0 }, charged: { ...charged, usd: 0.04 }, part: 'encode' };
    expect(await rowOf(row)).toMatchObject(after);
    expect(await getRow(services.table, spentKey('ann', '2026-11'), SpentRow)).toEqual({ usd: 0.04 });
  });

  it('of a worker that prepared a job which had ended is not that of an encode', async () => {
    const row = await running({ engine: 'mediaconvert', state: 'cancelled', estimate });
    await continueJob(endServices(), { jobId: row.jobId, engineJobId: 'e-1', next: 'encode' });
    expect(await rowOf(row)).not.toHaveProperty('cost');
  });
});

describe('the next job', () => {
  it('is created with the end of its predecessor, whichever call fails', async () => {
    for (let at = 1; ; at++) {
      const row = await running();
      let calls = 0;
      services.onCall = () => {
        // Before and after each call in turn.
        if (++calls >= at) throw new AwsError('ServiceUnavailable', 503, 'Dead.');
      };
      const died = await loseJob(row).then(
        () => false,
        () => true,
      );
      services.onCall = () => {};
      const [ended, media] = [await rowOf(row), await mediaOf(row)];
      const next = await getJob(services.table, row.mediaId, 2);
      if (ended?.state === 'running') expect([media?.jobId, next]).toEqual([row.jobId, null]);
      else expect([media?.state, media?.jobId, next?.state]).toEqual(['transcoding', `${row.mediaId}-2`, 'queued']);
      if (!died) break;
    }
  });

  it('is that of the waiting upload, and ingest-upload gets a message to submit it', async () => {
    const waiting = source({ bucket: UPLOADS, versionId: 'v-b', size: 7 });
    const row = await running({}, { pending: { source: waiting, info: { durationSeconds: 5 } } });
    while ((await received(services, QUEUES.ingest)).length > 0);
    await end(row, { exitCode: 65 });
    expect(await rowOf(row)).toMatchObject({ state: 'failed' });
    expect(await mediaOf(row)).toMatchObject({ state: 'transcoding', jobId: `${row.mediaId}-2`, source: waiting });
    expect(await mediaOf(row)).not.toHaveProperty('pending');
    expect(await getJob(services.table, row.mediaId, 2)).toMatchObject({ state: 'queued', source: waiting });
    expect(await received(services, QUEUES.ingest)).toHaveLength(1);
  });
});

describe("the operators' metric", () => {
  const counted = async (work: () => Promise<unknown>) => {
    const spy = vi.spyOn(metrics, 'addMetric');
    await work();
    const names = spy.mock.calls.map(([name]) => name);
    spy.mockRestore();
    return names;
  };

  it('counts a job that the engine lost only when it is not attempted again', async () => {
    const [first, last] = [await running(), await running({ secondAttempt: true })];
    expect(await counted(() => loseJob(first))).toEqual(['JobFailed']);
    expect(await counted(() => loseJob(last))).toEqual(['JobFailed', 'Escalated']);
  });
});

describe('a worker', () => {
  const HELD = { HOLD: '/nowhere', ON_TERM: '143' };
  const report = (row: JobRow, engineJobId: string) => ({
    id: 'r',
    time: '2026-11-21T12:00:00Z',
    source: 'dropreel.worker' as const,
    'detail-type': 'Job Progress' as const,
    detail: {
      jobId: row.jobId,
      engineJobId,
      attempt: 1,
      phase: 'transcoding' as const,
      percent: 50,
      at: '2026-11-21T12:00:00.000Z',
    },
  });

  it.each(['cancelled', 'failed'] as const)('that reports progress of a job that is %s is ended', async (state) => {
    const row = await running({ state });
    const engineJobId = await world.submit(HELD, { jobName: row.jobId });
    await world.until(engineJobId, 'RUNNING');
    await track(endServices(), report(row, engineJobId));
    expect((await world.until(engineJobId, 'FAILED')).statusReason).toBe('dropreel: the job is over');
  });

  it('of a deleted media item is ended with its job by the message of the deletion, and by no other', async () => {
    const row = await running();
    const engineJobId = await world.submit(HELD, { jobName: row.jobId });
    await world.until(engineJobId, 'RUNNING');
    await apply(services.table, [named(row, engineJobId)]);
    const detail = { jobId: row.jobId };
    const message = { id: 'd', source: 'dropreel', 'detail-type': 'Media Item Deleted', detail };
    await track(endServices(), TrackMessage.parse(message));
    expect(await rowOf(row)).toMatchObject({ state: 'running' });
    await applyWithRetry(services.table, async () => {
      const media = await mediaOf(row);
      return media ? markDeleting(media, '2026-11-21T12:00:00.000Z') : { refused: 'it is gone' };
    });
    for (let times = 0; times < 2; times++) await track(endServices(), TrackMessage.parse(message));
    expect(await rowOf(row)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    expect(await mediaOf(row)).toMatchObject({ state: 'deleting' });
    expect((await world.until(engineJobId, 'FAILED')).statusReason).toBe('dropreel: the media item is deleted');
  });

  it('of a job that somebody ends is ended with it, once, and its media item has failed', async () => {
    const row = await running();
    const engineJobId = await world.submit(HELD, { jobName: row.jobId });
    await world.until(engineJobId, 'RUNNING');
    await apply(services.table, [named(row, engineJobId)]);
    const message = { id: 'c', source: 'dropreel', 'detail-type': 'Job Cancelled', detail: { jobId: row.jobId } };
    for (let times = 0; times < 2; times++) await track(endServices(), TrackMessage.parse(message));
    expect(await rowOf(row)).toMatchObject({ state: 'cancelled', error: { message: 'Somebody has ended it.' } });
    expect(await mediaOf(row)).toMatchObject({ state: 'failed', error: { code: 'cancelled' } });
    expect((await world.until(engineJobId, 'FAILED')).statusReason).toBe('dropreel: somebody has ended it');
  });

  it('of a job that is encoded by then goes on to be published, whoever ends it', async () => {
    const row = await running({ state: 'succeeded' });
    const message = { id: 'c', source: 'dropreel', 'detail-type': 'Job Cancelled', detail: { jobId: row.jobId } };
    await track(endServices(), TrackMessage.parse(message));
    expect(await rowOf(row)).toMatchObject({ state: 'succeeded' });
  });

  it('of a deleted media item that its row names since it was read is ended with its job', async () => {
    const row = await running();
    const engineJobId = await world.submit(HELD, { jobName: row.jobId });
    await world.until(engineJobId, 'RUNNING');
    await apply(services.table, [named(row, engineJobId)]);
    const { engineJobId: _, ...asRead } = row;
    await endNow(endServices(), asRead, 'the media item is deleted');
    expect(await rowOf(row)).toMatchObject({ state: 'cancelled' });
    expect((await world.until(engineJobId, 'FAILED')).statusReason).toBe('dropreel: the media item is deleted');
  });

  it('that sweep ended for its silence gets its next job, though sweep died before it wrote that', async () => {
    const row = await running();
    const engineJobId = await world.submit(HELD, { jobName: row.jobId });
    await world.until(engineJobId, 'RUNNING');
    await apply(services.table, [named(row, engineJobId)]);
    await claimed(row, engineJobId);
    await enginesOf(world).get('batch-cpu').cancel(engineJobId, NO_SIGN_OF_LIFE);
    await world.until(engineJobId, 'FAILED');
    const { detail } = await vi.waitUntil(() => world.events.find((event) => isEndOf(event, engineJobId)), 20_000);
    const about = {
      id: 'e',
      time: '2026-11-21T12:00:00Z',
      source: 'aws.batch',
      'detail-type': 'Batch Job State Change',
    };
    await track(endServices(), TrackMessage.parse({ ...about, detail }));
    expect(await rowOf(row)).toMatchObject({ state: 'failed', error: { code: 'worker_stuck' } });
    expect(await mediaOf(row)).toMatchObject({ state: 'transcoding', jobId: `${row.mediaId}-2` });
    expect(await getJob(services.table, row.mediaId, 2)).toMatchObject({ state: 'queued' });
  });

  it('whose result is complete is published by sweep, though the engine waits for another host', async () => {
    const blocker = await world.submit(HELD);
    const row = await running();
    const engineJobId = await world.submit(HELD, { jobName: row.jobId, jobQueue: arns.low });
    await apply(services.table, [named(row, engineJobId)]);
    await claimed(row, engineJobId);
    await leave(row, 'result.json', { ...result(), jobId: row.jobId });
    await sweepOnce(services, world);
    expect((await world.describe(engineJobId)).status).toBe('RUNNABLE');
    expect(await rowOf(row)).toMatchObject({ state: 'succeeded' });
    expect(await received(services, QUEUES.publish)).toContainEqual({ jobId: row.jobId });
    // The one slot is free again for whichever test is next.
    for (const id of [engineJobId, blocker]) await enginesOf(world).get('batch-cpu').cancel(id, 'the job is over');
    await world.until(blocker, 'FAILED');
  });
});
