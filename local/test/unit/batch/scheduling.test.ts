import { expect, test } from 'vitest';
import type { Job, JobSpec } from '../../../services/batch/job.ts';
import { Scheduling } from '../../../services/batch/scheduling.ts';
import type { JobQueue, SchedulingPolicy } from '../../../services/batch/template.ts';

const queue = (name: string, Priority: number, SchedulingPolicyArn?: string): JobQueue => ({
  arn: name,
  name,
  Priority,
  State: 'ENABLED',
  ComputeEnvironmentOrder: [{ ComputeEnvironment: 'ce', Order: 1 }],
  ...(SchedulingPolicyArn && { SchedulingPolicyArn }),
});
const policy = (distribution: { ShareIdentifier: string; WeightFactor: number }[] = []): SchedulingPolicy => ({
  arn: 'fair',
  name: 'fair',
  FairsharePolicy: { ShareDecaySeconds: 3600, ShareDistribution: distribution },
});

let seq = 0;
function job(id: string, jobQueue: string, more: Partial<JobSpec> & { index?: number } = {}): Job {
  const { index, ...spec } = more;
  seq += index ? 0 : 1;
  return {
    id,
    seq,
    ...(index === undefined ? {} : { index }),
    state: { status: 'RUNNABLE', createdAt: 0, attempts: [], isCancelled: false, isTerminated: false },
    children: [],
    spec: {
      jobName: id,
      jobQueue,
      jobDefinition: 'definition:1',
      schedulingPriority: 0,
      parameters: {},
      retryStrategy: { attempts: 1, evaluateOnExit: [] },
      dependsOn: [],
      tags: {},
      propagateTags: false,
      platformCapabilities: [],
      container: { image: 'image', command: [], environment: [], resourceRequirements: [] },
      ...spec,
    },
  };
}

/** Runs all jobs one after the other, each for `seconds`, and tells their order. */
function order(scheduling: Scheduling, jobs: Job[], seconds = 10): string[] {
  for (const each of jobs) scheduling.add(each);
  const started: string[] = [];
  for (let now = 0; ; now += seconds * 1000) {
    const next = scheduling.next(now);
    if (!next) return started;
    started.push(next.id);
    scheduling.started(next, now);
    scheduling.ended(next, now + seconds * 1000);
  }
}

test('the queue with the higher priority is served first, and each queue in the order of submission', () => {
  const scheduling = new Scheduling([queue('low', 1), queue('high', 10)], []);
  const jobs = [job('l1', 'low'), job('h1', 'high'), job('l2', 'low'), job('h2', 'high')];
  expect(order(scheduling, jobs)).toEqual(['h1', 'h2', 'l1', 'l2']);
});

test('scheduling priorities have no effect without a scheduling policy', () => {
  const scheduling = new Scheduling([queue('plain', 1)], []);
  const jobs = [job('a', 'plain', { schedulingPriority: 1 }), job('b', 'plain', { schedulingPriority: 9 })];
  expect(order(scheduling, jobs)).toEqual(['a', 'b']);
});

test('the children of an array start in the order of their index', () => {
  const scheduling = new Scheduling([queue('plain', 1)], []);
  const jobs = [job('x:1', 'plain', { index: 1 }), job('x:0', 'plain', { index: 0 })];
  const [second, first] = jobs as [Job, Job];
  first.seq = second.seq;
  expect(order(scheduling, jobs)).toEqual(['x:0', 'x:1']);
});

test('a share with many jobs alternates with one that has few', () => {
  const scheduling = new Scheduling([queue('q', 1, 'fair')], [policy()]);
  const many = Array.from({ length: 6 }, (_, i) => job(`a${i}`, 'q', { shareIdentifier: 'ada' }));
  const few = [job('b0', 'q', { shareIdentifier: 'bob' }), job('b1', 'q', { shareIdentifier: 'bob' })];
  expect(order(scheduling, [...many, ...few])).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'a3', 'a4', 'a5']);
});

test('a share with a quarter of the weight factor gets four times the compute', () => {
  const scheduling = new Scheduling(
    [queue('q', 1, 'fair')],
    [policy([{ ShareIdentifier: 'vip*', WeightFactor: 0.25 }])],
  );
  const jobs = Array.from({ length: 50 }, (_, i) => [
    job(`other${i}`, 'q', { shareIdentifier: 'other' }),
    job(`vip${i}`, 'q', { shareIdentifier: 'vipAda' }),
  ]).flat();
  const first25 = order(scheduling, jobs).slice(0, 25);
  expect(first25.filter((id) => id.startsWith('vip'))).toHaveLength(20);
});

test('within a share the higher scheduling priority goes first', () => {
  const scheduling = new Scheduling([queue('q', 1, 'fair')], [policy()]);
  const jobs = [1, 5, 3].map((schedulingPriority) =>
    job(`p${schedulingPriority}`, 'q', { shareIdentifier: 'ada', schedulingPriority }),
  );
  expect(order(scheduling, jobs)).toEqual(['p5', 'p3', 'p1']);
});

test('two slots that become free at once go to two shares', () => {
  const scheduling = new Scheduling([queue('q', 1, 'fair')], [policy()]);
  const jobs = [
    job('a0', 'q', { shareIdentifier: 'ada' }),
    job('a1', 'q', { shareIdentifier: 'ada' }),
    job('b0', 'q', { shareIdentifier: 'bob' }),
  ];
  for (const each of jobs) scheduling.add(each);
  const first = scheduling.next(0);
  if (first) scheduling.started(first, 0);
  expect([first?.id, scheduling.next(0)?.id]).toEqual(['a0', 'b0']);
});

test('past use decays, so that a share does not wait because of long ago use', () => {
  const scheduling = new Scheduling([queue('q', 1, 'fair')], [policy()]);
  const old = job('old', 'q', { shareIdentifier: 'ada' });
  scheduling.started(old, 0);
  scheduling.ended(old, 3600_000);
  const recent = job('recent', 'q', { shareIdentifier: 'bob' });
  scheduling.started(recent, 36_000_000);
  scheduling.ended(recent, 36_060_000);
  scheduling.add(job('b', 'q', { shareIdentifier: 'bob' }));
  scheduling.add(job('a', 'q', { shareIdentifier: 'ada' }));
  // Ada used an hour ten hours ago, Bob a minute just now.
  expect(scheduling.next(36_060_000)?.id).toBe('a');
});
