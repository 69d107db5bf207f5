import { ARCHIVE_PREFIX, DROP_PREFIX } from '../contracts/keys.ts';

/** A lifecycle rule of a bucket, as far as it can remove something. */
export interface LifecycleRule {
  id: string;
  isEnabled: boolean;
  /** Empty: all keys. */
  prefix: string;
  /** Whether it applies only to objects with certain tags. */
  hasTags: boolean;
  /** Whether it expires current versions, after days or at a date. */
  expires: boolean;
  noncurrentDays?: number | undefined;
}

/**
 * Why a bucket's rules may remove an original, or the copy that has replaced one, before its day; null when they cannot.
 *
 * - In a bucket with versions, expiry hides an object behind a marker, and the rule for noncurrent versions removes it later.
 * - A noncurrent version counts its days from its successor: one is there when somebody deletes or uploads the key again while the original is kept.
 * - Copies have no tags, so that no rule for tags applies to them; uploads may have any.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html
 * @param keepOriginalDays of the policy
 */
export function lifecycleFault(rules: readonly LifecycleRule[], keepOriginalDays: number): string | null {
  for (const rule of rules.filter(({ isEnabled }) => isEnabled)) {
    const reached = [DROP_PREFIX, ...(rule.hasTags ? [] : [ARCHIVE_PREFIX])].filter((place) =>
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

function overlaps(prefix: string, place: string): boolean {
  return prefix.startsWith(place) || place.startsWith(prefix);
}
