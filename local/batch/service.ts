/**
 * AWS Batch for container jobs: REST JSON at the gateway, jobs as child processes.
 *
 *     const batch = await createBatch(surroundings, {
 *       computeEnvironments, jobQueues, jobDefinitions, schedulingPolicies, // [{ arn, properties }], intrinsics resolved
 *       emit, credentialsFor, imageDirectory, endpoint, meter, nodePath, slots,
 *     });
 *     await batch.start(); // when the gateway listens: jobs begin to run
 *
 * The image is not run: its build context is the working directory of the program that its Dockerfile's JSON ENTRYPOINT
 * names. MEMORY is a limit on Linux, whose /proc tells what an attempt holds; vCPUs and ephemeral storage are only billed, for a
 * laptop has less of both, and its disk says itself when it is full. Files in `surroundings.dir`: `jobs.journal`;
 * `logs/{jobId}-{attempt}.log`; `disks/{jobId}/`, a job's own disk over its attempts (see environment.ts), removed at its end;
 * `running/`, process numbers.
 *
 * Host and job survive each other as on AWS: a job that was running when the cloud ended has lost its host, and is retried
 * when its retryStrategy says so. A child never outlives `close`; after a crash the next `createBatch` kills it.
 */

import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Credentials, Surroundings } from '../account.ts';
import type { Meter } from '../meter.ts';
import type { AwsError, EmitEvent, Service, ServiceRequest, ServiceResponse } from '../service.ts';
import { logFileOf, type Shortage, type StopCause } from './attempt.ts';
import { killLeftovers } from './child.ts';
import { Engine } from './engine.ts';
import { describeJob, type Job, jobArn } from './job.ts';
import { listJobs } from './list.ts';
import { openStore } from './store.ts';
import { findDefinition, findQueue, invalid, parseRequest, parseSubmit, specify } from './submit.ts';
import { apiNames, type BatchResources, type Definitions, readDefinitions } from './template.ts';

export interface BatchConfiguration extends BatchResources {
  emit: EmitEvent;
  credentialsFor: (roleArn: string) => Credentials;
  /** Of the image that a job definition names: its build context and Dockerfile. */
  imageDirectory: (image: string) => { directory: string; dockerFile: string };
  /** URL of the gateway; asked for when a job starts. */
  endpoint: () => string;
  meter: Meter;
  /** What runs an entry point of `node`. Default: this process's Node. */
  nodePath?: string | undefined;
  /** How many jobs run at once. Default 1. */
  slots?: number | undefined;
  /** What the next attempt of a job is to lack. Default: nothing. */
  shortageOf?: ((jobName: string) => Shortage) | undefined;
}

export interface Batch extends Service {
  /** Begins to run jobs, and goes on with those of the last run. */
  start(): Promise<void>;
  /** Jobs with an attempt under way. */
  running(): string[];
  /** Ends the running attempt of a job in the way given; resolves when the job has its next state. @throws Error when it is not running */
  kill(jobId: string, cause: Exclude<StopCause, 'timeout' | 'closing'>): Promise<void>;
  /** Makes the disk of a running attempt full. @throws Error when it is not running, or `shortageOf` gave it no `diskBytes` */
  fillDisk(jobId: string): Promise<void>;
  /** Output of an attempt, the latest by default. */
  logFile(jobId: string, attempt?: number): string;
  /** Kills the children; their jobs have lost their host when the cloud comes back. */
  close(): Promise<void>;
  /** The same, and nothing more is written: as after a power cut. */
  crash(): Promise<void>;
}

type Handler = (
  context: { engine: Engine; definitions: Definitions; jobs: ReadonlyMap<string, Job> },
  request: ServiceRequest,
) => Promise<object>;

