import type { S3Client } from '@aws-sdk/client-s3';
import { hasStatus } from '../../aws/http-status.ts';
import { askForRestore } from '../../aws/restore.ts';
import { head } from '../../aws/s3.ts';
import { getRow, type Table } from '../../aws/table.ts';
import { ArchivePolicyRow } from '../../core/contracts/table/archive.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow, Restoring, Source } from '../../core/contracts/table/media.ts';
import { needOf, restoringFrom } from '../../core/jobs/transitions.ts';
import { logger } from './observability.ts';

/** A copy is billed as STANDARD for each day; a job may wait for a machine, and for room under a cap, for some of them. */
const RESTORED_DAYS = 7;

export interface RestoreServices {
  table: Table;
  s3: S3Client;
}

/**
 * The restore that a source needs before it can be read, asked for by the tier of its collection's archive policy if it is not under way.
 * @param options `known`: what the media item shows of a restore; `mayAsk`: only where false, nothing is asked for
 * @returns null when its bytes can be read, and for one that is gone or refused for another reason, which its worker finds out
 */
export async function whatRestores(
  { table, s3 }: RestoreServices,
  of: Pick<MediaRow, 'creatorId' | 'collectionId'>,
  source: Source,
  { known, mayAsk = true }: { known?: Restoring | undefined; mayAsk?: boolean } = {},
): Promise<Restoring | null> {
  const found = await head(s3, source).catch((error: unknown) => {
    // Encrypted with a key that its uploader keeps, or that may not be used; without s3:ListBucket also one that is gone.
    if (hasStatus(error, 400, 403)) return null;
    throw error;
  });
  const archive = found?.archive;
  if (!archive) return null;
  const now = new Date();
  const need = needOf(archive, now);
  if (need === 'nothing') return null;
  if (need === 'wait' && known?.from === archive.name) return known;
  const policy = await getRow(table, rowKeys.archivePolicy(of.creatorId, of.collectionId), ArchivePolicyRow);
  const { name: from } = archive;
  let tier = policy?.policy.restoreTier ?? 'Standard';
  if (need !== 'wait' && mayAsk) {
    tier = await askForRestore(s3, source, { from, tier, days: RESTORED_DAYS });
    logger.info('restore asked for', { key: source.key, from, tier });
  }
  return need === 'more' ? null : restoringFrom(from, tier, now.toISOString());
}
