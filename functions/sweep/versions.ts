import { head, removeMany, removePrefix } from '../../aws/s3.ts';
import { apply, getMedia, getRow, settle } from '../../aws/table.ts';
import { jobIdFor } from '../../core/contracts/ids.ts';
import { mediaKeys } from '../../core/contracts/keys.ts';
import { CHORE, OldVersionRow, type RowKey, rowKeys } from '../../core/contracts/rows.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import { forgetVersion } from '../../core/jobs/transitions.ts';
import { count, logger } from '../shared/stack.ts';
import { eachDue } from './due.ts';
import type { SweepServices } from './services.ts';

/** Versions whose grace is over. */
export async function removeOldVersions(services: SweepServices): Promise<void> {
  await eachDue(services, CHORE.expire, (key) => removeOne(services, key));
}

/** First nobody may go back to it, then its objects go, then its row; stopped between, the row brings the next run here. */
async function removeOne(services: SweepServices, key: RowKey): Promise<void> {
  const { table, now } = services;
  let row: OldVersionRow | null = null;
  let keep = false;
  await settle(table, async (): Promise<Outcome> => {
    row = await getRow(table, key, OldVersionRow);
    // A rollback moved it since the index was read.
    keep = row === null || row.todoAt > now;
    if (row === null || keep) return { none: 'not due' };
    const outcome = forgetVersion(row, await getMedia(table, row.mediaId));
    const current = 'inUse' in outcome && outcome.inUse;
    const shown = !current && (await isShown(services, row));
    keep = current || shown;
    return shown ? { none: 'viewers see it' } : outcome;
  });
  if (keep || row === null) return;
  const { creatorId, mediaId, version, access, todoAt }: OldVersionRow = row;
  await removeVersion(services, mediaKeys(creatorId, mediaId, access).version(version));
  await apply(table, [{ op: 'remove', key: rowKeys.oldVersion(mediaId, version), expect: { todoAt } }]);
  services.did('versionsRemoved');
}

/** The rows are behind when a rollback was cut off for good: what the master playlist names stays, and people are told. */
async function isShown({ s3, mediaBucket }: SweepServices, row: OldVersionRow): Promise<boolean> {
  const { creatorId, mediaId, version, access } = row;
  const jobId = jobIdFor(mediaId, version);
  const master = await head(s3, { bucket: mediaBucket, key: mediaKeys(creatorId, mediaId, access).master });
  if (master?.metadata.job !== jobId) return false;
  logger.error('not removed: the master playlist names it', { jobId, decision: 'escalate' });
  count('escalated');
  return true;
}

async function removeVersion(
  { s3, mediaBucket }: SweepServices,
  version: ReturnType<ReturnType<typeof mediaKeys>['version']>,
): Promise<void> {
  await removePrefix(s3, mediaBucket, version.hls);
  await removePrefix(s3, mediaBucket, version.preview);
  await removeMany(s3, mediaBucket, [version.mp4, version.thumbnail, version.poster, version.waveform]);
}
