import { describe, expect, it } from 'vitest';
import { readEvent } from '../../../../engines/batch/events.ts';

const JOB = 'abcdefghijklmnopqrstuvwxyz-3';
const ID = '4c7599ae-0a82-49aa-ba5a-4727fcce14a8';

/** As https://docs.aws.amazon.com/batch/latest/userguide/batch_job_events.html has it, with what is not read left in. */
const changed = (detail: object) => ({
  version: '0',
  id: 'c8f9c4b5-76e5-d76a-f980-7011e206042b',
  'detail-type': 'Batch Job State Change',
  source: 'aws.batch',
  account: '123456789012',
  time: '2026-11-20T10:00:00Z',
  region: 'us-east-1',
  resources: [`arn:aws:batch:us-east-1:123456789012:job/${ID}`],
  detail: {
    jobArn: `arn:aws:batch:us-east-1:123456789012:job/${ID}`,
    jobName: JOB,
    jobId: ID,
    jobQueue: 'arn:aws:batch:us-east-1:123456789012:job-queue/ingest',
    createdAt: 1763632790000,
    retryStrategy: { attempts: 3 },
    dependsOn: [],
    jobDefinition: 'arn:aws:batch:us-east-1:123456789012:job-definition/transcoder:1',
    parameters: {},
    ...detail,
  },
});
const job = { jobId: JOB, engineJobId: ID };
const container = (more: object) => ({
  image: 'transcoder',
  resourceRequirements: [
    { type: 'VCPU', value: '4' },
    { type: 'MEMORY', value: '8192' },
  ],
  environment: [],
  ...more,
});

describe('an event of AWS Batch', () => {
  it('of a running job has its start', () => {
    expect(readEvent(changed({ status: 'RUNNING', startedAt: 1763632800000 }))).toEqual({
      kind: 'running',
      ...job,
      startedAt: '2025-11-20T10:00:00.000Z',
    });
    expect(readEvent(changed({ status: 'RUNNING' }))).toEqual({ kind: 'running', ...job });
  });

  it('of a failed job has the reason, its origin, and what the job used', () => {
    const attempts = [
      { startedAt: 1763632800000, stoppedAt: 1763632860000 },
      { startedAt: 1763632900000, stoppedAt: 1763632910000 },
    ];
    const detail = {
      status: 'FAILED',
      statusReason: 'Essential container in task exited',
      attempts,
      container: container({ exitCode: 1 }),
    };
    expect(readEvent(changed(detail))).toEqual({
      kind: 'ended',
      ...job,
      end: {
        by: 'outside',
        reason: {
          code: 'worker_lost',
          message: 'The worker ended without a result (Essential container in task exited, exit code 1).',
        },
        held: { vcpus: 4, seconds: [60, 10] },
      },
    });
  });

  it('of a job that ended by itself has no reason, which is in its result', () => {
    for (const detail of [{ status: 'SUCCEEDED' }, { status: 'FAILED', container: container({ exitCode: 65 }) }]) {
      expect(readEvent(changed(detail))).toMatchObject({ kind: 'ended', ...job, end: { by: 'itself' } });
    }
  });

  it('of a job whose machine was reclaimed has that reason', () => {
    const detail = { status: 'FAILED', statusReason: 'Your Spot Task was interrupted.' };
    expect(readEvent(changed(detail))).toMatchObject({ end: { by: 'outside', reclaimed: true } });
  });

  it("of a job that the product cancelled has the product's reason", () => {
    const detail = { status: 'FAILED', statusReason: 'dropreel: no sign of life' };
    expect(readEvent(changed(detail))).toMatchObject({ end: { reason: { code: 'worker_stuck' } } });
  });

  it('with unusual attempts is still the end of the job', () => {
    const detail = { status: 'FAILED', attempts: [{ startedAt: 'yesterday' }], container: container({}) };
    expect(readEvent(changed(detail))).toMatchObject({ kind: 'ended', end: { held: { seconds: [] } } });
  });

  it.each(['SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING'])('of a job that is %s is ignored', (status) => {
    expect(readEvent(changed({ status }))).toEqual({ kind: 'nothing', why: `the job is ${status}` });
  });

  it('of a job of another application is ignored', () => {
    const why = 'not a job of ours: nightly-report';
    expect(readEvent(changed({ status: 'FAILED', jobName: 'nightly-report' }))).toEqual({ kind: 'nothing', why });
  });

  it('of a blocked queue has the queue, its first job and the reason', () => {
    const detail = {
      jobName: JOB,
      jobId: ID,
      jobQueue: 'arn:aws:batch:us-east-1:123456789012:job-queue/ingest',
      status: 'RUNNABLE',
      statusReason: 'blocked',
    };
    const event = { source: 'aws.batch', 'detail-type': 'Batch Job Queue Blocked', detail };
    expect(readEvent(event)).toEqual({ kind: 'blocked', queue: detail.jobQueue, job: JOB, reason: 'blocked' });
  });

  it('that is of another service is not read', () => {
    expect(readEvent({ ...changed({ status: 'FAILED' }), source: 'aws.mediaconvert' })).toBeNull();
  });

  it('that cannot be parsed is an error, so that its message is kept', () => {
    expect(() => readEvent(changed({ status: 'GONE' }))).toThrow('status');
    expect(() => readEvent({ source: 'aws.batch', 'detail-type': 'Batch Something Else', detail: {} })).toThrow();
  });
});
