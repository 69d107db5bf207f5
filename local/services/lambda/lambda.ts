import { join } from 'node:path';
import type { Credentials, ServiceContext } from '../../kernel/account.ts';
import { type Journal, openJournal } from '../../kernel/journal.ts';
import { AwsError, type Principal } from '../../kernel/service.ts';
import { FRESH_ACCOUNT_CONCURRENCY } from './concurrency.ts';
import { invocationRecord, tell } from './destination.ts';
import { type EventQueue, openEventQueue } from './event-queue.ts';
import { createFunctions, type Functions, type FunctionsOptions, type Invoked } from './functions.ts';
import { pollQueue } from './queue-poller.ts';
import type { InvocationOutcome } from './sandbox.ts';
import { pollStream } from './stream-poller.ts';
import type { MappingConfiguration } from './template.ts';

export interface LambdaOptions extends Omit<FunctionsOptions, 'concurrency'> {
  mappings: MappingConfiguration[];
  /** Calls back after each write to a table, until the returned function is called. */
  onTableWrite: (listener: () => void) => () => void;
  queueUrlOf: (queueArn: string) => string;
  /** A queue's visibility timeout in seconds. */
  visibilityOf: (queueArn: string) => number;
  matches: (pattern: unknown, record: unknown) => boolean;
  /** Concurrent executions of all functions without reserved concurrency. Default: that of a new account. */
  concurrency?: number | undefined;
  /** Whether a processed stream batch is passed to the function once more. Default: never. */
  repeats?: (mapping: string) => boolean;
}

export interface Lambda {
  /** Starts the pollers and the queue of events. Call it when the services that they use are running. */
  start(): void;
  /**
   * Invocation type RequestResponse: runs the function and waits for it.
   * @throws AwsError ResourceNotFoundException, AccessDeniedException, RequestTooLargeException or, when the account's concurrency
   * is used up, TooManyRequestsException; the function's own failure is in the outcome
   */
  invoke(functionArn: string, event: unknown, principal: Principal): Promise<InvocationOutcome>;
  /**
   * Invocation type Event: resolves when the event (JSON text) is in the function's queue, on the disk.
   * @throws AwsError as `invoke` but for TooManyRequestsException, and InvalidRequestContentException
   */
  enqueue(functionArn: string, payload: string, principal: Principal): Promise<void>;
  /** Kills the busy processes of functions whose name contains `functionName`, like a failing host. */
  kill(functionName: string): void;
  /** Names of the functions that are running, or whose poller holds messages of a queue. */
  running(): string[];
  /** Resolves when every due event has had its attempt; retries that are not due yet are not awaited. */
  settled(): Promise<void>;
  close(): Promise<void>;
  /** Ends every process at once and saves nothing. */
  crash(): Promise<void>;
}

/** Limits of synchronous requests and answers, and of queued events: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_PAYLOAD_BYTES = 6 * 2 ** 20;
const MAX_EVENT_BYTES = 2 ** 20;

type Checkpoint = { mapping: string; shard: string; sequence: string };

/** Functions in separate processes, the queue of their events, and the pollers of SQS queues and table streams. */
export async function createLambda(context: ServiceContext, options: LambdaOptions): Promise<Lambda> {
  const concurrency = options.concurrency ?? FRESH_ACCOUNT_CONCURRENCY;
  const functions = createFunctions(context, { ...options, concurrency });
  const giveUp = givingUp(context, options);
  const checkpoints = await openCheckpoints(context, options.mappings);
  const queue = await openEventQueue(context, {
    functions: functions.byArn,
    giveUp: async (event, condition) => {
      const { configuration, credentials } = functions.find(event.functionArn);
      const { name, asynchronous } = configuration;
      const record = invocationRecord(event, condition, context.clock.iso());
      // Lambda only counts it (DestinationDeliveryFailures).
      await giveUp({ name, credentials, queueArn: asynchronous.onFailureArn }, record).catch((error) =>
        context.log(`lambda: ${name}: its destination could not be notified: ${String(error)}`),
      );
    },
  });
  const pollers: (Poller & { functionArn: string })[] = [];
  const start = () => {
    for (const mapping of options.mappings) {
      const invoked = functions.find(mapping.functionArn);
      const poller = startMapping(mapping, {
        context,
        options: { ...options, concurrency },
        invoked,
        checkpoints,
        giveUp,
      });
      pollers.push({ functionArn: mapping.functionArn, ...poller });
    }
    queue.start();
  };
  return {
    start,
    ...invocations(functions, queue),
    kill: (functionName) => {
      for (const { configuration, pool } of functions.byArn.values())
        if (configuration.name.includes(functionName)) pool.killBusy();
    },
    running: () => runningFunctions(functions, queue, pollers),
    settled: () => queue.settled(),
    ...endings({ functions, queue, pollers, checkpoints }),
  };
}

interface Poller {
  isBusy?(): boolean;
  close(): Promise<void>;
}

interface Checkpoints {
  /** The last processed sequence number of each shard. */
  of(mapping: string): ReadonlyMap<string, string>;
  journal: Journal<Checkpoint>;
}

