import { expect, test } from 'vitest';
import { runsOf, type Track } from '../../../../../core/media/hls-rules/init.ts';

const box = (type: string, ...parts: (number[] | Buffer)[]): Buffer => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const header = Buffer.alloc(8);
  header.writeUInt32BE(content.length + 8);
  header.write(type, 4);
  return Buffer.concat([header, content]);
};
const u32 = (...numbers: number[]) => numbers.flatMap((n) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]);

const TRACK: Track = {
  ...{ id: 1, kind: 'video', timescale: 100, entry: 'avc1', codec: 'avc1.640028' },
  defaults: { duration: 4, bytes: 0, flags: 0x10000 },
};
/** The body of a moof whose samples begin at 200 ticks. */
const moof = (...truns: Buffer[]) => box('traf', box('tfhd', u32(0, 1)), box('tfdt', u32(0, 200)), ...truns);

test('pictures that are reordered are shown by their composition times', () => {
  // Version 1, first_sample_flags, composition offsets: a keyframe, then the picture after next.
  const run = runsOf(moof(box('trun', u32(0x01000804, 3, 0, 4, 8, 0))), [TRACK])[0];
  expect(run).toMatchObject({ start: 2, duration: 0.12, samples: 3, startsWithSync: true, syncs: [2.04] });
  expect([run?.shownFrom, run?.shownTo, run?.longest.toFixed(2)]).toEqual([2.04, 2.16, '0.04']);
});

test('what the fragment leaves out is taken from the track', () => {
  const run = runsOf(moof(box('trun', u32(0, 2))), [TRACK])[0];
  expect(run).toMatchObject({ duration: 0.08, startsWithSync: false, syncs: [] });
});

test('a run that announces more samples than a fragment has is refused, also when it is split', () => {
  expect(() => runsOf(moof(box('trun', u32(0, 0xffffffff))), [TRACK])).toThrow('too many samples in a fragment');
  const half = box('trun', u32(0, 10_001));
  expect(() => runsOf(moof(half, half), [TRACK])).toThrow('too many samples in a fragment');
});
