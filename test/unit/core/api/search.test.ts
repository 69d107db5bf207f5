import { expect, it } from 'vitest';
import { isFound } from '../../../../core/api/search.ts';
import { media, source } from '../../../support/factories.ts';

const row = media({
  title: 'Kürbis im Garten',
  tags: ['Herbst', 'how to'],
  source: source({ key: 'drop/ann/default/7/MVI_0042.mov' }),
});

it.each([
  ['kurbis', true],
  ['GARTEN herbst', true],
  ['mvi_0042', true],
  ['how to', true],
  // The same letter in two forms of Unicode.
  ['ku\u0308rbis', true],
  ['garten winter', false],
  // Not by what else is in the key.
  ['ann', false],
])('a search for %s finds it: %s', (words, found) => {
  expect(isFound(row, words)).toBe(found);
});