/** All others are refused by name. */
const OPERATIONS: Record<string, { name: string; handle: Handler }> = {
  '/v1/submitjob': { name: 'SubmitJob', handle: submitJob },
  '/v1/describejobs': { name: 'DescribeJobs', handle: describeJobs },
  '/v1/listjobs': { name: 'ListJobs', handle: list },
  '/v1/canceljob': { name: 'CancelJob', handle: cancelJob },
  '/v1/terminatejob': { name: 'TerminateJob', handle: terminateJob },
  '/v1/describejobqueues': { name: 'DescribeJobQueues', handle: describeJobQueues },
  '/v1/describejobdefinitions': { name: 'DescribeJobDefinitions', handle: describeJobDefinitions },
};

/** @throws Error naming the resource whose properties are not served */
export async function createBatch(surroundings: Surroundings, configuration: BatchConfiguration): Promise<Batch> {
  const definitions = readDefinitions(configuration);
  const killed = await killLeftovers(join(surroundings.dir, 'running'));
  if (killed > 0) surroundings.log(`batch: ended ${killed} jobs that an earlier run had left behind`);
  const store = await openStore(surroundings.dir, () => surroundings.clock.now());
  const { credentialsFor, imageDirectory, endpoint, meter, nodePath = process.execPath } = configuration;
  const { shortageOf = () => ({}) } = configuration;
  const host = { surroundings, credentialsFor, imageDirectory, endpoint, meter, nodePath, shortageOf };
  const engine = new Engine(host, definitions, store, configuration.emit, configuration.slots ?? 1);
  const context = { engine, definitions, jobs: store.jobs };
  return {
    name: 'batch',
    operation: ({ path }) => OPERATIONS[path]?.name ?? path.slice('/v1/'.length),
    async handle(request) {
      const operation = OPERATIONS[request.path];
      if (!operation) throw invalid(`${request.method} ${request.path} is not served by this local AWS Batch`);
      return json(200, await operation.handle(context, request));
    },
    renderError,
    start: () => engine.start(),
    running: () => engine.running(),
    async kill(jobId, cause) {
      const job = store.jobs.get(jobId);
      if (job && cause === 'terminate') await engine.terminate(job, 'Terminated by the operator');
      await engine.stop(jobId, cause);
    },
    fillDisk: (jobId) => engine.fillDisk(jobId),
    logFile(jobId, attempt) {
      const state = store.jobs.get(jobId)?.state;
      const ended = state?.attempts.length ?? 0;
      const live = state?.status === 'RUNNING' || state?.status === 'STARTING' || ended === 0;
      return logFileOf(surroundings.dir, jobId, attempt ?? (live ? ended + 1 : ended));
    },
    close: () => engine.close(false),
    crash: () => engine.close(true),
  };
}

async function submitJob(
  { engine, definitions, jobs }: Parameters<Handler>[0],
  request: ServiceRequest,
): Promise<object> {
  const submitted = parseSubmit(await text(request.body));
  const queue = findQueue(definitions, submitted.jobQueue);
  const definition = findDefinition(definitions, submitted.jobDefinition);
  if (!queue) throw invalid(`Job queue ${submitted.jobQueue} does not exist`);
  if (!definition) throw invalid(`Job definition ${submitted.jobDefinition} does not exist`);
  const context = submitted.shareIdentifier ? { context: { 'batch:ShareIdentifier': submitted.shareIdentifier } } : {};
  // A definition named without its revision is checked so, too.
  const withRevision = /:\d+$/.test(submitted.jobDefinition);
  const definitionArn = withRevision ? definition.arn : definition.arn.slice(0, definition.arn.lastIndexOf(':'));
  request.authorize({ action: 'batch:SubmitJob', resource: definitionArn, ...context });
  request.authorize({ action: 'batch:SubmitJob', resource: queue.arn, ...context });
  if (Object.keys(submitted.tags).length > 0) {
    request.authorize({ action: 'batch:TagResource', resource: jobArn('*') });
  }
  const job = await engine.submit(specify(submitted, queue, definition, (id) => jobs.get(id)));
  return { jobArn: jobArn(job.id), jobName: job.spec.jobName, jobId: job.id };
}

