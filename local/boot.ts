import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Surroundings } from './account.ts';
import { type Batch, createBatch } from './batch/service.ts';
import { readConfiguration } from './boot/configuration.ts';
import { startKeeper } from './boot/keeper.ts';
import { lockDirectory } from './boot/lock.ts';
import { s3Origin } from './boot/origin.ts';
import { choosePorts } from './boot/ports.ts';
import { Teardown } from './boot/teardown.ts';
import { Clock } from './clock.ts';
import { type Cognito, startCognito } from './cognito/service.ts';
import { startDelivery } from './delivery/service.ts';
import { createDynamoDb } from './dynamodb/dynamodb.ts';
import { createDeliverer } from './events/delivery.ts';
import { compilePattern } from './events/pattern.ts';
import { createEvents } from './events/service.ts';
import { controlOf, type Faults } from './faults/faults.ts';
import { createCalls, type Hooks } from './gateway/calls.ts';
import { startGateway } from './gateway/gateway.ts';
import { startHttpApi } from './http-api/service.ts';
import { createCredentials } from './iam/credentials.ts';
import type { Policies } from './iam/policies.ts';
import { createLambda, type Lambda } from './lambda/lambda.ts';
import { Meter } from './meter.ts';
import { createS3, type S3 } from './s3/s3.ts';
import { createScheduler } from './scheduler/scheduler.ts';
import { timedRules, timedSchedule } from './scheduler/timed.ts';
import { createSqs } from './sqs/service.ts';
import { createDeliver } from './targets.ts';
import { readSecrets } from './template/secrets.ts';

export interface BootOptions {
  /** The directory that cdk synth wrote. */
  assembly: string;
  /** Holds all that lasts; made when it is not there. One cloud at a time. Its secrets.json has the texts of secrets by name. */
  stateDir: string;
  /** Of the AWS endpoint. 0: any. Default: that of the last run in this directory. */
  port?: number;
  log?: (line: string) => void;
  /** The Node that runs functions and jobs. Default: this one. */
  nodePath?: string;
  /** Sees every call to a service; may delay it or let it fail. */
  hooks?: Hooks;
  /** Breaks it by a plan, in the place of `hooks`. */
  faults?: Faults;
  /** How many Batch jobs run at once. Default 1. */
  slots?: number;
}

/** A running local cloud. */
export interface Cloud {
  /** For AWS_ENDPOINT_URL. */
  endpoint: string;
  /** Empty when the template has no HTTP API. */
  apiUrl: string;
  /** Empty when the template has no distribution. */
  deliveryUrl: string;
  /** The stack's outputs. */
  outputs: Readonly<Record<string, string>>;
  clock: Clock;
  meter: Meter;
  policies: Policies;
  batch: Batch;
  lambda: Lambda;
  s3: S3;
  /** Undefined when the template has no user pool. */
  issuer: Cognito | undefined;
  /** Runs the schedule whose name is, or holds, `name`; resolves when a function that it invokes has run once. @throws Error when there is none, or several */
  fireSchedule(name: string): Promise<void>;
  /** Lets what is at work end, then stops everything. */
  close(): Promise<void>;
  /** Stops everything at once and saves nothing, as a power cut does. */
  crash(): Promise<void>;
}

/** How often ports are chosen anew before it is given up. */
const BOOTS = 3;

/**
 * Boots the synthesized template of an assembly on the loopback interface.
 * @throws TemplateProblems naming every resource that can't be served; Error when the directory or the port is in use
 */
export async function bootCloud(options: BootOptions): Promise<Cloud> {
  await mkdir(options.stateDir, { recursive: true });
  for (let left = BOOTS; ; left--) {
    try {
      return await bootOnce(options);
    } catch (error) {
      // Ports are chosen before anything listens on them: another process may have taken one in between.
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!taken || left === 1) throw error;
    }
  }
}

async function bootOnce(options: BootOptions): Promise<Cloud> {
  const lock = await lockDirectory(options.stateDir);
  const teardown = new Teardown();
  teardown.add({ name: 'lock', close: lock.release, crash: lock.release });
  const pidFiles = ['dynamodb/dynoxide.pid', 'batch/running'].map((path) => join(resolve(options.stateDir), path));
  const keeper = startKeeper(pidFiles);
  teardown.add({ name: 'keeper', close: keeper.close, crash: keeper.close });
  try {
    return await boot(options, teardown);
  } catch (error) {
    await teardown.crash();
    throw error;
  }
}

