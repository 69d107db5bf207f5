import { expect, it } from 'vitest';
import { RefusedError, UnreachableError } from '../../../client/errors.ts';
import { pauseBefore } from '../../../client/retry.ts';

const answered = (status: number, code?: string) =>
  new RefusedError(
    status,
    code === undefined ? '' : JSON.stringify({ type: 'urn:x', title: 'T', status, code, detail: 'D' }),
  );
const silent = new UnreachableError('https://x', new Error('fetch failed'));

it.each([
  ['no answer to a GET', 'GET', silent, null, 450],
  ['no answer to a POST', 'POST', silent, null, 450],
  ['no answer to a PATCH', 'PATCH', silent, null, null],
  ['throttling', 'GET', answered(429), null, 450],
  ['a quota that is used up for an hour', 'POST', answered(429, 'quota_exceeded'), '3600', null],
  ['a failure', 'PATCH', answered(503, 'unavailable'), '5', 5000],
  ['a first try still at work', 'POST', answered(409, 'in_progress'), '2', 2000],
  ['a conflict', 'POST', answered(409, 'conflict'), null, null],
  ['a refusal', 'GET', answered(403, 'forbidden'), null, null],
  ['a Retry-After that is a date', 'GET', answered(503), 'Sat, 28 Nov 2026 10:00:00 GMT', null],
] as const)('pauses before another try after %s', (_what, method, error, retryAfter, pause) => {
  expect(pauseBefore({ method, tries: 1, error, retryAfter }, 0.5)).toBe(pause);
});

it('each pause is twice as long, and the fourth is the last', () => {
  const pauses = [1, 2, 3, 4].map((tries) => pauseBefore({ method: 'GET', tries, error: silent, retryAfter: null }, 1));
  expect(pauses).toEqual([600, 1200, 2400, null]);
});
