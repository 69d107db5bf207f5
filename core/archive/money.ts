import {
  ARCHIVE_CLASSES,
  type ArchiveClass,
  type ArchivePolicy,
  type CollectionArchivePolicy,
  isMovable,
} from '../contracts/archive.ts';
import type { Prices, StoragePrices } from '../contracts/prices.ts';
import type { ArchiveStatsRow } from '../contracts/table/archive.ts';
import type { MediaRow, SourceInfo } from '../contracts/table/media.ts';
import { whyNotEncoded } from './candidates.ts';

/** What the archive of an original costs and saves, in USD at list prices, as long as nobody reads it. */

/** https://aws.amazon.com/s3/faqs/: a GB of storage is 2^30 bytes. */
const GB = 2 ** 30;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html, "Cost considerations" */
const INDEX_BYTES = { inClass: 32 * 1024, inStandard: 8 * 1024 };
/** https://aws.amazon.com/s3/storage-classes/: the least that is billed of an object in GLACIER_IR. */
const LEAST_BILLED_BYTES = 128 * 1024;

/** What is not paid back within it is not done by `auto`; of what is, the most saved by its end is chosen. */
const HORIZON_MONTHS = 12;

/** Memory of a worker for each vCPU: engines/batch/price.ts. */
const GB_PER_VCPU = 2;
/** Of a source of which it is not known. */
const USUAL = { width: 1920, height: 1080, frameRate: 30, bitsPerSecond: 8_000_000 };
/**
 * CPU seconds for a million pixels of picture: the encode by x265, and the decodes and comparisons of its verification. Measured once each on
 * 1 s of 1080p24 (bbb), `slow` by its ratio to `medium` on 4 s of 432p25 (traffic), where all take half as long; SVT-AV1 took as long there. Not
 * measured on Fargate.
 */
const CPU_SECONDS_PER_MEGAPIXEL: Readonly<Record<ArchivePolicy['preset'], number>> = {
  ultrafast: 0.05,
  veryfast: 0.085,
  faster: 0.085,
  fast: 0.09,
  medium: 0.14,
  slow: 0.25,
};

/** USD a month for an object in a class. */
export function storageUsd(bytes: number, storageClass: ArchiveClass | 'STANDARD', prices: StoragePrices): number {
  const { standardGbMonth, classes } = prices;
  if (storageClass === 'STANDARD') return (bytes / GB) * standardGbMonth;
  const { gbMonth } = classes[storageClass];
  if (storageClass === 'GLACIER_IR') return (Math.max(bytes, LEAST_BILLED_BYTES) / GB) * gbMonth;
  return ((bytes + INDEX_BYTES.inClass) / GB) * gbMonth + (INDEX_BYTES.inStandard / GB) * standardGbMonth;
}

/** USD of one encode with its verification, on Fargate Spot. */
export function encodeUsd(
  bytes: number,
  info: SourceInfo,
  preset: ArchivePolicy['preset'],
  { fargate }: Prices,
): number {
  const { width = USUAL.width, height = USUAL.height, frameRate = USUAL.frameRate } = info;
  const { durationSeconds = (8 * bytes) / USUAL.bitsPerSecond } = info;
  const megapixels = (durationSeconds * frameRate * width * height) / 1e6;
  const vcpuHours = (megapixels * CPU_SECONDS_PER_MEGAPIXEL[preset]) / 3600;
  return vcpuHours * (fargate.vcpuHour + GB_PER_VCPU * fargate.gbHour) * fargate.spot;
}

export type Way = 'reencode' | 'storage-class' | 'both';

/** What one way comes to, for one original or for many. */
export interface Worth {
  /** USD, once. */
  cost: number;
  savedBytes: number;
  /** USD. */
  savedPerMonth: number;
}

export interface Original {
  bytes: number;
  info: SourceInfo;
  /** Whether a dense copy may be made of it: sound alone, or what is dense already, can only be moved. */
  isEncodable: boolean;
}

export function originalOf(media: Pick<MediaRow, 'source' | 'sourceInfo' | 'kind'>): Original {
  const { source, sourceInfo: info = {} } = media;
  return { bytes: source.size, info, isEncodable: whyNotEncoded(media) === null };
}

/** Of the bytes of originals, what a re-encode is expected to save, 0 to 1: as before in the collection, or the target of the policy. */
export function savedPartOf(
  stats: Pick<ArchiveStatsRow, 'archived' | 'originalBytes' | 'archivedBytes'> | null,
  { targetSavingsPercent }: Pick<ArchivePolicy, 'targetSavingsPercent'>,
): number {
  if (!stats || stats.archived === 0) return targetSavingsPercent / 100;
  return 1 - stats.archivedBytes / stats.originalBytes;
}

