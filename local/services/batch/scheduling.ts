import { type Job, requirement } from './job.ts';
import type { JobQueue, SchedulingPolicy } from './template.ts';

/** AWS's default window for a policy with 0 or no value. */
const DEFAULT_DECAY_SECONDS = 600;

/** Added to the run time in a share's vCPU use, so that two simultaneous starts go to different shares. */
const HEAD_START_SECONDS = 1;

interface Share {
  /** Weighted vCPU-seconds of ended jobs, as of `at`; older use decays exponentially. */
  used: number;
  at: number;
  running: Map<string, { vcpus: number; since: number }>;
}

/**
 * Chooses the RUNNABLE job that starts next. Queues with higher priority come first. Within a queue, FIFO without a scheduling policy;
 * with one, the share with the least use (vCPU time × weight, decaying over shareDecaySeconds), within it the highest
 * schedulingPriority, then FIFO. https://docs.aws.amazon.com/batch/latest/userguide/share-identifiers.html
 * AWS does not publish how use decays. Use is not kept over a restart.
 */
export class Scheduling {
  readonly #queues: { queue: JobQueue; policy: SchedulingPolicy | undefined; waiting: Set<Job> }[];
  readonly #shares = new Map<string, Share>();

  constructor(queues: JobQueue[], policies: SchedulingPolicy[]) {
    this.#queues = [...queues]
      .sort((a, b) => b.Priority - a.Priority)
      .map((queue) => ({
        queue,
        policy: policies.find(({ arn }) => arn === queue.SchedulingPolicyArn),
        waiting: new Set(),
      }));
  }

  add(job: Job): void {
    this.#queues.find(({ queue }) => queue.arn === job.spec.jobQueue)?.waiting.add(job);
  }

  remove(job: Job): void {
    for (const { waiting } of this.#queues) waiting.delete(job);
  }

  /**
   * @param now milliseconds, only for differences
   * @param canPlace whether any of a queue's jobs can be placed
   */
  next(now: number, canPlace: (queue: JobQueue) => boolean = () => true): Job | undefined {
    for (const { queue, policy, waiting } of this.#queues) {
      if (waiting.size === 0 || !canPlace(queue)) continue;
      const usage = new Map<string, number>();
      const usageOf = (job: Job): number => {
        if (!policy) return 0;
        const share = job.spec.shareIdentifier ?? '';
        const known = usage.get(share) ?? this.#usage(queue, policy, share, now);
        usage.set(share, known);
        return known;
      };
      let best: Job | undefined;
      for (const job of waiting) if (!best || precedes(job, best, policy !== undefined, usageOf)) best = job;
      return best;
    }
    return undefined;
  }

  started(job: Job, now: number): void {
    this.remove(job);
    this.#share(job).running.set(job.id, { vcpus: requirement(job.spec, 'VCPU'), since: now });
  }

  ended(job: Job, now: number): void {
    const share = this.#share(job);
    const run = share.running.get(job.id);
    if (!run) return;
    share.running.delete(job.id);
    share.used = this.#faded(share, this.#decay(job.spec.jobQueue), now) + (run.vcpus * (now - run.since)) / 1000;
    share.at = now;
  }

  #share(job: Job): Share {
    const key = `${job.spec.jobQueue} ${job.spec.shareIdentifier ?? ''}`;
    const share = this.#shares.get(key) ?? { used: 0, at: 0, running: new Map() };
    this.#shares.set(key, share);
    return share;
  }

  #usage(queue: JobQueue, policy: SchedulingPolicy, identifier: string, now: number): number {
    const share = this.#shares.get(`${queue.arn} ${identifier}`);
    if (!share) return 0;
    let used = this.#faded(share, this.#decay(queue.arn), now);
    for (const { vcpus, since } of share.running.values()) used += vcpus * (HEAD_START_SECONDS + (now - since) / 1000);
    return used * weight(policy, identifier);
  }

  #faded(share: Share, decaySeconds: number, now: number): number {
    return share.used * Math.exp(-(now - share.at) / 1000 / decaySeconds);
  }

  #decay(queueArn: string): number {
    const policy = this.#queues.find(({ queue }) => queue.arn === queueArn)?.policy;
    return policy?.FairsharePolicy?.ShareDecaySeconds || DEFAULT_DECAY_SECONDS;
  }
}

function precedes(a: Job, b: Job, fair: boolean, usageOf: (job: Job) => number): boolean {
  if (fair) {
    const difference = usageOf(a) - usageOf(b) || b.spec.schedulingPriority - a.spec.schedulingPriority;
    if (difference !== 0) return difference < 0;
  }
  return a.seq - b.seq < 0 || (a.seq === b.seq && (a.index ?? 0) < (b.index ?? 0));
}

/** A lower weight gets more. Entries that end in an asterisk match every identifier with that prefix. */
function weight(policy: SchedulingPolicy, identifier: string): number {
  const entry = policy.FairsharePolicy?.ShareDistribution?.find(({ ShareIdentifier: pattern }) =>
    pattern.endsWith('*') ? identifier.startsWith(pattern.slice(0, -1)) : identifier === pattern,
  );
  return entry?.WeightFactor ?? 1;
}
