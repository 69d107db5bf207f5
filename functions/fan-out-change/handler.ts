import { SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { FanOutChangeEnv } from '../../core/contracts/env.ts';
import { ChangeMessage } from '../../core/contracts/events.ts';
import { tableNamed } from '../shared/clients.ts';
import { environment } from '../shared/environment.ts';
import { lambda, logger } from '../shared/observability.ts';
import { countChanges } from './count.ts';
import { type FanOut, fanOut } from './fan-out.ts';

const env = environment(FanOutChangeEnv);
const services = { table: tableNamed(env.TABLE_NAME), sqs: new SQSClient({}), queueUrl: env.WEBHOOK_QUEUE_URL };

/**
 * Handles a batch of changes of media: each is made into one delivery for each endpoint that wants it, and then all of a creator are
 * counted together. A failure is retried, alone or with the other changes of its creator; both steps are idempotent.
 */
export const handler = lambda(async (event: SQSEvent): Promise<SQSBatchResponse> => {
  const failed = new Set<string>();
  const attempt = async (messageId: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      logger.error('message failed', { error, messageId });
      failed.add(messageId);
    }
  };
  const now = Date.now();
  const read: { id: string; message: ChangeMessage }[] = [];
  for (const { messageId, body } of event.Records) {
    await attempt(messageId, async () => {
      read.push({ id: messageId, message: ChangeMessage.parse(JSON.parse(body)) });
    });
  }
  const run: FanOut = { ...services, now, endpoints: new Map() };
  await Promise.all(
    read.map(({ id, message }) =>
      attempt(id, async () => {
        if (message['detail-type'] === 'Media State Changed') await fanOut(run, message.detail);
      }),
    ),
  );
  const count = (some: typeof read) =>
    countChanges(
      services.table,
      some.map(({ message }) => message),
      new Date(now).toISOString(),
    );
  for (const some of byCreator(read)) {
    try {
      await count(some);
    } catch (error) {
      logger.warn('not counted together', { error });
      // A change that cannot be counted does not keep its creator's other changes from being counted.
      for (const one of some) await attempt(one.id, () => count([one]));
    }
  }
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
});

function byCreator<Read extends { message: ChangeMessage }>(read: readonly Read[]): Read[][] {
  const groups = new Map<string, Read[]>();
  for (const one of read) {
    const { creatorId } = one.message.detail;
    groups.set(creatorId, [...(groups.get(creatorId) ?? []), one]);
  }
  return [...groups.values()];
}
