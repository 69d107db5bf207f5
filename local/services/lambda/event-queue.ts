import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ServiceContext } from '../../kernel/account.ts';
import { openJournal } from '../../kernel/journal.ts';
import type { Pool } from './pool.ts';
import type { FunctionError } from './sandbox.ts';
import type { FunctionConfiguration } from './template.ts';

/** An event of an asynchronous invocation. Times are milliseconds since the epoch. */
export interface QueuedEvent {
  /** Constant over all attempts. */
  requestId: string;
  functionArn: string;
  /** JSON text. */
  payload: string;
  acceptedAt: number;
  /** Time of the next attempt. */
  dueAt: number;
  /** The function's errors, one for each attempt. */
  errors: FunctionError[];
}

/** The reason why an event is given up, as in an invocation record. */
export type Condition = 'RetriesExhausted' | 'EventAgeExceeded';

export interface EventQueueOptions {
  /** By ARN. */
  functions: ReadonlyMap<string, { configuration: FunctionConfiguration; pool: Pool }>;
  /** Notifies the function's on-failure destination, if it has one. */
  giveUp: (event: QueuedEvent, condition: Condition) => Promise<void>;
}

export interface EventQueue {
  /** Resumes events that were put before a restart. */
  start(): void;
  /** Resolves when the event is on the disk; its first attempt follows at once. */
  put(functionArn: string, payload: string): Promise<void>;
  /** ARNs of the functions with a running attempt. */
  atWork(): string[];
  /** Resolves when the running attempts have ended. */
  settled(): Promise<void>;
  /** Waits for running attempts; other attempts follow after the next start. */
  close(): Promise<void>;
  abandon(): Promise<void>;
}

type Entry =
  | { op: 'put'; event: QueuedEvent }
  | { op: 'failed'; requestId: string; error: FunctionError; dueAt: number }
  | { op: 'done'; requestId: string };

/** Waits after the function's first failure and after its second. */
const RETRY_MS = [60_000, 120_000];
/** Waits while the function has no concurrency left, doubled from the first to the longest. */
const FIRST_THROTTLE_MS = 1000;
const LONGEST_THROTTLE_MS = 300_000;

/**
 * Lambda's durable queue of asynchronous invocations. An event is retried until the function has succeeded, its retries are
 * used up or it is too old; a crash may cause one more attempt.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
export async function openEventQueue(context: ServiceContext, options: EventQueueOptions): Promise<EventQueue> {
  const { clock, log } = context;
  const events = new Map<string, QueuedEvent>();
  const timers = new Set<() => void>();
  /** Running attempts with their function's ARN. */
  const atWork = new Map<Promise<void>, string>();
  let state: 'open' | 'closed' | 'abandoned' = 'open';
  const journal = await openJournal<Entry>({
    file: join(context.dir, 'events.journal'),
    apply,
    snapshot: () => [...events.values()].map((event) => ({ op: 'put', event })),
  });

  function apply(entry: Entry): void {
    if (entry.op === 'put') {
      events.set(entry.event.requestId, entry.event);
    } else if (entry.op === 'done') {
      events.delete(entry.requestId);
    } else {
      const event = events.get(entry.requestId);
      const { requestId, error, dueAt } = entry;
      if (event) events.set(requestId, { ...event, dueAt, errors: [...event.errors, error] });
    }
  }

  function track(functionArn: string, attempted: Promise<void>): void {
    const work = attempted
      .catch((error) => {
        if (state === 'open') log(`lambda: an event for ${functionArn} is left for the next start: ${String(error)}`);
      })
      .finally(() => atWork.delete(work));
    atWork.set(work, functionArn);
  }

  function wait({ requestId, functionArn }: QueuedEvent, until: number, throttles = 0): void {
    if (state !== 'open') return;
    const cancel = clock.after(Math.max(0, until - clock.now()), () => {
      timers.delete(cancel);
      track(functionArn, attempt(requestId, throttles));
    });
    timers.add(cancel);
  }

  async function attempt(requestId: string, throttles = 0): Promise<void> {
    const event = events.get(requestId);
    const target = event && options.functions.get(event.functionArn);
    // Events of functions that are no longer in the template are dropped.
    if (!event || !target) return journal.append({ op: 'done', requestId });
    const { maxRetries, maxAgeSeconds } = target.configuration.asynchronous;
    const expiresAt = event.acceptedAt + maxAgeSeconds * 1000;
    if (clock.now() >= expiresAt) return giveUp(event, 'EventAgeExceeded');
    if (target.pool.isFull) {
      if (throttles === 0) log(`lambda: ${target.configuration.name} is throttled: an event waits for its concurrency`);
      const pause = Math.min(FIRST_THROTTLE_MS * 2 ** throttles, LONGEST_THROTTLE_MS);
      return wait(event, Math.min(clock.now() + pause, expiresAt), throttles + 1);
    }
    const outcome = await target.pool.invoke(JSON.parse(event.payload), { requestId });
    if (state === 'abandoned') return;
    if (outcome.ok) return journal.append({ op: 'done', requestId });
    const errors = [...event.errors, outcome.error];
    if (errors.length > maxRetries) return giveUp({ ...event, errors }, 'RetriesExhausted');
    const dueAt = Math.min(clock.now() + (RETRY_MS[errors.length - 1] ?? 0), expiresAt);
    await journal.append({ op: 'failed', requestId, error: outcome.error, dueAt });
    wait(event, dueAt);
  }

  async function giveUp(event: QueuedEvent, condition: Condition): Promise<void> {
    await options.giveUp(event, condition);
    await journal.append({ op: 'done', requestId: event.requestId });
  }

  function stop(how: 'closed' | 'abandoned'): void {
    state = how;
    for (const cancel of timers) cancel();
  }

  async function settled(): Promise<void> {
    await Promise.all(atWork.keys());
  }

  return {
    start() {
      for (const event of events.values()) wait(event, event.dueAt);
    },
    async put(functionArn, payload) {
      const now = clock.now();
      const requestId = randomUUID();
      const event = { requestId, functionArn, payload, acceptedAt: now, dueAt: now, errors: [] };
      const stored = journal.append({ op: 'put', event });
      track(
        functionArn,
        stored.then(() => attempt(requestId)),
      );
      await stored;
    },
    atWork: () => [...atWork.values()],
    settled,
    async close() {
      stop('closed');
      await settled();
      await journal.close();
    },
    async abandon() {
      stop('abandoned');
      await journal.abandon();
    },
  };
}
