import { join } from 'node:path';
import type { Credentials, Surroundings } from '../account.ts';
import { openJournal } from '../journal.ts';
import type { Meter } from '../meter.ts';
import { AwsError, type Principal } from '../service.ts';
import { invocationRecord, tell } from './destination.ts';
import { openEventQueue } from './event-queue.ts';
import { Pool } from './pool.ts';
import { pollQueue } from './queue-poller.ts';
import type { Outcome } from './sandbox.ts';
import { pollStream } from './stream-poller.ts';
import type { FunctionConfiguration, InvokePermission, MappingConfiguration } from './template.ts';

export interface LambdaOptions {
  functions: FunctionConfiguration[];
  mappings: MappingConfiguration[];
  endpoint: string;
  meter: Meter;
  /** The Node that runs the functions. */
  nodePath: string;
  credentialsOf: (roleArn: string) => Credentials;
  /** Whether a role's own policies let it invoke. */
  mayInvoke: (principal: Principal, functionArn: string) => boolean;
  /** Calls back after each write to a table, until the returned function is called. */
  onTableWrite: (listener: () => void) => () => void;
  queueUrlOf: (queueArn: string) => string;
  matches: (pattern: unknown, record: unknown) => boolean;
}

export interface Lambda {
  /** Starts the pollers, and what waits in the queue of events: once everything that they talk to is up. */
  start(): void;
  /**
   * Invocation type RequestResponse: runs the function and waits for it.
   * @throws AwsError ResourceNotFoundException, AccessDeniedException or RequestTooLargeException; the function's own failure is in the outcome
   */
  invoke(functionArn: string, event: unknown, principal: Principal): Promise<Outcome>;
  /**
   * Invocation type Event: resolves when the event (JSON text) is in the function's queue, on the disk.
   * @throws AwsError as `invoke`, and InvalidRequestContentException
   */
  enqueue(functionArn: string, payload: string, principal: Principal): Promise<void>;
  /** Kills the processes of functions whose name holds `functionName` that are at work, as a failing host would. */
  kill(functionName: string): void;
  /** Names of the functions that are at work. */
  running(): string[];
  /** Resolves when every queued event that is due has had its attempt; retries wait for their time. */
  settled(): Promise<void>;
  close(): Promise<void>;
  /** Ends every process at once, waiting for nothing, and saves nothing. */
  crash(): Promise<void>;
}

