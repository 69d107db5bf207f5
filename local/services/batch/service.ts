/**
 * AWS Batch for container jobs: REST JSON at the gateway, jobs as child processes.
 *
 *     const batch = await createBatch(context, {
 *       computeEnvironments, jobQueues, jobDefinitions, schedulingPolicies, // [{ arn, properties }], intrinsics resolved
 *       emit, credentialsFor, imageDirectory, endpoint, meter, nodePath, rules, slots,
 *     });
 *     await batch.start(); // after the gateway listens: jobs begin to run
 *
 * The image is not run: its build context is the working directory of the program named by its Dockerfile's JSON ENTRYPOINT.
 * MEMORY is a limit on Linux, where /proc has an attempt's memory; vCPUs and ephemeral storage are only billed, because a
 * laptop has less of both, and a full disk is an error anyway. Files in `context.dir`: `jobs.journal`;
 * `logs/{jobId}-{attempt}.log`; `disks/{jobId}/`, a job's own disk for all its attempts (see environment.ts), removed at its end;
 * `running/`, process numbers.
 *
 * As on AWS, a job survives its host: a job that was running when the cloud ended has lost its host, and is retried
 * according to its retryStrategy. A child never outlives `close`; after a crash the next `createBatch` kills it.
 */

import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Credentials, ServiceContext } from '../../kernel/account.ts';
import type { Meter } from '../../kernel/meter.ts';
import type { AwsError, EmitEvent, Service, ServiceRequest, ServiceResponse } from '../../kernel/service.ts';
import { logFileOf, type Shortage, type StopCause } from './attempt.ts';
import { killLeftovers } from './child.ts';
import type { JobRules } from './environment.ts';
import { describeJob, type Job, jobArn } from './job.ts';
import { JobRunner } from './job-runner.ts';
import { listJobs } from './list.ts';
import { openStore } from './store.ts';
import { findDefinition, findQueue, invalid, parseRequest, parseSubmit, specify } from './submit.ts';
import { apiNames, type BatchResources, type Definitions, readDefinitions } from './template.ts';

export interface BatchConfiguration extends BatchResources {
  emit: EmitEvent;
  credentialsFor: (roleArn: string) => Credentials;
  /** Build context and Dockerfile of the image that a job definition names. */
  imageDirectory: (image: string) => { directory: string; dockerFile: string };
  /** URL of the gateway; called when a job starts. */
  endpoint: () => string;
  meter: Meter;
  /** Executable for an entry point of `node`. Default: that of this process. */
  nodePath?: string | undefined;
  /** What jobs need to run as processes. Default: nothing. */
  rules?: JobRules | undefined;
  /** Number of jobs that run at once. Default 1. */
  slots?: number | undefined;
  /** Resources that the next attempt of a job must lack. Default: none. */
  shortageOf?: ((jobName: string) => Shortage) | undefined;
  /** Milliseconds for which ListJobs omits a newly submitted job. Default: 0. */
  listLag?: (() => number) | undefined;
}

export interface Batch extends Service {
  /** Begins to run jobs, including those of the last run. */
  start(): Promise<void>;
  /** Jobs with a running attempt. */
  running(): string[];
  /**
   * Ends the running attempt of a job with the given cause; resolves when the job has its next state.
   * @throws Error when it is not running
   */
  kill(jobId: string, cause: Exclude<StopCause, 'timeout' | 'closing'>): Promise<void>;
  /** Simulates the reclaim of a task's Spot capacity. Returns false when no attempt with that ARN runs. */
  reclaim(taskArn: string): boolean;
  /** Simulates a compute environment (by name) that AWS Batch cannot use: no job is placed there. A null reason makes it valid again. */
  invalidate(computeEnvironment: string, reason: string | null): void;
  /**
   * Fills the disk of a running attempt.
   * @throws Error when it is not running, or `shortageOf` gave it no `diskBytes`
   */
  fillDisk(jobId: string): Promise<void>;
  /** Log file of an attempt, the latest by default. */
  logFile(jobId: string, attempt?: number): string;
  /** Kills the children; at the next start their jobs have lost their host. */
  close(): Promise<void>;
  /** Like `close`, but nothing more is written, as after a power cut. */
  crash(): Promise<void>;
}

