/** Over less than a second, a picture that comes a little early would count for a rate of its own. */
const WINDOW_SECONDS = 1;
/** Less than a tick of any clock that is in use, more than what floating point loses. */
const ROUNDING = 1e-6;

/**
 * The most pictures a second that a film shows for a second, or for all of it if it is shorter: FRAME-RATE is the maximum (RFC 8216,
 * 4.3.4.2). Where pictures are further apart, the inverse of the shortest time between two.
 * @param times When each picture is shown, in seconds, in order.
 * @returns undefined for fewer than two pictures
 */
export function peakRate(times: ArrayLike<number>): number | undefined {
  const [first = 0, last = 0] = [times[0], times[times.length - 1]];
  const window = Math.min(WINDOW_SECONDS, last - first);
  let peak = 0;
  for (let from = 0, to = 1; to < times.length; from++) {
    const start = times[from] ?? 0;
    while (to < times.length && (times[to] ?? 0) - start < window - ROUNDING) to++;
    if (to >= times.length) break;
    const seconds = (times[to] ?? 0) - start;
    if (seconds > 0) peak = Math.max(peak, (to - from) / seconds);
  }
  return peak > 0 ? peak : undefined;
}
