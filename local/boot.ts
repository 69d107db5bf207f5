import { chmod, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type AdverseOptions, createAdverse } from './adverse/adverse.ts';
import { readConfiguration } from './boot/configuration.ts';
import { startKeeper } from './boot/keeper.ts';
import { keepTemplate, tellUpdate } from './boot/last-template.ts';
import { lockDirectory } from './boot/lock.ts';
import { type OpenDoor, openDoor } from './boot/open-door.ts';
import { directoryOf, Parts, type SharedContext } from './boot/parts.ts';
import { choosePorts, type Ports, requireFree } from './boot/ports.ts';
import { Teardown } from './boot/teardown.ts';
import { controlOf, type Faults } from './faults/faults.ts';
import { type Calls, createCalls } from './gateway/calls.ts';
import { startGateway } from './gateway/gateway.ts';
import type { Hooks } from './gateway/hooks.ts';
import { createCredentials } from './iam/credentials.ts';
import type { Policies } from './iam/policies.ts';
import type { Credentials } from './kernel/account.ts';
import { Clock } from './kernel/clock.ts';
import { Meter } from './kernel/meter.ts';
import type { Ending, ServiceOptions, ServicePlugin } from './plugin.ts';
import { PLUGINS } from './plugins.ts';
import { apigateway } from './services/apigateway/plugin.ts';
import { batch } from './services/batch/plugin.ts';
import type { Batch } from './services/batch/service.ts';
import { cloudfront } from './services/cloudfront/plugin.ts';
import { cognito } from './services/cognito/plugin.ts';
import type { Cognito } from './services/cognito/service.ts';
import type { Lambda } from './services/lambda/lambda.ts';
import { lambda } from './services/lambda/plugin.ts';
import { mediaconvert } from './services/mediaconvert/plugin.ts';
import type { MediaConvert } from './services/mediaconvert/service.ts';
import { s3 } from './services/s3/plugin.ts';
import type { S3 } from './services/s3/s3.ts';
import { scheduler } from './services/scheduler/plugin.ts';

export interface BootOptions extends ServiceOptions {
  /** Output directory of cdk synth. */
  assembly: string;
  /** Holds all durable state; created if missing. One cloud at a time. Its secrets.json has the values of secrets by name. */
  stateDir: string;
  /** Port of the AWS endpoint. 0: any. Default: that of the last run in this directory. */
  port?: number;
  log?: (line: string) => void;
  /** Node executable that runs functions and jobs. Default: that of this process. */
  nodePath?: string;
  /** Run around every call to a service; may delay it or make it fail. */
  hooks?: Hooks;
  /** Injects faults by a plan, instead of `hooks`. */
  faults?: Faults;
  /** Simulates the worst behaviour that AWS allows: slow calls, duplicates, lag. Default: off. */
  adverse?: AdverseOptions;
  /** Its time, for what runs beside it. Default: one of its own. */
  clock?: Clock;
  /** Serves delivery and API to other machines too. Default: all servers are on loopback. */
  open?: OpenDoor;
}

/** A running local cloud. */
export interface Cloud {
  /** For AWS_ENDPOINT_URL. */
  endpoint: string;
  /** The developer's, for any S3 client and for development tokens, with all permissions. The same for each boot of a state directory. */
  credentials: Credentials;
  /** Empty when the template has no HTTP API. */
  apiUrl: string;
  /** Empty when the template has no distribution. */
  deliveryUrl: string;
  /** Absolute path of the state directory. */
  stateDir: string;
  /** The stack's outputs. */
  outputs: Readonly<Record<string, string>>;
  clock: Clock;
  meter: Meter;
  policies: Policies;
  batch: Batch;
  lambda: Lambda;
  mediaconvert: MediaConvert;
  s3: S3;
  /** Undefined when the template has no user pool. */
  issuer: Cognito | undefined;
  /**
   * Runs the schedule whose name is or contains `name`; resolves when a function that it invokes has run once.
   * @throws Error when no schedule, or more than one, matches
   */
  fireSchedule(name: string): Promise<void>;
  /** Waits for running work, then stops everything. */
  close(): Promise<void>;
  /** Stops everything at once and saves nothing, like a power cut. */
  crash(): Promise<void>;
}

/** Attempts to boot, each with newly chosen ports. */
const BOOTS = 3;

/**
 * Boots the synthesized template of an assembly on the loopback interface.
 * @throws TemplateProblems naming every resource that can't be served; Error when the directory or the port is in use
 */
export async function bootCloud(options: BootOptions): Promise<Cloud> {
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
  // It holds originals, webhook secrets and credentials; an earlier release may have made it readable.
  await chmod(options.stateDir, 0o700);
  for (let left = BOOTS; ; left--) {
    try {
      return await bootOnce(options);
    } catch (error) {
      // Ports are chosen before anything listens on them, so another process may have taken one in between.
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!taken || left === 1) throw error;
    }
  }
}

/**
 * Whether a cloud could boot, as far as that can be told at once: for what takes long before.
 * @throws Error as `bootCloud` for a directory or a port that is in use
 */
export async function checkFree({
  stateDir,
  port,
  open,
}: Pick<BootOptions, 'stateDir' | 'port' | 'open'>): Promise<void> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await (await lockDirectory(stateDir)).release();
  if (port) await requireFree(port);
  if (open) await requireFree(open.port, open.address);
}

