import { expect, test } from 'vitest';
import { displayedSize, withLongSideAtMost, withWidthAtMost } from '../../../../core/media/size.ts';

test('a rotated video is as wide as its frames are high', () => {
  expect(displayedSize({ width: 1920, height: 1080 }, 1, -90)).toEqual({ width: 1080, height: 1920 });
  expect(displayedSize({ width: 1920, height: 1080 }, 1, 180)).toEqual({ width: 1920, height: 1080 });
});

test('wide pixels stretch the width before the rotation', () => {
  expect(displayedSize({ width: 720, height: 576 }, 16 / 11, 0)).toEqual({ width: 1047, height: 576 });
  expect(displayedSize({ width: 720, height: 576 }, 16 / 11, 90)).toEqual({ width: 576, height: 1047 });
});

test('a stretch of less than a pixel is ignored', () => {
  expect(displayedSize({ width: 426, height: 240 }, 640 / 639, 0)).toEqual({ width: 426, height: 240 });
  expect(displayedSize({ width: 1440, height: 1080 }, 4 / 3, 0)).toEqual({ width: 1920, height: 1080 });
});

test('limits shrink and never enlarge', () => {
  expect(withLongSideAtMost({ width: 3840, height: 2160 }, 2400)).toEqual({ width: 2400, height: 1350 });
  expect(withLongSideAtMost({ width: 1281, height: 720 }, 2400)).toEqual({ width: 1280, height: 720 });
  expect(withWidthAtMost({ width: 640, height: 360 }, 320)).toEqual({ width: 320, height: 180 });
  expect(withWidthAtMost({ width: 240, height: 426 }, 320)).toEqual({ width: 240, height: 426 });
});
