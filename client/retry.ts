import type { Operation } from '../core/api/operation.ts';
import { RefusedError } from './errors.ts';

/** Attempts in all, including the first. */
const TRIES = 4;
const FIRST_PAUSE_MS = 300;
/** The API's Retry-After is followed up to this many seconds. A quota's is hours, and another attempt before that is pointless. */
const LONGEST_PAUSE_S = 10;

/**
 * The milliseconds until another attempt, null when none is useful. Retried are: no answer, 429, 5xx, and the 409 of a request
 * whose first attempt is still running. A PATCH without an answer is not, because it may have been done and has no Idempotency-Key.
 * @param tries number of attempts so far
 * @param retryAfter that header of the answer, in seconds
 * @param random 0 to 1
 */
export function pauseBefore(
  {
    method,
    tries,
    error,
    retryAfter,
  }: { method: Operation['method']; tries: number; error: Error; retryAfter: string | null },
  random: number,
): number | null {
  if (tries >= TRIES || !isPassing(method, error)) return null;
  const asked = Number(retryAfter ?? 0);
  if (!(asked <= LONGEST_PAUSE_S)) return null;
  return Math.max(asked * 1000, FIRST_PAUSE_MS * 2 ** tries * (0.5 + random / 2));
}

function isPassing(method: Operation['method'], error: Error): boolean {
  if (!(error instanceof RefusedError)) return method !== 'PATCH';
  return error.status === 429 || error.status >= 500 || error.problem?.code === 'in_progress';
}
