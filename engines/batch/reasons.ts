import type { ErrorCode } from '../../core/contracts/errors.ts';
import { EXIT } from '../../core/contracts/job.ts';
import type { Held } from '../../core/jobs/cost.ts';
import { type EngineEnd, NO_SIGN_OF_LIFE } from '../engine.ts';

/** What AWS Batch reports about a job that has ended. */
export interface BatchEnd {
  status: 'SUCCEEDED' | 'FAILED';
  exitCode?: number | undefined;
  /** Of the container: `OutOfMemoryError: Container killed due to memory usage`. */
  containerReason?: string | undefined;
  /** Of the job: `Host EC2 (instance i-0abc) terminated.` */
  statusReason?: string | undefined;
  held?: Held | undefined;
}

/** Prefix of the reasons that `cancel` gives; AWS Batch returns them as the job's statusReason. */
export const CANCEL_REASON = 'dropreel: ';

/**
 * Prefixes of the reason when the machine was taken away: an EC2 host, or a Fargate task on Spot, where AWS Batch returns ECS's text.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
 */
const HOST_LOST = /^(Host EC2|Your Spot Task was interrupted)/i;
/** 128 + SIGKILL: the exit code after Linux's OOM killer, and after Batch's own kill at a time-out. */
const KILLED = 137;

/** The worker's exit codes show whether it left a result of this attempt. */
export function endOf(end: BatchEnd): EngineEnd {
  const { status, exitCode, held } = end;
  const byItself = status === 'SUCCEEDED' || exitCode === EXIT.permanent || exitCode === EXIT.transient;
  const { reclaimed, ...reason } = reasonOf(end);
  return { by: byItself ? 'itself' : 'outside', reason, ...(reclaimed && { reclaimed }), ...(held && { held }) };
}

/** AWS Batch forgets a job some days after its end. */
export const FORGOTTEN: EngineEnd = {
  by: 'unseen',
  reason: { code: 'engine_lost', message: 'AWS Batch no longer has the job.' },
};

/** Why a job without a result failed. The other texts: https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html */
export function reasonOf({ exitCode, containerReason = '', statusReason = '' }: Omit<BatchEnd, 'status' | 'held'>): {
  code: ErrorCode;
  message: string;
  /** Whether AWS took the machine away. */
  reclaimed?: true;
} {
  const said = [statusReason, containerReason].filter(Boolean).join('; ') || 'no reason given';
  if (statusReason === `${CANCEL_REASON}${NO_SIGN_OF_LIFE}`) {
    return { code: 'worker_stuck', message: 'The worker was ended because it gave no sign of life for an hour.' };
  }
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
  const reclaimed = HOST_LOST.test(statusReason) && { reclaimed: true as const };
  return { code: 'worker_lost', message: `The worker ended without a result (${said}${exit}).`, ...reclaimed };
}
