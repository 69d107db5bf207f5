import { setTimeout as wait } from 'node:timers/promises';
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
  /** Calls back after each write to a table, until the returned function is called. */
  onTableWrite: (listener: () => void) => () => void;
  /** Whether an event pattern lets a record through. */
  matches: (pattern: unknown, record: unknown) => boolean;
  /** The last sequence number done of each shard. */
  checkpoints: ReadonlyMap<string, string>;
  checkpoint: (shardId: string, sequenceNumber: string) => Promise<void>;
  /** Tells the on-failure destination of records that were given up. */
  giveUp: (details: object) => Promise<void>;
  log: (line: string) => void;
}

/** As Lambda: 4 times a second, but only while the table is written to. */
const POLL_MS = 250;
const ACTIVE_MS = 1000;
/** Else this often: a write whose answer was lost may come about later. */
const IDLE_MS = 5000;
const BACKOFF_MS = 1000;
/** Records that one GetRecords gives at most. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html */
const MAX_READ = 1000;

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
  let writtenAt = 0;
  /** Aborted when there may be something to do, and at the end. */
  let news = new AbortController();
  const wake = () => {
    news.abort();
    if (!stop.signal.aborted) news = new AbortController();
  };
  const ignoreWrites = options.onTableWrite(() => {
    writtenAt = Date.now();
    wake();
  });
  /** Ends early when the signal is aborted. */
  const pause = (ms: number, signal = stop.signal) => wait(ms, undefined, { signal }).catch(() => {});

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
    let batch: StreamRecord[] = [];
    let gatherUntil = 0;
    let last: string | undefined;
    while (iterator && !stop.signal.aborted) {
      const { Records: records = [], NextShardIterator: next } = await client.send(
        new GetRecordsCommand({ ShardIterator: iterator, Limit: Math.min(MAX_READ, mapping.batchSize - batch.length) }),
        { abortSignal: stop.signal },
      );
      iterator = next;
      if (batch.length === 0) gatherUntil = Date.now() + mapping.windowSeconds * 1000;
      batch.push(...records.filter(passes));
      last = records.at(-1)?.dynamodb?.SequenceNumber ?? last;
      if (!iterator || batch.length >= mapping.batchSize || Date.now() >= gatherUntil) {
        await handle(batch);
        if (stop.signal.aborted) return;
        if (last) await options.checkpoint(shardId, last);
        batch = [];
        last = undefined;
      }
      if (records.length === 0) await untilMore(batch.length > 0 ? gatherUntil : Number.POSITIVE_INFINITY);
    }
  }

  /** @param deadline milliseconds since the epoch */
  async function untilMore(deadline: number): Promise<void> {
    const longest = Math.max(0, deadline - Date.now());
    if (Date.now() - writtenAt < ACTIVE_MS) await pause(Math.min(POLL_MS, longest));
    else await pause(Math.min(IDLE_MS, longest), news.signal);
  }

  const reading = new Map<string, Promise<void>>();
  async function loop(): Promise<void> {
    while (!stop.signal.aborted) {
      const { signal } = news;
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
            .finally(() => {
              reading.delete(shardId);
              wake();
            });
          reading.set(shardId, work);
        }
      } catch (error) {
        if (!stop.signal.aborted) log(`lambda: ${mapping.id}: ${String(error)}`);
        wake();
      }
      await pause(BACKOFF_MS);
      await pause(IDLE_MS, signal);
    }
  }

  const looping = loop();
  return {
    close: async () => {
      ignoreWrites();
      stop.abort();
      wake();
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
