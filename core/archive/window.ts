import type { ArchivePolicy } from '../contracts/archive.ts';

type Window = Pick<ArchivePolicy, 'window' | 'timeZone'>;

const MINUTE = 60_000;

function bounds(window: string): [start: number, end: number] {
  const minutes = (text = '') => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  const [from, to] = window.split('-');
  return [minutes(from), minutes(to)];
}

/** Tells the minute of the day that clocks of the zone show. */
function wallClock(timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return (ms) => {
    const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    return (parts.get('hour') ?? 0) * 60 + (parts.get('minute') ?? 0);
  };
}

/**
 * Tells whether work may be done at a time. It is what clocks show that counts: of a change of clocks, the hour that is left out is never
 * in the window, and the hour that is repeated is in it twice.
 */
function membership({ window, timeZone }: Window): (ms: number) => boolean {
  const [start, end] = bounds(window);
  const wallMinute = wallClock(timeZone);
  return (ms) => {
    const now = wallMinute(ms);
    return start === end || (start < end ? now >= start && now < end : now >= start || now < end);
  };
}

export function isInWindow(ms: number, window: Window): boolean {
  return membership(window)(ms);
}

/** A window within the hour that a change of clocks leaves out is not there for nearly two days. */
const HORIZON_MINUTES = 2 * 24 * 60 + 3 * 60;

/**
 * When the window in which a time lies ends, in milliseconds. Undefined where it never ends.
 * @param ms a time in the window
 */
export function windowEnd(ms: number, window: Window): number | undefined {
  const isIn = membership(window);
  return firstMinute(ms, (at) => !isIn(at));
}

/** When the next window begins; the time itself where it is in one. */
export function nextWindow(ms: number, window: Window): number {
  const isIn = membership(window);
  return isIn(ms) ? ms : (firstMinute(ms, isIn) ?? ms);
}

/** The next whole minute for which it holds. Each is tried, because Intl has a zone's rules in no other form. */
function firstMinute(ms: number, holds: (at: number) => boolean): number | undefined {
  const first = Math.floor(ms / MINUTE) * MINUTE;
  for (let i = 1; i <= HORIZON_MINUTES; i++) if (holds(first + i * MINUTE)) return first + i * MINUTE;
  return undefined;
}
