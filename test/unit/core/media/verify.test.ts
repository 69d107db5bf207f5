import { expect, test } from 'vitest';
import type { Fragment } from '../../../../core/media/fragments.ts';
import { groupFragments, joinFragments } from '../../../../core/media/segments.ts';
import { presentedSeconds, segmentSeconds, type Timeline } from '../../../../core/media/timeline.ts';
import { alignmentFaults, decodeFaults, structureFaults } from '../../../../core/media/verify.ts';

/** Segments of 25 frames per second, in ticks of 1/25 s, two frames of reordering delay. */
const fragment = (start: number, samples: number): Fragment => ({
  start,
  duration: samples,
  samples,
  startsWithKeyframe: true,
  firstBytes: 0,
  firstStart: start + 2,
  lastStart: start + samples + 1,
  lastDuration: 1,
});
const rendition = (file: string, ...fragments: Fragment[]): Timeline => ({
  file,
  header: { timescale: 25, codec: 'avc1.4D401E', skip: 2 },
  segments: fragments.map((one) => ({ fragment: one })),
});
const good = rendition('480p', fragment(0, 150), fragment(150, 60));

test('a correct rendition has no faults', () => {
  expect(structureFaults(good)).toEqual([]);
  expect(alignmentFaults([good, { ...good, file: '360p' }], 210)).toEqual([]);
  expect(decodeFaults(good, { frames: 210, errors: '' }, true)).toEqual([]);
});

test('durations are of the presented part', () => {
  expect(presentedSeconds(good)).toBe(8.4);
  expect(presentedSeconds(good, 1)).toBe(9.36);
  expect(segmentSeconds(good)).toEqual([6, 2.4000000000000004]);
});

test.each<[string, string[], string[]]>([
  ['no segments', structureFaults(rendition('480p')), ['480p has no segments']],
  [
    'a gap',
    structureFaults(rendition('480p', fragment(0, 150), fragment(151, 60))),
    ['480p: segment 1 begins 0.040 s off the end of the one before'],
  ],
  [
    'a segment without a keyframe',
    structureFaults(rendition('480p', fragment(0, 150), { ...fragment(150, 60), startsWithKeyframe: false })),
    ['480p: segment 1 does not begin with a keyframe'],
  ],
  ['a lost frame', alignmentFaults([good], 211), ['480p holds 210 frames of 211']],
  [
    'rungs that are cut at other times',
    alignmentFaults([good, rendition('360p', fragment(0, 140), fragment(140, 70))], 210),
    ['360p: its segments do not begin with those of 480p'],
  ],
  [
    'a decoder that complains',
    decodeFaults(good, { frames: 210, errors: 'error while decoding MB 3 4\nmore' }, true),
    ['480p does not decode: error while decoding MB 3 4'],
  ],
  [
    'frames that do not decode',
    decodeFaults(good, { frames: 209, errors: '' }, true),
    ['480p: 209 of 210 frames decode'],
  ],
])('%s', (_, found, expected) => {
  expect(found).toEqual(expected);
});

test('segments begin at multiples of six seconds, whatever precedes', () => {
  const at = (start: number, samples = 50) => ({ offset: start, size: 1, fragment: fragment(start, samples) });
  const fragments = [at(0), at(50), at(100), at(150, 275), at(425, 25), at(450)];
  const groups = groupFragments(good.header, fragments, 6);
  expect(groups.map((group) => group.map(({ offset }) => offset))).toEqual([[0, 50, 100], [150], [425], [450]]);
});

test('a fragment that begins up to a millionth of a second early begins a segment', () => {
  const header = { ...good.header, timescale: 10_000_000 };
  const one = { ...fragment(0, 1), duration: header.timescale };
  const at = (firstStart: number) => ({ offset: firstStart, size: 1, fragment: { ...one, firstStart } });
  const counts = [59_999_995, 59_999_985].map((start) => groupFragments(header, [at(0), at(start)], 6).length);
  expect(counts).toEqual([2, 1]);
});

test('sound is cut at the fragment nearest to a multiple of six seconds, however far its fragments drift', () => {
  const second = 1.0027;
  const fragments = Array.from({ length: 600 }, (_, i) => {
    const start = Math.round(i * second * good.header.timescale);
    return { offset: i, size: 1, fragment: { ...fragment(0, 25), firstStart: start } };
  });
  const groups = groupFragments(good.header, fragments, 6, 0.5);
  const lengths = groups.map((group) => group.length);
  expect([Math.min(...lengths.slice(0, -1)), Math.max(...lengths)]).toEqual([5, 6]);
});

test('fragments of a segment count as one', () => {
  expect(joinFragments([fragment(0, 50), fragment(50, 100)])).toEqual(fragment(0, 150));
});

test('an end of less than 0.4 s belongs to the segment before it', () => {
  const at = (start: number, samples: number) => ({ offset: start, size: 1, fragment: fragment(start, samples) });
  const starts = (end: number) => {
    const groups = groupFragments(good.header, [at(0, 50), at(50, 50), at(100, 50), at(150, end)], 6);
    return groups.map(([first]) => first?.offset);
  };
  expect(starts(9)).toEqual([0]);
  expect(starts(10)).toEqual([0, 150]);
  expect(groupFragments(good.header, [at(0, 2)], 6)).toHaveLength(1);
});
