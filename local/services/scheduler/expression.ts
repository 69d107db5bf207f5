import { Cron } from 'croner';

/** A schedule's times. `undefined`: there are no more. */
export interface Expression {
  /** The first time after `from`. Both are milliseconds since the epoch. */
  next(from: number): number | undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * `rate(5 minutes)`, `cron(0 10 * * ? *)`, `at(2026-11-20T13:00:00)` in EventBridge's syntax.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 * @param options.anchor start of rates, milliseconds since the epoch
 * @param options.timeZone IANA name, for cron and at
 * @throws Error naming what is wrong with the expression
 */
export function parseExpression(text: string, options: { anchor: number; timeZone?: string }): Expression {
  const [, kind, inner = ''] = /^(rate|cron|at)\((.*)\)$/.exec(text) ?? [];
  if (kind === 'rate') return rate(text, inner, options.anchor);
  if (kind === 'cron') return cron(text, inner, options.timeZone ?? 'UTC');
  if (kind === 'at') return at(text, inner, options.timeZone ?? 'UTC');
  throw new Error(`${text} is not a schedule expression: rate(…), cron(…) or at(…)`);
}

function rate(text: string, inner: string, anchor: number): Expression {
  const [, digits = '', unit = ''] = /^([1-9][0-9]*) (minute|hour|day)s?$/.exec(inner) ?? [];
  const period = Number(digits) * (UNIT_MS[unit] ?? 0);
  if (period === 0) throw new Error(`${text}: a rate is a whole number and minutes, hours or days`);
  return { next: (from) => anchor + Math.max(1, Math.floor((from - anchor) / period) + 1) * period };
}

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
/** First and last value of minutes, hours, day-of-month, month, day-of-week and year. */
const RANGES = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [1, 7],
  [1970, 2199],
] as const;

function cron(text: string, inner: string, timeZone: string): Expression {
  const fields = inner.trim().toUpperCase().split(/\s+/);
  if (fields.length !== 6) {
    throw new Error(`${text}: cron has six fields: minutes hours day-of-month month day-of-week year`);
  }
  if ((fields[2] === '?') === (fields[4] === '?')) {
    throw new Error(`${text}: exactly one of day-of-month and day-of-week is a question mark`);
  }
  const written = fields.map((field, index) => {
    const [first, last] = RANGES[index] ?? [0, 0];
    const list = field.split(',').map((item) => plainItem(item, first, last));
    return index === 4 ? list.map(weekday).join(',') : list.join(',');
  });
  const schedule = construct(text, () => new Cron(`0 ${written.join(' ')}`, { timezone: timeZone, paused: true }));
  return { next: (from) => schedule.nextRun(new Date(from))?.getTime() };
}

/** Rewrites AWS's abbreviations that croner does not support: `?`, a start with a step (`0/15`) and a range over the end (`20-2`). */
function plainItem(item: string, first: number, last: number): string {
  if (item === '?') return '*';
  const [range = '', step] = item.split('/');
  const end = step === undefined ? '' : `/${step}`;
  if (step !== undefined && /^[0-9]+$/.test(range)) return `${range}-${last}${end}`;
  const [, from, to] = /^([0-9]+)-([0-9]+)$/.exec(range) ?? [];
  if (from !== undefined && Number(from) > Number(to)) return `${from}-${last}${end},${first}-${to}${end}`;
  return item;
}

/** AWS counts the days of the week from 1 (Sunday), croner from 0; names are the same in both. */
function weekday(item: string): string {
  const named = item.replace(/(?<![#/0-9])[1-7](?![0-9])/g, (day) => DAYS[Number(day) - 1] ?? day);
  return named.replace(/^([A-Z]{3})L$/, '$1#L');
}

function at(text: string, inner: string, timeZone: string): Expression {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/.test(inner)) throw new Error(`${text}: at takes yyyy-mm-ddThh:mm:ss`);
  const once = construct(text, () => new Cron(inner, { timezone: timeZone, paused: true }));
  const time = once.nextRun(new Date(0))?.getTime();
  return { next: (from) => (time !== undefined && time > from ? time : undefined) };
}

function construct(text: string, make: () => Cron): Cron {
  try {
    return make();
  } catch (error) {
    throw new Error(`${text}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