/** The ways that are open to an original. `savedPart`: of its bytes, by a re-encode, 0 to 1. */
export function waysOf(
  { bytes, info, isEncodable }: Original,
  policy: Pick<CollectionArchivePolicy, 'storageClass' | 'preset'>,
  prices: Prices,
  savedPart: number,
): Partial<Record<Way, Worth>> {
  const { storageClass, preset } = policy;
  const now = storageUsd(bytes, 'STANDARD', prices.storage);
  const copyBytes = Math.round(bytes * (1 - savedPart));
  const savedBytes = bytes - copyBytes;
  const move = prices.storage.classes[storageClass].transition + prices.s3.write;
  const ways: Partial<Record<Way, Worth>> = {};
  if (isEncodable) {
    const cost = encodeUsd(bytes, info, preset, prices);
    const then = storageUsd(copyBytes, 'STANDARD', prices.storage);
    ways.reencode = { cost, savedBytes, savedPerMonth: now - then };
    if (isMovable(copyBytes)) {
      const cold = storageUsd(copyBytes, storageClass, prices.storage);
      ways.both = { cost: cost + move, savedBytes, savedPerMonth: now - cold };
    }
  }
  if (isMovable(bytes)) {
    const cold = storageUsd(bytes, storageClass, prices.storage);
    ways['storage-class'] = { cost: move, savedBytes: 0, savedPerMonth: now - cold };
  }
  return ways;
}

/** Null: it never pays back. */
export function monthsToPayBack({ cost, savedPerMonth }: Pick<Worth, 'cost' | 'savedPerMonth'>): number | null {
  return savedPerMonth > 0 ? cost / savedPerMonth : null;
}

/**
 * What is done with an original: the method of the policy where it is open, or for `auto` the way that has saved most after a year, of those
 * that have paid back by then. Of `both`, what is open. Null: nothing.
 */
export function chooseWay(
  original: Original,
  policy: Pick<CollectionArchivePolicy, 'method' | 'storageClass' | 'preset'>,
  prices: Prices,
  savedPart: number,
): Way | null {
  const ways = waysOf(original, policy, prices, savedPart);
  if (policy.method === 'both')
    return (['both', 'reencode', 'storage-class'] as const).find((way) => ways[way]) ?? null;
  if (policy.method !== 'auto') return ways[policy.method] ? policy.method : null;
  let best: { way: Way; left: number } | null = null;
  for (const way of ['storage-class', 'reencode', 'both'] as const) {
    const worth = ways[way];
    if (!worth) continue;
    const left = HORIZON_MONTHS * worth.savedPerMonth - worth.cost;
    if (left > (best?.left ?? 0)) best = { way, left };
  }
  return best?.way ?? null;
}

/** Whether a class of S3 is `wanted` or one below it: there a move has nothing to do. */
export function isInClass(storageClass: string, wanted: ArchiveClass): boolean {
  const classes: readonly string[] = ARCHIVE_CLASSES;
  return classes.indexOf(storageClass) >= classes.indexOf(wanted);
}

/** Whether nobody has chosen a class for it. */
export function isInStandard({ storageClass }: { storageClass: string }): boolean {
  return storageClass === 'STANDARD';
}

/** Where the dense copy of an original goes when that is deleted: never up from where the original was. Null: it stays in Standard. */
export function classOfCopy(
  way: Way,
  { storageClass: was }: { storageClass: string },
  { storageClass }: Pick<CollectionArchivePolicy, 'storageClass'>,
): ArchiveClass | null {
  const classes = ARCHIVE_CLASSES.filter((name) => name === was || (way === 'both' && name === storageClass));
  return classes.at(-1) ?? null;
}

export interface ArchivePlan {
  /** Originals that the policy is for, and their bytes. */
  files: number;
  bytes: number;
  /** What each way would come to, for those to which it is open; `chosen`: how many of them the policy gives it. */
  ways: (Sum & { way: Way; chosen: number })[];
  /** What the policy does. */
  total: Sum;
}

interface Sum extends Worth {
  files: number;
}

function add(sum: Sum, { cost, savedBytes, savedPerMonth }: Worth): void {
  sum.files += 1;
  sum.cost += cost;
  sum.savedBytes += savedBytes;
  sum.savedPerMonth += savedPerMonth;
}

/** What the policy would do with these originals, before anything is done. */
export function planArchive(
  originals: Iterable<Original>,
  policy: Pick<CollectionArchivePolicy, 'method' | 'storageClass' | 'preset'>,
  prices: Prices,
  savedPart: number,
): ArchivePlan {
  const nothing = { files: 0, cost: 0, savedBytes: 0, savedPerMonth: 0 };
  const sums = (['reencode', 'storage-class', 'both'] as const).map((way) => ({ way, chosen: 0, ...nothing }));
  const plan = { files: 0, bytes: 0, total: { ...nothing } };
  for (const original of originals) {
    plan.files += 1;
    plan.bytes += original.bytes;
    const ways = waysOf(original, policy, prices, savedPart);
    const chosen = chooseWay(original, policy, prices, savedPart);
    for (const sum of sums) {
      const worth = ways[sum.way];
      if (!worth) continue;
      add(sum, worth);
      if (sum.way !== chosen) continue;
      sum.chosen += 1;
      add(plan.total, worth);
    }
  }
  return { ...plan, ways: sums };
}
