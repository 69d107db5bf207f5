import { join } from 'node:path';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type Credentials, REGION, type Surroundings } from '../account.ts';
import { openJournal } from '../journal.ts';
import type { Meter } from '../meter.ts';
import { AwsError, type Principal } from '../service.ts';
import { Pool } from './pool.ts';
import { pollQueue } from './queue-poller.ts';
import type { Outcome } from './sandbox.ts';
import { pollStream } from './stream-poller.ts';
import type { FunctionConfiguration, MappingConfiguration } from './template.ts';

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
  queueUrlOf: (queueArn: string) => string;
  matches: (pattern: unknown, record: unknown) => boolean;
}

export interface Lambda {
  /** Starts the pollers: once everything that they talk to is up. */
  start(): void;
  /** @throws AwsError ResourceNotFoundException, AccessDeniedException or RequestTooLargeException; the function's own failure is in the outcome */
  invoke(functionArn: string, event: unknown, principal: Principal): Promise<Outcome>;
  /** Kills the processes of functions whose name holds `functionName` that are at work, as a failing host would. */
  kill(functionName: string): void;
  /** Names of the functions that are at work. */
  running(): string[];
  close(): Promise<void>;
  /** Ends every process at once, waiting for nothing, and saves nothing. */
  crash(): Promise<void>;
}

/** Synchronous requests and answers: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_PAYLOAD_BYTES = 6 * 2 ** 20;

type Checkpoint = { mapping: string; shard: string; sequence: string };

/** Functions in processes of their own, and the pollers that feed them from queues and table streams. */
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
  const pollers: { close(): Promise<void> }[] = [];

  function poolOf(functionArn: string) {
    const found = pools.get(functionArn);
    if (!found) throw new AwsError('ResourceNotFoundException', 404, `Function not found: ${functionArn}`);
    return found;
  }

  async function giveUp(mapping: MappingConfiguration, credentials: Credentials, details: unknown): Promise<void> {
    surroundings.log(`lambda: ${mapping.id}: records given up after their retries: ${JSON.stringify(details)}`);
    if (!mapping.onFailureArn) return;
    const client = new SQSClient({ endpoint: options.endpoint, region: REGION, credentials });
    const QueueUrl = options.queueUrlOf(mapping.onFailureArn);
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(details) }));
    client.destroy();
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
      matches: options.matches,
      checkpoints: checkpoints.get(mapping.id) ?? new Map(),
      checkpoint: (shard, sequence) => journal.append({ mapping: mapping.id, shard, sequence }),
      giveUp: (details) => giveUp(mapping, credentials, details),
    });
  }

  return {
    start: () => {
      for (const mapping of mappings) pollers.push(startMapping(mapping));
    },
    invoke: async (functionArn, event, principal) => {
      const { configuration, pool } = poolOf(functionArn);
      if (!allows(configuration, principal) && !options.mayInvoke(principal, functionArn)) {
        const who =
          principal.type === 'service' ? principal.service : principal.type === 'role' ? principal.arn : principal.type;
        const message = `${who} is not authorized to perform: lambda:InvokeFunction on resource: ${functionArn}`;
        throw new AwsError('AccessDeniedException', 403, message);
      }
      const bytes = Buffer.byteLength(JSON.stringify(event));
      if (bytes > MAX_PAYLOAD_BYTES) {
        const message = `${bytes} byte payload is too large for the RequestResponse invocation type (limit ${MAX_PAYLOAD_BYTES} bytes)`;
        throw new AwsError('RequestTooLargeException', 413, message);
      }
      const outcome = await pool.invoke(event);
      if (outcome.ok && Buffer.byteLength(outcome.payload) > MAX_PAYLOAD_BYTES) {
        const errorMessage = `Response payload size exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`;
        return { ok: false, error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage } };
      }
      return outcome;
    },
    kill: (functionName) => {
      for (const { configuration, pool } of pools.values())
        if (configuration.name.includes(functionName)) pool.killBusy();
    },
    running: () => [...pools.values()].filter(({ pool }) => pool.isBusy).map(({ configuration }) => configuration.name),
    close: async () => {
      await Promise.all(pollers.map((poller) => poller.close()));
      for (const { pool } of pools.values()) pool.close();
      await journal.close();
    },
    crash: async () => {
      // Pollers that went on would take messages from the cloud that is booted next at the same port.
      for (const poller of pollers) void poller.close();
      for (const { pool } of pools.values()) pool.close();
      await journal.abandon();
    },
  };
}

/** The function's own resource policy: what AWS::Lambda::Permission lets services do. */
function allows({ permissions }: FunctionConfiguration, principal: Principal): boolean {
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