async function bootOnce(options: BootOptions): Promise<Cloud> {
  const lock = await lockDirectory(options.stateDir);
  const teardown = new Teardown();
  teardown.add({ name: 'lock', close: lock.release, crash: lock.release });
  const keeper = startKeeper(PLUGINS.flatMap((plugin) => pidFilesOf(plugin, options.stateDir)));
  teardown.add({ name: 'keeper', close: keeper.close, crash: keeper.close });
  try {
    return await boot(options, teardown);
  } catch (error) {
    await teardown.crash();
    throw error;
  }
}

function pidFilesOf({ directory, name, processes = [] }: ServicePlugin, stateDir: string): string[] {
  return processes.map((path) => join(resolve(stateDir), directory ?? name, path));
}

/** What is there before any service. */
interface Kernel {
  context: SharedContext;
  calls: Calls;
  ports: Ports;
}

async function boot(options: BootOptions, teardown: Teardown): Promise<Cloud> {
  const kernel = await createKernel(options);
  const parts = new Parts(kernel.context, kernel.ports);
  await createParts(kernel, parts, teardown);
  for (const plugin of PLUGINS) {
    const part = await parts.make(plugin, 'open');
    for (const ending of [part?.state, part?.clients, part?.work]) addEnding(teardown, plugin, ending);
  }
  const functionNames = kernel.context.configurationOf(lambda).functions.map(({ name }) => name);
  const control = { batch: parts.of(batch), lambda: parts.of(lambda), crash: () => teardown.crash() };
  options.faults?.control(controlOf(control, functionNames));
  for (const { part } of parts.all()) await part.start?.();
  if (options.open) await addDoor(options.open, parts, teardown);
  await keepTemplate(options.stateDir, kernel.context.template.raw);
  return cloudOf(kernel, parts, teardown);
}

async function addDoor(door: OpenDoor, parts: Parts, teardown: Teardown): Promise<void> {
  const delivery = parts.of(cloudfront)?.handler;
  if (!delivery) throw new Error('The template has no distribution that could be open to other machines');
  const { close } = await openDoor(door, { delivery, api: parts.of(apigateway)?.handler });
  teardown.add({ name: 'door', close: () => close(), crash: () => close() });
}

async function createKernel(options: BootOptions): Promise<Kernel> {
  const { assembly, stateDir, log = () => {}, nodePath = process.execPath, faults } = options;
  const ports = await choosePorts(stateDir, options.port);
  const configuration = await readConfiguration(assembly, ports, { options, log });
  const { policies } = configuration;
  await tellUpdate(stateDir, configuration.template.raw, log);
  const { clock = new Clock() } = options;
  const meter = new Meter();
  const adverse = options.adverse && createAdverse(options.adverse, clock);
  const faultHooks = options.hooks ?? faults?.hooks;
  const hooks = adverse?.hooks(faultHooks) ?? faultHooks;
  const credentials = await createCredentials(await directoryOf(stateDir, 'iam'));
  const developer = credentials.issue({ type: 'developer' });
  const calls = createCalls({ policies, meter, log, ...(hooks && { hooks }) });
  const made = { clock, log, stateDir, options, nodePath, credentials, developer, meter, adverse, faults };
  return { ports, calls, context: { ...configuration, ...made, call: calls.run } };
}

/** Makes the services behind the gateway, and the gateway. */
async function createParts({ context, calls, ports }: Kernel, parts: Parts, teardown: Teardown): Promise<void> {
  for (const plugin of PLUGINS) addEnding(teardown, plugin, (await parts.make(plugin, 'create'))?.state);
  const made = parts.all();
  const services = made.flatMap(({ part }) => part.service ?? []);
  const { credentials, clock, log } = context;
  const gateway = await startGateway({ port: ports('gateway'), services, credentials, calls, clock, log });
  teardown.add({ name: 'gateway', close: gateway.close, crash: gateway.crash });
  for (const { plugin, part } of made) addEnding(teardown, plugin, part.clients);
  for (const { plugin, part } of made) addEnding(teardown, plugin, part.work);
}

function addEnding(teardown: Teardown, { name }: ServicePlugin, ending: Ending | undefined): void {
  if (ending) teardown.add({ name, close: () => ending.close(), crash: () => ending.crash() });
}

function cloudOf({ context }: Kernel, parts: Parts, teardown: Teardown): Cloud {
  return {
    endpoint: context.endpoint,
    credentials: context.developer,
    apiUrl: parts.of(apigateway)?.url ?? '',
    deliveryUrl: parts.of(cloudfront)?.url ?? '',
    stateDir: resolve(context.stateDir),
    outputs: context.template.outputs,
    clock: context.clock,
    meter: context.meter,
    policies: context.policies,
    batch: parts.of(batch),
    lambda: parts.of(lambda),
    mediaconvert: parts.of(mediaconvert),
    s3: parts.of(s3),
    issuer: parts.of(cognito),
    fireSchedule: async (name) => {
      await parts.of(scheduler).fire(name);
      await parts.of(lambda).settled();
    },
    close: () => teardown.close(),
    crash: () => teardown.crash(),
  };
}
