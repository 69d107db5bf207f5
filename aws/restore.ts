import { RestoreObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { RestoreTier } from '../core/contracts/archive.ts';
import type { ObjectId } from './object-id.ts';

/** An archive tier of INTELLIGENT_TIERING moves the object back for good: it takes no days. */
const TIERS_OF_INTELLIGENT = new Set(['ARCHIVE_ACCESS', 'DEEP_ARCHIVE_ACCESS']);
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html */
const WITHOUT_EXPEDITED = new Set(['DEEP_ARCHIVE', 'DEEP_ARCHIVE_ACCESS']);

/**
 * Asks for a restored copy that can be read for some days, or for more days of one that is there. One that is under way already is left alone.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
 * @param from S3's name of the class, or of the archive tier of INTELLIGENT_TIERING
 * @returns the tier that S3 has accepted: Standard where Expedited is not to be had, by the class or now
 */
export async function askForRestore(
  client: S3Client,
  object: ObjectId,
  { from, tier, days }: { from: string; tier: RestoreTier; days: number },
): Promise<RestoreTier> {
  const Tier = tier === 'Expedited' && WITHOUT_EXPEDITED.has(from) ? 'Standard' : tier;
  const Days = TIERS_OF_INTELLIGENT.has(from) ? undefined : days;
  try {
    const RestoreRequest = { Days, GlacierJobParameters: { Tier } };
    const { bucket: Bucket, key: Key, versionId: VersionId } = object;
    await client.send(new RestoreObjectCommand({ Bucket, Key, VersionId, RestoreRequest }));
    return Tier;
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'RestoreAlreadyInProgress') return Tier;
    // No capacity now. Asked for again and again, it would keep the encode waiting for longer than Standard takes.
    if (name !== 'GlacierExpeditedRetrievalNotAvailable' || Tier !== 'Expedited') throw error;
    return askForRestore(client, object, { from, tier: 'Standard', days });
  }
}
