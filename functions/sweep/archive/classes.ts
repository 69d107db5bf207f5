import { lifecycleRules } from '../../../aws/lifecycle.ts';
import { head } from '../../../aws/s3.ts';
import { getMedia, getRow } from '../../../aws/table.ts';
import { setTag } from '../../../aws/tags.ts';
import { movesByTag } from '../../../core/archive/lifecycle.ts';
import { isInClass, isInStandard } from '../../../core/archive/money.ts';
import { ARCHIVE_CLASS_TAG, ARCHIVE_CLASSES, type ArchiveClass } from '../../../core/contracts/archive.ts';
import { ArchivePolicyRow, ArchiveRow } from '../../../core/contracts/table/archive.ts';
import { type RowKey, rowKeys } from '../../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../../core/contracts/table/media.ts';
import { archiveWaits, whyNotArchived } from '../../../core/jobs/archive.ts';
import {
  classElsewhere,
  classGone,
  classMoved,
  classTagRemoved,
  classUndone,
  movedVersion,
} from '../../../core/jobs/archive-class.ts';
import { isUnderWay } from '../../../core/jobs/end.ts';
import { plus } from '../../../core/time.ts';
import { count, logger } from '../../shared/observability.ts';
import type { SweepServices } from '../services.ts';
import { changeArchive, unlessUnreadable } from './rows.ts';

/** Rules run once a day, and what they find is moved within another: S3's event says so sooner than this look. */
const AGAIN_HOURS = 12;
/** What an encode reads, or is about to, is looked at again after this time. */
const BUSY_MINUTES = 15;
/** Longer than rules usually take. https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html */
const SLOW_DAYS = 4;

/**
 * An original, or the copy of a deleted one, that goes to a cheaper class: its very version gets the tag that a rule of the bucket follows, and is
 * looked at until S3 has moved it. Stopped anywhere, the next run does what is left. Another upload under the key is not touched.
 */
export async function moveToClass(services: SweepServices, key: RowKey): Promise<void> {
  const { table, now } = services;
  const row = await getRow(table, key, ArchiveRow);
  const media = row && (await getMedia(table, row.mediaId));
  if (!row?.storageClass || !media || media.state === 'deleting' || (row.todoAt ?? '') > now) return;
  if (row.state !== 'moving' && row.state !== 'refused') return;
  const { storageClass } = row;
  await unlessUnreadable(services, key, movedVersion(row), () => moveOn(services, key, { row, media, storageClass }));
}

async function moveOn(
  services: SweepServices,
  key: RowKey,
  { row, media, storageClass }: { row: ArchiveRow; media: MediaRow; storageClass: ArchiveClass },
): Promise<void> {
  const { s3, now } = services;
  const version = movedVersion(row);
  const found = await head(s3, version);
  if (!found) return noteGone(services, key, row);
  const is = ARCHIVE_CLASSES.find((name) => name === found.storageClass);
  if (is && isInClass(is, storageClass)) return noteMoved(services, key, is);
  const isItsSource = media.source.versionId === version.versionId;
  if (row.state === 'refused' || !isItsSource || (!row.replaced && (await isGivenUp(services, row, media)))) {
    await setTag(s3, version, ARCHIVE_CLASS_TAG, null);
    await changeArchive(services, key, (it, of) =>
      it.state === 'refused' ? classTagRemoved(it) : classUndone(it, of, now),
    );
    return;
  }
  if (!row.replaced && !isInStandard(found)) {
    await setTag(s3, version, ARCHIVE_CLASS_TAG, null);
    await changeArchive(services, key, (it, of) => classElsewhere(it, of, found.storageClass, now));
    return;
  }
  const busy = storageClass === 'GLACIER_IR' ? null : whyRead(row, media);
  if (busy !== null) {
    await setTag(s3, version, ARCHIVE_CLASS_TAG, null);
    const todoAt = plus(now, { minutes: BUSY_MINUTES });
    await changeArchive(services, key, (it) => archiveWaits(it, { waits: busy, todoAt }));
    return;
  }
  const waits = await tagFor(services, row, storageClass);
  await changeArchive(services, key, (it) =>
    it.state === 'moving'
      ? archiveWaits(it, { todoAt: plus(now, { hours: AGAIN_HOURS }), ...(waits !== null && { waits }) })
      : { refused: 'it went on' },
  );
}

/** Why an encode may read what would need a restore afterwards; null where none does. */
function whyRead({ replaced }: ArchiveRow, media: MediaRow): string | null {
  if (!replaced) return whyNotArchived(media);
  if (isUnderWay(media)) return `the media item is ${media.state}`;
  return media.scheduleRetranscode ? 'it is to be encoded again first' : null;
}

async function noteMoved(services: SweepServices, key: RowKey, storageClass: ArchiveClass): Promise<void> {
  const moved = await changeArchive(services, key, (row, media) => classMoved(row, media, storageClass, services.now));
  if ('refused' in moved) return;
  services.report('originalsMoved');
  logger.info('moved to another class', { ...key, storageClass });
}

async function noteGone(services: SweepServices, key: RowKey, row: ArchiveRow): Promise<void> {
  const { now } = services;
  if (!row.replaced) {
    await changeArchive(services, key, (is, media) => classGone(is, media, now));
    return;
  }
  logger.error('a copy is gone, and its original is deleted', { key: row.replaced.copy.key, decision: 'escalate' });
  count('escalated');
  const todoAt = plus(now, { days: 1 });
  await changeArchive(services, key, (is) => archiveWaits(is, { waits: 'the copy is missing', todoAt }));
}

/** Whether the policy of today would not move an original there: S3 moves nothing back. */
async function isGivenUp(
  { table, now }: SweepServices,
  { asked, storageClass, collectionId: of }: ArchiveRow,
  { creatorId, collectionId }: MediaRow,
): Promise<boolean> {
  if (asked) return false;
  if (of !== collectionId) return true;
  const row = await getRow(table, rowKeys.archivePolicy(creatorId, collectionId), ArchivePolicyRow);
  if (!row || (!row.enabled && (row.forcedUntil ?? '') <= now)) return true;
  return row.policy.method === 'reencode' || row.policy.storageClass !== storageClass;
}

/** Sees to the tag. @returns why S3 may never move it, or seems not to; null where nothing is wrong */
async function tagFor(services: SweepServices, row: ArchiveRow, storageClass: ArchiveClass): Promise<string | null> {
  const { s3, now } = services;
  const version = movedVersion(row);
  const rules = await lifecycleRules(s3, version.bucket);
  if (!movesByTag(rules, version.key, storageClass)) {
    return `the bucket has no lifecycle rule that moves objects with the tag ${ARCHIVE_CLASS_TAG}=${storageClass}`;
  }
  if ((await setTag(s3, version, ARCHIVE_CLASS_TAG, storageClass)) === 'full') {
    return 'it has ten tags already, and S3 takes no more';
  }
  if (plus(row.at, { days: SLOW_DAYS }) > now) return null;
  logger.warn('S3 does not move an object', { ...version, storageClass, since: row.at });
  return `S3 has not moved it since ${row.at}: replication that is pending, MFA delete or another rule may be why`;
}
