import {
  BatchClient,
  BatchServiceException,
  DescribeComputeEnvironmentsCommand,
  DescribeJobsCommand,
  type JobDetail,
  type JobStatus,
  type JobSummary,
  ListJobsCommand,
  SubmitJobCommand,
  TerminateJobCommand,
} from '@aws-sdk/client-batch';
import type { ArchiveJob } from '../../core/contracts/archive-job.ts';
import type { Job } from '../../core/contracts/job.ts';
import { EngineRefused, type EngineState, type Look, type QueueState } from '../engine.ts';
import { isRefusal } from '../refusals.ts';
import { whileThrottled } from '../throttled.ts';
import { heldBy } from './held.ts';
import { CANCEL_REASON, endOf } from './reasons.ts';

/** The calls of AWS Batch, and how its answers are read. */

/**
 * A client for `submit`. SubmitJob has no idempotency token, so it is never retried when its answer is lost or late; the
 * lease on the job's row, `SUBMITTING_MS` of core/jobs, outlasts the time limit.
 */
export function submittingClient(): BatchClient {
  const requestHandler = { connectionTimeout: 3000, requestTimeout: 20_000, throwOnRequestTimeout: true };
  return new BatchClient({ maxAttempts: 1, requestHandler });
}

export interface BatchSubmission {
  job: Job | ArchiveJob;
  /** At AWS Batch; the job's id where it is one engine job. */
  name?: string;
  queue: string;
  definition: string;
  /** Absent for a queue that takes jobs in order. */
  share?: { identifier: string; priority: number };
  /** Whether AWS Batch is first searched for a job of this name. */
  tried: boolean;
  /** Of an array job: how many children it has. */
  arraySize?: number;
}

/** Largest size of one SubmitJob's overrides, in characters of their JSON. */
const MAX_OVERRIDES = 8192;

/**
 * Submits a job under its name, and returns AWS Batch's id of it. A second attempt searches for the name first; if two engine jobs
 * are created anyway, the worker's claim distinguishes them.
 * @throws EngineRefused
 */
export async function submit(client: BatchClient, submission: BatchSubmission): Promise<string> {
  const { job, name = job.jobId, queue, definition, share, tried, arraySize } = submission;
  const containerOverrides = { environment: [{ name: 'DROPREEL_JOB', value: JSON.stringify(job) }] };
  const size = JSON.stringify(containerOverrides).length;
  if (size > MAX_OVERRIDES) {
    throw refused(`The job takes ${size} characters; AWS Batch accepts ${MAX_OVERRIDES}.`, { forGood: true });
  }
  const known = tried ? await find(client, queue, name) : null;
  if (known) return known;
  const command = new SubmitJobCommand({
    jobName: name,
    jobQueue: queue,
    jobDefinition: definition,
    containerOverrides,
    ...(arraySize !== undefined && { arrayProperties: { size: arraySize } }),
    // A job with a share is refused without a priority of its own or its definition's; a queue in order would refuse the definition's.
    ...(share && { shareIdentifier: share.identifier, schedulingPriorityOverride: share.priority }),
  });
  // SubmitJob is limited to 50 a second per account. https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html
  const { jobId } = await whileThrottled(() => client.send(command)).catch((error: unknown) => {
    throw wasRefused(error) ? refused(error.message, { forGood: OF_THE_JOB.test(error.message), cause: error }) : error;
  });
  if (!jobId) throw new Error('AWS Batch answered SubmitJob without a job id.');
  return jobId;
}

/**
 * A `ClientException` is whatever is wrong with a request, and its text alone says what: a queue that is disabled or missing ("JobQueue x not
 * found.", base2genomics/batchit#13), a job definition ("does not exist or is not in ACTIVE status", AlexsLemonade/refinebio#2887),
 * permissions. All of these, and texts that are not known, are over when somebody has corrected them. These alone are of the job:
 * nextflow-io/nextflow#822, ASFHyP3/hyp3#3041, Netflix/metaflow#1482.
 * https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html
 */
const OF_THE_JOB = /Job name should match|Job size must be less|Container Overrides length/i;

/** Whether an error of SubmitJob means that AWS Batch does not have the job; otherwise that is unknown. */
function wasRefused(error: unknown): error is BatchServiceException {
  if (!(error instanceof BatchServiceException)) return false;
  return isRefusal(error.$metadata.httpStatusCode ?? 0);
}

function refused(why: string, options: { forGood: boolean; cause?: unknown }): EngineRefused {
  return new EngineRefused(`AWS Batch refused the job: ${why}`, options);
}

/** Engine jobs of that name, which may end in `*`, whatever their state: the first page of them. */
export async function findAll(client: BatchClient, queue: string, name: string): Promise<JobSummary[]> {
  const filters = [{ name: 'JOB_NAME', values: [name] }];
  return (await client.send(new ListJobsCommand({ jobQueue: queue, filters }))).jobSummaryList ?? [];
}

/** The newest engine job of that name, whatever its state. */
export async function find(client: BatchClient, queue: string, name: string): Promise<string | null> {
  const newest = (await findAll(client, queue, name))
    .filter(({ jobName }) => jobName === name)
    .sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0))
    .at(0);
  return newest?.jobId ?? null;
}

/** DescribeJobs' limit. */
const DESCRIBE_BATCH = 100;

/** What AWS Batch returns for these jobs, by its id of each. It forgets ended jobs after some days; those are missing here. */
export async function describe(
  client: BatchClient,
  engineJobIds: readonly string[],
): Promise<Map<string, EngineState>> {
  const found = await details(client, engineJobIds);
  return new Map([...found].map(([id, job]) => [id, stateOf(job)]));
}

