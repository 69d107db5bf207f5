import { getRow } from '../../aws/table.ts';
import { ApiError } from '../../core/api/problem.ts';
import type { Add } from '../../core/jobs/change.ts';
import { type Need, nextDay, overQuota, QuotaRow, type Quotas, quotaKey, take } from '../../core/jobs/quota.ts';
import type { ApiServices } from './call.ts';

/**
 * The write that takes a request's need from its creator's quotas, for the request's own transaction.
 * @throws ApiError `quota_exceeded` when there is no room
 */
export async function takeQuota(services: ApiServices, creatorId: string, need: Need, now: string): Promise<Add> {
  const { env, table } = services;
  const quotas: Quotas = { uploadsPerDay: env.MAX_UPLOADS_PER_DAY, minutesPerDay: env.MAX_MINUTES_PER_DAY };
  const over = overQuota(await getRow(table, quotaKey(creatorId, now), QuotaRow), need, quotas);
  if (over) throw quotaExceeded(over.message, now);
  return take(creatorId, now, need, quotas);
}

function quotaExceeded(message: string, now: string): ApiError {
  const seconds = Math.ceil((Date.parse(nextDay(now)) - Date.parse(now)) / 1000);
  return new ApiError('quota_exceeded', `${message} There is more after midnight UTC.`, {
    headers: { 'Retry-After': String(seconds) },
  });
}
