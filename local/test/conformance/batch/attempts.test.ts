import { join } from 'node:path';
import { TerminateJobCommand } from '@aws-sdk/client-batch';
import { expect } from 'vitest';
import { eventually, printed } from '../../support/batch-world.ts';
import { conforms } from './conforms.ts';
import { EVALUATE, RETRIES, TERMINATE, TIMEOUTS } from './pages.ts';

const retry = (Attempts: number, EvaluateOnExit: object[] = []) => ({
  definition: { RetryStrategy: { Attempts, EvaluateOnExit } },
});

conforms('by default a job has one attempt', RETRIES, async ({ submit, until }) => {
  const job = await until(await submit({ EXIT: '1' }), 'FAILED');
  expect(job.attempts?.map(({ container }) => container?.exitCode)).toEqual([1]);
});

conforms(
  'an attempt that fails is followed by another, numbered in AWS_BATCH_JOB_ATTEMPT from 1',
  RETRIES,
  async ({ submit, until, reports, dir }) => {
    const report = join(dir, 'report');
    const job = await until(await submit({ EXIT: '3,4,0', REPORT: report }), 'SUCCEEDED');
    expect(job.attempts?.map(({ container }) => container?.exitCode)).toEqual([3, 4, 0]);
    expect((await reports(report)).map(({ env }) => env.AWS_BATCH_JOB_ATTEMPT)).toEqual(['1', '2', '3']);
  },
  retry(3),
);

conforms(
  'between two attempts the job is RUNNABLE',
  RETRIES,
  async ({ submit, until, events }) => {
    await until(await submit({ EXIT: '1,0' }), 'SUCCEEDED');
    await eventually(() => events.length === 7, 'all events are told');
    expect(events.map(({ detail }) => (detail as { status: string }).status)).toEqual([
      'RUNNABLE',
      'STARTING',
      'RUNNING',
      'RUNNABLE',
      'STARTING',
      'RUNNING',
      'SUCCEEDED',
    ]);
  },
  retry(2),
);

conforms(
  'an entry with EXIT ends the job although attempts are left',
  RETRIES,
  async ({ submit, until }) => {
    const job = await until(await submit({ EXIT: '65' }), 'FAILED');
    expect(job.attempts).toHaveLength(1);
    expect(job.container?.exitCode).toBe(65);
  },
  retry(3, [{ Action: 'EXIT', OnExitCode: '65' }]),
);

conforms(
  'a job is retried where no entry matches',
  RETRIES,
  async ({ submit, until }) => {
    expect((await until(await submit({ EXIT: '1' }), 'FAILED')).attempts).toHaveLength(2);
  },
  retry(2, [{ Action: 'EXIT', OnExitCode: '65' }]),
);

conforms(
  'a final entry onReason * with EXIT ends what no other entry retries',
  RETRIES,
  async ({ submit, until }) => {
    expect((await until(await submit({ EXIT: '75,1,0' }), 'FAILED')).attempts).toHaveLength(2);
  },
  retry(3, [
    { Action: 'RETRY', OnExitCode: '75' },
    { Action: 'EXIT', OnReason: '*' },
  ]),
);

conforms(
  'the action is not case-sensitive',
  EVALUATE,
  async ({ submit, until }) => {
    expect((await until(await submit({ EXIT: '9' }), 'FAILED')).attempts).toHaveLength(1);
  },
  retry(3, [{ Action: 'exit', OnExitCode: '9' }]),
);

conforms(
  'onStatusReason "Host EC2*" matches a lost host',
  'userguide/spot_retry.html',
  async ({ submit, until, batch, dir }) => {
    const id = await submit({ HOLD: join(dir, 'go') });
    await until(id, 'RUNNING');
    await batch.kill(id, 'host-lost');
    await until(id, 'RUNNING');
    await batch.kill(id, 'SIGKILL');
    const job = await until(id, 'FAILED');
    expect(job.attempts?.map(({ statusReason }) => statusReason?.replace(/i-[0-9a-f]+/, 'i-…'))).toEqual([
      'Host EC2 (instance i-…) terminated.',
      'Essential container in task exited',
    ]);
  },
  {
    computeType: 'SPOT',
    ...retry(3, [
      { Action: 'RETRY', OnStatusReason: 'Host EC2*' },
      { Action: 'EXIT', OnReason: '*' },
    ]),
  },
);

conforms(
  'a retry strategy given to SubmitJob replaces that of the definition',
  'APIReference/API_SubmitJob.html',
  async ({ submit, until }) => {
    const id = await submit({ EXIT: '1' }, { retryStrategy: { attempts: 2 } });
    expect((await until(id, 'FAILED')).attempts).toHaveLength(2);
  },
  retry(5, [{ Action: 'EXIT', OnReason: '*' }]),
);

conforms(
  'a timeout ends the attempt with SIGTERM, and is not retried',
  TIMEOUTS,
  async (world) => {
    const { submit, until, clock, dir } = world;
    const id = await submit({ HOLD: join(dir, 'never'), ON_TERM: '143' });
    await until(id, 'RUNNING');
    await printed(world, id, 'started');
    clock.advance(60_000);
    const job = await until(id, 'FAILED');
    expect(job.statusReason).toBe('Job attempt duration exceeded timeout');
    expect(job.attempts?.map(({ container }) => container?.exitCode)).toEqual([143]);
  },
  { definition: { Timeout: { AttemptDurationSeconds: 60 }, RetryStrategy: { Attempts: 3 } } },
);

conforms(
  'a program that ignores SIGTERM gets SIGKILL after 30 seconds',
  TIMEOUTS,
  async (world) => {
    const { submit, until, clock, dir } = world;
    const id = await submit({ HOLD: join(dir, 'never') });
    await until(id, 'RUNNING');
    await printed(world, id, 'started');
    clock.advance(60_000);
    await printed(world, id, 'SIGTERM');
    clock.advance(29_000);
    expect((await until(id, 'RUNNING')).status).toBe('RUNNING');
    clock.advance(1000);
    expect((await until(id, 'FAILED')).container?.exitCode).toBe(137);
  },
  { definition: { Timeout: { AttemptDurationSeconds: 60 } } },
);

conforms(
  'TerminateJob fails a running job with the reason given, and it is not retried',
  TERMINATE,
  async ({ submit, until, client, dir }) => {
    const id = await submit({ HOLD: join(dir, 'never'), ON_TERM: '0' });
    await until(id, 'RUNNING');
    await client.send(new TerminateJobCommand({ jobId: id, reason: 'superseded' }));
    const job = await until(id, 'FAILED');
    expect(job).toMatchObject({ statusReason: 'superseded', isTerminated: true });
    expect(job.attempts).toHaveLength(1);
  },
  retry(3),
);
