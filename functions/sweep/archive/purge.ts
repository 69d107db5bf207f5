import { lifecycleRules } from '../../../aws/lifecycle.ts';
import { head } from '../../../aws/s3.ts';
import { getMedia, getRow } from '../../../aws/table.ts';
import { setTag } from '../../../aws/tags.ts';
import { faultOfReading, unreadableByHead } from '../../../aws/unreadable.ts';
import { lifecycleFault } from '../../../core/archive/lifecycle.ts';
import { ARCHIVE_CLASS_TAG } from '../../../core/contracts/archive.ts';
import { ArchivePolicyRow, ArchiveRow, type Replaced } from '../../../core/contracts/table/archive.ts';
import { type RowKey, rowKeys } from '../../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../../core/contracts/table/media.ts';
import { archiveWaits, hasVersion } from '../../../core/jobs/archive.ts';
import {
  archiveCopyRemoved,
  archiveKept,
  archiveLater,
  archiveLeft,
  archivePurged,
  archivePurging,
  dayOfPurge,
  whyNotPurged,
} from '../../../core/jobs/archive-purge.ts';
import { isUnderWay } from '../../../core/jobs/transitions.ts';
import { plus } from '../../../core/time.ts';
import { count, logger } from '../../shared/observability.ts';
import type { SweepServices } from '../services.ts';
import { faultOfBoxes } from './boxes.ts';
import { isCopy } from './replace.ts';
import { changeArchive, headOrWhy, LOCKED, removeUnlessLocked, unlessUnreadable } from './rows.ts';

/** What keeps an original is looked at again after this time. */
const AGAIN_DAYS = 1;
/** The same where the archive is off: of a large collection, so many rows are written a day. */
const OFF_DAYS = 7;

interface Archived {
  row: ArchiveRow;
  media: MediaRow;
  replaced: Replaced;
}

/**
 * Deletes an original whose day has come by its row and by the policy of today: only the version that was archived, and only while the copy is
 * the media item's source, S3 has it as the newest version of its key with the checksum that was verified, and no rule of the bucket can
 * expire it. From the row's `purging` on it cannot be put back; a run that goes on after another died asks all of it again.
 */
export async function purgeOriginal(services: SweepServices, key: RowKey): Promise<void> {
  const { table, now } = services;
  const row = await getRow(table, key, ArchiveRow);
  const media = row && (await getMedia(table, row.mediaId));
  if (!row?.replaced || !media || media.state === 'deleting' || (row.todoAt ?? '') > now) return;
  if (row.state !== 'archived' && row.state !== 'purging') return;
  const { replaced } = row;
  await unlessUnreadable(services, key, row.source, () => purge(services, key, { row, media, replaced }));
}

async function purge(services: SweepServices, key: RowKey, of: Archived): Promise<void> {
  const { s3, now } = services;
  const { row } = of;
  if (row.state === 'purging' && !(await head(s3, row.source))) return noteDeleted(services, key, row);
  if (await stays(services, key, of)) return;
  const decided = await changeArchive(services, key, async (is, of) =>
    archivePurging(is, of, await policyOf(services, of), now),
  );
  if ('row' in decided) await deleteOriginal(services, key, decided.row);
}

function policyOf({ table }: SweepServices, { creatorId, collectionId }: MediaRow): Promise<ArchivePolicyRow | null> {
  return getRow(table, rowKeys.archivePolicy(creatorId, collectionId), ArchivePolicyRow);
}

/** Whether it stays for now, which its row then says. */
async function stays(
  services: SweepServices,
  key: RowKey,
  { row, media, replaced: { copy } }: Archived,
): Promise<boolean> {
  const { s3, uploadsBucket, now } = services;
  if (media.source.versionId !== copy.versionId) {
    await changeArchive(services, key, (is, of) => archiveLeft(is, of, now));
    return true;
  }
  const policy = await policyOf(services, media);
  if (!policy?.enabled) return keep(services, key, 'the archive of its collection is off', OFF_DAYS);
  const until = dayOfPurge(row, policy);
  if (until > now) {
    await changeArchive(services, key, (is, of) => archiveLater(is, of, until, now));
    return true;
  }
  const busy = whyNotPurged(row, media);
  if (busy !== null) return keep(services, key, busy);
  // Somebody may have given the bucket another rule since the copy was made.
  const fault = lifecycleFault(await lifecycleRules(s3, uploadsBucket), policy.policy.keepOriginalDays);
  if (fault !== null) return keep(services, key, `lifecycle_too_short: ${fault}`);
  const lost = await faultOfCopy(services, copy);
  if (lost === null) return false;
  logger.error('an original is kept: its copy is not what was verified', { key: copy.key, lost, decision: 'escalate' });
  count('escalated');
  return keep(services, key, lost);
}

