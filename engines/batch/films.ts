import { BatchClient } from '@aws-sdk/client-batch';
import { S3Client } from '@aws-sdk/client-s3';
import { readText, TextTooLarge } from '../../aws/s3.ts';
import type { EngineMessage } from '../../core/contracts/events.ts';
import type { Job } from '../../core/contracts/job.ts';
import { PREPARED_FILE, tmpPrefix } from '../../core/contracts/keys.ts';
import { parseJson } from '../../core/contracts/text.ts';
import type { Held } from '../../core/jobs/cost.ts';
import { FARGATE, type Starts } from '../../core/media/chunk-count.ts';
import { Prepared } from '../../core/media/prepared.ts';
import { type Engine, EngineRefused, type EngineState, engineKind, type Submission } from '../engine.ts';
import { blockedChild, cancel, details, findAll, stateOf, submit, submittingClient } from './client.ts';
import { connectBatch } from './engine.ts';
import { endedJob, queueOfEvent, readEvent } from './events.ts';
import { heldBy } from './held.ts';
import { BatchEnv } from './names.ts';
import {
  arrayOf,
  childId,
  type FilmPart,
  partText,
  readPart,
  readTaskName,
  readTwinName,
  taskName,
  twinName,
  twinNames,
} from './parts.ts';
import { estimate, priceOf } from './price.ts';
import { queueOf, shareOf } from './queues.ts';
import { FORGOTTEN } from './reasons.ts';

/** `batch-cpu`: the worker's container on AWS Batch, on Fargate. */
export const batch = engineKind({
  environment: BatchEnv,
  priceOf,
  connect: (env) => connectBatchCpu(env, filmClients()),
});

export function connectBatchCpu(env: BatchEnv, clients: Clients): Engine {
  const { JOB_VCPUS: vcpus, MAX_WORKERS: workers } = env;
  return {
    ...connectFilms(env, clients, FARGATE),
    estimate: (source, preset, prices, deadlineSeconds) =>
      estimate(source, preset, prices, { vcpus, workers, deadlineSeconds }),
  };
}

export function filmClients(): Clients {
  return { submitting: submittingClient(), others: new BatchClient({}), s3: new S3Client({}) };
}

/** Of a film that is cut. */
const LEAST_CHUNKS = 2;

/** Whose chunks have ended. */
interface EndedTask {
  jobId: string;
  queue: string;
  count: number;
}

interface Clients {
  submitting: BatchClient;
  others: BatchClient;
  s3: S3Client;
}

/**
 * What both engines on AWS Batch have in common: several workers encode a long film. docs/decisions/0402-chunks.md
 * @param starts what it takes to start one
 */
