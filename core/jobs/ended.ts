import type { ErrorCode } from './errors.ts';

/** What an engine says of a job that it ended as failed. */
export interface EngineEnd {
  exitCode?: number | undefined;
  /** Of the container: `OutOfMemoryError: Container killed due to memory usage`. */
  containerReason?: string | undefined;
  /** Of the job: `Host EC2 (instance i-0abc) terminated.` */
  statusReason?: string | undefined;
}

/** `cancel` of aws/batch.ts gives its reasons this beginning. */
export const CANCEL_REASON = 'dropreel: ';

/** How Batch begins when it took the machine away: an EC2 host, or a Fargate task on Spot. */
const HOST_LOST = /^(Host EC2|Your Spot Task was interrupted)/i;
/** 128 + SIGKILL: what Linux's OOM killer leaves, and Batch's own kill after a time-out. */
const KILLED = 137;

/** Why a job failed whose worker left no word. The texts are those of https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html */
export function reasonOf({ exitCode, containerReason = '', statusReason = '' }: EngineEnd): {
  code: ErrorCode;
  message: string;
} {
  const said = [statusReason, containerReason].filter(Boolean).join('; ') || 'no reason given';
  if (statusReason.startsWith(CANCEL_REASON)) {
    return { code: 'cancelled', message: statusReason.slice(CANCEL_REASON.length) };
  }
  if (/exceeded timeout/i.test(statusReason)) {
    return { code: 'job_timeout', message: 'The encode took longer than the time limit of the job definition.' };
  }
  if (/^OutOfMemory/i.test(containerReason) || (exitCode === KILLED && !HOST_LOST.test(statusReason))) {
    return { code: 'out_of_memory', message: 'The worker was killed for its memory use.' };
  }
  const exit = exitCode === undefined ? '' : `, exit code ${exitCode}`;
  return { code: 'worker_lost', message: `The worker ended without a result (${said}${exit}).` };
}
