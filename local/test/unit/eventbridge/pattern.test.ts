import { describe, expect, test } from 'vitest';
import { compilePattern } from '../../../services/eventbridge/pattern.ts';
import { PATTERN_CASES, REFUSED } from '../../conformance/eventbridge/pattern-cases.ts';

describe('patterns of the documentation', () => {
  test.for(PATTERN_CASES)('$title', ({ pattern, event, matches }) => {
    expect(compilePattern(pattern)(event)).toBe(matches);
  });

  test.for(REFUSED)('refused: $title', ({ pattern }) => {
    expect(() => compilePattern(pattern)).toThrow(/Event pattern is not valid/);
  });
});

test('the fields of a pattern match within one object of a list', () => {
  const matches = compilePattern({ detail: { tracks: { kind: ['audio'], codec: ['aac'] } } });
  expect(matches({ detail: { tracks: [{ kind: 'audio', codec: 'aac' }, { kind: 'video' }] } })).toBe(true);
  expect(
    matches({
      detail: {
        tracks: [
          { kind: 'audio', codec: 'mp3' },
          { kind: 'video', codec: 'aac' },
        ],
      },
    }),
  ).toBe(false);
});

test('the ends of a wildcard do not overlap', () => {
  const matches = compilePattern({ key: [{ wildcard: 'ab*ba' }] });
  expect(matches({ key: 'abba' })).toBe(true);
  expect(matches({ key: 'aba' })).toBe(false);
});

test('a wildcard with 30 stars is matched against 50,000 characters', () => {
  const matches = compilePattern({ key: [{ wildcard: `${'*a'.repeat(30)}*b` }] });
  expect(matches({ key: 'a'.repeat(50_000) })).toBe(false);
});

test('the message of a refused pattern names the field', () => {
  expect(() => compilePattern({ detail: { object: { key: [{ prefx: 'drop/' }] } } })).toThrow(
    'Event pattern is not valid. Reason: "detail.object.key" unrecognized match type prefx',
  );
});
