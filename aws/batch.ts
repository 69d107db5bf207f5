import {
  type BatchClient,
  DescribeJobsCommand,
  type JobDetail,
  ListJobsCommand,
  SubmitJobCommand,
  TerminateJobCommand,
} from '@aws-sdk/client-batch';
import type { BATCH_STATUSES } from '../core/contracts/events.ts';
import type { Job } from '../core/contracts/job.ts';
import { CANCEL_REASON } from '../core/jobs/ended.ts';
import { DropreelError } from '../core/jobs/errors.ts';

/** The engine `batch-cpu`: submit, describe, cancel. */

export interface Submission {
  job: Job;
  queue: string;
  definition: string;
  /** Whose turn it is in a queue that shares fairly; absent for a queue that takes jobs in order. */
  shareIdentifier?: string;
  /** Whether the same job may have been submitted before: then AWS Batch is asked first. */
  again: boolean;
}

/** What one SubmitJob's overrides may come to, in characters of their JSON. */
const MAX_OVERRIDES = 8192;

/**
 * Submits a job, named by its id, and returns the engine's id of it. SubmitJob has no token against doubles, so a second try
 * looks for the name first; two that meet all the same are told apart by the worker's claim.
 */
export async function submit(client: BatchClient, submission: Submission): Promise<string> {
  const { job, queue, definition, shareIdentifier, again } = submission;
  const containerOverrides = { environment: [{ name: 'DROPREEL_JOB', value: JSON.stringify(job) }] };
  const size = JSON.stringify(containerOverrides).length;
  if (size > MAX_OVERRIDES) {
    throw new DropreelError('engine_refused', `The job takes ${size} characters; AWS Batch accepts ${MAX_OVERRIDES}.`);
  }
  const known = again ? await find(client, queue, job.jobId) : null;
  if (known) return known;
  const { jobId } = await client.send(
    new SubmitJobCommand({
      jobName: job.jobId,
      jobQueue: queue,
      jobDefinition: definition,
      containerOverrides,
      ...(shareIdentifier && { shareIdentifier }),
    }),
  );
  if (!jobId) throw new Error('AWS Batch answered SubmitJob without a job id.');
  return jobId;
}

/** The newest engine job of that name, whatever its state. */
async function find(client: BatchClient, queue: string, name: string): Promise<string | null> {
  const { jobSummaryList = [] } = await client.send(
    new ListJobsCommand({ jobQueue: queue, filters: [{ name: 'JOB_NAME', values: [name] }] }),
  );
  const newest = jobSummaryList
    .filter(({ jobName }) => jobName === name)
    .sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0))
    .at(0);
  return newest?.jobId ?? null;
}

export interface EngineJob {
  engineJobId: string;
  status: (typeof BATCH_STATUSES)[number];
  statusReason?: string;
  exitCode?: number;
  containerReason?: string;
  /** How many attempts there have been. */
  attempts: number;
  /** Milliseconds since the epoch. */
  createdAt?: number;
  startedAt?: number;
}

/** DescribeJobs' limit. */
const DESCRIBE_BATCH = 100;

/** What the engine knows of these jobs, by its id of each. It forgets ended ones after some days; those are missing here. */
export async function describe(client: BatchClient, engineJobIds: readonly string[]): Promise<Map<string, EngineJob>> {
  const found = new Map<string, EngineJob>();
  for (let i = 0; i < engineJobIds.length; i += DESCRIBE_BATCH) {
    const { jobs = [] } = await client.send(
      new DescribeJobsCommand({ jobs: engineJobIds.slice(i, i + DESCRIBE_BATCH) }),
    );
    for (const job of jobs) {
      const known = asEngineJob(job);
      if (known) found.set(known.engineJobId, known);
    }
  }
  return found;
}

function asEngineJob(job: JobDetail): EngineJob | null {
  if (!job.jobId || !job.status) return null;
  return {
    engineJobId: job.jobId,
    status: job.status,
    ...(job.statusReason && { statusReason: job.statusReason }),
    ...(job.container?.exitCode !== undefined && { exitCode: job.container.exitCode }),
    ...(job.container?.reason && { containerReason: job.container.reason }),
    attempts: job.attempts?.length ?? 0,
    ...(job.createdAt !== undefined && { createdAt: job.createdAt }),
    ...(job.startedAt !== undefined && { startedAt: job.startedAt }),
  };
}

/** Ends a job in whatever state it is; one that has ended stays as it is. */
export async function cancel(client: BatchClient, engineJobId: string, why: string): Promise<void> {
  await client.send(new TerminateJobCommand({ jobId: engineJobId, reason: `${CANCEL_REASON}${why}` }));
}

/** AWS Batch takes letters and digits only; two creators whose ids differ in other characters share their turn. */
export function shareIdentifierFor(creatorId: string): string {
  return creatorId.replaceAll(/[^A-Za-z0-9]/g, 'x');
}
