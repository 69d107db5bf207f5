const SECOND = 1000;
const HOUR = 3600 * SECOND;

/** How long a delivery is attempted. */
export const GIVE_UP_AFTER_MS = 72 * HOUR;
const FIRST_DELAY_MS = 5 * SECOND;
const FACTOR = 4;
const MAX_DELAY_MS = 12 * HOUR;

/**
 * When to retry after `attempts` failed attempts: 5 s, 20 s, 80 s, 5 min, 21 min, 1.4 h, 5.7 h, then each 12 h, at most
 * 10 % later by `random` (0 to 1) so that endpoints that failed together are not called together. The last attempt is at the
 * deadline; null after it. Times are milliseconds since the epoch.
 */
export function nextAttempt(attempts: number, now: number, deadline: number, random: number): number | null {
  if (now >= deadline) return null;
  const delay = Math.min(FIRST_DELAY_MS * FACTOR ** (attempts - 1), MAX_DELAY_MS);
  return Math.min(Math.round(now + delay * (1 + random / 10)), deadline);
}

/** Delay of a delivery whose creator has the maximum of deliveries under way: about 2 s, doubled each time, at most 5 min. */
export function placeRetrySeconds(turns: number, random: number): number {
  return Math.ceil(Math.min(2 ** turns, 300) * (0.5 + random / 2));
}

/** SQS delays a message by at most 900 s: a longer wait takes several messages. In whole seconds, rounded up. */
export function delaySeconds(dueAt: number, now: number): number {
  return Math.min(Math.max(Math.ceil((dueAt - now) / SECOND), 0), 900);
}
