import { send } from '../../aws/queue.ts';
import { head } from '../../aws/s3.ts';
import { applyWithRetry, getRow } from '../../aws/table.ts';
import { DUE_WORK, type RowKey } from '../../core/contracts/table/keys.ts';
import { MediaRow } from '../../core/contracts/table/media.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import { expireUpload } from '../../core/jobs/transitions.ts';
import { plus } from '../../core/time.ts';
import { uploadEventOf } from '../shared/upload-event.ts';
import { NO_SEQUENCER } from './drops.ts';
import { eachDue } from './due.ts';
import type { SweepServices } from './services.ts';

/** Time for the made-up event to be processed before the next check. */
const INGEST_MINUTES = 15;
const AT_ONCE = 10;

/** Announced uploads that were not finished in time. An upload with all its bytes only missed its event. */
export async function expireUploads(services: SweepServices): Promise<void> {
  const { table, now, report } = services;
  const work = async (key: RowKey) => {
    const outcome = await applyWithRetry(table, async (): Promise<Outcome<{ expired?: boolean }>> => {
      const media = await getRow(table, key, MediaRow);
      if (media?.state !== 'uploading' || (media.todoAt ?? '') > now) return { refused: 'not due' };
      if (await recover(services, media)) {
        const set = { todoAt: plus(now, { minutes: INGEST_MINUTES }) };
        return { change: [{ op: 'update', key, expect: { state: 'uploading' }, set }] };
      }
      const error = { code: 'upload_expired' as const, message: 'The upload was not finished in time.', at: now };
      return { ...expireUpload(media, error), expired: true };
    });
    if (!('refused' in outcome) && outcome.expired) report('uploadsExpired');
  };
  await eachDue(services, DUE_WORK.upload, work, AT_ONCE);
}

async function recover(services: SweepServices, media: MediaRow): Promise<boolean> {
  const { bucket, key } = media.source;
  const found = await head(services.s3, { bucket, key });
  if (!found) return false;
  const { size, etag } = found;
  await send(
    services.sqs,
    services.ingestQueueUrl,
    uploadEventOf(bucket, { key, size, etag }, NO_SEQUENCER, services.now),
  );
  services.report('dropsRecovered');
  return true;
}
