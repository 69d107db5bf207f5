import { deleteIfMatch, head, removeMany, removePrefix } from '../../aws/s3.ts';
import { apply, applyWithRetry, getMedia, getRow } from '../../aws/table.ts';
import { jobIdFor } from '../../core/contracts/ids.ts';
import { growingFolder, mediaKeys, versionPlaces } from '../../core/contracts/keys.ts';
import { DUE_WORK, type RowKey, rowKeys } from '../../core/contracts/table/keys.ts';
import { OldVersionRow } from '../../core/contracts/table/media.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import { forgetVersion } from '../../core/jobs/transitions.ts';
import { count, logger } from '../shared/observability.ts';
import { eachDue } from './due.ts';
import type { SweepServices } from './services.ts';

/** Each removes up to 1,000 objects by one call. */
const AT_ONCE = 8;

/** Removes versions whose grace period is over. */
export async function removeOldVersions(services: SweepServices): Promise<void> {
  await eachDue(services, DUE_WORK.expire, (key) => removeOne(services, key), AT_ONCE);
}

/**
 * Rollbacks to it are refused first, then its objects go, then its row; when stopped in between, the row makes the next run continue
 * here.
 */
async function removeOne(services: SweepServices, key: RowKey): Promise<void> {
  const { table, now } = services;
  let row: OldVersionRow | null = null;
  let keep = false;
  await applyWithRetry(table, async (): Promise<Outcome> => {
    row = await getRow(table, key, OldVersionRow);
    // A rollback moved it since the index was read.
    keep = row === null || row.todoAt > now;
    if (row === null || keep) return { refused: 'not due' };
    if (row.grown) return { refused: 'no version' };
    const outcome = forgetVersion(row, await getMedia(table, row.mediaId));
    const current = 'inUse' in outcome && outcome.inUse;
    const shown = !current && (await isShown(services, row));
    keep = current || shown;
    return shown ? { refused: 'viewers see it' } : outcome;
  });
  if (keep || row === null) return;
  const { creatorId, mediaId, version, access, todoAt, grown }: OldVersionRow = row;
  if ((await removeGrown(services, row)) === 'stopped') return;
  if (grown) {
    await apply(table, [{ op: 'remove', key: rowKeys.grown(mediaId, version), expect: { todoAt } }]);
    return;
  }
  if ((await removeVersion(services, versionPlaces(creatorId, mediaId, version, access))) === 'stopped') return;
  await apply(table, [{ op: 'remove', key: rowKeys.oldVersion(mediaId, version), expect: { todoAt } }]);
  services.report('versionsRemoved');
}

/** The rows are outdated when a rollback was cut off for good: what the master playlist names stays, and the operator is notified. */
async function isShown({ s3, mediaBucket }: SweepServices, row: OldVersionRow): Promise<boolean> {
  const { creatorId, mediaId, version, access } = row;
  const jobId = jobIdFor(mediaId, version);
  const master = await head(s3, { bucket: mediaBucket, key: mediaKeys(creatorId, mediaId, access).master });
  if (master?.metadata.job !== jobId) return false;
  logger.error('not removed: the master playlist names it', { jobId, decision: 'escalate' });
  count('escalated');
  return true;
}

/** What viewers got of it before it was whole, and the pointer to that, where its publisher has left it. */
async function removeGrown(
  { s3, mediaBucket: bucket, timeIsUp }: SweepServices,
  { creatorId, mediaId, version, access }: OldVersionRow,
): Promise<'removed' | 'stopped'> {
  const key = mediaKeys(creatorId, mediaId, access).master;
  const master = await head(s3, { bucket, key });
  if (master?.metadata.growing === jobIdFor(mediaId, version)) await deleteIfMatch(s3, { bucket, key }, master.etag);
  return removePrefix(s3, bucket, growingFolder(creatorId, mediaId, version, access), timeIsUp);
}

async function removeVersion(
  { s3, mediaBucket, timeIsUp }: SweepServices,
  { streams, files }: ReturnType<typeof versionPlaces>,
): Promise<'removed' | 'stopped'> {
  for (const folder of new Set(Object.values(streams))) {
    if ((await removePrefix(s3, mediaBucket, folder, timeIsUp)) === 'stopped') return 'stopped';
  }
  await removeMany(s3, mediaBucket, Object.values(files));
  return 'removed';
}
