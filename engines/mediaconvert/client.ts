import {
  CancelJobCommand,
  ConflictException,
  CreateJobCommand,
  GetJobCommand,
  GetQueueCommand,
  type Job,
  MediaConvertClient,
  MediaConvertServiceException,
  NotFoundException,
} from '@aws-sdk/client-mediaconvert';
import { askEach } from '../ask-each.ts';
import { type EngineEnd, EngineRefused, type EngineState, type QueueState } from '../engine.ts';
import { isOfTheRequest, isRefusal } from '../refusals.ts';
import { whileThrottled } from '../throttled.ts';
import { afterComplete } from './complete.ts';
import { CANCELLED, endOfError } from './reasons.ts';
import type { PlannedJob } from './settings.ts';

/** The calls of MediaConvert, and how its answers are read. */

/** One attempt: after one that was answered late or not at all, the refusal of a next one would hide that the job is there. */
export function submittingClient(): MediaConvertClient {
  const requestHandler = { connectionTimeout: 3000, requestTimeout: 8000, throwOnRequestTimeout: true };
  return new MediaConvertClient({ maxAttempts: 1, requestHandler });
}

/**
 * Submits a job, and returns MediaConvert's id of it. Called again within a minute, it returns the same id; after that there would be a
 * second job under the same prefix, so that another attempt has another plan.
 * @throws EngineRefused where MediaConvert certainly does not have the job
 */
export async function submit(client: MediaConvertClient, { request }: Pick<PlannedJob, 'request'>): Promise<string> {
  const { Job: job } = await whileThrottled(() => client.send(new CreateJobCommand(request))).catch(
    (error: unknown) => {
      throw refusalOf(error) ?? error;
    },
  );
  if (!job?.Id) throw new Error('MediaConvert answered CreateJob without a job id.');
  return job.Id;
}

/** Settings that are refused once are refused always; permissions (403), the queue (404), quotas (402) and rates (429) change. */
function refusalOf(error: unknown): EngineRefused | null {
  if (!(error instanceof MediaConvertServiceException)) return null;
  const { httpStatusCode: status = 0 } = error.$metadata;
  if (!isRefusal(status)) return null;
  const options = { forGood: isOfTheRequest(status), cause: error };
  return new EngineRefused(`MediaConvert refused the job: ${error.message}`, options);
}

/** Ids of MediaConvert are numbers and a few letters, `1515368087458-qnoxtd`; those of AWS Batch are UUIDs. */
export function isJobId(id: string): boolean {
  return /^\d{10,}-[a-z0-9]+$/.test(id);
}

/** Calls at once: MediaConvert's rate is low, and not documented. */
const PARALLEL = 2;

/** What MediaConvert returns for these jobs, by its id of each. There is an answer for each. */
export function describe(client: MediaConvertClient, ids: readonly string[]): Promise<Map<string, EngineState>> {
  return askEach(ids, PARALLEL, async (Id) => {
    const answer = await client.send(new GetJobCommand({ Id })).catch((error: unknown) => {
      if (error instanceof NotFoundException) return null;
      throw error;
    });
    return answer?.Job ? stateOf(answer.Job) : { kind: 'ended', end: FORGOTTEN };
  });
}

/** MediaConvert forgets a job three months after its end. */
const FORGOTTEN: EngineEnd = {
  by: 'unseen',
  reason: { code: 'engine_lost', message: 'MediaConvert no longer has the job.' },
};

function stateOf({ Status, Timing, ErrorCode, ErrorMessage, Warnings = [], UserMetadata }: Job): EngineState {
  switch (Status) {
    case 'SUBMITTED':
      return { kind: 'waiting' };
    case 'PROGRESSING':
      // MediaConvert itself ends a job that hangs.
      return {
        kind: 'running',
        ...(Timing?.StartTime && { startedAt: Timing.StartTime.toISOString() }),
        seenAt: new Date().toISOString(),
      };
    case 'COMPLETE': {
      const warnings = Warnings.flatMap(({ Code }) => Code ?? []);
      return afterComplete(UserMetadata?.attempt, warnings);
    }
    case 'ERROR':
      return { kind: 'ended', end: endOfError(ErrorCode, ErrorMessage) };
    case 'CANCELED':
      return { kind: 'ended', end: CANCELLED };
    default:
      return { kind: 'unknown', why: `MediaConvert says that the job is ${Status}.` };
  }
}

/** Ends a job that waits or runs; one that has ended, or is not known any more, stays as it is. */
export async function cancel(client: MediaConvertClient, id: string): Promise<void> {
  await client.send(new CancelJobCommand({ Id: id })).catch((error: unknown) => {
    if (!(error instanceof ConflictException) && !(error instanceof NotFoundException)) throw error;
  });
}

/** @param arn of the queue, whose last part is its name */
export async function lookAtQueue(client: MediaConvertClient, arn: string): Promise<QueueState> {
  const { Queue: queue } = await client.send(new GetQueueCommand({ Name: arn.slice(arn.lastIndexOf('/') + 1) }));
  return {
    queue: arn,
    atWork: (queue?.ProgressingJobsCount ?? 0) > 0,
    waiting: queue?.SubmittedJobsCount ?? 0,
    blockedBy: queue?.Status === 'PAUSED' ? 'The queue is paused.' : null,
  };
}
