import { describe, expect, test } from 'vitest';
import {
  chooseWay,
  classOfCopy,
  encodeUsd,
  monthsToPayBack,
  planArchive,
  storageUsd,
  waysOf,
} from '../../../../core/archive/money.ts';
import { CollectionArchivePolicy } from '../../../../core/contracts/archive.ts';
import { pricesIn } from '../../../../core/contracts/prices.ts';

const { prices } = pricesIn('us-east-1');
const { storage } = prices;
const GB = 2 ** 30;
/** An hour of 1080p25 at 10 Mbit/s. */
const HOUR = { durationSeconds: 3600, width: 1920, height: 1080, frameRate: 25, videoCodec: 'h264' };
const hour = { bytes: 4_500_000_000, info: HOUR };
const policy = (more: object = {}) => CollectionArchivePolicy.parse(more);
const cents = (usd: number) => Number((100 * usd).toFixed(4));

describe('a month of storage', () => {
  test.each([
    ['STANDARD', GB, 2.3],
    ['GLACIER_IR', GB, 0.4],
    // The least that is billed: 128 KiB.
    ['GLACIER_IR', 1, 0.4 / 8192],
    // 32 KiB more in the class, and 8 KiB in Standard.
    ['GLACIER', GB, 0.36 + 0.36 / 32_768 + 2.3 / 131_072],
    ['DEEP_ARCHIVE', GB, 0.099 + 0.099 / 32_768 + 2.3 / 131_072],
  ] as const)('%s, %i bytes: %f cents', (storageClass, bytes, expected) => {
    expect(cents(storageUsd(bytes, storageClass, storage))).toBe(Number(expected.toFixed(4)));
  });
});

test('an encode costs by pictures, preset and Spot; of an unknown source, by its size', () => {
  // 90,000 pictures of 2.07 megapixels, 0.085 s each: 4.4064 vCPU-hours at 0.014811 USD.
  expect(cents(encodeUsd(hour.bytes, HOUR, 'veryfast', prices))).toBe(6.5263);
  expect(encodeUsd(hour.bytes, HOUR, 'slow', prices) / encodeUsd(hour.bytes, HOUR, 'veryfast', prices)).toBeCloseTo(
    2.94,
  );
  expect(encodeUsd(hour.bytes, {}, 'veryfast', prices)).toBeGreaterThan(0);
});

describe('the ways of an original', () => {
  test('an hour of 1080p pays back in two months as HEVC, and at once in another class', () => {
    const ways = waysOf(hour, policy(), prices, 0.4);
    expect(ways.reencode && cents(ways.reencode.savedPerMonth)).toBe(3.8557);
    expect(ways.reencode && monthsToPayBack(ways.reencode)).toBeCloseTo(1.69, 2);
    expect(ways['storage-class'] && cents(ways['storage-class'].savedPerMonth)).toBe(7.9628);
    expect(ways['storage-class'] && monthsToPayBack(ways['storage-class'])).toBeLessThan(0.001);
    expect(ways['storage-class']?.savedBytes).toBe(0);
    expect(ways.both?.cost).toBeGreaterThan(ways.reencode?.cost ?? 1);
    expect(ways.both?.savedBytes).toBe(1_800_000_000);
  });

  test('what is dense is not encoded, and what is small is not moved', () => {
    expect(Object.keys(waysOf({ ...hour, info: { ...HOUR, videoCodec: 'hevc' } }, policy(), prices, 0.4))).toEqual([
      'storage-class',
    ]);
    expect(Object.keys(waysOf({ ...hour, bytes: 9_999_999 }, policy(), prices, 0.4))).toEqual(['reencode']);
    // Its copy is too small, the original is not.
    expect(Object.keys(waysOf({ ...hour, bytes: 12_000_000 }, policy(), prices, 0.4)).sort()).toEqual([
      'reencode',
      'storage-class',
    ]);
  });

  test('a month in Deep Archive pays back the move of 10 MB within a month', () => {
    const moved = waysOf({ bytes: 10_000_000, info: HOUR }, policy({ storageClass: 'DEEP_ARCHIVE' }), prices, 0.4);
    expect(moved['storage-class'] && monthsToPayBack(moved['storage-class'])).toBeCloseTo(0.27, 2);
  });

  test('nothing saved never pays back', () => {
    expect(monthsToPayBack({ cost: 1, savedPerMonth: 0 })).toBeNull();
    expect(monthsToPayBack({ cost: 1, savedPerMonth: -1 })).toBeNull();
  });
});

describe('the way that is chosen', () => {
  test.each<[string, object, { bytes: number; info: object }, ReturnType<typeof chooseWay>]>([
    ['the method of the policy', { method: 'reencode' }, hour, 'reencode'],
    ['nothing, where it is not open', { method: 'storage-class' }, { ...hour, bytes: 1000 }, null],
    [
      'a dense copy in Standard, where it is too small to move',
      { method: 'both' },
      { ...hour, bytes: 1000 },
      'reencode',
    ],
    ['both', { method: 'both' }, hour, 'both'],
    [
      'what saves most after a year: the class, for a costly encode',
      { method: 'auto', preset: 'slow' },
      hour,
      'storage-class',
    ],
    [
      'what saves most after a year: both, for a dense stream',
      { method: 'auto' },
      { ...hour, bytes: 45_000_000_000 },
      'both',
    ],
    ['nothing that does not pay back in a year', { method: 'auto' }, { ...hour, bytes: 9_000_000 }, null],
  ])('%s', (_, more, original, expected) => {
    expect(chooseWay(original, policy(more), prices, 0.4)).toBe(expected);
  });

  test('the copy is stored in the class by `both` only', () => {
    expect(classOfCopy('both', 10_000_000, 'GLACIER')).toBe('GLACIER');
    expect(classOfCopy('both', 9_999_999, 'GLACIER')).toBe('STANDARD');
    expect(classOfCopy('reencode', 10_000_000, 'GLACIER')).toBe('STANDARD');
  });
});

test('a plan sums up files, bytes, cost and months of each way before anything runs', () => {
  const dense = { ...hour, info: { ...HOUR, videoCodec: 'av1' } };
  const plan = planArchive([hour, hour, dense], policy({ method: 'reencode' }), prices, 0.4);
  expect(plan).toMatchObject({ files: 3, bytes: 13_500_000_000 });
  expect(plan.ways.map(({ way, files, chosen, savedBytes }) => [way, files, chosen, savedBytes])).toEqual([
    ['reencode', 2, 2, 3_600_000_000],
    ['storage-class', 3, 0, 0],
    ['both', 2, 0, 3_600_000_000],
  ]);
  expect(plan.ways[0]?.months).toBeCloseTo(1.69, 2);
  expect(planArchive([], policy(), prices, 0.4).ways.map(({ months }) => months)).toEqual([null, null, null]);
});
