import { describe, expect, it } from 'vitest';
import { compareSequencers, compareSources, sequencerAfter } from '../../../../core/jobs/sources.ts';
import { source } from './factories.ts';

describe('sequencers', () => {
  it.each([
    ['0055AED6DCD90281E5', '0055AED6DCD90281E6', -1],
    ['FF', '0100', -1],
    ['ff', 'FF', 0],
    ['000A', 'A', 0],
    ['10', '0F', 1],
  ])('%s against %s is %i', (a, b, order) => {
    expect(compareSequencers(a, b)).toBe(order);
  });

  it.each([
    ['0055AED6DCD90281E5', '0055AED6DCD90281E6'],
    ['0F', '10'],
    ['0', '1'],
    ['', '1'],
  ])('after %s comes %s', (before, next) => {
    expect(sequencerAfter(before)).toBe(next);
  });
});

describe('uploads of one key', () => {
  it('without version ids are ordered by sequencer', () => {
    const known = source({ versionId: undefined });
    expect(compareSources(known, source({ versionId: undefined, sequencer: '0B' }))).toBe('newer');
    expect(compareSources(known, source({ versionId: undefined, sequencer: '0A' }))).toBe('same');
    expect(compareSources(known, source({ versionId: undefined, sequencer: '09' }))).toBe('older');
  });
});
