/**
 * Schedule expressions as docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html and
 * docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html say. The times are worked out from the
 * sentences there, with the calendar of 2026; no API tells them, so that elsewhere it is only asked which expressions a rule
 * takes: CreateSchedule of moto and of ministack takes everything.
 */
import { randomBytes } from 'node:crypto';
import { DeleteRuleCommand, EventBridgeClient, PutRuleCommand } from '@aws-sdk/client-eventbridge';
import { describe, expect, test } from 'vitest';
import { parseExpression } from '../../../services/scheduler/expression.ts';
import { type ClientOptions, motoDiffers, OTHER } from '../target.ts';

const TIMES = 'our own cloud only: no API tells the times of a schedule';

/** The next times after a Saturday, 2026-11-21 at 10:00 UTC. */
function times(expression: string, count: number, timeZone = 'UTC', start = '2026-11-21T10:00:00Z'): string[] {
  const parsed = parseExpression(expression, { anchor: Date.parse(start), timeZone });
  const found: string[] = [];
  let time: number | undefined = Date.parse(start);
  for (let i = 0; i < count && time !== undefined; i++) {
    time = parsed.next(time);
    if (time !== undefined) found.push(new Date(time).toISOString().replace(':00.000Z', 'Z'));
  }
  return found;
}

const CRONS: [sentence: string, expression: string, expected: string[]][] = [
  ['10:00 am every day', 'cron(0 10 * * ? *)', ['2026-11-22T10:00Z', '2026-11-23T10:00Z']],
  ['12:15 pm every day', 'cron(15 12 * * ? *)', ['2026-11-21T12:15Z', '2026-11-22T12:15Z']],
  ['6:00 pm every Monday through Friday', 'cron(0 18 ? * MON-FRI *)', ['2026-11-23T18:00Z', '2026-11-24T18:00Z']],
  ['8:00 am every first day of the month', 'cron(0 8 1 * ? *)', ['2026-12-01T08:00Z', '2027-01-01T08:00Z']],
  ['every 15 minutes', 'cron(0/15 * * * ? *)', ['2026-11-21T10:15Z', '2026-11-21T10:30Z']],
  ['every 10 minutes Monday through Friday', 'cron(0/10 * ? * MON-FRI *)', ['2026-11-23T00:00Z', '2026-11-23T00:10Z']],
  ['every 5 minutes Monday to Friday, 8:00 to 17:55', 'cron(0/5 8-17 ? * MON-FRI *)', ['2026-11-23T08:00Z']],
  [
    'the last Friday of the month, in years',
    'cron(15 10 ? * 6L 2026-2027)',
    ['2026-11-27T10:15Z', '2026-12-25T10:15Z'],
  ],
  ['days of the week count from 1, Sunday', 'cron(0 9 ? * 1 *)', ['2026-11-22T09:00Z', '2026-11-29T09:00Z']],
  ['3#2 is the second Tuesday of the month', 'cron(0 9 ? * 3#2 *)', ['2026-12-08T09:00Z', '2027-01-12T09:00Z']],
  ['L in day-of-month is its last day', 'cron(0 0 L * ? *)', ['2026-11-30T00:00Z', '2026-12-31T00:00Z']],
  ['3W is the weekday nearest to the third', 'cron(0 0 3W * ? *)', ['2026-12-03T00:00Z', '2027-01-04T00:00Z']],
  ['only in the years that it names', 'cron(0 10 1 1 ? 2027)', ['2027-01-01T10:00Z']],
];
const RATES: [expression: string, expected: string[]][] = [
  ['rate(1 minute)', ['2026-11-21T10:01Z', '2026-11-21T10:02Z']],
  ['rate(5 minutes)', ['2026-11-21T10:05Z', '2026-11-21T10:10Z']],
  ['rate(1 hour)', ['2026-11-21T11:00Z', '2026-11-21T12:00Z']],
  ['rate(7 days)', ['2026-11-28T10:00Z', '2026-12-05T10:00Z']],
  ['at(2026-11-22T13:00:00)', ['2026-11-22T13:00Z']],
  ['at(2026-11-20T13:00:00)', []],
];

describe('eb-scheduled-rule-pattern: cron', () => {
  test.for(CRONS)('%s: %s', ([, expression, expected], { skip }) => {
    skip(OTHER !== undefined, TIMES);
    expect(times(expression, 2).slice(0, expected.length)).toEqual(expected);
  });

  test("times are in the schedule's time zone, with its daylight saving time", ({ skip }) => {
    skip(OTHER !== undefined, TIMES);
    expect(times('cron(0 9 * * ? *)', 1, 'America/New_York')).toEqual(['2026-11-21T14:00Z']);
    expect(times('cron(0 9 * * ? *)', 1, 'America/New_York', '2026-07-01T00:00:00Z')).toEqual(['2026-07-01T13:00Z']);
  });
});

describe('schedule-types: rate and at', () => {
  test.for(RATES)('%s', ([expression, expected], { skip }) => {
    skip(OTHER !== undefined, TIMES);
    expect(times(expression, 2)).toEqual(expected);
  });

  test('at is in the time zone of the schedule', ({ skip }) => {
    skip(OTHER !== undefined, TIMES);
    expect(times('at(2026-12-24T18:00:00)', 1, 'Europe/Berlin')).toEqual(['2026-12-24T17:00Z']);
  });
});

/** Gives it to a rule, which never runs. */
async function putRule(options: ClientOptions, ScheduleExpression: string): Promise<void> {
  const client = new EventBridgeClient(options);
  const Name = `conformance-${randomBytes(4).toString('hex')}`;
  try {
    await client.send(new PutRuleCommand({ Name, ScheduleExpression, State: 'DISABLED' }));
    await client.send(new DeleteRuleCommand({ Name }));
  } finally {
    client.destroy();
  }
}

const other = OTHER;
if (other) {
  const expressions = [...CRONS.map(([, expression]) => expression), ...RATES.map(([expression]) => expression)];
  // Schedules alone take at().
  for (const expression of expressions.filter((it) => !it.startsWith('at('))) {
    test(`eb-scheduled-rule-pattern: ${expression} is accepted`, () => putRule(other, expression));
  }
}

describe('eb-scheduled-rule-pattern: refused', () => {
  for (const [expression, message, moto] of [
    ['every 5 minutes', 'is not a schedule expression'],
    ['rate(5 seconds)', 'a rate is a whole number and minutes, hours or days'],
    ['rate(0 minutes)', 'a rate is a whole number and minutes, hours or days', 'it takes it'],
    ['cron(0 10 * * *)', 'cron has six fields', 'it takes five fields'],
    ['cron(0 10 * * * *)', 'exactly one of day-of-month and day-of-week is a question mark', 'it takes none'],
    ['cron(61 10 * * ? *)', 'cron(61 10 * * ? *):', 'it takes any number'],
    ['at(2026-11-22 13:00)', 'at takes yyyy-mm-ddThh:mm:ss'],
  ] as const) {
    const register = moto === undefined ? test : motoDiffers(moto);
    register(expression, async () => {
      if (OTHER) await expect(putRule(OTHER, expression)).rejects.toMatchObject({ name: 'ValidationException' });
      else expect(() => parseExpression(expression, { anchor: 0 })).toThrow(message);
    });
  }
});
