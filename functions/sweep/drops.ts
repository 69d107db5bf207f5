import { z } from 'zod';
import { eachLimit } from '../../aws/concurrency.ts';
import { sendMany } from '../../aws/queue.ts';
import { head, type Listed, listPage } from '../../aws/s3.ts';
import { apply, getRow } from '../../aws/table.ts';
import { getRows } from '../../aws/table-queries.ts';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { DROP_PREFIX, parseDropKey } from '../../core/contracts/keys.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { MediaRow, Source } from '../../core/contracts/table/media.ts';
import { SweepRow } from '../../core/contracts/table/sweep.ts';
import { sequencerAfter } from '../../core/jobs/sources.ts';
import { newestUpload } from '../../core/jobs/transitions.ts';
import { plus } from '../../core/time.ts';
import { uploadEventOf } from '../shared/upload-event.ts';
import { Failures } from './due.ts';
import type { SweepServices } from './services.ts';

/** Pages of 1,000 keys. At one run each 5 minutes, a million uploads are compared in 17 hours, for 5 list requests a run. */
const PAGES = 5;
/** Simultaneous HEADs, of the few objects whose content the table does not know. */
const AT_ONCE = 20;
/** The event of a younger object may still be in transit. */
const EVENT_MINUTES = 15;
/** Less than any sequencer of S3's: when the event arrives after all, it is of the same version, and changes nothing. */
export const NO_SEQUENCER = '0';

const Version = Source.pick({ versionId: true, etag: true, sequencer: true, archivedFrom: true });
/**
 * The only attributes of a media item that the comparison reads: whatever else a later release writes to its row, its upload is compared.
 */
const Known = MediaRow.pick({ mediaId: true, sourceSeenAt: true, refused: true, updatedAt: true }).extend({
  state: z.string(),
  source: Version,
  pending: z.object({ source: Version }).optional(),
});
type Known = z.infer<typeof Known>;
const Walk = SweepRow.pick({ dropAfter: true });

/**
 * Compares the next stretch of the uploads with the table and makes up the missing events. The keys are walked in order, from where the
 * last run stopped, in an endless cycle.
 */
export async function compareDrops(services: SweepServices): Promise<void> {
  const { table, s3, uploadsBucket, timeIsUp } = services;
  const failures = new Failures();
  let startAfter = (await getRow(table, rowKeys.sweep(), Walk))?.dropAfter;
  for (let pages = 0; pages < PAGES && !timeIsUp(); pages++) {
    const page = await listPage(s3, { bucket: uploadsBucket, prefix: DROP_PREFIX, startAfter });
    await comparePage(services, page.items, failures);
    startAfter = page.more ? page.items.at(-1)?.key : undefined;
    const at =
      startAfter === undefined ? { set: {}, remove: ['dropAfter'] as const } : { set: { dropAfter: startAfter } };
    await apply(table, [{ op: 'update', key: rowKeys.sweep(), expect: {}, ...at }]);
    if (!page.more) break;
  }
  failures.throwFirst();
}

/** An upload whose HEAD fails is left for the next pass, and does not hold up those behind it. */
async function comparePage(services: SweepServices, items: readonly Listed[], failures: Failures): Promise<void> {
  const { table, uploadsBucket, now, report } = services;
  const old = items.filter((item) => plus(item.lastModified.toISOString(), { minutes: EVENT_MINUTES }) <= now);
  const drops = await Promise.all(
    old
      .filter(({ key }) => parseDropKey(key) !== null)
      .map(async (item) => ({ item, mediaId: await mediaIdFor(uploadsBucket, item.key) })),
  );
  const rows = await getRows(
    table,
    drops.map(({ mediaId }) => rowKeys.media(mediaId)),
    Known,
  );
  const known = new Map(rows.map((row) => [row.mediaId, row]));
  const missed: ReturnType<typeof uploadEventOf>[] = [];
  await eachLimit(drops, AT_ONCE, ({ item, mediaId }) =>
    failures.of(
      rowKeys.media(mediaId),
      missedSequencer(services, item, known.get(mediaId)).then((sequencer) => {
        if (sequencer !== null) missed.push(uploadEventOf(uploadsBucket, item, sequencer, now));
      }),
    ),
  );
  await sendMany(services.sqs, services.ingestQueueUrl, missed);
  report('dropsCompared', drops.length);
  report('dropsRecovered', missed.length);
}

/** The sequencer for the event that an object missed; null when its media item knows of it. */
async function missedSequencer(
  { s3, uploadsBucket }: SweepServices,
  item: Listed,
  media: Known | undefined,
): Promise<string | null> {
  if (!media || media.state === 'uploading') return NO_SEQUENCER;
  const { state, refused } = media;
  const source = newestUpload(media);
  if (state === 'deleting' || source.etag === item.etag || refused?.etag === item.etag) return null;
  // While a known version exists, this one is newer. Dates do not decide: that of a multipart upload is its beginning.
  const isKnown = await head(s3, { bucket: uploadsBucket, key: item.key, versionId: source.versionId });
  if (source.versionId !== undefined && isKnown) return sequencerAfter(source.sequencer);
  // Without the known version, it may be an older one that this had hidden.
  const seenAt = media.sourceSeenAt ?? media.updatedAt;
  return item.lastModified.toISOString() > seenAt ? sequencerAfter(source.sequencer) : null;
}
