import type { Succeeded } from '../contracts/job.ts';
import type { JobRow } from '../contracts/table/jobs.ts';

/** What jobs use. Their engine computes what that costs. */

/** What an engine job holds, and is billed for whether or not it succeeds: vCPUs, for the seconds of each of its attempts. */
export interface Held {
  vcpus: number;
  seconds: readonly number[];
  /** Nothing of it is of use: it left nothing, or another worker had made its part. */
  inVain?: true;
}

/** vCPU-seconds of all attempts: for a job whose CPU time is unknown. */
export function allHeld({ vcpus, seconds }: Held): number {
  return vcpus * sum(seconds);
}

/** vCPU-seconds of the attempts other than the good one, which took `wallSeconds`: their hosts were lost, or they failed. */
export function heldInVain({ vcpus, seconds }: Held, wallSeconds: number): number {
  return seconds.length > 1 ? vcpus * Math.max(0, sum(seconds) - wallSeconds) : 0;
}

/** vCPU-seconds of several workers: of all their attempts, and of those that another one followed. */
export function heldByWorkers(workers: readonly Held[]): { all: number; inVain: number } {
  return {
    all: sum(workers.map(allHeld)),
    inVain: sum(workers.map(({ vcpus, seconds, inVain }) => vcpus * sum(inVain ? seconds : seconds.slice(0, -1)))),
  };
}

/** vCPU-seconds of an encode that succeeded, published or not: its CPU time, and what earlier attempts held without a result. */
export function takenBy({ heldInVain = 0 }: Pick<JobRow, 'heldInVain'>, { usage }: Pick<Succeeded, 'usage'>): number {
  return usage.cpuSeconds + heldInVain;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
