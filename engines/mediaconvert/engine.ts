import { BatchClient } from '@aws-sdk/client-batch';
import { MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { head, readText, TextTooLarge } from '../../aws/s3.ts';
import type { EngineName } from '../../core/contracts/engines.ts';
import type { Job } from '../../core/contracts/job.ts';
import { PREPARED_FILE, SOURCE_FILE, tmpPrefix } from '../../core/contracts/keys.ts';
import { parseJson } from '../../core/contracts/text.ts';
import type { Held } from '../../core/jobs/cost.ts';
import { planEncode } from '../../core/media/plan.ts';
import { Prepared } from '../../core/media/prepared.ts';
import * as workers from '../batch/client.ts';
import { readEvent as readWorkerEvent } from '../batch/events.ts';
import { queueOf, shareOf } from '../batch/queues.ts';
import { FORGOTTEN } from '../batch/reasons.ts';
import { withBlock } from '../blocked.ts';
import {
  type Engine,
  type EngineEnd,
  EngineRefused,
  type EngineState,
  engineKind,
  NotAsked,
  type Submission,
} from '../engine.ts';
import * as mediaConvert from './client.ts';
import { readEvent } from './events.ts';
import { MediaConvertEnv } from './names.ts';
import { ENCODE, encodedPrefix, readFinish, readTaskName, taskName } from './parts.ts';
import { estimate, priceOf } from './price.ts';
import { lossesOf } from './reasons.ts';
import { type PlannedJob, planJob } from './settings.ts';

/** `mediaconvert`: AWS Elemental MediaConvert, between two workers on AWS Batch. docs/decisions/0111-three-parts.md */
export const mediaconvert = engineKind({
  environment: MediaConvertEnv,
  priceOf,
  connect: (env) =>
    connectMediaConvert(env, {
      submitting: mediaConvert.submittingClient(),
      others: new MediaConvertClient({}),
      submittingWorkers: workers.submittingClient(),
      workers: new BatchClient({}),
      s3: new S3Client({}),
    }),
});

/** The worker that prepares is paid whatever becomes of the job. */
function afterPrepare({ end: { held } }: { end: EngineEnd }): { next: string; held?: readonly Held[] } {
  return { next: ENCODE, ...(held && { held: [held] }) };
}

interface Clients {
  submitting: MediaConvertClient;
  others: MediaConvertClient;
  submittingWorkers: BatchClient;
  workers: BatchClient;
  s3: S3Client;
}

export function connectMediaConvert(env: MediaConvertEnv, clients: Clients): Engine {
  const preparedOf = (jobId: string) => ({
    bucket: env.JOB_BUCKET,
    key: `${tmpPrefix(jobId)}${PREPARED_FILE}`,
  });

  const lookAtQueue = () => mediaConvert.lookAtQueue(clients.others, env.MEDIACONVERT_QUEUE);

  /** The outputs decide: a worker may be lost after it has prepared the job. */
  const isPrepared = async (jobId: string) => (await head(clients.s3, preparedOf(jobId))) !== null;

  async function submitWorker(submission: Submission, task: NonNullable<Job['task']>): Promise<string> {
    const { job, part, tried } = submission;
    return workers.submit(clients.submittingWorkers, {
      job: { ...job, task },
      name: taskName(job.jobId, part),
      queue: queueOf(submission, env),
      definition: env.JOB_DEFINITION,
      share: shareOf(submission),
      tried,
    });
  }

  async function encode(submission: Submission): Promise<string> {
    const text = await readText(clients.s3, preparedOf(submission.job.jobId)).catch((error: unknown) => {
      if (error instanceof TextTooLarge) return null;
      throw new NotAsked(error);
    });
    return mediaConvert.submit(clients.submitting, planPrepared(text ?? '', submission));
  }

  /** @throws EngineRefused for whatever is wrong with it: the next attempt would find the same, and other jobs do not depend on it */
  function planPrepared(text: string, { job, number, purpose }: Submission): PlannedJob {
    const { jobId, preset, output } = job;
    try {
      const { probe, ends, audioTracks } = Prepared.extend({ jobId: z.literal(jobId) }).parse(parseJson(text));
      return planJob(
        planEncode(probe, preset, ends),
        { probe, audioTracks },
        {
          jobId,
          attempt: number,
          purpose,
          role: env.MEDIACONVERT_ROLE,
          queue: env.MEDIACONVERT_QUEUE,
          source: { bucket: output.bucket, key: `${output.prefix}${SOURCE_FILE}` },
          output: { bucket: output.bucket, prefix: `${output.prefix}${encodedPrefix(number)}` },
        },
      );
    } catch (cause) {
      const message = `${PREPARED_FILE} of the job is missing, or not as it should be.`;
      throw new EngineRefused(message, { forGood: true, cause });
    }
  }

  async function describeWorkers(ids: readonly string[]): Promise<Map<string, EngineState>> {
    const details = await workers.details(clients.workers, ids).catch((error: unknown) => ({ error }));
    // MediaConvert answers for the others all the same.
    if ('error' in details) return new Map(ids.map((id) => [id, { kind: 'unanswered', ...details }]));
    const states = new Map<string, EngineState>();
    for (const id of ids) {
      const detail = details.get(id);
      states.set(id, detail ? await workerState(detail) : { kind: 'ended', end: FORGOTTEN });
    }
    return states;
  }

  async function workerState(detail: Parameters<typeof workers.stateOf>[0]): Promise<EngineState> {
    const state = workers.stateOf(detail);
    const task = readTaskName(detail.jobName ?? '');
    if (state.kind !== 'ended' || !task || task.part !== undefined) return state;
    return (await isPrepared(task.jobId)) ? { kind: 'continues', ...afterPrepare(state) } : state;
  }

  return {
    title: 'MediaConvert',
    async submit(submission) {
      const { part } = submission;
      if (part === undefined) return submitWorker(submission, { name: 'prepare' });
      if (part === ENCODE) return encode(submission);
      const finish = readFinish(part);
      if (!finish) throw new EngineRefused(`This release has no part ${part} of a job.`, { forGood: true });
      const encoded = encodedPrefix(finish.number);
      return submitWorker(submission, { name: 'finish', part, encoded, warnings: lossesOf(finish.warnings) });
    },
    async describe(ids) {
      const encodes = ids.filter((id) => mediaConvert.isJobId(id));
      const [encoding, working] = await Promise.all([
        mediaConvert
          .describe(clients.others, encodes)
          .then((states) => withBlock(states, async () => (await lookAtQueue()).blockedBy)),
        describeWorkers(ids.filter((id) => !mediaConvert.isJobId(id))),
      ]);
      return new Map([...encoding, ...working]);
    },
    cancel: (id, why) =>
      mediaConvert.isJobId(id) ? mediaConvert.cancel(clients.others, id) : workers.cancel(clients.workers, id, why),
    async read(message) {
      const encoding = readEvent(message);
      if (encoding) return encoding;
      const event = readWorkerEvent(message, readTaskName);
      if (event?.kind === 'ended' && event.part === undefined && (await isPrepared(event.jobId))) {
        const { jobId, engineJobId } = event;
        return { kind: 'continues', jobId, engineJobId, ...afterPrepare(event) };
      }
      return event?.kind === 'blocked' ? null : event;
    },
    look: async () => ({
      queues: [await lookAtQueue()],
      broken: [],
    }),
    // Its workers are at work for minutes.
    needsOnDemand: () => false,
    servedBy: (part): EngineName => (part === ENCODE ? 'mediaconvert' : 'batch-cpu'),
    estimate,
  };
}
