/**
 * AWS Elemental MediaConvert: REST JSON at the gateway, jobs as processes of FFmpeg. It reads the settings that are submitted, and nothing
 * else: https://docs.aws.amazon.com/mediaconvert/latest/apireference/. Refused settings are refused in the service's own words, as far as
 * these are known; `refusal.ts`, `rules.ts` and those beside it say which are guesses.
 */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { AwsError, type Service, type ServiceRequest, type ServiceResponse } from '../../kernel/service.ts';
import { arnOf } from '../../template/identity.ts';
import { killLeftovers } from '../batch/child.ts';
import { describeJob, isDone, type Job, jobArn } from './job.ts';
import { faultsOf, refused } from './refusal.ts';
import { fragmentRisks, settingsFaults } from './rules.ts';
import { type Mishap, Runner, type RunnerHost } from './runner.ts';
import { CreateJob } from './schema.ts';
import { openStore, type Store } from './store.ts';
import { DEFAULT_QUEUE, type Queue } from './template.ts';

export interface MediaConvert extends Service {
  /** Begins to run jobs, including those of the last run. */
  start(): void;
  /** Makes the next job that is submitted go wrong in this way. */
  mishap(mishap: Mishap): void;
  /** Jobs at work. */
  running(): string[];
  /** Ids of the jobs that have this pair in their user metadata. */
  of(name: string, value: string): string[];
  close(): Promise<void>;
  /** Like `close`, but nothing more is written, as after a power cut. */
  crash(): Promise<void>;
}

const ROOT = '/2017-08-29';
/** For so long after a request with a token, the same token gives the same job. */
const TOKEN_MS = 60_000;

export async function createMediaConvert(host: RunnerHost): Promise<MediaConvert> {
  const { context } = host;
  const killed = await killLeftovers(join(context.dir, 'running'));
  if (killed > 0) context.log(`mediaconvert: ended ${killed} jobs that an earlier run had left behind`);
  const everywhere = {
    name: DEFAULT_QUEUE,
    arn: arnOf('mediaconvert', `queues/${DEFAULT_QUEUE}`),
    slots: 1,
    isPaused: false,
  };
  const queues = [everywhere, ...host.queues];
  const store = await openStore(context.dir, () => context.clock.now());
  const runner = new Runner({ ...host, queues }, store);
  const operations = { store, runner, queues, now: () => context.clock.now(), log: context.log };
  return {
    name: 'mediaconvert',
    operation: ({ method, path }) => routeOf(method, path)?.name ?? `${method} ${path}`,
    async handle(request) {
      const route = routeOf(request.method, request.path);
      if (!route) {
        throw new AwsError('NotFoundException', 404, `${request.method} ${request.path} is not served locally`);
      }
      return route.handle(operations, request, decodeURIComponent(route.id));
    },
    renderError: ({ code, status, message }) => json(status, { message }, { 'x-amzn-errortype': code }),
    start: () => runner.start(),
    mishap: (mishap) => runner.mishap(mishap),
    running: () => runner.running(),
    of: (name, value) =>
      [...store.jobs.values()].filter(({ request }) => request.userMetadata[name] === value).map(({ id }) => id),
    close: () => runner.close(false),
    crash: () => runner.close(true),
  };
}

interface Operations {
  store: Store;
  runner: Runner;
  queues: readonly Queue[];
  now(): number;
  log(line: string): void;
}

type Handler = (operations: Operations, request: ServiceRequest, id: string) => Promise<ServiceResponse>;

/** All other operations are refused by name. */
const ROUTES: readonly { name: string; method: string; prefix: string; handle: Handler }[] = [
  { name: 'CreateJob', method: 'POST', prefix: `${ROOT}/jobs`, handle: createJob },
  { name: 'GetJob', method: 'GET', prefix: `${ROOT}/jobs/`, handle: getJob },
  { name: 'CancelJob', method: 'DELETE', prefix: `${ROOT}/jobs/`, handle: cancelJob },
  { name: 'GetQueue', method: 'GET', prefix: `${ROOT}/queues/`, handle: getQueue },
];

