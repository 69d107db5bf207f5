import { ACCOUNT_ID, REGION } from '../../kernel/account.ts';
import type { CreateJob } from './schema.ts';

export type Status = 'SUBMITTED' | 'PROGRESSING' | 'COMPLETE' | 'CANCELED' | 'ERROR';
export type Phase = 'PROBING' | 'TRANSCODING' | 'UPLOADING';

/** One output of a finished job. */
export interface OutputDetail {
  durationInMs: number;
  /** In events only, and not for CMAF. */
  outputFilePaths?: string[];
  videoDetails?: { widthInPx: number; heightInPx: number; averageBitrate: number };
}

export interface OutputGroupDetail {
  type: 'CMAF_GROUP' | 'FILE_GROUP';
  /** In events only. */
  playlistFilePaths?: string[];
  outputDetails: OutputDetail[];
}

export interface JobWarning {
  code: number;
  count: number;
}

export interface Job {
  id: string;
  /** Position in the order of submission. */
  seq: number;
  /** ARN */
  queue: string;
  request: CreateJob;
  status: Status;
  phase?: Phase;
  percent?: number;
  /** Milliseconds since the epoch. */
  submittedAt: number;
  startedAt?: number;
  finishedAt?: number;
  errorCode?: number;
  errorMessage?: string;
  warnings: JobWarning[];
  outputs?: OutputGroupDetail[];
}

export const isDone = ({ status }: Job) => status !== 'SUBMITTED' && status !== 'PROGRESSING';

export const jobArn = (id: string) => `arn:aws:mediaconvert:${REGION}:${ACCOUNT_ID}:jobs/${id}`;

/** As the API returns it: times in seconds, no paths of files. */
export function describeJob(job: Job): object {
  const { request, outputs } = job;
  const seconds = (at: number | undefined) => (at === undefined ? undefined : Math.floor(at / 1000));
  return {
    arn: jobArn(job.id),
    id: job.id,
    status: job.status,
    currentPhase: job.phase,
    jobPercentComplete: job.percent,
    queue: job.queue,
    priority: request.priority,
    role: request.role,
    settings: request.settings,
    accelerationSettings: request.accelerationSettings,
    accelerationStatus: 'NOT_APPLICABLE',
    statusUpdateInterval: request.statusUpdateInterval,
    billingTagsSource: request.billingTagsSource,
    clientRequestToken: request.clientRequestToken,
    userMetadata: request.userMetadata,
    retryCount: 0,
    createdAt: seconds(job.submittedAt),
    timing: {
      submitTime: seconds(job.submittedAt),
      startTime: seconds(job.startedAt),
      finishTime: seconds(job.finishedAt),
    },
    errorCode: job.errorCode,
    errorMessage: job.errorMessage,
    warnings: job.warnings,
    outputGroupDetails: outputs?.map(({ outputDetails }) => ({
      outputDetails: outputDetails.map(({ durationInMs, videoDetails }) => ({
        durationInMs,
        videoDetails: videoDetails && { widthInPx: videoDetails.widthInPx, heightInPx: videoDetails.heightInPx },
      })),
    })),
  };
}
