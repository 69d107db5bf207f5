import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { putEvents } from '../../aws/bus.ts';
import { AnnounceChangeEnv } from '../../core/contracts/env.ts';
import { environment } from '../shared/environment.ts';
import { lambda, logger } from '../shared/observability.ts';
import { announcementOf } from './announcement.ts';

const env = environment(AnnounceChangeEnv);
const bus = new EventBridgeClient({});

/** Media rows of the table's stream → `Media State Changed`. In order: after a record that fails, the stream is read again from it. */
export const handler = lambda(async (event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
  const announced = event.Records.flatMap((record) => {
    const announcement = readable(record);
    return announcement ? [{ announcement, id: record.dynamodb?.SequenceNumber ?? '' }] : [];
  });
  const events = announced.map(({ announcement }) => announcement);
  const { taken, error } = await putEvents(bus, env.BUS_NAME, events);
  const failed = announced[taken];
  if (!failed) return { batchItemFailures: [] };
  logger.error('not announced', { error, mediaId: failed.announcement.detail.mediaId });
  return { batchItemFailures: [{ itemIdentifier: failed.id }] };
});

/** A record that can never be read must not hold up all those behind it, because the stream retries without end. */
function readable(record: DynamoDBRecord) {
  try {
    return announcementOf(record);
  } catch (error) {
    logger.error('not a row that dropreel wrote', { error, keys: record.dynamodb?.Keys });
    return null;
  }
}
