/** The definition of one AWS service in the local cloud: a folder under services/, and one row in plugins.ts. */
import type { Adverse } from './adverse/adverse.ts';
import type { Prices } from './cost/prices.ts';
import type { CredentialStore } from './iam/credentials.ts';
import type { Policies } from './iam/policies.ts';
import type { Credentials, ServiceContext } from './kernel/account.ts';
import type { InternalCall } from './kernel/aws-json.ts';
import type { Meter } from './kernel/meter.ts';
import type { AwsError, Principal, Service } from './kernel/service.ts';
import type { Shortage } from './services/batch/attempt.ts';
import type { JobRules } from './services/batch/environment.ts';
import type { Deliver } from './services/eventbridge/targets.ts';
import type { LoadedTemplate } from './template/load.ts';
import type { PropertyReader } from './template/read.ts';
import type { ResourceType } from './template/resource-type.ts';

/**
 * A plugin is at work in this order: `read`, `check`, `create`; the gateway listens; `open`; all is ready; `start` of its part. Each
 * step is done for the whole list before the next begins. What a plugin takes from another (`configurationOf`, `of`), that one has
 * made in an earlier step, or in the same step from an earlier row.
 *
 * @typeParam Configuration what the plugin reads from the template
 * @typeParam Handle what other plugins and the cloud's owner call in-process
 */
export interface ServicePlugin<Configuration = unknown, Handle = unknown> {
  /** Name in credential scopes and IAM actions: `events` for EventBridge. */
  name: string;
  /** The service's CloudFormation resource types. Any other type is an error at boot. */
  types: Readonly<Record<string, ResourceType>>;
  /** Its directory in the state directory. Default: its name. */
  directory?: string;
  /** Paths in its directory of the numbers of its processes, which end with the cloud: files, or directories of files. */
  processes?: readonly string[];
  /**
   * Reads the service's resources from the template. What it can't serve is recorded in the reader and makes the boot fail.
   * @throws Error for the same, with the text of the problem
   */
  read?(template: LoadedTemplate, reader: PropertyReader): Configuration;
  /** Records in the reader what AWS would refuse because of other resources or of permissions. Runs if all policies can be served. */
  check?(configuration: Configuration, context: CheckContext): void;
  /** Makes the service, before the gateway listens. Absent when it does nothing here. */
  create?(configuration: Configuration, context: PluginContext): Promise<Part<Handle>> | Part<Handle>;
  /** Makes it after that, in the place of `create`: for a service with a server or timers of its own. */
  open?(configuration: Configuration, context: PluginContext): Promise<Part<Handle>> | Part<Handle>;
  /** If the service has a server beside the gateway, the server's name in the state directory's ports.json. */
  server?: string;
  /** Error code and status for too many requests. Default: ThrottlingException, 400. Source: the API reference, under common errors. */
  throttled?: readonly [code: string, status: number];
  /** The error for a call that IAM refuses. Default: AccessDeniedException, 403. */
  denied?(principal: Principal, reason: string): AwsError;
  /**
   * The rate at which AWS bills an amount; undefined when it is free or not known.
   * @param counted name of the amount in the meter: `request:s3:PutObject`, `lambda:gb-seconds:{function}`
   * @param all names that were counted in the run
   */
  rate?(counted: string, prices: Prices, all: readonly string[]): Rate | undefined;
}

/** What a plugin has made. */
export interface Part<Handle = unknown> {
  handle: Handle;
  /** Its API behind the gateway. Of no effect in a part that `open` makes. */
  service?: Service;
  /** Begins work of its own. Everything listens by then. */
  start?(): Promise<void> | void;
  /** Ends work that calls other services, while all of them answer. */
  work?: Ending;
  /** Ends clients of the gateway that would keep it open, after the work of all parts. */
  clients?: Ending;
  /** Ends the service itself, after the gateway. */
  state?: Ending;
}

/** How a part ends. Parts end in the reverse order of the list. */
export interface Ending {
  /** Waits for running work to end. */
  close(): Promise<void> | void;
  /** Stops at once and saves nothing. */
  crash(): Promise<void> | void;
}

/** What is read from the template. */
export interface Configurations {
  /** @throws Error when the plugin has no `read`, or it has not run yet */
  configurationOf<Configuration>(plugin: ServicePlugin<Configuration>): Configuration;
}

export interface CheckContext extends Configurations {
  reader: PropertyReader;
  policies: Policies;
  options: ServiceOptions;
  log: (line: string) => void;
}

/** What a plugin receives to make its part. */
export interface PluginContext extends ServiceContext, Configurations {
  /** The root directory of the state, which also contains the user's own files, for example `secrets.json`. */
  stateDir: string;
  template: LoadedTemplate;
  options: ServiceOptions;
  /** Node executable that runs functions and jobs. */
  nodePath: string;
  /** URL of the gateway. */
  endpoint: string;
  /** Port of the plugin's server; 0 when it has none. */
  port: number;
  credentials: CredentialStore;
  /** The developer's credentials. */
  developer: Credentials;
  policies: Policies;
  meter: Meter;
  /** Makes a call to another service inside the process. */
  call: InternalCall;
  /** The worst behaviour that AWS allows. Undefined: none of it. */
  adverse: Adverse | undefined;
  /** Faults by a plan. */
  faults: { deliver(deliver: Deliver): Deliver; shortageOf(jobName: string): Shortage } | undefined;
  /**
   * What another plugin has made.
   * @throws Error when it has made nothing yet
   */
  of<Handle>(plugin: ServicePlugin<unknown, Handle>): Handle;
}

/** Options of `bootCloud` that services read. */
export interface ServiceOptions {
  /** Concurrent executions of all functions together. Default 10, as in a new account. */
  concurrency?: number;
  /** Added to the environment of every function: values that depend on this machine and are never in a template. */
  environment?: Readonly<Record<string, string>>;
  /** What AWS Batch jobs need to run as processes of this machine. Default: nothing. */
  jobs?: JobRules;
  /** Directories of static files that the distribution's server also serves, by URL path: `/player/`. */
  sites?: Readonly<Record<string, string>>;
  /** URL of an existing DynamoDB. Default: the cloud starts one. */
  dynamodbEndpoint?: string | undefined;
  /** Number of Batch jobs that run at once. Default 1. */
  slots?: number;
  /** Receives each event that a bus has accepted. It may come twice. */
  onEvent?: (event: object) => void;
  /** How to treat alarms whose topic does not let CloudWatch publish; AWS deploys them. Default: the boot fails. */
  unheardAlarms?: 'log';
}

/** A price per unit. */
export interface Rate {
  /** `S3 write requests` */
  what: string;
  unit: string;
  usdPerUnit: number;
  /** Units per counted amount of 1. Default 1. */
  scale?: number;
}
