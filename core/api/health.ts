import type { Health } from '../contracts/http/system.ts';

/** A job that has been due for this long is stuck: two runs of sweep did not handle it. Each run handles a job that waits its turn. */
export const OVERDUE_MS = 10 * 60_000;
/** Sweep runs every 5 minutes; three missed runs are a fault. */
const SWEEP_LATE_SECONDS = 15 * 60;
/** Messages are handled within seconds, and the publication of the longest film within 15 minutes; one that failed comes again later. */
const OLD_SECONDS = 30 * 60;

export type Findings = Omit<Health, 'status' | 'problems'>;

/** What an operator should know, in the order of urgency. */
export function judge(findings: Findings): Health {
  const failing: string[] = [];
  const degraded: string[] = [];
  for (const queue of findings.queues) {
    if (queue.deadLetters > 0)
      failing.push(`${count(queue.deadLetters, 'message')} in the dead-letter queue of ${queue.name}.`);
  }
  for (const { name, oldestSeconds } of findings.queues) {
    // Deliveries are tried for three days.
    if (name === 'webhooks' || oldestSeconds === null || oldestSeconds <= OLD_SECONDS) continue;
    degraded.push(
      `The oldest message of ${name} is ${Math.round(oldestSeconds / 60)} minutes old: its function fails, or is not called.`,
    );
  }
  const { lastSweep, jobs, last24Hours } = findings;
  if (lastSweep && lastSweep.ageSeconds > SWEEP_LATE_SECONDS) {
    failing.push(`The last sweep was ${Math.round(lastSweep.ageSeconds / 60)} minutes ago.`);
  }
  if (jobs.stuck > 0) degraded.push(`${count(jobs.stuck, 'job')} that sweep should have seen to 10 minutes ago.`);
  if (last24Hours.failed > 0) {
    const latest = last24Hours.latestFailure;
    const failures = `${count(last24Hours.failed, 'failure')} in 24 hours`;
    degraded.push(latest ? `${failures}, the latest: ${latest.code}: ${latest.message}` : `${failures}.`);
  }
  if (last24Hours.latestBadKey) {
    const { key } = last24Hours.latestBadKey;
    degraded.push(
      `${key}, which came within the last day, is not encoded: a key has to be drop/{creator}/{file} or drop/{creator}/{collection}/{file}. Move it, or delete it.`,
    );
  }
  const problems = [...failing, ...degraded];
  const status = failing.length > 0 ? 'failing' : degraded.length > 0 ? 'degraded' : 'ok';
  return { status, problems, ...findings };
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