/** HEAD itself is refused where a key may not be used: it asks for the checksum. */
async function faultOfCopy(services: SweepServices, copy: Replaced['copy']): Promise<string | null> {
  const { s3, uploadsBucket: bucket } = services;
  return faultAsFound(services, copy).catch(async (error: unknown) => {
    const why = await unreadableByHead(s3, { bucket, key: copy.key, versionId: copy.versionId }, error);
    if (why === null) throw error;
    return `the copy cannot be read: ${why}`;
  });
}

/** Without a version, HEAD finds the newest: a rule for earlier versions removes one that another, or a delete marker, hides. */
async function faultAsFound({ s3, uploadsBucket }: SweepServices, copy: Replaced['copy']): Promise<string | null> {
  const at = { bucket: uploadsBucket, key: copy.key };
  const newest = await head(s3, at);
  if (newest && newest.versionId === copy.versionId && isCopy(newest, copy)) {
    // A rule of somebody's may have moved it where it cannot be read now: S3 has its checksum all the same.
    return newest.archived === undefined ? faultOfBoxes(s3, { ...at, versionId: copy.versionId }, copy.bytes) : null;
  }
  const found = await head(s3, { ...at, versionId: copy.versionId });
  if (!found) return 'the copy is missing';
  return isCopy(found, copy) ? 'the copy is not the newest version of its key' : 'the copy is not what was verified';
}

/** @returns true: it stays */
async function keep(services: SweepServices, key: RowKey, kept: string, days = AGAIN_DAYS): Promise<true> {
  const { now } = services;
  const todoAt = plus(now, { days });
  await changeArchive(services, key, (is, media) => archiveKept(is, media, { kept, todoAt, now }));
  services.report('originalsKept');
  return true;
}

async function deleteOriginal(services: SweepServices, key: RowKey, row: ArchiveRow): Promise<void> {
  const { bucket, key: at, versionId } = row.source;
  // Without one, S3 would hide what is there, whatever it is; `null` names whatever was put there last without versions.
  if (!hasVersion(row.source)) throw new Error(`${at} has no version.`);
  const done = await removeUnlessLocked(services, { bucket, key: at, versionId });
  if (done === 'locked') await keep(services, key, LOCKED);
  else await noteDeleted(services, key, row);
}

async function noteDeleted(services: SweepServices, key: RowKey, { source }: ArchiveRow): Promise<void> {
  await changeArchive(services, key, (is, media) => archivePurged(is, media, services.now));
  services.report('originalsPurged');
  logger.info('original deleted', { key: source.key, versionId: source.versionId });
}

/** The copy of an original that was restored, once nothing reads it. */
export async function removeCopy(services: SweepServices, key: RowKey): Promise<void> {
  const { table, s3, uploadsBucket, now } = services;
  const row = await getRow(table, key, ArchiveRow);
  const media = row && (await getMedia(table, row.mediaId));
  if (row?.state !== 'refused' || !media || (row.todoAt ?? '') > now) return;
  const copy = row.replaced?.copy;
  if (copy) {
    const at = { bucket: uploadsBucket, key: copy.key, versionId: copy.versionId };
    const why =
      (await whyCopyStays(services, row, media, copy)) ??
      // A bucket whose default is to lock what comes locks copies, too.
      ((await removeUnlessLocked(services, at)) === 'locked' ? LOCKED : null);
    if (why !== null) {
      const todoAt = plus(now, { days: AGAIN_DAYS });
      await changeArchive(services, key, (is) => archiveWaits(is, { waits: why, todoAt }));
      return;
    }
  } else if (row.storageClass && (await head(s3, row.source))) {
    // Of a move that was taken back just before another upload was shown.
    await setTag(s3, row.source, ARCHIVE_CLASS_TAG, null);
  }
  await changeArchive(services, key, (is, of) => archiveCopyRemoved(is, of, now));
}

async function whyCopyStays(
  services: SweepServices,
  row: ArchiveRow,
  media: MediaRow,
  { key, versionId }: Replaced['copy'],
): Promise<string | null> {
  // Its worker may read the copy.
  if (isUnderWay(media)) return `the media item is ${media.state}`;
  const uses = [media.source, media.pending?.source, media.current?.source, media.previous?.source];
  if (versionId === undefined || uses.some((source) => source?.versionId === versionId)) {
    logger.error('a copy is still in use', { key, mediaId: row.mediaId });
    return 'it is in use';
  }
  // The original is looked at first: this is the other file of the two.
  const why = await faultOfOriginal(services, row.source);
  if (why === null) return null;
  logger.error('a copy is kept', { key, why, decision: 'escalate' });
  count('escalated');
  return why;
}

/** One in an archive is read after a restore. */
async function faultOfOriginal(services: SweepServices, source: ArchiveRow['source']): Promise<string | null> {
  const found = await headOrWhy(services, source);
  if (found === null) return 'its original is gone';
  if (typeof found !== 'string' && found.archived !== undefined) return null;
  const why = typeof found === 'string' ? found : await faultOfReading(services.s3, source);
  return why === null ? null : `its original cannot be read: ${why}`;
}
