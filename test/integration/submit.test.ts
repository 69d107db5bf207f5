import { setTimeout as wait } from 'node:timers/promises';
import { type BatchClient, ListJobsCommand } from '@aws-sdk/client-batch';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { apply, getJob } from '../../aws/table.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { engineKeys, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import type { BatchEnv } from '../../engines/batch/names.ts';
import { submitJob } from '../../functions/shared/submit-job.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { arns, startWorld, type World } from '../../local/test/support/batch-world.ts';
import { job } from '../support/factories.ts';
import { MEDIA, type Services, startServices } from '../support/services.ts';
import { addMedia, enginesOf, LONG_AGO, sweepOnce } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

let services: Services;
let world: World;
/** What happens on the way to AWS Batch and back. */
let onSubmit: { before?: () => Promise<void> | void; after?: () => Promise<void> | void };

beforeAll(async () => {
  services = await startServices();
  world = await startWorld({ slots: 0 });
  hook(world.client);
});
afterAll(async () => {
  await services[Symbol.asyncDispose]();
  await world.close();
});
beforeEach(() => {
  onSubmit = {};
});

function hook(client: BatchClient): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== 'SubmitJobCommand') return next(args);
        await onSubmit.before?.();
        const answer = await next(args);
        await onSubmit.after?.();
        return answer;
      },
    { step: 'initialize' },
  );
}

const submission = (more: Partial<BatchEnv> = {}) => ({
  table: services.breakable.table,
  engines: enginesOf(world, more),
  s3: services.s3,
  mediaBucket: MEDIA,
});

async function queued(name: string, more: Partial<MediaRow> = {}, jobMore: Partial<JobRow> = {}): Promise<JobRow> {
  const { mediaId } = await addMedia(services, 'talks', name, { state: 'uploaded', current: undefined, ...more });
  const { engineJobId: _, ...row } = job({ mediaId, jobId: `${mediaId}-1`, state: 'queued', ...jobMore });
  await apply(services.table, [{ op: 'put', key: rowKeys.job(mediaId, 1), row }]);
  return row;
}

const rowOf = ({ mediaId, n }: JobRow) => getJob(services.table, mediaId, n);

async function engineJobsOf({ jobId }: JobRow, jobQueue = arns.fair): Promise<string[]> {
  const filters = [{ name: 'JOB_NAME', values: [jobId] }];
  const { jobSummaryList = [] } = await world.client.send(new ListJobsCommand({ jobQueue, filters }));
  return jobSummaryList.flatMap(({ jobId: id }) => id ?? []);
}

const minutesLater = (row: JobRow) =>
  apply(services.table, [
    { op: 'update', key: rowKeys.job(row.mediaId, row.n), expect: {}, set: { submittingUntil: LONG_AGO } },
  ]);

