import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { mutate } from '../../support/mutations/mutate.ts';

const file = Buffer.from('ftypisom'.repeat(400), 'latin1');
const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex').slice(0, 8);

test('a seed names a mutation: it is the same each time', () => {
  expect([1, 2, 3].map((seed) => mutate(file, seed)).map(({ kind, bytes }) => [kind, hash(bytes)])).toEqual([
    ['box', '43e3d14c'],
    ['bits of the head', '7b0aabf8'],
    ['truncation', '756e3342'],
  ]);
  // The file itself is left alone.
  expect(file.toString('latin1')).toBe('ftypisom'.repeat(400));
});

test('all kinds of damage are done, and nearly every one changes the file', () => {
  const all = Array.from({ length: 300 }, (_, seed) => mutate(file, seed));
  expect([...new Set(all.map(({ kind }) => kind))].sort()).toEqual([
    ...[
      'a part left out',
      'a part twice',
      'bits',
      'bits of the head',
      'box',
      'length',
      'noise',
      'truncation',
      'zeroes',
    ],
  ]);
  expect(all.filter(({ bytes }) => bytes.equals(file)).length).toBeLessThan(15);
});
