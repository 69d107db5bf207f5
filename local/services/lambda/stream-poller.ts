import { setTimeout as wait } from 'node:timers/promises';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import { type Credentials, REGION } from '../../kernel/account.ts';
import { AwsError } from '../../kernel/service.ts';
import { failedIdentifiers } from './partial-failures.ts';
import type { InvocationOutcome } from './sandbox.ts';
import type { MappingConfiguration } from './template.ts';

export interface StreamPollerOptions {
  mapping: MappingConfiguration;
  endpoint: string;
  /** Credentials of the function's role: Lambda reads with its permissions. */
  credentials: Credentials;
  invoke: (event: unknown) => Promise<InvocationOutcome>;
  /** Calls back after each write to a table, until the returned function is called. */
  onTableWrite: (listener: () => void) => () => void;
  /** Whether an event pattern matches a record. */
  matches: (pattern: unknown, record: unknown) => boolean;
  /** Whether a processed batch is processed once more, as after the loss of a poller before it saved its checkpoint. */
  repeats: () => boolean;
  /** The last processed sequence number of each shard. */
  checkpoints: ReadonlyMap<string, string>;
  checkpoint: (shardId: string, sequenceNumber: string) => Promise<void>;
  /** Notifies the on-failure destination of records that were given up. */
  giveUp: (details: object) => Promise<void>;
  log: (line: string) => void;
}

/** Like Lambda, 4 times a second, but only while the table is written to. */
const POLL_MS = 250;
const ACTIVE_MS = 1000;
/** Interval otherwise: a write whose answer was lost may take effect later. */
const IDLE_MS = 5000;
const BACKOFF_MS = 1000;
/** Maximum of records of one GetRecords. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html */
const MAX_READ = 1000;

/**
 * Lambda's poller of a DynamoDB stream: in order within a shard, a failed batch is retried (halved, if configured) until
 * its retries are used up. https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
 */
export function pollStream(options: StreamPollerOptions): { close(): Promise<void> } {
  const poller = new StreamPoller(options);
  return { close: () => poller.close() };
}

class StreamPoller {
  readonly #options: StreamPollerOptions;
  readonly #client: DynamoDBStreamsClient;
  readonly #stop = new AbortController();
  readonly #ignoreWrites: () => void;
  /** The reading of each shard. */
  readonly #reading = new Map<string, Promise<void>>();
  readonly #looping: Promise<void>;
  #writtenAt = 0;
  /** Aborted when there may be new records, and at the end. */
  #news = new AbortController();