function routeOf(method: string, path: string) {
  for (const route of ROUTES) {
    const id = path.startsWith(route.prefix) ? path.slice(route.prefix.length) : null;
    const hasId = route.prefix.endsWith('/');
    if (id === null || method !== route.method || (id !== '') !== hasId || id.includes('/')) continue;
    return { ...route, id };
  }
  return undefined;
}

async function createJob(
  { store, runner, queues, now, log }: Operations,
  request: ServiceRequest,
): Promise<ServiceResponse> {
  const parsed = CreateJob.safeParse(readBody(await text(request.body)), { reportInput: true });
  if (!parsed.success) throw refused(faultsOf(parsed.error));
  const job = parsed.data;
  const queue = queueOf(queues, job.queue ?? DEFAULT_QUEUE);
  request.authorize({ action: 'mediaconvert:CreateJob', resource: queue.arn });
  request.authorize({
    action: 'iam:PassRole',
    resource: job.role,
    context: { 'iam:PassedToService': 'mediaconvert.amazonaws.com' },
  });
  const faults = settingsFaults(job);
  if (faults.length > 0) throw refused(faults);
  for (const { path, text: risk } of fragmentRisks(job))
    log(`mediaconvert: some players may not play ${path}: ${risk}`);
  const token = job.clientRequestToken;
  const same = [...store.jobs.values()].find(
    ({ request: { clientRequestToken }, submittedAt }) =>
      token !== undefined && clientRequestToken === token && now() - submittedAt < TOKEN_MS,
  );
  const id = `${now()}-${randomBytes(3).toString('hex')}`;
  return json(201, { job: describeJob(same ?? (await runner.submit(id, queue.arn, job))) });
}

function readBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new AwsError('BadRequestException', 400, 'The request body is not JSON');
  }
}

/** By ARN; a name is accepted too. */
function queueOf(queues: readonly Queue[], reference: string): Queue {
  const queue = queues.find(({ name, arn }) => reference === name || reference === arn);
  if (!queue) throw new AwsError('NotFoundException', 404, `Queue ${reference} does not exist`);
  return queue;
}

function jobOf({ store }: Operations, id: string): Job {
  const job = store.jobs.get(id);
  if (!job) throw new AwsError('NotFoundException', 404, `Job ${id} does not exist`);
  return job;
}

async function getJob(operations: Operations, request: ServiceRequest, id: string): Promise<ServiceResponse> {
  request.authorize({ action: 'mediaconvert:GetJob', resource: jobArn(id) });
  return json(200, { job: describeJob(jobOf(operations, id)) });
}

/** Best effort on AWS too. That an ended job gives 409 is a guess: the model lists ConflictException without saying when. */
async function cancelJob(operations: Operations, request: ServiceRequest, id: string): Promise<ServiceResponse> {
  request.authorize({ action: 'mediaconvert:CancelJob', resource: jobArn(id) });
  const job = jobOf(operations, id);
  if (isDone(job)) throw new AwsError('ConflictException', 409, `Job ${id} has ended: it is ${job.status}`);
  await operations.runner.cancel(job);
  return json(202, {});
}

async function getQueue({ queues, store }: Operations, request: ServiceRequest, id: string): Promise<ServiceResponse> {
  const queue = queueOf(queues, id);
  request.authorize({ action: 'mediaconvert:GetQueue', resource: queue.arn });
  const jobs = [...store.jobs.values()].filter((job) => job.queue === queue.arn);
  const count = (status: Job['status']) => jobs.filter((job) => job.status === status).length;
  return json(200, {
    queue: {
      arn: queue.arn,
      name: queue.name,
      type: queue.name === DEFAULT_QUEUE ? 'SYSTEM' : 'CUSTOM',
      status: queue.isPaused ? 'PAUSED' : 'ACTIVE',
      pricingPlan: 'ON_DEMAND',
      progressingJobsCount: count('PROGRESSING'),
      submittedJobsCount: count('SUBMITTED'),
    },
  });
}

function json(status: number, body: object, headers: Record<string, string> = {}): ServiceResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
