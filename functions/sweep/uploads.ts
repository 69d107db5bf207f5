import { send } from '../../aws/queue.ts';
import { head } from '../../aws/s3.ts';
import { getRow, settle } from '../../aws/table.ts';
import { CHORE, MediaRow } from '../../core/contracts/rows.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import { expireUpload } from '../../core/jobs/transitions.ts';
import { eventOf } from './drops.ts';
import { eachDue } from './due.ts';
import { minutesAfter, type SweepServices } from './services.ts';

/** Time for the made-up event to be worked on before anyone looks again. */
const INGEST_MINUTES = 15;

/** Announced uploads that were not finished in time. One whose bytes are there only missed its event. */
export async function expireUploads(services: SweepServices): Promise<void> {
  const { table, now, did } = services;
  await eachDue(services, CHORE.upload, async (key) => {
    const outcome = await settle(table, async (): Promise<Outcome<{ expired?: boolean }>> => {
      const media = await getRow(table, key, MediaRow);
      if (media?.state !== 'uploading' || (media.todoAt ?? '') > now) return { none: 'not due' };
      if (await recover(services, media)) {
        const set = { todoAt: minutesAfter(now, INGEST_MINUTES) };
        return { change: [{ op: 'update', key, expect: { state: 'uploading' }, set }] };
      }
      const error = { code: 'upload_expired' as const, message: 'The upload was not finished in time.', at: now };
      return { ...expireUpload(media, error), expired: true };
    });
    if (!('none' in outcome) && outcome.expired) did('uploadsExpired');
  });
}

async function recover(services: SweepServices, media: MediaRow): Promise<boolean> {
  const { bucket, key } = media.source;
  const found = await head(services.s3, { bucket, key });
  if (!found) return false;
  const { size, etag } = found;
  await send(services.sqs, services.ingestQueueUrl, eventOf(bucket, { key, size, etag }, '0', services.now));
  services.did('dropsRecovered');
  return true;
}
