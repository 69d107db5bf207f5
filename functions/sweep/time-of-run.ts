/** More than the clocks of AWS differ by. */
const MOST_AHEAD_MS = 60_000;

/**
 * The time of a run, ISO 8601: that of its schedule where it is later than the clock's, because what fell due by it belongs to this run. A
 * time far ahead is nobody's schedule, and would delete what is to be kept until then.
 * @param clock milliseconds since the epoch
 */
export function timeOfRun(scheduled: string | undefined, clock: number): string {
  const ahead = scheduled === undefined ? 0 : Date.parse(scheduled) - clock;
  return new Date(clock + Math.min(Math.max(0, ahead), MOST_AHEAD_MS)).toISOString();
}
