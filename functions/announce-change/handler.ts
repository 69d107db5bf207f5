import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { putEvents } from '../../aws/bus.ts';
import { AnnounceChangeEnv } from '../../core/contracts/env.ts';
import { environment } from '../shared/environment.ts';
import { lambda, logger } from '../shared/stack.ts';
import { announcementOf } from './announcement.ts';

const env = environment(AnnounceChangeEnv);
const bus = new EventBridgeClient({});

/** Media rows of the table's stream → `Media State Changed`. In order: after one that fails, the stream comes back to it. */
export const handler = lambda(async (event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
  const announced = event.Records.flatMap((record) => {
    const announcement = announcementOf(record);
    return announcement ? [{ announcement, id: record.dynamodb?.SequenceNumber ?? '' }] : [];
  });
  const events = announced.map(({ announcement }) => announcement);
  const { taken, error } = await putEvents(bus, env.BUS_NAME, events);
  const failed = announced[taken];
  if (!failed) return { batchItemFailures: [] };
  logger.error('not announced', { error, mediaId: failed.announcement.detail.mediaId });
  return { batchItemFailures: [{ itemIdentifier: failed.id }] };
});
