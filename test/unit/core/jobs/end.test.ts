import { describe, expect, it } from 'vitest';
import { reasonOf } from '../../../../core/jobs/ended.ts';
import { jobFailed, jobSucceeded } from '../../../../core/jobs/transitions.ts';
import { changeOf, EARLIER, job, MEDIA_ID, media, NOW, result, updateOf, version } from './factories.ts';

const error = { code: 'encode_failed' as const, message: 'ffmpeg says no.', at: NOW };
const IN_30_DAYS = Date.parse('2026-12-21T12:00:00Z') / 1000;

describe('a job whose result says succeeded', () => {
  it('waits to be published, with every step logged, and stays among the unfinished', () => {
    const row = job({ steps: [{ name: 'pulled', at: EARLIER }] });
    const update = updateOf(jobSucceeded(row, result(), NOW), 'JOB#000001');
    expect(update.expect).toEqual({ state: 'running' });
    expect(update.set).toMatchObject({
      state: 'succeeded',
      progress: 100,
      steps: [
        { name: 'pulled', at: EARLIER },
        { name: 'transcoded', at: NOW },
        { name: 'pushed', at: NOW },
      ],
    });
    expect(update.remove).toEqual(['error']);
  });
  it('though neither its submission nor its start was seen', () => {
    const { startedAt: _, ...row } = job({ state: 'queued' });
    expect(updateOf(jobSucceeded(row, result(), NOW), 'JOB#000001').set).toMatchObject({ startedAt: NOW });
  });
  it.each(['succeeded', 'published', 'failed', 'cancelled'] as const)('changes nothing once it is %s', (state) => {
    expect(jobSucceeded(job({ state }), result(), NOW)).toEqual({ none: `the job is ${state}` });
  });
});

describe('a job that fails', () => {
  it.each([
    ['transcoding', undefined, 'failed'],
    ['uploaded', undefined, 'failed'],
    ['retranscoding', version(1), 'ready'],
  ] as const)('takes its media from %s with the reason', (state, current, then) => {
    const outcome = jobFailed(job(), media({ state, ...(current && { current }) }), error);
    expect(updateOf(outcome, 'MEDIA')).toMatchObject({
      expect: { state, seq: 2, jobId: `${MEDIA_ID}-1` },
      set: { state: then, seq: 3, error },
    });
    expect(updateOf(outcome, 'JOB#000001')).toMatchObject({
      set: { state: 'failed', error, finishedAt: NOW, expiresAt: IN_30_DAYS },
      remove: ['todo', 'todoAt'],
    });
  });
  it('after it began to copy leaves what it copied for sweep, in the same change', () => {
    const outcome = jobFailed(job({ state: 'succeeded', access: 'private' }), media(), error);
    expect(updateOf(outcome, 'OLD#000001').set).toMatchObject({ version: 1, access: 'private', todoAt: NOW });
  });
  it('after a newer job began is recorded on itself only', () => {
    const outcome = jobFailed(job(), media({ jobId: `${MEDIA_ID}-2` }), error);
    expect(changeOf(outcome)).toHaveLength(1);
    expect(updateOf(outcome, 'JOB#000001').set).toMatchObject({ state: 'failed' });
  });
  it.each(['published', 'failed', 'cancelled'] as const)('twice, or late, changes nothing once it is %s', (state) => {
    expect(jobFailed(job({ state }), media(), error)).toEqual({ none: `the job is ${state}` });
  });
  it('while its media is being deleted leaves the media to that', () => {
    expect(changeOf(jobFailed(job(), media({ state: 'deleting' }), error))).toHaveLength(1);
  });
  it('because somebody cancelled it is cancelled, not failed', () => {
    const cancelled = { code: 'cancelled' as const, message: 'Enough.', at: NOW };
    expect(updateOf(jobFailed(job(), null, cancelled), 'JOB#000001').set.state).toBe('cancelled');
  });
});

describe('an engine job that ends without a word of the worker', () => {
  it.each([
    ['the host is gone', { statusReason: 'Host EC2 (instance i-0abc) terminated.' }, 'worker_lost'],
    [
      'a Spot reclaim by its exit code',
      { statusReason: 'Host EC2 (instance i-0abc) terminated.', exitCode: 137 },
      'worker_lost',
    ],
    ['a Spot task of Fargate', { statusReason: 'Your Spot Task was interrupted.', exitCode: 137 }, 'worker_lost'],
    ['its time is over', { statusReason: 'Job attempt duration exceeded timeout', exitCode: 137 }, 'job_timeout'],
    [
      'Batch saw the memory',
      { containerReason: 'OutOfMemoryError: Container killed due to memory usage' },
      'out_of_memory',
    ],
    ['the kernel killed it', { exitCode: 137, statusReason: 'Essential container in task exited' }, 'out_of_memory'],
    ['somebody cancelled it', { statusReason: 'dropreel: the media is deleted' }, 'cancelled'],
    ['it drained on its last attempt', { exitCode: 143 }, 'worker_lost'],
    ['nothing is known', {}, 'worker_lost'],
  ] as const)('%s', (_, end, code) => {
    expect(reasonOf(end).code).toBe(code);
  });
  it('is told with what the engine said', () => {
    expect(reasonOf({ exitCode: 1, statusReason: 'Essential container in task exited' }).message).toBe(
      'The worker ended without a result (Essential container in task exited, exit code 1).',
    );
  });
});
