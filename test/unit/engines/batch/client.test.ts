import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import { jobFor } from '../../../../core/jobs/transitions.ts';
import {
  blockedBy,
  cancel,
  describe as describeJobs,
  lookAtEnvironments,
  lookAtQueue,
  stateOf,
  submit,
} from '../../../../engines/batch/client.ts';
import { shareIdentifierFor } from '../../../../engines/batch/queues.ts';
import { AwsError } from '../../../../local/kernel/service.ts';
import { arns, startWorld, type World } from '../../../../local/test/support/batch-world.ts';
import { job, source } from '../../../support/factories.ts';
import { enginesOf } from '../../../support/swept.ts';

const preset = PRESETS.standard ?? expect.fail('no preset');
const submission = (n: number, more = {}) => ({
  job: jobFor(job({ n }), preset, 'media'),
  queue: arns.queue,
  definition: arns.definition,
  tried: false,
  ...more,
});

describe('the engine batch-cpu', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ container: { Environment: [{ Name: 'DROPREEL_HOLD', Value: '/nowhere' }] } });
  });
  afterAll(() => world.close());

  it('finds a job that was submitted before, and submits no second one', async () => {
    const first = await submit(world.client, submission(1));
    expect(await submit(world.client, submission(1, { tried: true }))).toBe(first);
    // The name of another job begins with the same letters.
    expect(await submit(world.client, submission(11, { tried: true }))).not.toBe(first);
  });

  it('returns the state of a job, and "lost" for an unknown one', async () => {
    const id = await submit(world.client, submission(2));
    const forgotten = '00000000-0000-0000-0000-000000000000';
    const states = await enginesOf(world).get('batch-cpu').describe([id, forgotten]);
    const lost = { code: 'engine_lost', message: 'AWS Batch no longer has the job.' };
    expect([...states]).toEqual([
      [id, expect.objectContaining({ kind: expect.stringMatching(/^(waiting|running)$/) })],
      [forgotten, { kind: 'ended', end: { by: 'unseen', reason: lost } }],
    ]);
  });

  it('tells a queue with running jobs from one without', async () => {
    const few = await startWorld({
      container: { Environment: [{ Name: 'DROPREEL_HOLD', Value: '/nowhere' }] },
      slots: 1,
    });
    expect(await lookAtQueue(few.client, arns.queue)).toEqual({
      queue: arns.queue,
      atWork: false,
      waiting: 0,
      blockedBy: null,
    });
    await few.until(await submit(few.client, submission(1)), 'RUNNING');
    await submit(few.client, submission(2));
    expect(await lookAtQueue(few.client, arns.queue)).toMatchObject({ atWork: true, waiting: 1, blockedBy: null });
    await few.close();
  });

  it('reports invalid environments, and starts no job there until they are valid', async () => {
    const only = await startWorld();
    expect((await lookAtEnvironments(only.client, [arns.computeEnvironment])).broken).toEqual([]);
    only.batch.invalidate('spot', 'CLIENT_ERROR - Access denied');
    expect((await lookAtEnvironments(only.client, [arns.computeEnvironment])).broken).toEqual([
      { what: arns.computeEnvironment, reason: 'CLIENT_ERROR - Access denied' },
    ]);
    const id = await submit(only.client, submission(1));
    await only.until(id, 'RUNNABLE');
    expect(only.batch.running()).toEqual([]);
    only.batch.invalidate('spot', null);
    await only.until(id, 'SUCCEEDED', 'FAILED');
    await only.close();
  });

  it('ends a job with the given reason', async () => {
    const id = await submit(world.client, submission(3));
    await cancel(world.client, id, 'the media item is deleted');
    await world.until(id, 'FAILED');
    expect(await world.describe(id)).toMatchObject({ statusReason: 'dropreel: the media item is deleted' });
    expect((await describeJobs(world.client, [id])).get(id)).toMatchObject({
      kind: 'ended',
      end: { by: 'outside', reason: { code: 'cancelled', message: 'the media item is deleted' } },
    });
  });

  it("submits a job with its creator's share of a fair queue", async () => {
    const shared = submission(4, {
      queue: arns.fair,
      share: { identifier: shareIdentifierFor('ann.lee-1'), priority: 1 },
    });
    const id = await submit(world.client, shared);
    expect(await world.describe(id)).toMatchObject({ shareIdentifier: expect.any(String), schedulingPriority: 1 });
  });

  // As people have met them: engines/batch/client.ts.
  it.each([
    ['JobQueue low not found.', false],
    ['Job queue low is disabled', false],
    ['JobDefinition name worker does not exist or is not in ACTIVE status', false],
    ['Job Queue is attached to Compute Environment that can not run Jobs with capability EC2.', false],
    ['Error executing request, Exception : Job size must be less than 30 KiB, got 47 KiB', true],
    ['Error executing request, Exception : Job name should match valid pattern', true],
    ['Container Overrides length must be at most 8192', true],
  ])('with the answer "%s" refuses a job for good: %s', async (message, forGood) => {
    const refusing = await startWorld({
      authorize() {
        throw new AwsError('ClientException', 400, message);
      },
    });
    await expect(submit(refusing.client, submission(1))).rejects.toMatchObject({ code: 'engine_refused', forGood });
    await refusing.close();
  });

  it('refuses a job beyond the size of overrides without a request', async () => {
    const long = jobFor(job({ source: source({ key: `drop/ann/talks/${'"'.repeat(4000)}` }) }), preset, 'media');
    await expect(submit(world.client, submission(5, { job: long }))).rejects.toMatchObject({ code: 'engine_refused' });
  });
});

describe('a JobDetail', () => {
  it.each([
    ['of a job that waits', { status: 'RUNNABLE' }, { kind: 'waiting' }],
    [
      'of a job that blocks its queue',
      { status: 'RUNNABLE', statusReason: 'UNDETERMINED - Batch job is blocked, root cause is undetermined.' },
      { kind: 'waiting', blockedBy: 'UNDETERMINED - Batch job is blocked, root cause is undetermined.' },
    ],
    [
      'of a job that runs',
      { status: 'RUNNING', startedAt: 1763632800000 },
      { kind: 'running', startedAt: '2025-11-20T10:00:00.000Z' },
    ],
    [
      'of a job that was killed for its memory',
      { status: 'FAILED', container: { reason: 'OutOfMemoryError: Container killed due to memory usage' } },
      {
        kind: 'ended',
        end: {
          by: 'outside',
          reason: { code: 'out_of_memory', message: 'The worker was killed for its memory use.' },
          held: { vcpus: 0, seconds: [] },
        },
      },
    ],
  ] as const)('%s', (_, detail, state) => {
    const ids = { jobId: 'e-1', jobName: 'a', jobQueue: 'q', jobDefinition: 'd', startedAt: undefined };
    expect(stateOf({ ...ids, ...detail })).toEqual(state);
  });
});

describe('the status reason of a waiting job', () => {
  // The texts of https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html and its pages of reasons.
  it.each([
    'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested for instance type [m5]',
    'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) associated with the job queue cannot meet the CPU requirement of the job.',
    'UNDETERMINED - Batch job is blocked, root cause is undetermined.',
  ])('blocks its queue: %s', (statusReason) => {
    expect(blockedBy({ status: 'RUNNABLE', statusReason })).toBe(statusReason);
  });

  it.each([
    ['RUNNABLE', ''],
    ['RUNNABLE', 'Dependent Job failed'],
    ['RUNNING', 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - '],
  ] as const)('is no block: %s "%s"', (status, statusReason) => {
    expect(blockedBy({ status, statusReason })).toBeNull();
  });
});
