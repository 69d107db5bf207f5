/** Times are ISO 8601 in UTC with milliseconds, as rows hold them: they sort as text. */

export interface Span {
  days?: number;
  hours?: number;
  minutes?: number;
  seconds?: number;
  ms?: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds. */
function length({ days = 0, hours = 0, minutes = 0, seconds = 0, ms = 0 }: Span): number {
  return days * DAY + hours * HOUR + minutes * MINUTE + seconds * SECOND + ms;
}

/** The time later by this span; a negative span gives an earlier time. */
export function plus(iso: string, span: Span): string {
  return new Date(Date.parse(iso) + length(span)).toISOString();
}

/** Milliseconds since the epoch, as an ISO 8601 time. */
export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** Whole seconds since the epoch, later by this span: the format of DynamoDB's TTL and of signatures. */
export function epochSeconds(iso: string, span: Span = {}): number {
  return Math.floor((Date.parse(iso) + length(span)) / SECOND);
}
