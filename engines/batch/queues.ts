import { createHash } from 'node:crypto';
import type { Preset } from '../../core/contracts/presets.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { encodeSeconds } from '../../core/media/estimate.ts';
import type { Submission } from '../engine.ts';
import type { BatchEnv } from './names.ts';

/** Where a job waits, and its position there. */

/** Jobs that may not be reclaimed have a queue of their own, whatever their purpose. */
export function queueOf(
  { purpose, onDemand }: Pick<Submission, 'purpose' | 'onDemand'>,
  env: Pick<BatchEnv, 'JOB_QUEUE' | 'RETRANSCODE_JOB_QUEUE' | 'ON_DEMAND_JOB_QUEUE'>,
): string {
  if (onDemand) return env.ON_DEMAND_JOB_QUEUE;
  return purpose === 'ingest' ? env.JOB_QUEUE : env.RETRANSCODE_JOB_QUEUE;
}

/** Priority within a creator's share; the queue of long and reclaimed jobs has both kinds. */
const PRIORITY: Record<Submission['purpose'], number> = { ingest: 1, retranscode: 0 };

/** The share of a job in a fair-share queue, and its priority within the share. */
export function shareOf({ job, purpose }: Pick<Submission, 'job' | 'purpose'>): {
  identifier: string;
  priority: number;
} {
  return { identifier: shareIdentifierFor(job.creatorId), priority: PRIORITY[purpose] };
}

/**
 * How many shares may be active in a queue; a job that would add one more is refused.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-batch-schedulingpolicy-shareattributes.html
 */
const SHARES = 500;

/** The share of a creator's jobs: there may be more creators than shares, so some creators have the same one. */
export function shareIdentifierFor(creatorId: string): string {
  return `share${createHash('sha256').update(creatorId).digest().readUInt32BE() % SHARES}`;
}

/** A longer encode is so likely to be reclaimed on Spot that it costs more there: it begins again each time. */
const LONG_SECONDS = 3600;

/** @param vcpus of a worker */
export function isLong(source: SourceInfo, preset: Preset, vcpus: number): boolean {
  const expected = encodeSeconds(source, preset, vcpus);
  return expected !== null && expected > LONG_SECONDS;
}
