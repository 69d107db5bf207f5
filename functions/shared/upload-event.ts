import type { SQSClient } from '@aws-sdk/client-sqs';
import { send } from '../../aws/queue.ts';
import type { ObjectCreated } from '../../core/contracts/events.ts';
import type { MediaRow, Source } from '../../core/contracts/table/media.ts';
import { uploadOf } from '../../core/jobs/sources.ts';

/** An event as S3 would have sent it. */
export function uploadEventOf(
  bucket: string,
  object: Pick<Source, 'key' | 'size' | 'etag'>,
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

export interface IngestQueue {
  sqs: SQSClient;
  ingestQueueUrl: string;
}

/**
 * Makes ingest-upload submit the media item's job, which was made with the end of another: the event contains nothing new, and
 * ingest-upload continues from the state of the rows. When the message is lost, sweep finds the job without an engine's id.
 */
export async function askToSubmit({ sqs, ingestQueueUrl }: IngestQueue, media: MediaRow): Promise<void> {
  const source = uploadOf(media.source);
  await send(sqs, ingestQueueUrl, uploadEventOf(source.bucket, source, source.sequencer, new Date().toISOString()));
}