  constructor(options: StreamPollerOptions) {
    this.#options = options;
    this.#client = new DynamoDBStreamsClient({
      endpoint: options.endpoint,
      region: REGION,
      credentials: options.credentials,
      maxAttempts: 1,
    });
    this.#ignoreWrites = options.onTableWrite(() => {
      this.#writtenAt = Date.now();
      this.#wake();
    });
    this.#looping = this.#loop();
  }

  async close(): Promise<void> {
    this.#ignoreWrites();
    this.#stop.abort();
    this.#wake();
    await this.#looping;
    await Promise.all(this.#reading.values());
    this.#client.destroy();
  }

  /** Looks for new shards. */
  async #loop(): Promise<void> {
    const { mapping, log } = this.#options;
    while (!this.#stop.signal.aborted) {
      const { signal } = this.#news;
      try {
        const { StreamDescription: stream } = await this.#client.send(
          new DescribeStreamCommand({ StreamArn: mapping.sourceArn }),
        );
        for (const { ShardId: shardId } of stream?.Shards ?? []) {
          if (shardId && !this.#reading.has(shardId)) this.#startReading(shardId);
        }
      } catch (error) {
        if (!this.#stop.signal.aborted) log(`lambda: ${mapping.id}: ${String(error)}`);
        this.#wake();
      }
      await this.#pause(BACKOFF_MS);
      await this.#pause(IDLE_MS, signal);
    }
  }

  #startReading(shardId: string): void {
    const { mapping, log } = this.#options;
    const work = this.#readShard(shardId)
      .catch((error) => {
        if (!this.#stop.signal.aborted) log(`lambda: ${mapping.id}: reading ${shardId}: ${String(error)}`);
        return this.#pause(BACKOFF_MS);
      })
      .finally(() => {
        this.#reading.delete(shardId);
        this.#wake();
      });
    this.#reading.set(shardId, work);
  }

  /** Gathers records to batches, and processes one after the other. */
  async #readShard(shardId: string): Promise<void> {
    const { mapping } = this.#options;
    let iterator = await this.#iteratorOf(shardId);
    let batch: StreamRecord[] = [];
    let gatherUntil = 0;
    let last: string | undefined;
    while (iterator && !this.#stop.signal.aborted) {
      const { Records: records = [], NextShardIterator: next } = await this.#client.send(
        new GetRecordsCommand({ ShardIterator: iterator, Limit: Math.min(MAX_READ, mapping.batchSize - batch.length) }),
        { abortSignal: this.#stop.signal },
      );
      iterator = next;
      if (batch.length === 0) gatherUntil = Date.now() + mapping.windowSeconds * 1000;
      batch.push(...records.filter((record) => this.#passes(record)));
      last = records.at(-1)?.dynamodb?.SequenceNumber ?? last;
      if (!iterator || batch.length >= mapping.batchSize || Date.now() >= gatherUntil) {
        await this.#processBatch(batch, shardId, last);
        if (this.#stop.signal.aborted) return;
        batch = [];
        last = undefined;
      }
      if (records.length === 0) await this.#untilMore(batch.length > 0 ? gatherUntil : Number.POSITIVE_INFINITY);
    }
  }

  async #iteratorOf(shardId: string): Promise<string | undefined> {
    const { mapping, checkpoints } = this.#options;
    const done = checkpoints.get(shardId);
    const position = done
      ? { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' as const, SequenceNumber: done }
      : { ShardIteratorType: mapping.startingPosition };
    const { ShardIterator: iterator } = await this.#client.send(
      new GetShardIteratorCommand({ StreamArn: mapping.sourceArn, ShardId: shardId, ...position }),
    );
    return iterator;
  }

  #passes(record: StreamRecord): boolean {
    const { mapping, matches } = this.#options;
    return mapping.filters.length === 0 || mapping.filters.some((pattern) => matches(pattern, toWire(record)));
  }

  /** @param last sequence number of the last record that was read for the batch */
  async #processBatch(batch: StreamRecord[], shardId: string, last: string | undefined): Promise<void> {
    await this.#handle(batch);
    if (batch.length > 0 && this.#options.repeats()) await this.#handle(batch);
    if (last && !this.#stop.signal.aborted) await this.#options.checkpoint(shardId, last);
  }

  /** Processes records until they succeed or are given up after their retries. */
  async #handle(records: StreamRecord[], attempt = 0): Promise<void> {
    if (records.length === 0 || this.#stop.signal.aborted) return;
    const outcome = await this.#invoke(records);
    if (!outcome) return;
    const { reportsFailures } = this.#options.mapping;
    const failed = outcome.ok && reportsFailures ? failedIdentifiers(outcome.payload) : new Set<string>();
    if (outcome.ok && failed !== 'all') {
      const first = records.findIndex(({ dynamodb }) => failed.has(dynamodb?.SequenceNumber ?? ''));
      // All records from the first failed one on are retried.
      if (first >= 0) await this.#again(records.slice(first), attempt);
      return;
    }
    await this.#again(records, attempt);
  }

  /** A throttled batch is not a failure of the function: it waits. Undefined: the poller was closed meanwhile. */
  async #invoke(records: StreamRecord[]): Promise<InvocationOutcome | undefined> {
    const { mapping, invoke } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        return await invoke({
          Records: records.map((record) => ({ ...toWire(record), eventSourceARN: mapping.sourceArn })),
        });
      } catch (error) {
        if (!(error instanceof AwsError && error.code === 'TooManyRequestsException')) throw error;
        await this.#pause(BACKOFF_MS);
      }
    }
    return undefined;
  }

  async #again(records: StreamRecord[], attempt: number): Promise<void> {
    const { mapping, giveUp } = this.#options;
    if (mapping.retryAttempts >= 0 && attempt >= mapping.retryAttempts) {
      const [first, last] = [records.at(0), records.at(-1)].map((record) => record?.dynamodb?.SequenceNumber);
      const info = { batchSize: records.length, startSequenceNumber: first, endSequenceNumber: last };
      await giveUp({ requestContext: { condition: 'RetryAttemptsExhausted' }, DDBStreamBatchInfo: info });
      return;
    }
    await this.#pause(Math.min(BACKOFF_MS * 2 ** attempt, 30_000));
    if (mapping.bisect && records.length > 1) {
      const middle = Math.ceil(records.length / 2);
      await this.#handle(records.slice(0, middle), attempt + 1);
      await this.#handle(records.slice(middle), attempt + 1);
      return;
    }
    await this.#handle(records, attempt + 1);
  }

  /** @param deadline milliseconds since the epoch */
  async #untilMore(deadline: number): Promise<void> {
    const longest = Math.max(0, deadline - Date.now());
    if (Date.now() - this.#writtenAt < ACTIVE_MS) await this.#pause(Math.min(POLL_MS, longest));
    else await this.#pause(Math.min(IDLE_MS, longest), this.#news.signal);
  }

  #wake(): void {
    this.#news.abort();
    if (!this.#stop.signal.aborted) this.#news = new AbortController();
  }

  /** Resolves early when the signal is aborted. */
  #pause(ms: number, signal = this.#stop.signal): Promise<void> {
    return wait(ms, undefined, { signal }).catch(() => {});
  }
}

/** The SDK parses times and binary values; an event has them in the service's encoding. */
function toWire(record: StreamRecord) {
  const { dynamodb, ...rest } = record;
  const created = dynamodb?.ApproximateCreationDateTime;
  return {
    ...rest,
    dynamodb: { ...dynamodb, ...(created && { ApproximateCreationDateTime: created.getTime() / 1000 }) },
  };
}
