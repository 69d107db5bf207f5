import { expect, test } from 'vitest';
import {
  checkEnd,
  checkTime,
  type Decoded,
  decodedSeconds,
  endWarnings,
  isCutOff,
  pictureFaults,
  shortfalls,
  soundFaults,
} from '../../../../core/media/decoded.ts';
import type { AudioPlan, EncodePlan, VideoPlan } from '../../../../core/media/encode-plan.ts';

const picture = (plan: Partial<VideoPlan> = {}) =>
  ({ timescale: 12_800, frameRate: { num: 25, den: 1 }, lastFrameSeconds: 0.04, endSeconds: 10, ...plan }) as VideoPlan;
const sound = { sampleRate: 48_000, endSeconds: 10 } as AudioPlan;
const TICK = 1 / 12_800;

test.each<[string, number[], number[], Partial<VideoPlan>, string[]]>([
  ['each picture once, at its time', [0, 0.04, 0.08], [0, 0.04, 0.08], {}, []],
  ['the first shown from the start on', [0, 0.16, 0.2], [0.12, 0.16, 0.2], {}, []],
  [
    'a picture that is missing',
    [0, 0.08],
    [0, 0.04, 0.08],
    {},
    ['480p: picture 1 of 3, of 0.040 s, is shown at 0.080 s'],
  ],
  ['the last one missing', [0, 0.04], [0, 0.04, 0.08], {}, ['480p: picture 2 of 3, of 0.080 s, is missing']],
  ['one shown twice', [0, 0.04, 0.06], [0, 0.04], {}, ['480p shows 3 pictures of 2']],
  ['one shown late', [0, 0.04, 0.09], [0, 0.04, 0.08], {}, ['480p: picture 2 of 3, of 0.080 s, is shown at 0.090 s']],
  ['two of one time, of which the second is left out', [0, 0.04, 0.08], [0, 0.04, 0.04, 0.08], {}, []],
  [
    'two of one time, of which the second comes a tick later',
    [0, 0.04, 0.04 + TICK, 0.08],
    [0, 0.04, 0.04, 0.08],
    {},
    [],
  ],
  [
    'some that step back, all left out',
    [0, 0.04, 1],
    [0, 0.04, 1, ...Array.from({ length: 6 }, (_, i) => i / 10)],
    {},
    [],
  ],
  [
    'a late picture after the frames that fill the time before it',
    [0, 0.04, 0.08, 0.12, 0.16, 0.2],
    [0.12, 0.16, 0.2],
    { lead: 0.12 },
    [],
  ],
  [
    'a late picture that does not come when the plan says',
    [0, 0.04, 0.08, 0.12],
    [0.3],
    { lead: 0.12 },
    ['480p: its first picture comes at 0.300 s, not at 0.120 s'],
  ],
  ['every other picture', [0, 0.04, 0.08], [0, 0.02, 0.04, 0.06, 0.08], { retime: { num: 25, den: 1 } }, []],
  [
    'every other picture, but the last ones',
    [0, 0.04],
    [0, 0.02, 0.04, 0.06, 0.08, 0.1],
    { retime: { num: 25, den: 1 } },
    ['480p: its last picture comes at 0.040 s, that of its source at 0.100 s'],
  ],
  [
    'every other picture after those that fill the time before it',
    [0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.52, 0.56, 0.6],
    [0.53, 0.55, 0.57, 0.59, 0.61],
    { retime: { num: 25, den: 1 }, lead: 0.53 },
    [],
  ],
  [
    'every other picture, of which one after those that fill is missing',
    [0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.52, 0.6],
    [0.53, 0.55, 0.57, 0.59, 0.61],
    { retime: { num: 25, den: 1 }, lead: 0.53 },
    ['480p: picture 9 comes 0.080 s after the last'],
  ],
  [
    'every other picture, of which the first comes too early',
    [0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.36],
    [0.53, 0.55, 0.57],
    { retime: { num: 25, den: 1 }, lead: 0.53 },
    ['480p: its first picture is shown at 0.320 s, not at 0.530 s'],
  ],
])('%s', (_, shown, decoded, plan, faults) => {
  expect(pictureFaults('480p', shown, decoded, picture(plan))).toEqual(faults);
});

