import { sendMany } from '../../aws/queue.ts';
import { type Listed, listPage } from '../../aws/s3.ts';
import { getRows } from '../../aws/table-queries.ts';
import type { ObjectCreated } from '../../core/contracts/events.ts';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { DROP_PREFIX, parseDropKey } from '../../core/contracts/keys.ts';
import { MediaRow, rowKeys } from '../../core/contracts/rows.ts';
import { sequencerAfter } from '../../core/jobs/sources.ts';
import { minutesAfter, type SweepServices } from './services.ts';

/** Of 1,000 keys. At one run each 5 minutes, a million uploads are compared in 17 hours, for 5 list requests a run. */
const PAGES = 5;
/** Younger objects may have their event still under way. */
const EVENT_MINUTES = 15;
/** Less than any sequencer of S3's: when the event comes after all, it is of the same version, and changes nothing. */
const NO_SEQUENCER = '0';

/**
 * Compares the next stretch of the uploads with the table and makes up the events that never came. The keys are walked in
 * order, from where the last run stopped, round and round.
 * @returns the key to go on after; none when the walk begins anew.
 */
export async function compareDrops(services: SweepServices, from?: string): Promise<{ after?: string }> {
  let startAfter = from;
  for (let pages = 0; pages < PAGES && !services.timeIsUp(); pages++) {
    const page = await listPage(services.s3, { bucket: services.uploadsBucket, prefix: DROP_PREFIX, startAfter });
    await comparePage(services, page.items);
    if (!page.more) return {};
    startAfter = page.items.at(-1)?.key;
  }
  return startAfter === undefined ? {} : { after: startAfter };
}

async function comparePage(services: SweepServices, items: readonly Listed[]): Promise<void> {
  const { table, uploadsBucket, now, did } = services;
  const old = items.filter((item) => minutesAfter(item.lastModified.toISOString(), EVENT_MINUTES) <= now);
  const drops = await Promise.all(
    old
      .filter(({ key }) => parseDropKey(key) !== null)
      .map(async (item) => ({ item, mediaId: await mediaIdFor(uploadsBucket, item.key) })),
  );
  const rows = await getRows(
    table,
    drops.map(({ mediaId }) => rowKeys.media(mediaId)),
    MediaRow,
  );
  const known = new Map(rows.map((row) => [row.mediaId, row]));
  const missed = drops.flatMap(({ item, mediaId }) => {
    const sequencer = missedSequencer(item, known.get(mediaId));
    return sequencer === null ? [] : [eventOf(uploadsBucket, item, sequencer, now)];
  });
  await sendMany(services.sqs, services.ingestQueueUrl, missed);
  did('dropsCompared', drops.length);
  did('dropsRecovered', missed.length);
}

/** The sequencer for the event that an object missed; null when its media knows of it. */
function missedSequencer(item: Listed, media: MediaRow | undefined): string | null {
  if (!media || media.state === 'uploading') return NO_SEQUENCER;
  if (media.state === 'deleting' || media.source.etag === item.etag) return null;
  // What was seen after the object was there took it into account: it was refused, or is older than what was deleted.
  const seenAt = media.sourceSeenAt ?? media.updatedAt;
  return item.lastModified.toISOString() > seenAt ? sequencerAfter(media.source.sequencer) : null;
}

/** As S3 would have sent it. */
export function eventOf(
  bucket: string,
  object: Pick<Listed, 'key' | 'size' | 'etag'>,
  sequencer: string,
  time: string,
): ObjectCreated {
  const { key, size, etag } = object;
  return {
    id: `sweep-${time}`,
    time,
    source: 'aws.s3',
    'detail-type': 'Object Created',
    detail: { bucket: { name: bucket }, object: { key, size, etag: etag.replaceAll('"', ''), sequencer } },
  };
}
