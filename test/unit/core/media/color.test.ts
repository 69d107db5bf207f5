import { expect, test } from 'vitest';
import { planColor } from '../../../../core/media/color.ts';

const none = { primaries: undefined, transfer: undefined, matrix: undefined };
const BT709 = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' };

test('an HD file that does not name its colours is BT.709, a smaller one BT.601', () => {
  expect(planColor(none, 1080)).toEqual({ output: BT709 });
  expect(planColor(none, 480)).toEqual({
    output: { primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m' },
  });
});

test('an HD file that says BT.601 keeps it', () => {
  expect(planColor({ ...none, matrix: 'bt470bg', transfer: 'smpte170m', primaries: 'bt470bg' }, 1080)).toEqual({
    output: { primaries: 'bt470bg', transfer: 'smpte170m', matrix: 'bt470bg' },
  });
});

test('HDR is tone-mapped to BT.709', () => {
  expect(planColor({ primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' }, 2160)).toEqual({
    output: BT709,
    convert: { primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc', toneMap: true },
  });
  expect(planColor({ ...none, transfer: 'arib-std-b67' }, 1080)).toEqual({
    output: BT709,
    convert: { primaries: 'bt2020', transfer: 'arib-std-b67', matrix: 'bt2020nc', toneMap: true },
  });
});

test('wide colours without HDR are converted, not tone-mapped', () => {
  expect(planColor({ primaries: 'bt2020', transfer: 'bt709', matrix: 'bt2020nc' }, 1080).convert).toEqual({
    primaries: 'bt2020',
    transfer: 'bt709',
    matrix: 'bt2020nc',
    toneMap: false,
  });
});

test('RGB gets the matrix of BT.709', () => {
  expect(planColor({ ...none, matrix: 'gbr' }, 480)).toEqual({ output: BT709, matrix: 'bt709' });
});
