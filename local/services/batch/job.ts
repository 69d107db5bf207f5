import { ACCOUNT_ID, REGION } from '../../kernel/account.ts';
import { BATCH_STATUSES } from './statuses.ts';

export interface EvaluateOnExit {
  action: 'RETRY' | 'EXIT';
  onExitCode?: string | undefined;
  onReason?: string | undefined;
  onStatusReason?: string | undefined;
}

export interface Dependency {
  jobId?: string | undefined;
  type?: 'SEQUENTIAL' | 'N_TO_N' | undefined;
}

/** The submission with the job definition's defaults. It never changes. */
export interface JobSpec {
  jobName: string;
  /** ARN */
  jobQueue: string;
  /** ARN with revision */
  jobDefinition: string;
  shareIdentifier?: string;
  schedulingPriority: number;
  parameters: Record<string, string>;
  retryStrategy: { attempts: number; evaluateOnExit: EvaluateOnExit[] };
  timeout?: { attemptDurationSeconds: number };
  dependsOn: Dependency[];
  tags: Record<string, string>;
  propagateTags: boolean;
  platformCapabilities: string[];
  /** As in DescribeJobs, with overrides applied. */
  container: {
    image: string;
    command: string[];
    environment: { name: string; value: string }[];
    resourceRequirements: { type: string; value: string }[];
    jobRoleArn?: string;
    ephemeralStorage?: { sizeInGiB: number };
    networkConfiguration?: { assignPublicIp: 'ENABLED' | 'DISABLED' };
  };
  /** Present for an array job. */
  arraySize?: number;
}

export interface Attempt {
  container: { exitCode?: number; reason?: string; logStreamName?: string; taskArn?: string; networkInterfaces: [] };
  startedAt?: number;
  stoppedAt: number;
  statusReason: string;
}

/** The mutable state of a job. Times are milliseconds since the epoch. */
export interface JobState {
  status: (typeof BATCH_STATUSES)[number];
  createdAt: number;
  startedAt?: number;
  stoppedAt?: number;
  statusReason?: string;
  exitCode?: number;
  /** `container.reason` */
  reason?: string;
  logStreamName?: string;
  taskArn?: string;
  attempts: Attempt[];
  isCancelled: boolean;
  isTerminated: boolean;
  /** The reason from CancelJob or TerminateJob. */
  stopReason?: string;
}

export interface Job {
  id: string;
  spec: JobSpec;
  state: JobState;
  /** Order of submission; a child has its parent's. */
  seq: number;
  parent?: Job;
  /** Index within the parent. */
  index?: number;
  /** Children of an array job. */
  children: Job[];
}

export function isDone({ state }: Job): boolean {
  return state.status === 'SUCCEEDED' || state.status === 'FAILED';
}

export function jobArn(id: string): string {
  return `arn:aws:batch:${REGION}:${ACCOUNT_ID}:job/${id}`;
}

const REQUIRED = { GPU: 0, VCPU: 1, MEMORY: 2048 };

/** GPUs, vCPUs or MiB that the job requires. Default: none, 1 and 2048. */
export function requirement(spec: JobSpec, type: keyof typeof REQUIRED): number {
  const found = spec.container.resourceRequirements.find((it) => it.type === type);
  return found ? Number(found.value) : REQUIRED[type];
}

/** A JobDetail. https://docs.aws.amazon.com/batch/latest/APIReference/API_JobDetail.html */
export function describeJob(job: Job): Record<string, unknown> {
  const { spec, state } = job;
  return {
    jobArn: jobArn(job.id),
    jobName: spec.jobName,
    jobId: job.id,
    jobQueue: spec.jobQueue,
    status: state.status,
    shareIdentifier: spec.shareIdentifier,
    schedulingPriority: spec.shareIdentifier === undefined ? undefined : spec.schedulingPriority,
    attempts: state.attempts,
    statusReason: state.statusReason,
    createdAt: state.createdAt,
    startedAt: state.startedAt,
    stoppedAt: state.stoppedAt,
    retryStrategy: spec.retryStrategy,
    dependsOn: spec.dependsOn,
    jobDefinition: spec.jobDefinition,
    parameters: spec.parameters,
    container: {
      ...spec.container,
      exitCode: state.exitCode,
      reason: state.reason,
      logStreamName: state.logStreamName,
      taskArn: state.taskArn,
      networkInterfaces: [],
    },
    arrayProperties: arrayProperties(job),
    timeout: spec.timeout,
    tags: { ...spec.tags, resourceArn: jobArn(job.id) },
    propagateTags: spec.propagateTags,
    platformCapabilities: spec.platformCapabilities,
    eksAttempts: [],
    isCancelled: state.isCancelled,
    isTerminated: state.isTerminated,
  };
}

/** A JobSummary, as ListJobs returns it. */
export function summarizeJob(job: Job): Record<string, unknown> {
  const { spec, state } = job;
  return {
    jobArn: jobArn(job.id),
    jobId: job.id,
    jobName: spec.jobName,
    createdAt: state.createdAt,
    status: state.status,
    statusReason: state.statusReason,
    startedAt: state.startedAt,
    stoppedAt: state.stoppedAt,
    container: { exitCode: state.exitCode, reason: state.reason },
    arrayProperties: arrayProperties(job),
    jobDefinition: spec.jobDefinition,
    shareIdentifier: spec.shareIdentifier,
  };
}

function arrayProperties(job: Job): Record<string, unknown> | undefined {
  if (job.index !== undefined) return { index: job.index };
  if (job.spec.arraySize === undefined) return undefined;
  const statusSummary = Object.fromEntries(BATCH_STATUSES.map((status) => [status, 0]));
  for (const child of job.children) statusSummary[child.state.status] = (statusSummary[child.state.status] ?? 0) + 1;
  return { size: job.spec.arraySize, statusSummary };
}
