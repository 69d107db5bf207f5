import { ARCHIVE_CLASS_TAG, type ArchiveClass } from '../contracts/archive.ts';
import { ARCHIVE_PREFIX, DROP_PREFIX } from '../contracts/keys.ts';

/** A lifecycle rule of a bucket, as far as it can remove or move something. */
export interface LifecycleRule {
  id: string;
  isEnabled: boolean;
  /** Empty: all keys. */
  prefix: string;
  /** It applies only to objects that have all of these. */
  tags: Readonly<Record<string, string>>;
  /** Whether it expires current versions, after days or at a date. */
  expires: boolean;
  noncurrentDays?: number | undefined;
  /** Classes that it moves current versions to. */
  movesTo: readonly string[];
}

/**
 * Why a bucket's rules may remove an original, or the copy that has replaced one, before its day; null when they cannot.
 *
 * - In a bucket with versions, expiry hides an object behind a marker, and the rule for noncurrent versions removes it later.
 * - A noncurrent version counts its days from its successor: one is there when somebody deletes or uploads the key again while the original is kept.
 * - Copies have no tag but ours, so that no rule for others applies to them; uploads may have any.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html
 * @param keepOriginalDays of the policy
 */
export function lifecycleFault(rules: readonly LifecycleRule[], keepOriginalDays: number): string | null {
  for (const rule of rules.filter(({ isEnabled }) => isEnabled)) {
    const isForCopies = Object.keys(rule.tags).every((name) => name === ARCHIVE_CLASS_TAG);
    const reached = [DROP_PREFIX, ...(isForCopies ? [ARCHIVE_PREFIX] : [])].filter((place) =>
      overlaps(rule.prefix, place),
    );
    if (reached.length === 0) continue;
    const what = `The bucket's lifecycle rule ${rule.id} can remove objects under ${reached.join(' and ')}`;
    if (rule.expires) return `${what}: it expires them.`;
    if (rule.noncurrentDays !== undefined && rule.noncurrentDays < keepOriginalDays) {
      return `${what}: earlier versions after ${rule.noncurrentDays} days, and originals are kept for ${keepOriginalDays}.`;
    }
  }
  return null;
}

/** Whether a version under that key is moved to the class once it has our tag. */
export function movesByTag(rules: readonly LifecycleRule[], key: string, storageClass: ArchiveClass): boolean {
  return rules.some(
    ({ isEnabled, prefix, tags, movesTo }) =>
      isEnabled &&
      key.startsWith(prefix) &&
      movesTo.includes(storageClass) &&
      Object.entries(tags).every(([name, value]) => name === ARCHIVE_CLASS_TAG && value === storageClass),
  );
}

function overlaps(prefix: string, place: string): boolean {
  return prefix.startsWith(place) || place.startsWith(prefix);
}
