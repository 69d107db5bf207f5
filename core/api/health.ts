import type { Health } from '../contracts/api.ts';

/** Without a sign of life for this long a job counts as stuck. */
export const STUCK_AFTER_MS = 15 * 60_000;
/** The sweep runs each 5 minutes; three missed runs are a fault. */
const SWEEP_LATE_SECONDS = 15 * 60;

export type Findings = Omit<Health, 'status' | 'problems'>;

/** What an operator should know of, in the order of urgency. */
export function judge(findings: Findings): Health {
  const failing: string[] = [];
  const degraded: string[] = [];
  for (const queue of findings.queues) {
    if (queue.deadLetters > 0)
      failing.push(`${count(queue.deadLetters, 'message')} in the dead-letter queue of ${queue.name}.`);
  }
  const { lastSweep, jobs, last24Hours } = findings;
  if (lastSweep && lastSweep.ageSeconds > SWEEP_LATE_SECONDS) {
    failing.push(`The last sweep was ${Math.round(lastSweep.ageSeconds / 60)} minutes ago.`);
  }
  if (jobs.stuck > 0) degraded.push(`${count(jobs.stuck, 'job')} without a sign of life for 15 minutes.`);
  if (last24Hours.failed > 0) {
    const latest = last24Hours.latestFailure;
    const failures = `${count(last24Hours.failed, 'failure')} in 24 hours`;
    degraded.push(latest ? `${failures}, the latest: ${latest.code}: ${latest.message}` : `${failures}.`);
  }
  const problems = [...failing, ...degraded];
  const status = failing.length > 0 ? 'failing' : degraded.length > 0 ? 'degraded' : 'ok';
  return { status, problems, ...findings };
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
