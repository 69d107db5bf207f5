import { z } from 'zod';
import type { EngineMessage } from '../../core/contracts/events.ts';
import { JobId } from '../../core/contracts/ids.ts';
import type { EngineEvent, OfJob } from '../engine.ts';
import { heldBy } from './held.ts';
import { BATCH_EVENTS } from './names.ts';
import { endOf } from './reasons.ts';

const BATCH_STATUSES = ['SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED', 'FAILED'] as const;

/** https://docs.aws.amazon.com/batch/latest/userguide/batch_job_events.html */
const JobStateChange = z.object({
  source: z.literal(BATCH_EVENTS.source),
  'detail-type': z.literal(BATCH_EVENTS.jobChanged),
  detail: z.object({
    jobId: z.string(),
    jobName: z.string(),
    jobQueue: z.string().optional(),
    status: z.enum(BATCH_STATUSES),
    statusReason: z.string().optional(),
    /** Used for the cost only: an unexpected value must not hide the end of a job. */
    attempts: z
      .array(z.object({ startedAt: z.number().optional(), stoppedAt: z.number().optional() }))
      .default([])
      .catch([]),
    container: z
      .object({
        exitCode: z.number().int().optional(),
        reason: z.string().optional(),
        resourceRequirements: z
          .array(z.object({ type: z.string(), value: z.string() }))
          .optional()
          .catch(undefined),
      })
      .optional(),
    /** Milliseconds since the epoch. */
    startedAt: z.number().optional(),
  }),
});

/** https://docs.aws.amazon.com/batch/latest/userguide/batch-job-queue-blocked-events.html */
const JobQueueBlocked = z.object({
  source: z.literal(BATCH_EVENTS.source),
  'detail-type': z.literal(BATCH_EVENTS.queueBlocked),
  detail: z.object({ jobName: z.string(), jobQueue: z.string(), statusReason: z.string() }),
});

const BatchEvent = z.discriminatedUnion('detail-type', [JobStateChange, JobQueueBlocked]);

/** What a job's name on AWS Batch says: of which job of ours it is, and which part; null for a job that is not ours. */
export type ReadName = (name: string) => Pick<OfJob, 'jobId' | 'part'> | null;

const isWhole: ReadName = (name) => {
  const { success, data: jobId } = JobId.safeParse(name);
  return success ? { jobId } : null;
};

/** The queue of the job that an event is of; undefined for another event. */
export function queueOfEvent(message: EngineMessage): string | undefined {
  return JobStateChange.safeParse(message).data?.detail.jobQueue;
}

/** Which job has ended, by an event of any; null for another event. */
export function endedJob(message: EngineMessage): { jobName: string; status: 'SUCCEEDED' | 'FAILED' } | null {
  const { success, data } = JobStateChange.safeParse(message);
  if (!success) return null;
  const { jobName, status } = data.detail;
  return status === 'SUCCEEDED' || status === 'FAILED' ? { jobName, status } : null;
}

/**
 * Null where it is not from AWS Batch.
 * @throws ZodError where it is and cannot be read
 */
export function readEvent(message: EngineMessage, readName: ReadName = isWhole): EngineEvent | null {
  if (message.source !== BATCH_EVENTS.source) return null;
  const event = BatchEvent.parse(message);
  if (event['detail-type'] === BATCH_EVENTS.queueBlocked) {
    const { jobQueue, jobName, statusReason } = event.detail;
    return { kind: 'blocked', queue: jobQueue, job: jobName, reason: statusReason };
  }
  const { jobName, jobId: engineJobId, status, statusReason, container, startedAt } = event.detail;
  const named = readName(jobName);
  if (!named) return { kind: 'nothing', why: `not a job of ours: ${jobName}` };
  const of = { ...named, engineJobId };
  if (status === 'SUCCEEDED' || status === 'FAILED') {
    const { exitCode, reason: containerReason } = container ?? {};
    const end = endOf({ status, exitCode, containerReason, statusReason, held: heldBy(event.detail) });
    return { kind: 'ended', ...of, end };
  }
  if (status !== 'RUNNING') return { kind: 'nothing', why: `the job is ${status}` };
  return {
    kind: 'running',
    ...of,
    ...(startedAt !== undefined && { startedAt: new Date(startedAt).toISOString() }),
  };
}