describe('a job', () => {
  it('that several functions submit at once has one engine job, though SubmitJob is slow', async () => {
    onSubmit.before = () => wait(120);
    const rows = await Promise.all(Array.from({ length: 10 }, (_, i) => queued(`at once ${i}.mp4`)));
    await Promise.all(rows.flatMap((row) => [1, 2, 3].map(() => submitJob(submission(), row))));
    for (const row of rows) {
      const known = await engineJobsOf(row);
      expect(known).toHaveLength(1);
      expect(await rowOf(row)).toMatchObject({ engineJobId: known[0] });
      expect(await rowOf(row)).not.toHaveProperty('submittingUntil');
    }
  });

  it('that two runs of sweep find unsubmitted at once has one engine job', async () => {
    onSubmit.before = () => wait(120);
    const row = await queued('two sweeps.mp4', {}, { heartbeatAt: LONG_AGO, todoAt: LONG_AGO });
    await Promise.all([sweepOnce(services, world), sweepOnce(services, world)]);
    expect(await engineJobsOf(row)).toHaveLength(1);
  });

  it('whose submission was not answered is not submitted for a while, and then found', async () => {
    const row = await queued('unanswered.mp4');
    onSubmit.after = () => {
      throw new Error('Lost on purpose.');
    };
    await expect(submitJob(submission(), row)).rejects.toThrow('Lost on purpose.');
    onSubmit = {};
    await submitJob(submission(), row);
    expect(await rowOf(row)).not.toHaveProperty('engineJobId');
    await minutesLater(row);
    await submitJob(submission(), row);
    const known = await engineJobsOf(row);
    expect(known).toHaveLength(1);
    expect(await rowOf(row)).toMatchObject({ engineJobId: known[0] });
  });

  it('that AWS Batch refuses for its definition can be submitted again at once', async () => {
    const row = await queued('refused.mp4');
    const wrong = submission({ JOB_DEFINITION: 'nothing' });
    const refusal = { code: 'engine_refused', forGood: false, cause: { name: 'ClientException' } };
    await expect(submitJob(wrong, row)).rejects.toMatchObject(refusal);
    await submitJob(submission(), row);
    expect(await engineJobsOf(row)).toHaveLength(1);
  });

  it('that is throttled is submitted again at once', async () => {
    const row = await queued('throttled.mp4');
    let tries = 0;
    const throttled = Object.assign(new Error('Too Many Requests'), { name: 'TooManyRequestsException' });
    onSubmit.before = () => {
      if (++tries < 3) throw throttled;
    };
    await submitJob(submission(), row);
    expect(tries).toBe(3);
    expect(await engineJobsOf(row)).toHaveLength(1);
  });

  it('has the estimate of its first submission, as finished jobs of its class have corrected it', async () => {
    const sourceInfo = { durationSeconds: 30, width: 1920, height: 1080, frameRate: 30, videoCodec: 'h264' };
    const [before, after] = [await queued('before.mp4', { sourceInfo }), await queued('after.mp4', { sourceInfo })];
    await submitJob(submission(), before);
    const assumed = { seconds: 18.525, usd: 0.001016 };
    expect((await rowOf(before))?.estimate).toEqual({ ...assumed, of: 'usual hd', assumed });
    const known = { jobs: 5, seconds: 200, assumedSeconds: 100, usd: 3, assumedUsd: 1 };
    const row = { type: 'experience', rev: 5, engines: { 'batch-cpu': known } };
    await apply(services.table, [{ op: 'put', key: engineKeys.experience('usual hd'), row }]);
    for (const each of [before, after]) await submitJob(submission(), each);
    expect((await rowOf(before))?.estimate?.seconds).toBe(18.525);
    expect((await rowOf(after))?.estimate).toMatchObject({ seconds: 37.05, usd: 0.003048, assumed });
  });

  it('whose media item was deleted meanwhile is not submitted', async () => {
    const row = await queued('cancelled.mp4', {}, { state: 'cancelled' });
    await submitJob(submission(), row);
    expect(await engineJobsOf(row)).toEqual([]);
  });
});

describe('the queue', () => {
  const hours = (n: number) => ({ durationSeconds: n * 3600, width: 1920, height: 1080, frameRate: 30 });

  it('of an encode that is expected to take hours is the on-demand one', async () => {
    const [short, long] = [
      await queued('short.mp4', { sourceInfo: hours(1) }),
      await queued('long.mp4', { sourceInfo: hours(2) }),
    ];
    for (const row of [short, long]) await submitJob(submission(), row);
    expect([await engineJobsOf(short), await engineJobsOf(short, arns.onDemand)]).toEqual([[expect.any(String)], []]);
    expect([await engineJobsOf(long), await engineJobsOf(long, arns.onDemand)]).toEqual([[], [expect.any(String)]]);
  });

  it('is the same for a second attempt, whatever is known of the source by then', async () => {
    const row = await queued('longer.mp4', { sourceInfo: hours(2) });
    onSubmit.after = () => {
      throw new AwsError('InternalError', 500, 'Lost on purpose.');
    };
    await expect(submitJob(submission(), row)).rejects.toThrow();
    onSubmit = {};
    const known = { op: 'update', key: rowKeys.media(row.mediaId), expect: {}, set: { sourceInfo: hours(1) } } as const;
    await apply(services.table, [known]);
    await minutesLater(row);
    await submitJob(submission(), row);
    expect([await engineJobsOf(row), await engineJobsOf(row, arns.onDemand)]).toEqual([[], [expect.any(String)]]);
  });
});
