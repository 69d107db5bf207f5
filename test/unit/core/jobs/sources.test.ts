import { describe, expect, it } from 'vitest';
import { compareSequencers, compareSources, sequencerAfter, sequencerOver } from '../../../../core/jobs/sources.ts';
import { source } from '../../../support/factories.ts';

describe('sequencers', () => {
  it.each([
    ['0055AED6DCD90281E5', '0055AED6DCD90281E6', -1],
    // AWS: "right pad the shorter value with zeros, and then do a lexicographical comparison".
    ['0055AED6DCD90281E5', '0055AED6DCD90281E51', -1],
    ['FF', '0100', 1],
    ['ff', 'FF', 0],
    ['A000', 'A', 0],
    ['10', '0F', 1],
  ])('%s against %s is %i', (a, b, order) => {
    expect(compareSequencers(a, b)).toBe(order);
  });

  it.each(['0055AED6DCD90281E5', '0F', '0', ''])("made after %s come before S3's own later ones", (before) => {
    expect(compareSequencers(sequencerAfter(before), before)).toBe(1);
    expect(compareSequencers(sequencerAfter('0055AED6DCD90281E5'), '0055AED6DCD90281E6')).toBe(-1);
  });

  it("of an upload over a known one are later than the known one's, whatever its event contains", () => {
    expect(sequencerOver('0B', '0C')).toBe('0C');
    expect(sequencerOver('0B', '0A')).toBe('0B1');
    expect(sequencerOver('0B', '0B')).toBe('0B1');
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
