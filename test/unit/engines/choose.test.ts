import { expect, it } from 'vitest';
import { choose } from '../../../engines/choose.ts';

const slow = { engine: 'slow', estimate: { seconds: 100, usd: 1 } };
const quick = { engine: 'quick', estimate: { seconds: 10, usd: 2 } };
const middling = { engine: 'middling', estimate: { seconds: 50, usd: 1.5 } };
const unfit = { engine: 'unfit', estimate: { unfit: 'it is turned' } };

it.each([
  ['the cheapest', [quick, slow, middling], undefined, 'slow', 'It is the cheapest.'],
  ['the first of two that cost the same', [{ ...slow, engine: 'a' }, slow], undefined, 'a', 'It is the cheapest.'],
  [
    'the cheapest of those in time',
    [slow, quick, middling],
    60,
    'middling',
    'It is the cheapest that meets the deadline.',
  ],
  ['the quickest where none is in time', [slow, quick], 5, 'quick', 'None meets the deadline: it is the quickest.'],
  ['the only one that is fit', [unfit, slow], undefined, 'slow', 'It is the only engine for this source.'],
  [
    'the first where none is',
    [unfit, { ...unfit, engine: 'b' }],
    9,
    'unfit',
    'No engine can say what it takes: it is the first.',
  ],
  [
    'with a deadline, none at which many jobs wait',
    [{ ...slow, busy: true }, quick],
    1000,
    'quick',
    'It is the cheapest that meets the deadline.',
  ],
  [
    'without one, the cheapest, however many wait',
    [{ ...slow, busy: true }, quick],
    undefined,
    'slow',
    'It is the cheapest.',
  ],
  [
    'the cheapest of those that are up',
    [{ ...slow, down: true }, quick, middling],
    undefined,
    'middling',
    'It is the cheapest among those that are not down.',
  ],
  [
    'the cheapest where all are down',
    [
      { ...quick, down: true },
      { ...slow, down: true },
    ],
    undefined,
    'slow',
    'It is the cheapest.',
  ],
  ['the only one', [unfit], undefined, 'unfit', 'It is the only engine that there is.'],
])('auto is %s', (_, candidates, deadline, engine, reason) => {
  expect(choose(candidates, deadline)).toEqual({ engine, reason });
});