interface OperationContext {
  runner: JobRunner;
  rules: JobRules;
  definitions: Definitions;
  jobs: ReadonlyMap<string, Job>;
  /** Omits a new job from lists for `listLag`. */
  submitted(job: Job): void;
  /** Jobs that lists contain. */
  listed(): ReadonlyMap<string, Job>;
}

type Handler = (operationContext: OperationContext, request: ServiceRequest) => Promise<object>;

/** All other operations are refused by name. */
const OPERATIONS: Record<string, { name: string; handle: Handler }> = {
  '/v1/submitjob': { name: 'SubmitJob', handle: submitJob },
  '/v1/describejobs': { name: 'DescribeJobs', handle: describeJobs },
  '/v1/listjobs': { name: 'ListJobs', handle: list },
  '/v1/canceljob': { name: 'CancelJob', handle: cancelJob },
  '/v1/terminatejob': { name: 'TerminateJob', handle: terminateJob },
  '/v1/describecomputeenvironments': { name: 'DescribeComputeEnvironments', handle: describeComputeEnvironments },
  '/v1/describejobqueues': { name: 'DescribeJobQueues', handle: describeJobQueues },
  '/v1/describejobdefinitions': { name: 'DescribeJobDefinitions', handle: describeJobDefinitions },
};

/** @throws Error naming the resource whose properties are not served */
export async function createBatch(context: ServiceContext, configuration: BatchConfiguration): Promise<Batch> {
  const definitions = readDefinitions(configuration);
  const killed = await killLeftovers(join(context.dir, 'running'));
  if (killed > 0) context.log(`batch: ended ${killed} jobs that an earlier run had left behind`);
  const store = await openStore(context.dir, () => context.clock.now());
  const { credentialsFor, imageDirectory, endpoint, meter, nodePath = process.execPath } = configuration;
  const { shortageOf = () => ({}), rules = {} } = configuration;
  const host = { context, credentialsFor, imageDirectory, endpoint, meter, nodePath, rules, shortageOf };
  const { emit, slots = 1 } = configuration;
  const runner = new JobRunner({ host, definitions, store, emit, slots });
  const { clock } = context;
  const unlisted = new Set<string>();
  const operationContext: OperationContext = {
    runner,
    rules,
    definitions,
    jobs: store.jobs,
    submitted({ id }) {
      if (!configuration.listLag) return;
      unlisted.add(id);
      clock.after(configuration.listLag(), () => unlisted.delete(id));
    },
    listed: () => new Map([...store.jobs].filter(([id]) => !unlisted.has(id))),
  };
  return {
    name: 'batch',
    operation: ({ path }) => OPERATIONS[path]?.name ?? path.slice('/v1/'.length),
    async handle(request) {
      const operation = OPERATIONS[request.path];
      if (!operation) throw invalid(`${request.method} ${request.path} is not served by this local AWS Batch`);
      return json(200, await operation.handle(operationContext, request));
    },
    renderError,
    start: () => runner.start(),
    running: () => runner.running(),
    async kill(jobId, cause) {
      const job = store.jobs.get(jobId);
      if (job && cause === 'terminate') await runner.terminate(job, 'Terminated by the operator');
      await runner.stop(jobId, cause);
    },
    reclaim(taskArn) {
      const job = [...store.jobs.values()].find(({ state }) => state.taskArn === taskArn);
      if (!job || !runner.running().includes(job.id)) return false;
      void runner.stop(job.id, 'reclaim');
      return true;
    },
    invalidate: (name, reason) => runner.invalidate(name, reason),
    fillDisk: (jobId) => runner.fillDisk(jobId),
    logFile(jobId, attempt) {
      const state = store.jobs.get(jobId)?.state;
      const ended = state?.attempts.length ?? 0;
      const live = state?.status === 'RUNNING' || state?.status === 'STARTING' || ended === 0;
      return logFileOf(context.dir, jobId, attempt ?? (live ? ended + 1 : ended));
    },
    close: () => runner.close(false),
    crash: () => runner.close(true),
  };
}

