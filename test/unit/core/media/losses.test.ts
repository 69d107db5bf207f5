import { expect, it } from 'vitest';
import type { VideoPlan } from '../../../../core/media/encode-plan.ts';
import {
  checkLosses,
  checkPackets,
  DamageLog,
  leftOut,
  lostPictures,
  lostSound,
  overlappingSound,
  runWarnings,
  SoundHoles,
} from '../../../../core/media/losses.ts';

it('a tenth of the pictures, or ten of few, may be lost; more is a damaged file', () => {
  const check = (lost: number, all: number) => () => checkLosses('pictures', lost, all, 'error while decoding MB 1 2');
  expect(check(10, 12)).not.toThrow();
  expect(check(20, 200)).not.toThrow();
  expect(check(21, 200)).toThrow(
    'The file is damaged: 21 of 200 pictures are damaged or lost (error while decoding MB 1 2).',
  );
});

it('a packet of which the first frame alone is decoded is told from sound with pauses', () => {
  const holes = (frames: number, every: number) => {
    const found = new SoundHoles(1000);
    for (let i = 0; i < frames; i++) found.add(i * 20 + Math.floor(i / every) * 80, 20);
    return found;
  };
  // A frame of 20 ms each 100 ms, and pauses after each third frame.
  expect(() => checkPackets(holes(50, 1), { samples: 1000, filled: 3920 })).toThrow(
    'FFmpeg decodes only the beginning of each packet of its sound: the rest would be silence.',
  );
  expect(() => checkPackets(holes(150, 3), { samples: 3000, filled: 3920 })).not.toThrow();
  expect(() => checkPackets(holes(10, 1), { samples: 200, filled: 720 })).not.toThrow();
});

it('damage lasts from the first damaged picture to the next whole keyframe', () => {
  const log = new DamageLog();
  // k: a keyframe; x: concealed; ?: the decoder complained only.
  for (const each of ['k', '', 'x', '', 'kx', '?', 'k', '?', 'x']) {
    log.add(each.includes('k'), each.includes('x'), /[x?]/.test(each) ? `why ${each}` : undefined);
  }
  expect(log.runs).toEqual([
    { first: 2, concealed: 2, told: 3, until: 6, why: 'why x' },
    { first: 7, concealed: 1, told: 2, why: 'why ?' },
  ]);
  expect([log.concealed, log.pictures]).toEqual([3, 9]);
  expect(runWarnings(log.runs, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])).toEqual([
    {
      code: 'picture_damaged',
      at: 0.2,
      message: '2 damaged pictures, which may be seen in those that follow, up to 0.6 s: why x',
    },
    {
      code: 'picture_damaged',
      at: 0.7,
      message: '1 damaged picture, which may be seen in those that follow, up to the end: why ?',
    },
  ]);
});

it('lost pictures are located by the gaps that they leave, unless the source has gaps of its own', () => {
  expect(lostPictures(0, [0, 0.1, 0.4], 0.1)).toEqual([]);
  expect(lostPictures(2, [0, 0.1, 0.4, 0.5], 0.1)).toEqual([
    { code: 'picture_damaged', at: 0.2, message: '2 pictures could not be decoded.' },
  ]);
  expect(lostPictures(2, [0, 0.1, 0.3, 0.4, 0.6], 0.1)).toEqual([
    { code: 'picture_damaged', at: 0.2, message: '2 pictures could not be decoded, in 2 places from here on.' },
  ]);
  const unknown = [{ code: 'picture_damaged', message: '1 picture could not be decoded.' }];
  expect(lostPictures(1, [0, 0.1, 0.4, 0.8], 0.1)).toEqual(unknown);
  expect(lostPictures(1, [0, 0.4], undefined)).toEqual(unknown);
});

it('lost sound is located by the time that passes between two frames', () => {
  const holes = new SoundHoles(1000);
  for (const at of [0, 20, 48, 120, undefined, 164]) holes.add(at, 20);
  expect(holes.frames).toBe(6);
  expect(holes.places).toEqual([{ at: 0.068, seconds: 0.052 }]);
  expect(lostSound(0, [])).toEqual([]);
  expect(lostSound(2, holes.places)).toEqual([
    { code: 'sound_damaged', at: 0.068, message: '0.05 s of sound are missing.' },
  ]);
  expect(lostSound(1, [])).toEqual([{ code: 'sound_damaged', message: '1 frame of sound could not be decoded.' }]);
});

it('sound that overlaps is named from 40 ms on', () => {
  const overlaps = [
    { at: 0, seconds: 0.039 },
    { at: 2.0273, seconds: 1.988 },
  ];
  const sound = { samples: 100_000, cut: 10_000 };
  expect(overlappingSound(sound, overlaps)).toEqual([
    { code: 'sound_left_out', at: 2.027, message: '1.99 s of sound stepped back in time: left out.' },
  ]);
  expect(() => overlappingSound({ ...sound, cut: 10_001 }, overlaps)).toThrow(
    /^The time of the file steps back: 10001 of 100000 samples of sound come after later ones\. Recordings/,
  );
});

it('decoded pictures that no rung has are named where time steps back', () => {
  const video = { frameRate: { num: 10, den: 1 } } as VideoPlan;
  const times = [0, 0.1, 0.2, 0.15, 0.2, 0.3];
  expect(leftOut(video, 6, times)).toEqual([]);
  expect(leftOut(video, 4, times)).toEqual([
    { code: 'pictures_left_out', at: 0.2, message: '2 pictures stepped back in time: left out.' },
  ]);
  // Two repeats fill the time before a picture that comes late.
  expect(leftOut({ ...video, lead: 0.2 }, 8, times)).toEqual([]);
  const twice = [...Array(20).keys(), ...Array(20).keys()];
  expect(() => leftOut(video, 20, twice)).toThrow(
    /^The time of the file steps back: 20 of 40 pictures come after later ones\. Recordings/,
  );
  expect(leftOut({ ...video, retime: { num: 5, den: 1 } }, 3, times)).toEqual([]);
});