async function boot(options: BootOptions, teardown: Teardown): Promise<Cloud> {
  const { assembly, stateDir, log = () => {}, nodePath = process.execPath, faults, hooks = faults?.hooks } = options;
  const ports = await choosePorts(stateDir, options.port);
  const configuration = await readConfiguration(assembly, ports, await readSecrets(join(stateDir, 'secrets.json')));
  const { endpoint, functions, mappings, policies } = configuration;
  const clock = new Clock();
  const meter = new Meter();
  const surroundingsOf = async (service: string): Promise<Surroundings> => {
    const dir = join(resolve(stateDir), service);
    await mkdir(dir, { recursive: true });
    return { dir, clock, log };
  };
  const credentials = await createCredentials((await surroundingsOf('iam')).dir);
  const credentialsOf = (arn: string) => credentials.issue({ type: 'role', arn });
  const calls = createCalls({ policies, meter, log, ...(hooks && { hooks }) });

  const dynamodb = await createDynamoDb(await surroundingsOf('dynamodb'), { tables: configuration.tables });
  teardown.add({ name: 'dynamodb', close: () => dynamodb.close(), crash: () => dynamodb.crash() });
  const sqs = await createSqs(await surroundingsOf('sqs'), configuration.queues);
  teardown.add({ name: 'sqs', close: () => sqs.close(), crash: () => sqs.abandon() });
  const lambda = await createLambda(await surroundingsOf('lambda'), {
    functions,
    mappings,
    endpoint,
    meter,
    nodePath,
    credentialsOf,
    mayInvoke: (principal, resource) => {
      return (
        principal.type === 'role' && policies.decide(principal, { action: 'lambda:InvokeFunction', resource }).allowed
      );
    },
    onTableWrite: dynamodb.onWrite,
    queueUrlOf: (arn) => configuration.queues.find((queue) => queue.arn === arn)?.url ?? arn,
    matches: (pattern, record) => compilePattern(pattern)(record),
  });
  const deliver = createDeliver({ sqs, lambda, call: calls.run });
  const deliverer = createDeliverer(await surroundingsOf('events'), {
    deliver: faults?.deliver(deliver) ?? deliver,
    sqs,
    call: calls.run,
  });
  const events = await createEvents(await surroundingsOf('events'), configuration.events, deliverer);
  teardown.add({ name: 'events', close: () => events.close(), crash: () => events.abandon() });
  const s3 = await createS3(await surroundingsOf('s3'), { buckets: configuration.buckets, emit: events.emit });
  teardown.add({ name: 's3', close: () => s3.close(), crash: () => s3.crash() });
  const batch = await createBatch(await surroundingsOf('batch'), {
    ...configuration.batch,
    emit: events.emit,
    credentialsFor: credentialsOf,
    imageDirectory: (image) => configuration.assets.image(image),
    endpoint: () => endpoint,
    meter,
    nodePath,
    slots: options.slots,
    shortageOf: faults?.shortageOf,
  });
  const services = [s3.service, sqs.service, dynamodb, events.service, batch];
  const gateway = await startGateway({ port: ports.gateway, services, credentials, calls, clock, log });
  teardown.add({
    name: 'gateway',
    close: () => {
      // Whoever waits for messages would keep it open.
      sqs.stop();
      return gateway.close();
    },
    crash: () => gateway.crash(),
  });
  teardown.add({ name: 'batch', close: () => batch.close(), crash: () => batch.crash() });
  teardown.add({ name: 'lambda', close: () => lambda.close(), crash: () => lambda.crash() });
  teardown.add({ name: 'deliveries', close: () => deliverer.close(), crash: () => deliverer.close() });

  const issuer =
    configuration.cognito &&
    (await startCognito(await surroundingsOf('cognito'), { ...configuration.cognito, port: ports.issuer }));
  if (issuer) teardown.add({ name: 'cognito', close: issuer.close, crash: issuer.close });
  const api =
    configuration.api &&
    (await startHttpApi(await surroundingsOf('http-api'), {
      ...configuration.api,
      port: ports.api,
      meter,
      locateIssuer: (url) => issuer?.locate(url) ?? url,
      invoke: lambda.invoke,
    }));
  if (api) teardown.add({ name: 'http-api', close: api.close, crash: api.close });
  const player = resolve(assembly, '../dist/player');
  const delivery =
    configuration.delivery &&
    (await startDelivery(await surroundingsOf('delivery'), {
      ...configuration.delivery,
      port: ports.delivery,
      origin: s3Origin(s3.service, calls),
      ...(existsSync(player) && { extra: { '/player/': player } }),
    }));
  if (delivery) teardown.add({ name: 'delivery', close: delivery.close, crash: delivery.close });
  const scheduler = await createScheduler(await surroundingsOf('scheduler'), [
    ...configuration.schedules.map((schedule) => timedSchedule(schedule, deliverer, clock)),
    ...timedRules(configuration.events.rules, events),
  ]);
  teardown.add({ name: 'scheduler', close: () => scheduler.close(), crash: () => scheduler.abandon() });

  const names = functions.map(({ name }) => name);
  faults?.control(controlOf({ batch, lambda, crash: () => teardown.crash() }, names));
  events.start();
  s3.start();
  lambda.start();
  await batch.start();
  scheduler.start();
  return {
    endpoint,
    apiUrl: api?.url ?? '',
    deliveryUrl: delivery?.url ?? '',
    outputs: configuration.outputs,
    clock,
    meter,
    policies,
    batch,
    lambda,
    s3,
    issuer,
    fireSchedule: async (name) => {
      await scheduler.fire(name);
      await lambda.settled();
    },
    close: () => teardown.close(),
    crash: () => teardown.crash(),
  };
}