export function connectFilms(
  env: BatchEnv,
  { submitting, others, s3 }: Clients,
  starts: Starts,
): Omit<Engine, 'estimate'> {
  const { JOB_VCPUS: vcpus, MAX_WORKERS: workers } = env;
  const queues = new Set([env.JOB_QUEUE, env.RETRANSCODE_JOB_QUEUE, env.ON_DEMAND_JOB_QUEUE]);

  /** How many chunks its first worker has left a film in; null where it has left none. */
  async function chunksOf(jobId: string): Promise<number | null> {
    const key = `${tmpPrefix(jobId)}${PREPARED_FILE}`;
    const text = await readText(s3, { bucket: env.JOB_BUCKET, key }).catch((error: unknown) => {
      if (error instanceof TextTooLarge) return null;
      throw error;
    });
    const { success, data } = Prepared.pick({ jobId: true, chunks: true }).safeParse(parseJson(text ?? ''));
    // A worker cuts into no more; of one that was taken over, the rest would be missing, and the film is encoded whole.
    return success && data.jobId === jobId && data.chunks !== undefined
      ? Math.min(data.chunks, Math.max(LEAST_CHUNKS, workers - 1))
      : null;
  }

  /**
   * Which part follows one that has ended, however it did: null after the last. What a worker has left decides, because it may be lost after
   * that. Where a chunk is missing, the worker that was to join encodes the whole.
   */
  async function nextPart({ jobId, part }: { jobId: string; part?: string | undefined }): Promise<string | null> {
    const film = readPart(part);
    if (film) return film.name === 'chunks' ? partText({ ...film, name: 'join' }) : null;
    const count = await chunksOf(jobId);
    return count === null ? null : partText({ name: 'chunks', count });
  }

  /** What the children of an array are billed for, and those that were started beside them. */
  async function heldByChildren(array: string, task: EndedTask): Promise<Held[]> {
    const { jobId, queue, count } = task;
    const children = Array.from({ length: count + 1 }, (_, index) => childId({ array, index }));
    const named = await findAll(others, queue, twinNames(jobId));
    const twins = named.filter(({ jobName = '' }) => arrayOf(readTwinName(jobName) ?? '') === array);
    const found = await details(others, [...children, ...twins.flatMap(({ jobId: id = [] }) => id)]);
    const hasMade = (id: string) => found.get(id)?.status === 'SUCCEEDED';
    return [...found].map(([id, detail]) => {
      const beside = readTwinName(detail.jobName ?? '');
      const isOfUse = hasMade(id) && (beside === null || !hasMade(beside));
      return { ...heldBy(detail), ...(!isOfUse && { inVain: true as const }) };
    });
  }

  /** What the workers of a part that has ended are billed for. */
  async function heldByPart(
    { jobId, part }: { jobId: string; part?: string | undefined },
    { id, queue, held }: { id: string; queue: string | undefined; held: Held | undefined },
  ): Promise<{ held?: readonly Held[] }> {
    const film = readPart(part);
    if (film?.name !== 'chunks') return held ? { held: [held] } : {};
    if (queue === undefined) return {};
    // For the cost only, which does not hold up the next part.
    const all = await heldByChildren(id, { jobId, queue, count: film.count }).catch(() => null);
    return all ? { held: all } : {};
  }

  async function stateNow(detail: Parameters<typeof stateOf>[0]): Promise<EngineState> {
    const state = stateOf(detail);
    if (state.kind === 'waiting') {
      const reason = await blockedChild(others, detail);
      return reason === null ? state : { kind: 'waiting', blockedBy: reason };
    }
    const task = readTaskName(detail.jobName ?? '');
    const next = state.kind === 'ended' && task ? await nextPart(task) : null;
    if (next === null) return state;
    const billed = { id: detail.jobId ?? '', queue: detail.jobQueue, held: heldBy(detail) };
    return { kind: 'continues', next, ...(task && (await heldByPart(task, billed))) };
  }

  return {
    ...connectBatch(env, { submitting, others }),
    submit(submission) {
      const { job, part, tried, deadlineSeconds } = submission;
      const film = readPart(part);
      if (part !== undefined && !film) {
        throw new EngineRefused(`This release has no part ${part} of a job.`, { forGood: true });
      }
      const isArray = film?.name === 'chunks';
      return submit(submitting, {
        job: {
          ...job,
          task: film ? taskOf(film, submission) : { name: 'cut', vcpus, workers, starts, deadlineSeconds },
        },
        name: taskName(job.jobId, part),
        // A chunk is short, whatever the film is: a machine that is taken away costs little.
        queue: queueOf(isArray ? { ...submission, onDemand: false } : submission, env),
        definition: env.JOB_DEFINITION,
        share: shareOf(submission),
        tried,
        ...(isArray && { arraySize: film.count + 1 }),
      });
    },
    async startTwin({ job, purpose, part, engineJobId: array, index }) {
      const film = readPart(part);
      if (film?.name !== 'chunks' || index > film.count) return;
      await submit(submitting, {
        job: { ...job, task: { name: 'chunk', part, count: film.count, beside: { array, index } } },
        name: twinName(job.jobId, childId({ array, index })),
        queue: queueOf({ purpose, onDemand: false }, env),
        definition: env.JOB_DEFINITION,
        share: shareOf({ job, purpose }),
        tried: false,
      });
    },
    async describe(ids) {
      const known = await details(others, ids);
      const states = new Map<string, EngineState>();
      for (const id of ids) {
        const detail = known.get(id);
        const unanswered = (error: unknown): EngineState => ({ kind: 'unanswered', error });
        states.set(id, detail ? await stateNow(detail).catch(unanswered) : { kind: 'ended', end: FORGOTTEN });
      }
      return states;
    },
    async read(message) {
      // Of another engine on AWS Batch, whose films are cut for its own workers.
      const queue = queueOfEvent(message);
      if (queue !== undefined && !queues.has(queue)) return { kind: 'nothing', why: `of another queue: ${queue}` };
      const slow = slowChild(message);
      if (slow !== null) {
        await cancel(others, slow, 'another worker was quicker');
        return { kind: 'nothing', why: `the twin of ${slow} has ended` };
      }
      const event = readEvent(message, readTaskName);
      if (event?.kind !== 'running' && event?.kind !== 'ended') return event;
      const array = arrayOf(event.engineJobId);
      if (array !== undefined && event.kind === 'running') return { ...event, engineJobId: array };
      if (array !== undefined) return { kind: 'nothing', why: 'the end of its array counts' };
      const next = event.kind === 'ended' ? await nextPart(event) : null;
      if (next === null) return event;
      const { jobId, engineJobId, part } = event;
      const billed = { id: engineJobId, queue, held: event.kind === 'ended' ? event.end.held : undefined };
      return { kind: 'continues', jobId, engineJobId, part, next, ...(await heldByPart(event, billed)) };
    },
  };
}

function taskOf(film: FilmPart, { purpose }: Pick<Submission, 'purpose'>): NonNullable<Job['task']> {
  const part = { part: partText(film), count: film.count };
  if (film.name === 'join') return { name: 'join', ...part };
  // A re-transcode is not shown before it is whole.
  return { name: 'chunk', ...part, ...(purpose === 'ingest' && { grows: true }) };
}

/** The child of an array beside which a worker has ended that was started because it is slow; null for any other event. */
function slowChild(message: EngineMessage): string | null {
  const ended = endedJob(message);
  return ended?.status === 'SUCCEEDED' ? readTwinName(ended.jobName) : null;
}
