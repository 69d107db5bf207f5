/** Times that more than one part relies on. */

/** A job without a sign of life for this long is due for sweep, which asks its engine. */
export const STALE_AFTER_MS = 15 * 60_000;

export const SWEEP_MINUTES = 5;
/**
 * Time-out of a run of sweep, set on its function; a run that holds a lease for longer has died. Shorter than the interval, so that
 * two runs seldom overlap; every step is conditional for when they do.
 */
export const SWEEP_RUN_SECONDS = SWEEP_MINUTES * 60 - 15;
