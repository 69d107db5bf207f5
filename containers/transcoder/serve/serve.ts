import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { WorkerEnv } from '../../../core/contracts/env.ts';
import { HttpInput } from '../../../core/contracts/http/engine-jobs.ts';
import { EXIT } from '../../../core/contracts/job.ts';
import { Drained } from '../failures.ts';
import type { Tools } from '../ffmpeg/run.ts';
import { log } from '../log.ts';
import { reportProgress } from '../progress.ts';
import { becomeWorker, withSecondUser } from '../users.ts';
import { work } from '../worker.ts';
import { jobApi } from './api.ts';
import { presignedS3 } from './presigned-s3.ts';
import { Queue, QueueEnv, type Taken } from './queue.ts';

const ServeEnv = QueueEnv.extend({
  ...WorkerEnv.pick({ SCRATCH_DIR: true, USE_GPU: true, FFMPEG_PATH: true, FFPROBE_PATH: true }).shape,
  /** How long a job stays with a machine of which nothing is seen, before another one that was given it begins. */
  CLAIM_SECONDS: z.coerce.number().positive().default(120),
});

/** As many as the job definition of AWS Batch makes. */
const ATTEMPTS = 3;

/** Takes jobs from the queue of an endpoint, one after the other, until SIGTERM. */
export async function serve(): Promise<void> {
  const env = ServeEnv.parse(process.env);
  becomeWorker(env.SCRATCH_DIR);
  const end = new AbortController();
  process.once('SIGTERM', () => end.abort(new Drained('SIGTERM')));
  const tools = await withSecondUser({ ffmpeg: env.FFMPEG_PATH, ffprobe: env.FFPROBE_PATH });
  const queue = new Queue(env);
  void queue.watchStops(end.signal);
  log('info', 'waiting for jobs');
  while (!end.signal.aborted) {
    const taken = await queue.take(end.signal);
    const machine = { id: env.RUNPOD_POD_ID, leaseMs: env.CLAIM_SECONDS * 1000 };
    const server = { queue, tools, machine, gpu: env.USE_GPU, scratchDirectory: env.SCRATCH_DIR, end: end.signal };
    if (taken) await serveOne(server, taken);
  }
}

interface Server {
  queue: Queue;
  tools: Tools;
  machine: { id: string; leaseMs: number };
  gpu: boolean;
  scratchDirectory: string;
  end: AbortSignal;
}

async function serveOne(server: Server, { id, input }: Taken): Promise<void> {
  const { queue, scratchDirectory, end } = server;
  const { success, data: given } = HttpInput.safeParse(input);
  if (!success) return queue.done(id, { error: 'The input is not a job of dropreel.' });
  const { jobId, mediaId } = given.job;
  log('info', 'a job', { jobId, engineJobId: id });
  const over = new AbortController();
  const signal = AbortSignal.any([end, over.signal]);
  const api = jobApi(given, (why) => over.abort(why));
  const stopped = new Drained('the endpoint stops the job');
  const unwatch = queue.onStop(id, () => over.abort(stopped));
  const ended = queue.ping(id);
  try {
    const exit = await attempts({ ...server, given, api, id, signal });
    // Whoever has cancelled it there: nothing else tells of that before sweep asks.
    if (over.signal.reason === stopped)
      await api.hint().catch((cause: unknown) => log('warn', 'not told', { jobId, error: String(cause) }));
    // Over at the API: the endpoint would wait for it up to its time limit, or give it to another worker.
    else if (over.signal.reason instanceof Drained) await queue.done(id, { error: over.signal.reason.message });
    if (exit === EXIT.drained) return;
    const failed = exit !== EXIT.ok;
    const error = failed ? `exit code ${exit}` : undefined;
    await api
      .ended({ jobId: id, status: failed ? 'failed' : 'completed', ...(error && { error }) })
      .catch((cause: unknown) => log('warn', 'the end was not reported', { jobId, error: String(cause) }));
    await queue.done(id, error === undefined ? { output: { jobId, mediaId } } : { error });
  } finally {
    ended();
    unwatch();
    await rm(join(scratchDirectory, jobId), { recursive: true, force: true });
  }
}

async function attempts({
  given,
  api,
  id,
  tools,
  machine,
  gpu,
  scratchDirectory,
  signal,
}: Server & {
  given: HttpInput;
  api: ReturnType<typeof jobApi>;
  id: string;
  signal: AbortSignal;
}): Promise<number> {
  const { job } = given;
  const paidSince = performance.now();
  for (let attempt = 1; ; ) {
    const lost = new AbortController();
    const working = AbortSignal.any([signal, lost.signal]);
    const identity = { jobId: job.jobId, engineJobId: id, attempt };
    const progress = reportProgress(({ jobId: _, ...report }) => api.progress(report), identity);
    let exit: number;
    try {
      exit = await work(job, {
        ...{ s3: presignedS3(api, working), tools, gpu, engineJobId: id, scratchDirectory, progress, paidSince },
        machine: { ...machine, onLost: (why) => lost.abort(why) },
        signal: working,
      });
    } catch (error) {
      log('error', 'the worker could not report its result', { jobId: job.jobId, error: String(error) });
      exit = EXIT.transient;
    }
    await progress.close();
    if (signal.aborted) return EXIT.drained;
    // It begins again, or waits for the machine that has the job, whatever this attempt has come to.
    if (lost.signal.aborted) continue;
    if (exit !== EXIT.transient || attempt === ATTEMPTS) return exit;
    attempt += 1;
  }
}