test('a time far behind the measured end is damage, unless that is not known, and behind a day too long', () => {
  const plan = { joined: false } as EncodePlan;
  const check =
    (at: number, end: number, of = plan) =>
    () =>
      checkTime('sound', at, end, of);
  expect(check(660, 300)).not.toThrow();
  expect(check(16_777, 300)).toThrow(
    'The file is damaged: the time of its sound jumps to 16777.0 s, and its end is at 300.0 s.',
  );
  expect(check(16_777, 0)).not.toThrow();
  expect(check(16_777, 300, { ...plan, joined: true })).not.toThrow();
  expect(check(86_401, 50_000)).toThrow(expect.objectContaining({ code: 'limit_duration' }));
});

const none = { before: 0, filled: 0, cut: 0 };

test('sound lasts as long as what was decoded, filled and cut, within a frame, by its durations and by its frames', () => {
  const decoded = { samples: 480_000, before: 960, filled: 0, cut: 480_000 - 96_000 };
  const faults = (seconds: number, frames: number) =>
    soundFaults({ file: 'audio-64k', seconds, frames }, decoded, sound);
  expect(faults(2.02, 96)).toEqual([]);
  expect(faults(2.03, 96)).toEqual([]);
  expect(faults(2.06, 96)).toEqual(['audio-64k lasts 2.060 s, its source 2.020 s']);
  expect(faults(2.02, 312)).toEqual(['audio-64k lasts 6.635 s, its source 2.020 s']);
});

test('what was decoded is short from half a second, or a hundredth, on', () => {
  const plan = { video: picture(), audio: sound } as EncodePlan;
  const decoded = (last: number, samples: number): Decoded => ({
    pictures: { count: 1, first: 0, last, longestStep: 0 },
    sound: { ...none, samples },
  });
  expect(shortfalls(decoded(9.46, 456_000), plan)).toEqual([]);
  expect(shortfalls(decoded(9.4, 455_000), plan)).toEqual([
    'Of 10.0 s of pictures, 9.4 s could be decoded.',
    'Of 10.0 s of sound, 9.5 s could be decoded.',
  ]);
  expect(decodedSeconds(decoded(9.4, 480_000), plan)).toBe(10);
  // A tenth of a second is rounding.
  expect(endWarnings(decoded(9.87, 475_200), plan)).toEqual([]);
  expect(endWarnings(decoded(9.5, 474_000), plan)).toEqual([
    { code: 'end_missing', at: 9.54, message: 'Of 10.0 s of pictures, 9.5 s could be decoded.' },
    { code: 'end_missing', at: 9.875, message: 'Of 10.0 s of sound, 9.9 s could be decoded.' },
  ]);
  expect(endWarnings(decoded(9.5, 474_000), { ...plan, joined: true })).toEqual([]);
  // Packets that were read and give no picture, without a complaint, are no cut.
  const long = decoded(8, 480_000);
  const told = [{ code: 'end_missing', at: 8.04, message: 'Of 10.0 s of pictures, 8.0 s could be decoded.' }];
  expect(endWarnings(long, plan)).toEqual(told);
  expect([isCutOff(plan, undefined), isCutOff(plan, 'error'), isCutOff({ ...plan, indexed: true }, undefined)]).toEqual(
    [false, true, true],
  );
  expect(endWarnings(long, plan, 'error')).toEqual([]);
});

test('of an hour that is announced, a tenth of a second may be missing, up to 36 s are told, and more is a cut', () => {
  expect(checkEnd(3600, 3599.95)).toEqual([]);
  expect(checkEnd(3600, 3565)).toEqual([
    {
      code: 'end_missing',
      at: 3565,
      message: 'The end of the file is missing: it announces 3600.0 s and holds 3565.0 s.',
    },
  ]);
  expect(() => checkEnd(3600, 3563)).toThrow('The file is cut off: it announces 3600.0 s and holds 3563.0 s.');
});
