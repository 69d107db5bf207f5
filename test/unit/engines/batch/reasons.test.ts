import { describe, expect, it } from 'vitest';
import { endOf, reasonOf } from '../../../../engines/batch/reasons.ts';

describe('an engine job that ends without a result of its worker', () => {
  it.each([
    ['the host is lost', { statusReason: 'Host EC2 (instance i-0abc) terminated.' }, 'worker_lost'],
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
    ['somebody cancelled it', { statusReason: 'dropreel: the media item is deleted' }, 'cancelled'],
    ['it drained on its last attempt', { exitCode: 143 }, 'worker_lost'],
    ['nothing is known', {}, 'worker_lost'],
  ] as const)('%s', (_, end, code) => {
    expect(reasonOf(end).code).toBe(code);
  });
  it('is marked as reclaimed where its machine was', () => {
    expect(reasonOf({ statusReason: 'Your Spot Task was interrupted.' }).reclaimed).toBe(true);
    expect(reasonOf({ statusReason: 'Essential container in task exited', exitCode: 1 })).not.toHaveProperty(
      'reclaimed',
    );
  });
  it("is recorded with the engine's reason", () => {
    expect(reasonOf({ exitCode: 1, statusReason: 'Essential container in task exited' }).message).toBe(
      'The worker ended without a result (Essential container in task exited, exit code 1).',
    );
  });
});

describe('the result that a worker left', () => {
  it.each([
    ['of the attempt that ended', 'its exit code says so: for good', { exitCode: 65 }, 'itself'],
    ['of the attempt that ended', 'its exit code says so: for a cause that passes', { exitCode: 75 }, 'itself'],
    ['of the attempt that ended', 'it succeeded', { status: 'SUCCEEDED' as const, exitCode: 0 }, 'itself'],
    ['not of it', 'it was killed', { exitCode: 137 }, 'outside'],
    ['not of it', 'it drained', { exitCode: 143 }, 'outside'],
    ['not of it', 'its host is gone', { statusReason: 'Host EC2 (instance i-0abc) terminated.' }, 'outside'],
  ] as const)('is %s when %s', (_, __, end, by) => {
    expect(endOf({ status: 'FAILED', ...end }).by).toBe(by);
  });
});