async function submitJob(
  { runner, definitions, rules, jobs, ...operationContext }: OperationContext,
  request: ServiceRequest,
): Promise<object> {
  const submitted = parseSubmit(await text(request.body));
  const queue = findQueue(definitions, submitted.jobQueue);
  const definition = findDefinition(definitions, submitted.jobDefinition);
  if (!queue) throw invalid(`Job queue ${submitted.jobQueue} does not exist`);
  if (!definition) throw invalid(`Job definition ${submitted.jobDefinition} does not exist`);
  const share = submitted.shareIdentifier ? { context: { 'batch:ShareIdentifier': submitted.shareIdentifier } } : {};
  // For a definition named without a revision, the permission is checked on the ARN without one.
  const withRevision = /:\d+$/.test(submitted.jobDefinition);
  const definitionArn = withRevision ? definition.arn : definition.arn.slice(0, definition.arn.lastIndexOf(':'));
  request.authorize({ action: 'batch:SubmitJob', resource: definitionArn, ...share });
  request.authorize({ action: 'batch:SubmitJob', resource: queue.arn, ...share });
  if (Object.keys(submitted.tags).length > 0) {
    request.authorize({ action: 'batch:TagResource', resource: jobArn('*') });
  }
  const job = await runner.submit(specify(submitted, { queue, definition, rules, findJob: (id) => jobs.get(id) }));
  operationContext.submitted(job);
  return { jobArn: jobArn(job.id), jobName: job.spec.jobName, jobId: job.id };
}

async function describeJobs({ jobs }: OperationContext, request: ServiceRequest): Promise<object> {
  request.authorize({ action: 'batch:DescribeJobs', resource: '*' });
  const ids = parseRequest(z.strictObject({ jobs: z.array(z.string()).max(100) }), await text(request.body)).jobs;
  return { jobs: ids.flatMap((id) => jobs.get(id) ?? []).map(describeJob) };
}

async function list({ definitions, listed }: OperationContext, request: ServiceRequest): Promise<object> {
  request.authorize({ action: 'batch:ListJobs', resource: '*' });
  return listJobs(definitions, listed(), await text(request.body));
}

const Stop = z.strictObject({ jobId: z.string(), reason: z.string().min(1).max(1024) });

async function cancelJob({ runner, jobs }: OperationContext, request: ServiceRequest): Promise<object> {
  const { jobId, reason } = parseRequest(Stop, await text(request.body));
  request.authorize({ action: 'batch:CancelJob', resource: jobArn(jobId) });
  const job = jobs.get(jobId);
  // An unknown or ended job is not an error.
  if (job) await runner.cancel(job, reason);
  return {};
}

async function terminateJob({ runner, jobs }: OperationContext, request: ServiceRequest): Promise<object> {
  const { jobId, reason } = parseRequest(Stop, await text(request.body));
  request.authorize({ action: 'batch:TerminateJob', resource: jobArn(jobId) });
  const job = jobs.get(jobId);
  if (job) await runner.terminate(job, reason);
  return {};
}

async function describeComputeEnvironments(
  { runner, definitions }: OperationContext,
  request: ServiceRequest,
): Promise<object> {
  request.authorize({ action: 'batch:DescribeComputeEnvironments', resource: '*' });
  const { computeEnvironments: wanted } = parseRequest(
    z.strictObject({ computeEnvironments: z.array(z.string()).max(100).optional(), maxResults: z.number().optional() }),
    await text(request.body),
  );
  const found = definitions.computeEnvironments.filter(
    ({ name, arn }) => !wanted || wanted.includes(name) || wanted.includes(arn),
  );
  return {
    computeEnvironments: found.map(({ name, arn, Tags, ...environment }) => {
      const reason = runner.invalid.get(name);
      return {
        computeEnvironmentName: name,
        computeEnvironmentArn: arn,
        type: environment.Type,
        state: environment.State,
        status: reason === undefined ? 'VALID' : 'INVALID',
        statusReason: reason ?? 'ComputeEnvironment Healthy',
        computeResources: apiNames(environment.ComputeResources),
        containerOrchestrationType: 'ECS',
        tags: Tags ?? {},
      };
    }),
  };
}

async function describeJobQueues({ definitions }: OperationContext, request: ServiceRequest): Promise<object> {
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

async function describeJobDefinitions({ definitions }: OperationContext, request: ServiceRequest): Promise<object> {
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
