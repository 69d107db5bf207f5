import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { Clock, type Timer } from '../kernel/clock.ts';
import { type Listening, listen } from '../kernel/http-server.ts';
import { type Behaviour, KIND } from './behaviour.ts';
import { type EndpointJob, Jobs } from './jobs.ts';
import { notify } from './webhook.ts';
import { type WorkerProgram, Workers } from './workers.ts';

/**
 * A GPU endpoint of RunPod's kind on this machine, as its documentation describes it: https://docs.runpod.io/serverless. It runs the
 * worker's program, which takes jobs as RunPod's own SDK (1.12.0) does, and can be as bad as such an endpoint may be. What it accepts
 * proves nothing of RunPod.
 */
export interface LocalEndpoint {
  /** `http://127.0.0.1:4000/v2/local` */
  url: string;
  /** Each may be changed at any time. */
  behaviour: Behaviour;
  jobs: Jobs;
  /** Runs around each call of a client: `run`, `status`, `cancel` or `health`. Where it throws, the client gets a 500. */
  intercept: (operation: string, act: () => Promise<Answer>) => Promise<Answer>;
  /** Kills the workers, as if their machines were lost: others get their jobs. */
  killWorkers(): void;
  close(): Promise<void>;
}

/** Null where the connection breaks off instead. */
type Answer = { status: number; body?: unknown } | null;

export interface EndpointOptions {
  /** What clients send as bearer token. */
  apiKey: string;
  worker: WorkerProgram;
  log?: (line: string) => void;
  port?: number;
  /** By which its limits and pauses pass; the machine's by default. */
  clock?: Timer;
}

/** Of the JSON of /run. https://docs.runpod.io/serverless/endpoints/send-requests */
const MAX_BODY_BYTES = 10 * 2 ** 20;
/** RunPod answers a worker that waits for a job within 90 s; shorter, so that closing takes no time. */
const POLL_MS = 2000;

const RunBody = z.object({
  input: z.record(z.string(), z.unknown()),
  webhook: z.url().optional(),
  policy: z
    .object({
      executionTimeout: z.number().int().min(5000).max(604_800_000).default(600_000),
      ttl: z.number().int().min(10_000).max(604_800_000).default(86_400_000),
    })
    .prefault({}),
});

export async function startEndpoint(options: EndpointOptions): Promise<LocalEndpoint> {
  const { log = () => {}, clock = new Clock() } = options;
  const behaviour: Behaviour = { ...KIND };
  const jobs = new Jobs(behaviour, clock, (job) => void notify(job, { behaviour, clock, log }));
  const workers = new Workers(options.worker, log, (worker) => jobs.lost(worker));
  const workerKey = randomUUID();
  const context: Context = { options, behaviour, jobs, workers, workerKey, intercept: (_, act) => act() };
  const server = await listen((request, response) => void answer(context, request, response), {
    port: options.port ?? 0,
    pages: 'own',
  });
  return Object.assign(context, {
    url: `${server.url}/v2/local`,
    killWorkers: () => void workers.kill(),
    close: () => close(workers, server),
  });
}

async function close(workers: Workers, server: Listening): Promise<void> {
  await workers.close();
  await server.close();
}

interface Context extends Pick<LocalEndpoint, 'behaviour' | 'jobs' | 'intercept'> {
  options: EndpointOptions;
  workers: Workers;
  workerKey: string;
}

async function answer(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (status: number, body?: unknown) => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  };
  try {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const [, area = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
    if (area === 'v2') {
      const [, call = '', id = ''] = rest;
      const act = () => answerClient(context, request, { call: `${request.method} ${call}`, id, url });
      const answered = await context.intercept(call, act).catch((error: unknown) => {
        context.options.log?.(`endpoint: ${call}: ${String(error)}`);
        return { status: 500, body: undefined };
      });
      return answered ? send(answered.status, answered.body) : void response.destroy();
    }
    if (request.headers.authorization !== context.workerKey) return send(401);
    return await answerWorker(context, { request, send, path: [area, ...rest] });
  } catch (error) {
    context.options.log?.(`endpoint: ${String(error)}`);
    if (!response.headersSent) send(400, { error: 'bad request' });
  }
}

interface Call {
  request: IncomingMessage;
  send: (status: number, body?: unknown) => void;
  path: string[];
}

async function answerClient(
  { options, behaviour, jobs, workers, workerKey }: Context,
  request: IncomingMessage,
  { call, id, url }: { call: string; id: string; url: URL },
): Promise<Answer> {
  if (behaviour.down) return { status: 503 };
  if (behaviour.busy > 0) {
    behaviour.busy -= 1;
    return { status: 429 };
  }
  if (request.headers.authorization !== `Bearer ${options.apiKey}`) return { status: 401 };
  switch (call) {
    case 'POST run': {
      if (behaviour.refuses !== undefined) return { status: behaviour.refuses };
      const { success, data } = RunBody.safeParse(JSON.parse(await read(request)));
      if (!success) return { status: 400, body: { error: 'bad request' } };
      const job = jobs.add(data);
      if (!behaviour.dead) workers.wake({ url: url.origin, key: workerKey }, behaviour.twice ? 2 : 1);
      return behaviour.losesRuns ? null : { status: 200, body: { id: job.id, status: 'IN_QUEUE' } };
    }
    case 'GET status': {
      const job = jobs.get(id);
      return job ? { status: 200, body: jobs.statusOf(job) } : { status: 404 };
    }
    case 'POST cancel': {
      const job = jobs.get(id);
      if (!job) return { status: 404 };
      jobs.cancel(job);
      return { status: 200, body: { id, status: 'CANCELLED' } };
    }
    case 'GET health':
      return { status: 200, body: { jobs: jobs.counts(), workers: workers.counts() } };
    default:
      return { status: 404 };
  }
}

async function answerWorker({ jobs }: Context, { request, send, path }: Call): Promise<void> {
  const [call, worker = '', id = ''] = path;
  switch (`${request.method} ${call}`) {
    case 'GET job-take': {
      const job = await within(POLL_MS, () => jobs.take(worker));
      return job ? send(200, { id: job.id, input: job.input }) : send(204);
    }
    case 'GET job-stop': {
      const stop = await within(POLL_MS, () => jobs.toStop(worker));
      return stop ? send(200, { jobsToStop: stop }) : send(204);
    }
    case 'GET ping':
      return send(200);
    case 'POST job-done':
      jobs.done(id, worker, JSON.parse(await read(request)) as Pick<EndpointJob, 'output' | 'error'>);
      return send(200);
    default:
      return send(404);
  }
}

async function within<T>(ms: number, look: () => T | undefined): Promise<T | undefined> {
  const until = Date.now() + ms;
  for (;;) {
    const found = look();
    if (found !== undefined || Date.now() > until) return found;
    await delay(50);
  }
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error('the body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
