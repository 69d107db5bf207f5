import { expect, it } from 'vitest';
import { InfoReader } from '../../../../containers/transcoder/ffmpeg/ssim.ts';

const SAID = `[info]   Stream #0:0 -> #0:0 (rawvideo (native) -> h264 (libx264))
[libx264 @ 0x55815e641700] [warning] --ssim used with psy on: results will be invalid!
[libx264 @ 0x55815e641700] [warning] --tune ssim should be used if attempting to benchmark ssim!
[nut @ 0x55815e641700] [error] sync not found
[libx264 @ 0x55815e641700] [info] frame I:1     Avg QP:21.55  size: 10431
[libx264 @ 0x55815e641700] [info] SSIM Mean Y:0.9905473 (20.245db)
[libx264 @ 0x55815e641700] [info] kb/s:512.91
`;

it.each([
  1, 7, 4000,
])('x264 tells the SSIM, in pieces of %i characters, and only complaints are passed on', (length) => {
  const reader = new InfoReader();
  const pieces = SAID.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? [];
  expect(pieces.map((piece) => reader.read(piece)).join('')).toBe('[nut @ 0x55815e641700] [error] sync not found\n');
  expect(reader.ssim).toBe(0.9905473);
});

it('a name in the source that looks like it is none', () => {
  const reader = new InfoReader();
  expect(reader.read('[mov @ 0x1] [warning] title: SSIM Mean Y:0.5 (1db)\n')).toContain('SSIM Mean');
  expect(reader.ssim).toBeUndefined();
});