/** The same, in AWS Batch's words. */
export async function details(client: BatchClient, engineJobIds: readonly string[]): Promise<Map<string, JobDetail>> {
  const found = new Map<string, JobDetail>();
  for (let i = 0; i < engineJobIds.length; i += DESCRIBE_BATCH) {
    const { jobs = [] } = await client.send(
      new DescribeJobsCommand({ jobs: engineJobIds.slice(i, i + DESCRIBE_BATCH) }),
    );
    for (const job of jobs) if (job.jobId) found.set(job.jobId, job);
  }
  return found;
}

/** The engine state of a JobDetail. */
export function stateOf(job: JobDetail): EngineState {
  const { status, statusReason, startedAt } = job;
  if (status === 'SUCCEEDED' || status === 'FAILED') {
    const { exitCode, reason: containerReason } = job.container ?? {};
    return { kind: 'ended', end: endOf({ status, exitCode, containerReason, statusReason, held: heldBy(job) }) };
  }
  // An array itself is pending from its first child to its last. https://docs.aws.amazon.com/batch/latest/userguide/array_jobs.html
  if (childrenIn(job, 'RUNNING') > 0) return { kind: 'running' };
  if (status === 'RUNNING') {
    return { kind: 'running', ...(startedAt !== undefined && { startedAt: new Date(startedAt).toISOString() }) };
  }
  const reason = blockedBy({ status, statusReason });
  return { kind: 'waiting', ...(reason !== null && { blockedBy: reason }) };
}

/**
 * Prefixes of AWS Batch's statusReason for a job that blocks its queue; a job that only waits has no such reason.
 * https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html and its pages of reasons.
 */
const BLOCKED = /^(MISCONFIGURATION|CAPACITY|ACTION_REQUIRED|UNDETERMINED)\b/;

/** Why a job, and with it its queue, is blocked; null while it only waits its turn. */
export function blockedBy({ status, statusReason = '' }: Pick<JobDetail, 'status' | 'statusReason'>): string | null {
  return status === 'RUNNABLE' && BLOCKED.test(statusReason) ? statusReason : null;
}

/** How many children of an array job are in this status; 0 for any other job. */
function childrenIn({ arrayProperties }: JobDetail, status: JobStatus): number {
  return arrayProperties?.statusSummary?.[status] ?? 0;
}

/** What blocks the children of an array of which none is at work; null while they only wait their turn. */
export async function blockedChild(client: BatchClient, array: JobDetail): Promise<string | null> {
  const atWork = childrenIn(array, 'RUNNING') + childrenIn(array, 'STARTING') > 0;
  if (atWork || childrenIn(array, 'RUNNABLE') === 0) return null;
  const children = new ListJobsCommand({ arrayJobId: array.jobId, jobStatus: 'RUNNABLE' });
  return firstReason((await client.send(children)).jobSummaryList ?? []);
}

function firstReason(runnable: readonly JobSummary[]): string | null {
  const reasons = runnable.flatMap(({ statusReason = '' }) => blockedBy({ status: 'RUNNABLE', statusReason }) ?? []);
  return reasons[0] ?? null;
}

export async function lookAtQueue(client: BatchClient, queue: string): Promise<QueueState> {
  const of = async (jobStatus: 'RUNNING' | 'STARTING' | 'RUNNABLE' | 'PENDING') =>
    (await client.send(new ListJobsCommand({ jobQueue: queue, jobStatus }))).jobSummaryList ?? [];
  const [running, starting, runnable, pending] = await Promise.all([
    of('RUNNING'),
    of('STARTING'),
    of('RUNNABLE'),
    of('PENDING'),
  ]);
  // The list of a queue has arrays, and not their children.
  const arrays = pending.flatMap(({ jobId, arrayProperties }) => (jobId && arrayProperties ? [jobId] : []));
  const found = arrays.length > 0 ? [...(await details(client, arrays)).values()] : [];
  const children = (status: JobStatus) => found.reduce((total, array) => total + childrenIn(array, status), 0);
  return {
    queue,
    atWork: running.length + starting.length + children('RUNNING') + children('STARTING') > 0,
    waiting: runnable.length + children('RUNNABLE'),
    blockedBy: firstReason(runnable),
  };
}

/**
 * Those of the environments that AWS Batch cannot use, for example because its role, a subnet or a security group is gone: it places
 * nothing there until that is corrected. https://docs.aws.amazon.com/batch/latest/userguide/invalid_compute_environment.html
 */
export async function lookAtEnvironments(
  client: BatchClient,
  arns: readonly string[],
): Promise<Pick<Look, 'broken' | 'vcpus'>> {
  const { computeEnvironments = [] } = await client.send(
    new DescribeComputeEnvironmentsCommand({ computeEnvironments: [...arns] }),
  );
  const broken = computeEnvironments.flatMap(({ computeEnvironmentArn: what = '', status, statusReason = '' }) =>
    status === 'INVALID' ? { what, reason: statusReason } : [],
  );
  const sum = (name: 'maxvCpus' | 'desiredvCpus') =>
    computeEnvironments.reduce((vcpus, { computeResources }) => vcpus + (computeResources?.[name] ?? 0), 0);
  return { broken, vcpus: { most: sum('maxvCpus'), now: sum('desiredvCpus') } };
}

/** Ends a job in whatever state it is; one that has ended stays as it is. */
export async function cancel(client: BatchClient, engineJobId: string, why: string): Promise<void> {
  await client.send(new TerminateJobCommand({ jobId: engineJobId, reason: `${CANCEL_REASON}${why}` }));
}
