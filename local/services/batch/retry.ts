import type { Attempt, EvaluateOnExit } from './job.ts';

/**
 * Whether a failed attempt is retried: the first entry whose conditions all match decides; if none does, the
 * job is retried. https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html
 */
export function isRetried(
  strategy: { attempts: number; evaluateOnExit: readonly EvaluateOnExit[] },
  attempts: readonly Attempt[],
): boolean {
  const last = attempts.at(-1);
  if (!last || attempts.length >= strategy.attempts) return false;
  const decisive = strategy.evaluateOnExit.find(
    (entry) =>
      matches(entry.onStatusReason, last.statusReason) &&
      matches(entry.onReason, last.container.reason ?? '') &&
      matches(entry.onExitCode, last.container.exitCode === undefined ? '' : String(last.container.exitCode)),
  );
  return decisive?.action !== 'EXIT';
}

/** Batch's glob: an asterisk is allowed at the end only. */
function matches(pattern: string | undefined, text: string): boolean {
  if (pattern === undefined) return true;
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}
