import { describe, expect, test } from 'vitest';
import {
  chooseWay,
  classOfCopy,
  encodeUsd,
  isInClass,
  monthsToPayBack,
  type Original,
  planArchive,
  savedPartOf,
  storageUsd,
  type Way,
  waysOf,
} from '../../../../core/archive/money.ts';
import { CollectionArchivePolicy } from '../../../../core/contracts/archive.ts';
import { pricesIn } from '../../../../core/contracts/prices.ts';

const { prices } = pricesIn('us-east-1');
const { storage } = prices;
const GB = 2 ** 30;
/** An hour of 1080p25 at 10 Mbit/s. */
const HOUR = { durationSeconds: 3600, width: 1920, height: 1080, frameRate: 25, videoCodec: 'h264' };
const hour = { bytes: 4_500_000_000, info: HOUR, isEncodable: true };
const dense = { ...hour, isEncodable: false };
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
    expect(Object.keys(waysOf(dense, policy(), prices, 0.4))).toEqual(['storage-class']);
    expect(Object.keys(waysOf({ ...hour, bytes: 9_999_999 }, policy(), prices, 0.4))).toEqual(['reencode']);
    // Its copy is too small, the original is not.
    expect(Object.keys(waysOf({ ...hour, bytes: 12_000_000 }, policy(), prices, 0.4)).sort()).toEqual([
      'reencode',
      'storage-class',
    ]);
  });

  test('a month in Deep Archive pays back the move of 10 MB within a month', () => {
    const moved = waysOf({ ...hour, bytes: 10_000_000 }, policy({ storageClass: 'DEEP_ARCHIVE' }), prices, 0.4);
    expect(moved['storage-class'] && monthsToPayBack(moved['storage-class'])).toBeCloseTo(0.27, 2);
  });

  test('nothing saved never pays back', () => {
    expect(monthsToPayBack({ cost: 1, savedPerMonth: 0 })).toBeNull();
    expect(monthsToPayBack({ cost: 1, savedPerMonth: -1 })).toBeNull();
  });
});

describe('the way that is chosen', () => {
  test.each<[string, object, Original, ReturnType<typeof chooseWay>]>([
    ['the method of the policy', { method: 'reencode' }, hour, 'reencode'],
    ['nothing, where it is not open', { method: 'storage-class' }, { ...hour, bytes: 1000 }, null],
    [
      'a dense copy in Standard, where it is too small to move',
      { method: 'both' },
      { ...hour, bytes: 1000 },
      'reencode',
    ],
    ['both', { method: 'both' }, hour, 'both'],
    ['the class alone, for what is dense already', { method: 'both' }, dense, 'storage-class'],
    ['nothing, for what is dense already', { method: 'reencode' }, dense, null],
    ['nothing, for what is dense already and too small to move', { method: 'both' }, { ...dense, bytes: 1000 }, null],
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

  test.each<[string, Way, string, object, string | null]>([
    ['in the class of the policy by `both`', 'both', 'STANDARD', { storageClass: 'GLACIER' }, 'GLACIER'],
    ['in Standard by `reencode`', 'reencode', 'STANDARD', { storageClass: 'GLACIER' }, null],
    ['where the original was', 'reencode', 'DEEP_ARCHIVE', { storageClass: 'GLACIER' }, 'DEEP_ARCHIVE'],
    ['never above where the original was', 'both', 'DEEP_ARCHIVE', { storageClass: 'GLACIER' }, 'DEEP_ARCHIVE'],
    ['below where the original was', 'both', 'GLACIER_IR', { storageClass: 'GLACIER' }, 'GLACIER'],
    ['in Standard, of one in a class that is none of ours', 'reencode', 'STANDARD_IA', {}, null],
  ])('the copy is stored %s', (_, way, storageClass, more, expected) => {
    expect(classOfCopy(way, { storageClass }, policy(more))).toBe(expected);
  });
});

test.each([
  ['GLACIER_IR', 'GLACIER_IR', true],
  ['DEEP_ARCHIVE', 'GLACIER_IR', true],
  ['GLACIER_IR', 'GLACIER', false],
  ['STANDARD', 'GLACIER_IR', false],
  ['STANDARD_IA', 'GLACIER_IR', false],
] as const)('an object in %s has no way to go to %s: %s', (is, wanted, expected) => {
  expect(isInClass(is, wanted)).toBe(expected);
});

test('a re-encode is expected to save what those before have saved, or else what the policy aims at', () => {
  expect(savedPartOf(null, policy({ targetSavingsPercent: 35 }))).toBe(0.35);
  expect(savedPartOf({ archived: 0, originalBytes: 0, archivedBytes: 0 }, policy())).toBe(0.4);
  expect(savedPartOf({ archived: 2, originalBytes: 1000, archivedBytes: 250 }, policy())).toBe(0.75);
});

test('a plan sums up files, bytes, cost and months of each way before anything runs', () => {
  const plan = planArchive([hour, hour, dense], policy({ method: 'reencode' }), prices, 0.4);
  expect(plan).toMatchObject({ files: 3, bytes: 13_500_000_000 });
  expect(plan.ways.map(({ way, files, chosen, savedBytes }) => [way, files, chosen, savedBytes])).toEqual([
    ['reencode', 2, 2, 3_600_000_000],
    ['storage-class', 3, 0, 0],
    ['both', 2, 0, 3_600_000_000],
  ]);
  const [reencode] = plan.ways;
  expect(reencode && monthsToPayBack(reencode)).toBeCloseTo(1.69, 2);
  // Two encodes at 6.5263 cents; each saves 3.8557 cents a month.
  expect([plan.total.files, cents(plan.total.cost), cents(plan.total.savedPerMonth)]).toEqual([2, 13.0526, 7.7114]);
  expect(planArchive([], policy(), prices, 0.4).total).toEqual({ files: 0, cost: 0, savedBytes: 0, savedPerMonth: 0 });
});

test('the total of a plan is what the policy does with each: two dense copies that are moved, and one original as it is', () => {
  const { total } = planArchive([hour, hour, dense], policy({ method: 'both' }), prices, 0.4);
  expect([total.files, total.savedBytes]).toEqual([3, 3_600_000_000]);
  // Two encodes, and three moves at 0.0025 cents: a transition and a request.
  expect(cents(total.cost)).toBe(13.0601);
  // Of 4.190952 GB at 2.3 cents, 2.514571 GB at 0.4 cents are left of each copy, and all of it of the other.
  expect(cents(total.savedPerMonth)).toBe(25.2295);
});
