import { z } from 'zod';
import type { ServiceContext } from '../../kernel/account.ts';
import { AwsError } from '../../kernel/service.ts';
import type { Database } from './database.ts';
import type { TableConfiguration } from './template.ts';

const EVERY_MS = 3600 * 1000;
/** DynamoDB does not delete an item whose time is further back. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html */
const OLDEST_SECONDS = 5 * 365 * 24 * 3600;

const Page = z.object({
  Items: z.array(z.record(z.string(), z.unknown())).default([]),
  LastEvaluatedKey: z.unknown().optional(),
});

/**
 * Deletes expired items every hour of the cloud's clock, because the database's own expiry uses the machine's clock.
 * The returned function stops it and resolves when no deletion is running.
 */
export function expireItems(
  { clock, log }: Pick<ServiceContext, 'clock' | 'log'>,
  database: Database,
  tables: readonly TableConfiguration[],
): () => Promise<void> {
  let stopped = false;
  let cancel = () => {};
  let working = Promise.resolve();
  const arm = () => {
    cancel = clock.after(EVERY_MS, () => {
      working = expire().catch((error) => log(`dynamodb: expiry: ${String(error)}`));
      void working.then(() => !stopped && arm());
    });
  };

  async function expire(): Promise<void> {
    for (const { name, properties } of tables) {
      const ttl = properties.TimeToLiveSpecification;
      if (!ttl?.Enabled) continue;
      const names = { '#ttl': ttl.AttributeName };
      const now = Math.floor(clock.now() / 1000);
      const values = { ':now': { N: String(now) }, ':oldest': { N: String(now - OLDEST_SECONDS) } };
      const keyNames = properties.KeySchema.map(({ AttributeName }) => AttributeName);
      let after: unknown;
      do {
        const page = Page.parse(
          await database.call('DynamoDB_20120810.Scan', {
            TableName: name,
            FilterExpression: '#ttl BETWEEN :oldest AND :now',
            ExpressionAttributeNames: names,
            ExpressionAttributeValues: values,
            ...(after !== undefined && { ExclusiveStartKey: after }),
          }),
        );
        for (const item of page.Items) {
          if (stopped) return;
          await remove({
            TableName: name,
            Key: Object.fromEntries(keyNames.map((key) => [key, item[key]])),
            // The item may have a later time by now.
            ConditionExpression: '#ttl BETWEEN :oldest AND :now',
            ExpressionAttributeNames: names,
            ExpressionAttributeValues: values,
          });
        }
        after = page.LastEvaluatedKey;
      } while (after !== undefined && !stopped);
    }
  }

  async function remove(input: object): Promise<void> {
    try {
      await database.call('DynamoDB_20120810.DeleteItem', input);
    } catch (error) {
      if (!(error instanceof AwsError && error.code === 'ConditionalCheckFailedException')) throw error;
    }
  }

  arm();
  return async () => {
    stopped = true;
    cancel();
    await working;
  };
}
