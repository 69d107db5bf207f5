import { expect, test } from 'vitest';
import { announced, constantFaults, lengthFaults } from '../../../../core/media/announced.ts';
import type { EncodePlan, VideoPlan } from '../../../../core/media/encode-plan.ts';

const video = { lastFrameSeconds: 0.04, endSeconds: 0.12 } as VideoPlan;
const changed = { ...video, retime: { num: 25, den: 1 } };

test('what a source announces stands for what was decoded', () => {
  const audio = { sampleRate: 48_000, endSeconds: 0.5 };
  expect(announced({ video, audio } as EncodePlan)).toEqual({
    pictures: { count: 3, first: 0, last: expect.closeTo(0.08), longestStep: 0.04 },
    sound: { samples: 24_000, before: 0, filled: 0, cut: 0 },
  });
});

test.each<[string, number[], VideoPlan, string[]]>([
  ['each picture at its time', [0, 0.04, 0.08], video, []],
  ['times within the rounding of a clock', [0, 0.0415, 0.0785], video, []],
  ['a picture too few', [0, 0.04], video, ['480p shows 2 pictures; its source announces 3 in 0.120 s']],
  ['a picture too many', [0, 0.04, 0.08, 0.12], video, ['480p shows 4 pictures; its source announces 3 in 0.120 s']],
  ['a picture too few or too many of a rate that was changed', [0, 0.04], changed, []],
  [
    'two too few of a rate that was changed',
    [0],
    changed,
    ['480p shows 1 pictures; its source announces 3 in 0.120 s'],
  ],
  ['a gap', [0, 0.08, 0.12], video, ['480p: picture 1 is shown at 0.080 s, not at 0.040 s']],
  ['a late start', [0.04, 0.08, 0.12], video, ['480p: picture 0 is shown at 0.040 s, not at 0.000 s']],
])('pictures of a constant rate: %s', (_, shown, plan, faults) => {
  expect(constantFaults('480p', shown, plan)).toEqual(faults);
});

test('sound lasts as long as announced, within 50 ms', () => {
  expect(lengthFaults('audio-64k', 10.05, 10)).toEqual([]);
  expect(lengthFaults('audio-64k', 9.949, 10)).toEqual(['audio-64k lasts 9.949 s; its source announces 10.000 s']);
});
