import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import { type Credentials, REGION } from '../account.ts';
import { failedIdentifiers } from './partial-failures.ts';
import type { Outcome } from './sandbox.ts';
import type { MappingConfiguration } from './template.ts';

export interface StreamPollerOptions {
  mapping: MappingConfiguration;
  endpoint: string;
  /** Of the function's role: Lambda reads with its permissions. */
  credentials: Credentials;
  invoke: (event: unknown) => Promise<Outcome>;
  /** Whether an event pattern lets a record through. */
  matches: (pattern: unknown, record: unknown) => boolean;
  /** The last sequence number done of each shard. */
  checkpoints: ReadonlyMap<string, string>;
  checkpoint: (shardId: string, sequenceNumber: string) => Promise<void>;
  /** Tells the on-failure destination of records that were given up. */
  giveUp: (details: object) => Promise<void>;
  log: (line: string) => void;
}

const POLL_MS = 150;
const BACKOFF_MS = 1000;

/**
 * Lambda's poller of a DynamoDB stream: in order within a shard, a failed batch again (halved, if so configured) until
 * its retries are used up. https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
 */
export function pollStream(options: StreamPollerOptions): { close(): Promise<void> } {
  const { mapping, log } = options;
  const client = new DynamoDBStreamsClient({
    endpoint: options.endpoint,
    region: REGION,
    credentials: options.credentials,
    maxAttempts: 1,
  });
  const stop = new AbortController();
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        stop.signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      stop.signal.addEventListener('abort', end);
    });

  async function iteratorOf(shardId: string): Promise<string | undefined> {
    const done = options.checkpoints.get(shardId);
    const position = done
      ? { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' as const, SequenceNumber: done }
      : { ShardIteratorType: mapping.startingPosition };
    const { ShardIterator: iterator } = await client.send(
      new GetShardIteratorCommand({ StreamArn: mapping.sourceArn, ShardId: shardId, ...position }),
    );
    return iterator;
  }

  const eventOf = (records: StreamRecord[]) => ({
    Records: records.map((record) => ({ ...toWire(record), eventSourceARN: mapping.sourceArn })),
  });

  /** Runs one batch to its end: done, or given up after its retries. */
  async function handle(records: StreamRecord[], attempt = 0): Promise<void> {
    if (records.length === 0 || stop.signal.aborted) return;
    const outcome = await options.invoke(eventOf(records));
    const failed = outcome.ok && mapping.reportsFailures ? failedIdentifiers(outcome.payload) : new Set<string>();
    if (outcome.ok && failed !== 'all') {
      const first = records.findIndex(({ dynamodb }) => failed.has(dynamodb?.SequenceNumber ?? ''));
      // Everything from the first failed record on comes again.
      if (first >= 0) await again(records.slice(first), attempt);
      return;
    }
    await again(records, attempt);
  }

  async function again(records: StreamRecord[], attempt: number): Promise<void> {
    if (mapping.retryAttempts >= 0 && attempt >= mapping.retryAttempts) {
      const [first, last] = [records.at(0), records.at(-1)].map((record) => record?.dynamodb?.SequenceNumber);
      const info = { batchSize: records.length, startSequenceNumber: first, endSequenceNumber: last };
      await options.giveUp({ requestContext: { condition: 'RetryAttemptsExhausted' }, DDBStreamBatchInfo: info });
      return;
    }
    await pause(Math.min(BACKOFF_MS * 2 ** attempt, 30_000));
    if (mapping.bisect && records.length > 1) {
      const middle = Math.ceil(records.length / 2);
      await handle(records.slice(0, middle), attempt + 1);
      await handle(records.slice(middle), attempt + 1);
      return;
    }
    await handle(records, attempt + 1);
  }

  const passes = (record: StreamRecord) =>
    mapping.filters.length === 0 || mapping.filters.some((pattern) => options.matches(pattern, toWire(record)));

  async function readShard(shardId: string): Promise<void> {
    let iterator = await iteratorOf(shardId);
    while (iterator && !stop.signal.aborted) {
      const { Records: records = [], NextShardIterator: next } = await client.send(
        new GetRecordsCommand({ ShardIterator: iterator, Limit: mapping.batchSize }),
        { abortSignal: stop.signal },
      );
      await handle(records.filter(passes));
      if (stop.signal.aborted) return;
      const last = records.at(-1)?.dynamodb?.SequenceNumber;
      if (last) await options.checkpoint(shardId, last);
      iterator = next;
      if (records.length === 0) await pause(POLL_MS);
    }
  }

  const reading = new Map<string, Promise<void>>();
  async function loop(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        const { StreamDescription: stream } = await client.send(
          new DescribeStreamCommand({ StreamArn: mapping.sourceArn }),
        );
        for (const { ShardId: shardId } of stream?.Shards ?? []) {
          if (!shardId || reading.has(shardId)) continue;
          const work = readShard(shardId)
            .catch((error) => {
              if (!stop.signal.aborted) log(`lambda: ${mapping.id}: reading ${shardId}: ${String(error)}`);
              return pause(BACKOFF_MS);
            })
            .finally(() => reading.delete(shardId));
          reading.set(shardId, work);
        }
      } catch (error) {
        if (!stop.signal.aborted) log(`lambda: ${mapping.id}: ${String(error)}`);
      }
      await pause(BACKOFF_MS);
    }
  }

  const looping = loop();
  return {
    close: async () => {
      stop.abort();
      await looping;
      await Promise.all(reading.values());
      client.destroy();
    },
  };
}

/** The SDK parses times and binaries; an event has them as the service wrote them. */
function toWire(record: StreamRecord) {
  const { dynamodb, ...rest } = record;
  const created = dynamodb?.ApproximateCreationDateTime;
  return {
    ...rest,
    dynamodb: { ...dynamodb, ...(created && { ApproximateCreationDateTime: created.getTime() / 1000 }) },
  };
}