async function openCheckpoints(
  { dir }: ServiceContext,
  mappings: readonly MappingConfiguration[],
): Promise<Checkpoints> {
  const known = new Map<string, Map<string, string>>(mappings.map(({ id }) => [id, new Map()]));
  const journal = await openJournal<Checkpoint>({
    file: join(dir, 'checkpoints.jsonl'),
    apply: ({ mapping, shard, sequence }) => known.get(mapping)?.set(shard, sequence),
    snapshot: () =>
      [...known].flatMap(([mapping, shards]) => [...shards].map(([shard, sequence]) => ({ mapping, shard, sequence }))),
  });
  return { of: (mapping) => known.get(mapping) ?? new Map(), journal };
}

/**
 * Notifies the on-failure queue, if there is one, of what is given up.
 * @throws when the record could not be sent
 */
type GiveUp = (
  from: { name: string; credentials: Credentials; queueArn: string | undefined },
  details: object,
) => Promise<void>;

function givingUp({ log }: ServiceContext, { queueUrlOf, endpoint }: LambdaOptions): GiveUp {
  return async ({ name, credentials, queueArn }, details) => {
    log(`lambda: ${name}: given up after its retries: ${JSON.stringify(details)}`);
    if (!queueArn) return;
    await tell({ queueUrl: queueUrlOf(queueArn), endpoint, credentials }, details);
  };
}

function startMapping(
  mapping: MappingConfiguration,
  {
    context,
    options,
    invoked,
    checkpoints,
    giveUp,
  }: {
    context: ServiceContext;
    options: LambdaOptions & { concurrency: number };
    invoked: Invoked;
    checkpoints: Checkpoints;
    giveUp: GiveUp;
  },
): Poller {
  const { configuration, credentials, pool } = invoked;
  const common = {
    mapping,
    endpoint: options.endpoint,
    credentials,
    log: context.log,
    invoke: (event: unknown, traces: readonly string[] = []) => pool.invoke(event, { traces }),
  };
  if (mapping.source === 'sqs') {
    const { concurrency } = options;
    return pollQueue({
      ...common,
      queueUrl: options.queueUrlOf(mapping.sourceArn),
      // Lambda starts with the account's concurrency, unless the mapping has a limit.
      limit: Math.min(mapping.maximumConcurrency ?? concurrency, configuration.reserved ?? concurrency),
      visibilityMs: 1000 * options.visibilityOf(mapping.sourceArn),
      clock: context.clock,
    });
  }
  return pollStream({
    ...common,
    onTableWrite: options.onTableWrite,
    matches: options.matches,
    repeats: () => options.repeats?.(mapping.id) ?? false,
    checkpoints: checkpoints.of(mapping.id),
    checkpoint: (shard, sequence) => checkpoints.journal.append({ mapping: mapping.id, shard, sequence }),
    giveUp: (details) => giveUp({ name: mapping.id, credentials, queueArn: mapping.onFailureArn }, details),
  });
}

function invocations(functions: Functions, queue: EventQueue): Pick<Lambda, 'invoke' | 'enqueue'> {
  return {
    invoke: async (functionArn, event, principal) => {
      const { configuration, pool } = functions.find(functionArn);
      functions.authorize(configuration, principal);
      checkSize(JSON.stringify(event), 'RequestResponse', MAX_PAYLOAD_BYTES);
      const outcome = await pool.invoke(event);
      if (outcome.ok && Buffer.byteLength(outcome.payload) > MAX_PAYLOAD_BYTES) {
        const errorMessage = `Response payload size exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`;
        return { ok: false, error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage } };
      }
      return outcome;
    },
    enqueue: async (functionArn, payload, principal) => {
      functions.authorize(functions.find(functionArn).configuration, principal);
      checkSize(payload, 'Event', MAX_EVENT_BYTES);
      checkJson(payload);
      await queue.put(functionArn, payload);
    },
  };
}

function runningFunctions(
  { byArn }: Functions,
  queue: EventQueue,
  pollers: readonly (Poller & { functionArn: string })[],
): string[] {
  const withEvents = [
    ...queue.atWork(),
    ...pollers.flatMap(({ functionArn, isBusy }) => (isBusy?.() ? functionArn : [])),
  ];
  return [...byArn.values()]
    .filter(({ configuration, pool }) => pool.isBusy || withEvents.includes(configuration.arn))
    .map(({ configuration }) => configuration.name);
}

function endings({
  functions,
  queue,
  pollers,
  checkpoints,
}: {
  functions: Functions;
  queue: EventQueue;
  pollers: readonly Poller[];
  checkpoints: Checkpoints;
}): Pick<Lambda, 'close' | 'crash'> {
  const closePools = () => {
    for (const { pool } of functions.byArn.values()) pool.close();
  };
  return {
    close: async () => {
      await Promise.all(pollers.map((poller) => poller.close()));
      await queue.close();
      closePools();
      await checkpoints.journal.close();
    },
    crash: async () => {
      // Pollers that continue would receive messages of the next cloud at the same port.
      for (const poller of pollers) void poller.close();
      // Before the processes end, so that their end does not count as a failure of the functions.
      const abandoned = queue.abandon();
      closePools();
      await abandoned;
      await checkpoints.journal.abandon();
    },
  };
}

function checkSize(payload: string, invocationType: string, limit: number): void {
  const bytes = Buffer.byteLength(payload);
  if (bytes <= limit) return;
  const message = `${bytes} byte payload is too large for the ${invocationType} invocation type (limit ${limit} bytes)`;
  throw new AwsError('RequestTooLargeException', 413, message);
}

function checkJson(payload: string): void {
  try {
    JSON.parse(payload);
  } catch (error) {
    throw new AwsError('InvalidRequestContentException', 400, `Could not parse request body into json: ${error}`);
  }
}
