import { expect, test } from 'vitest';
import { planColor } from '../../../../core/media/color.ts';

const none = { primaries: undefined, transfer: undefined, matrix: undefined };
const BT709 = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' };

test('a file that does not name its colours is BT.709 from 720 lines on, and BT.601 below', () => {
  for (const shortSide of [1080, 720]) expect(planColor(none, shortSide)).toEqual({ output: BT709 });
  for (const shortSide of [719, 480]) {
    expect(planColor(none, shortSide)).toEqual({
      output: { primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m' },
    });
  }
});

test('an HD file that says BT.601 keeps it', () => {
  expect(planColor({ ...none, matrix: 'bt470bg', transfer: 'smpte170m', primaries: 'bt470bg' }, 1080)).toEqual({
    output: { primaries: 'bt470bg', transfer: 'smpte170m', matrix: 'bt470bg' },
  });
});

test('HDR is tone-mapped to BT.709', () => {
  expect(planColor({ primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' }, 2160)).toEqual({
    output: BT709,
    convert: { primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc', toneMap: { peak: 10 } },
  });
  expect(planColor({ ...none, transfer: 'arib-std-b67' }, 1080)).toEqual({
    output: BT709,
    convert: { primaries: 'bt2020', transfer: 'arib-std-b67', matrix: 'bt2020nc', toneMap: { peak: 10 } },
  });
});

test('wide colours without HDR are converted, not tone-mapped', () => {
  expect(planColor({ primaries: 'bt2020', transfer: 'bt709', matrix: 'bt2020nc' }, 1080).convert).toEqual({
    primaries: 'bt2020',
    transfer: 'bt709',
    matrix: 'bt2020nc',
  });
  expect(planColor({ primaries: 'smpte432', transfer: 'iec61966-2-1', matrix: 'bt709' }, 1080)).toEqual({
    output: BT709,
    convert: { primaries: 'smpte432', transfer: 'iec61966-2-1', matrix: 'bt709' },
  });
  expect(planColor({ ...none, matrix: 'bt2020nc' }, 1080).convert).toEqual({
    primaries: 'bt2020',
    transfer: 'bt2020-10',
    matrix: 'bt2020nc',
  });
});

test('RGB gets the matrix of BT.709, whether its file names a matrix or not', () => {
  const converted = { output: BT709, matrix: 'bt709' };
  expect(planColor({ ...none, matrix: 'gbr' }, 480)).toEqual(converted);
  for (const pixelFormat of [
    'rgb24',
    'bgr0',
    '0rgb',
    'argb',
    'gbrp10le',
    'pal8',
    'x2rgb10le',
    'bayer_rggb8',
    'xyz12le',
  ]) {
    expect(planColor(none, 720, { pixelFormat })).toEqual(converted);
    expect(planColor({ ...none, matrix: 'smpte170m' }, 480, { pixelFormat })).toEqual(converted);
  }
  expect(planColor(none, 720, { pixelFormat: 'yuv444p' })).toEqual({ output: BT709 });
  for (const pixelFormat of ['rgb555le', 'bgr565be', 'rgb444le', 'bgr8', 'rgb4_byte']) {
    expect(planColor(none, 720, { pixelFormat })).toEqual({ ...converted, widen: true });
  }
});

test('the peak of a tone-mapped picture is what it says, where that can be true', () => {
  const peak = (brightestPixel?: number, masteringPeak?: number) =>
    planColor({ ...none, transfer: 'smpte2084' }, 1080, { light: { brightestPixel, masteringPeak } }).convert?.toneMap;
  expect(peak()).toEqual({ peak: 10 });
  expect(peak(0, 0.005)).toEqual({ peak: 10 });
  expect(peak(0, 4000)).toEqual({ peak: 40 });
  expect(peak(600, 1000)).toEqual({ peak: 6 });
  expect(peak(203, 1000)).toEqual({ peak: 4 });
  expect(peak(10_000, 20_000)).toEqual({ peak: 40 });
});