/** Of synchronous requests and answers, and of queued events: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_PAYLOAD_BYTES = 6 * 2 ** 20;
const MAX_EVENT_BYTES = 2 ** 20;

type Checkpoint = { mapping: string; shard: string; sequence: string };

/** Functions in processes of their own, the queue of their events, and the pollers that feed them from queues and table streams. */
export async function createLambda(surroundings: Surroundings, options: LambdaOptions): Promise<Lambda> {
  const { functions, mappings } = options;
  const pools = new Map(
    functions.map((configuration) => {
      const credentials = options.credentialsOf(configuration.roleArn);
      const { endpoint, meter, nodePath } = options;
      return [
        configuration.arn,
        {
          configuration,
          credentials,
          pool: new Pool({ surroundings, configuration, endpoint, credentials, nodePath, meter }),
        },
      ] as const;
    }),
  );
  const checkpoints = new Map<string, Map<string, string>>(mappings.map(({ id }) => [id, new Map()]));
  const journal = await openJournal<Checkpoint>({
    file: join(surroundings.dir, 'checkpoints.jsonl'),
    apply: ({ mapping, shard, sequence }) => checkpoints.get(mapping)?.set(shard, sequence),
    snapshot: () =>
      [...checkpoints].flatMap(([mapping, shards]) =>
        [...shards].map(([shard, sequence]) => ({ mapping, shard, sequence })),
      ),
  });
  const queue = await openEventQueue(surroundings, {
    functions: pools,
    giveUp: async (event, condition) => {
      const { configuration, credentials } = poolOf(event.functionArn);
      const { name, asynchronous } = configuration;
      const record = invocationRecord(event, condition, surroundings.clock.iso());
      // Lambda counts it (DestinationDeliveryFailures) and keeps nothing.
      await giveUp(name, credentials, asynchronous.onFailureArn, record).catch((error) =>
        surroundings.log(`lambda: ${name}: its destination was not told: ${String(error)}`),
      );
    },
  });
  const pollers: { close(): Promise<void> }[] = [];

  function poolOf(functionArn: string) {
    const found = pools.get(functionArn);
    if (!found) throw new AwsError('ResourceNotFoundException', 404, `Function not found: ${functionArn}`);
    return found;
  }

  function authorize({ arn, permissions }: FunctionConfiguration, principal: Principal): void {
    if (allows(permissions, principal) || options.mayInvoke(principal, arn)) return;
    const who =
      principal.type === 'service' ? principal.service : principal.type === 'role' ? principal.arn : principal.type;
    const message = `${who} is not authorized to perform: lambda:InvokeFunction on resource: ${arn}`;
    throw new AwsError('AccessDeniedException', 403, message);
  }

  /** @throws when the destination could not be told */
  async function giveUp(name: string, credentials: Credentials, queueArn: string | undefined, details: object) {
    surroundings.log(`lambda: ${name}: given up after its retries: ${JSON.stringify(details)}`);
    if (!queueArn) return;
    await tell({ queueUrl: options.queueUrlOf(queueArn), endpoint: options.endpoint, credentials }, details);
  }

  function startMapping(mapping: MappingConfiguration): { close(): Promise<void> } {
    const { configuration, credentials, pool } = poolOf(mapping.functionArn);
    const common = {
      mapping,
      endpoint: options.endpoint,
      credentials,
      log: surroundings.log,
      invoke: (event: unknown) => pool.invoke(event),
    };
    if (mapping.source === 'sqs') {
      return pollQueue({
        ...common,
        queueUrl: options.queueUrlOf(mapping.sourceArn),
        concurrency: configuration.concurrency,
      });
    }
    return pollStream({
      ...common,
      onTableWrite: options.onTableWrite,
      matches: options.matches,
      checkpoints: checkpoints.get(mapping.id) ?? new Map(),
      checkpoint: (shard, sequence) => journal.append({ mapping: mapping.id, shard, sequence }),
      giveUp: (details) => giveUp(mapping.id, credentials, mapping.onFailureArn, details),
    });
  }

  return {
    start: () => {
      for (const mapping of mappings) pollers.push(startMapping(mapping));
      queue.start();
    },
    invoke: async (functionArn, event, principal) => {
      const { configuration, pool } = poolOf(functionArn);
      authorize(configuration, principal);
      checkSize(JSON.stringify(event), 'RequestResponse', MAX_PAYLOAD_BYTES);
      const outcome = await pool.invoke(event);
      if (outcome.ok && Buffer.byteLength(outcome.payload) > MAX_PAYLOAD_BYTES) {
        const errorMessage = `Response payload size exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`;
        return { ok: false, error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage } };
      }
      return outcome;
    },
    enqueue: async (functionArn, payload, principal) => {
      authorize(poolOf(functionArn).configuration, principal);
      checkSize(payload, 'Event', MAX_EVENT_BYTES);
      checkJson(payload);
      await queue.put(functionArn, payload);
    },
    kill: (functionName) => {
      for (const { configuration, pool } of pools.values())
        if (configuration.name.includes(functionName)) pool.killBusy();
    },
    running: () => {
      const withEvents = queue.atWork();
      return [...pools.values()]
        .filter(({ configuration, pool }) => pool.isBusy || withEvents.includes(configuration.arn))
        .map(({ configuration }) => configuration.name);
    },
    settled: () => queue.settled(),
    close: async () => {
      await Promise.all(pollers.map((poller) => poller.close()));
      await queue.close();
      for (const { pool } of pools.values()) pool.close();
      await journal.close();
    },
    crash: async () => {
      // Pollers that went on would take messages from the cloud that is booted next at the same port.
      for (const poller of pollers) void poller.close();
      // Before the processes: that they end is not the functions' failure.
      const abandoned = queue.abandon();
      for (const { pool } of pools.values()) pool.close();
      await abandoned;
      await journal.abandon();
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

/** The function's own resource policy: what AWS::Lambda::Permission lets services do. */
function allows(permissions: readonly InvokePermission[], principal: Principal): boolean {
  if (principal.type === 'developer') return true;
  if (principal.type !== 'service') return false;
  return permissions.some(
    ({ service, sourceArn }) =>
      service === principal.service && (!sourceArn || arnLike(sourceArn, principal.sourceArn ?? '')),
  );
}

/** CDK writes the permissions' SourceArn as an ArnLike pattern: `*` and `?` within its parts. */
function arnLike(pattern: string, arn: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(arn);
}
