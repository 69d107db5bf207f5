import { z } from 'zod';
import type { ErrorCode } from '../contracts/errors.ts';
import { PARTITIONS, type RowKey } from '../contracts/table/keys.ts';
import type { SourceInfo } from '../contracts/table/media.ts';
import { epochSeconds, plus } from '../time.ts';
import type { Add } from './change.ts';

/** What a creator may upload in a day, midnight to midnight UTC. docs/decisions/0203-quotas.md */
export interface Quotas {
  uploadsPerDay: number;
  minutesPerDay: number;
}

/** Usage of one upload. */
export interface Need {
  uploads: number;
  /** Seconds of media to encode. */
  seconds: number;
}

/** Usage of one day. */
export const QuotaRow = z.object({ uploads: z.number().default(0), seconds: z.number().default(0) });
export type QuotaRow = z.infer<typeof QuotaRow>;

/** Assumed bit rate where neither the container nor the preflight gives a duration: few media items have a lower one. */
const BITS_PER_SECOND = 1_000_000;
/** Keeps the row long enough that a late use of one day can be read on the next. */
const KEPT_DAYS = 3;

/** @param now ISO 8601, as all times here */
export function quotaKey(creatorId: string, now: string): RowKey {
  return { pk: `${PARTITIONS.creator}${creatorId}`, sk: `QUOTA#${now.slice(0, 10)}` };
}

/** When the next day begins. */
export function nextDay(now: string): string {
  return plus(`${now.slice(0, 10)}T00:00:00Z`, { days: 1 });
}

/** Whole seconds of media to be encoded. */
export function secondsOf(info: SourceInfo | undefined, size: number): number {
  return Math.ceil(info?.durationSeconds ?? (size * 8) / BITS_PER_SECOND);
}

/** Which quota has no room for the upload; null when both have. */
export function overQuota(
  used: QuotaRow | null,
  need: Need,
  quotas: Quotas,
): { code: Extract<ErrorCode, 'quota_uploads' | 'quota_minutes'>; message: string } | null {
  const { uploads, seconds } = used ?? { uploads: 0, seconds: 0 };
  if (uploads + need.uploads > quotas.uploadsPerDay) {
    return {
      code: 'quota_uploads',
      message: `At most ${quotas.uploadsPerDay} uploads of one creator are taken in a day.`,
    };
  }
  if (seconds + need.seconds > 60 * quotas.minutesPerDay) {
    const left = Math.max(0, Math.floor(quotas.minutesPerDay - seconds / 60));
    const message = `It counts for ${Math.ceil(need.seconds / 60)} minutes, and ${left} of the day's ${quotas.minutesPerDay} are left.`;
    return { code: 'quota_minutes', message };
  }
  return null;
}

/** Uses the quota in the transaction that starts the work. The transaction fails when another upload has used the room meanwhile. */
export function take(creatorId: string, now: string, need: Need, quotas: Quotas): Add {
  return {
    op: 'add',
    key: quotaKey(creatorId, now),
    amounts: { ...need },
    max: { uploads: quotas.uploadsPerDay, seconds: 60 * quotas.minutesPerDay },
    set: { type: 'quota', expiresAt: epochSeconds(now, { days: KEPT_DAYS }) },
  };
}