async function describeJobs({ jobs }: Parameters<Handler>[0], request: ServiceRequest): Promise<object> {
  request.authorize({ action: 'batch:DescribeJobs', resource: '*' });
  const ids = parseRequest(z.strictObject({ jobs: z.array(z.string()).max(100) }), await text(request.body)).jobs;
  return { jobs: ids.flatMap((id) => jobs.get(id) ?? []).map(describeJob) };
}

async function list({ definitions, jobs }: Parameters<Handler>[0], request: ServiceRequest): Promise<object> {
  request.authorize({ action: 'batch:ListJobs', resource: '*' });
  return listJobs(definitions, jobs, await text(request.body));
}

const Stop = z.strictObject({ jobId: z.string(), reason: z.string().min(1).max(1024) });

async function cancelJob({ engine, jobs }: Parameters<Handler>[0], request: ServiceRequest): Promise<object> {
  const { jobId, reason } = parseRequest(Stop, await text(request.body));
  request.authorize({ action: 'batch:CancelJob', resource: jobArn(jobId) });
  const job = jobs.get(jobId);
  // A job that is not known, or has ended, is no error.
  if (job) await engine.cancel(job, reason);
  return {};
}

async function terminateJob({ engine, jobs }: Parameters<Handler>[0], request: ServiceRequest): Promise<object> {
  const { jobId, reason } = parseRequest(Stop, await text(request.body));
  request.authorize({ action: 'batch:TerminateJob', resource: jobArn(jobId) });
  const job = jobs.get(jobId);
  if (job) await engine.terminate(job, reason);
  return {};
}

async function describeJobQueues({ definitions }: Parameters<Handler>[0], request: ServiceRequest): Promise<object> {
  request.authorize({ action: 'batch:DescribeJobQueues', resource: '*' });
  const { jobQueues: wanted } = parseRequest(
    z.strictObject({ jobQueues: z.array(z.string()).optional(), maxResults: z.number().optional() }),
    await text(request.body),
  );
  const found = definitions.jobQueues.filter(
    ({ name, arn }) => !wanted || wanted.includes(name) || wanted.includes(arn),
  );
  return {
    jobQueues: found.map((queue) => ({
      jobQueueName: queue.name,
      jobQueueArn: queue.arn,
      state: queue.State,
      status: 'VALID',
      statusReason: 'JobQueue Healthy',
      priority: queue.Priority,
      schedulingPolicyArn: queue.SchedulingPolicyArn,
      computeEnvironmentOrder: apiNames(queue.ComputeEnvironmentOrder),
      tags: queue.Tags ?? {},
    })),
  };
}

async function describeJobDefinitions(
  { definitions }: Parameters<Handler>[0],
  request: ServiceRequest,
): Promise<object> {
  request.authorize({ action: 'batch:DescribeJobDefinitions', resource: '*' });
  const wanted = parseRequest(
    z.strictObject({
      jobDefinitions: z.array(z.string()).optional(),
      jobDefinitionName: z.string().optional(),
      status: z.string().optional(),
      maxResults: z.number().optional(),
    }),
    await text(request.body),
  );
  const found = definitions.jobDefinitions.filter(
    (it) =>
      (!wanted.jobDefinitionName || wanted.jobDefinitionName === it.name) &&
      (!wanted.jobDefinitions || wanted.jobDefinitions.some((name) => findDefinition(definitions, name) === it)),
  );
  return {
    jobDefinitions: found.map((definition) => {
      const { Tags, Type, name, revision, arn, ...rest } = definition;
      const described = apiNames(rest) as object;
      return {
        ...described,
        jobDefinitionName: name,
        jobDefinitionArn: arn,
        revision,
        status: 'ACTIVE',
        type: Type,
        tags: Tags ?? {},
      };
    }),
  };
}

function renderError(error: AwsError): ServiceResponse {
  const code = error.code === 'AccessDenied' ? 'AccessDeniedException' : error.code;
  return json(error.status, { message: error.message }, { 'x-amzn-errortype': code });
}

function json(status: number, body: object, headers: Record<string, string> = {}): ServiceResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
