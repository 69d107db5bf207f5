import { z } from 'zod';
import type { EngineMessage } from '../../core/contracts/events.ts';
import { JobId } from '../../core/contracts/ids.ts';
import type { EngineEvent } from '../engine.ts';
import { afterComplete } from './complete.ts';
import { APP, MEDIACONVERT_EVENTS } from './names.ts';
import { ENCODE } from './parts.ts';
import { CANCELLED, endOfError } from './reasons.ts';

const Numbered = z.coerce.number().int();

/**
 * An event of a job: https://docs.aws.amazon.com/mediaconvert/latest/ug/eventbridge_events.html. Only what is used is read: names of other
 * members have changed over the years. A number may come as text.
 */
const JobStateChange = z.object({
  source: z.literal(MEDIACONVERT_EVENTS.source),
  'detail-type': z.literal(MEDIACONVERT_EVENTS.jobChanged),
  detail: z.object({
    jobId: z.string(),
    status: z.string(),
    /** Milliseconds since the epoch. */
    timestamp: z.number().optional(),
    userMetadata: z.record(z.string(), z.string()).default({}),
    errorCode: Numbered.optional().catch(undefined),
    errorMessage: z.string().optional(),
    /** A list that cannot be read must not hide that the job is complete; it is verified in any case. */
    warnings: z
      .array(z.object({ code: Numbered }))
      .default([])
      .catch([]),
  }),
});

/**
 * Null where it is not from MediaConvert. Events come twice, late and in any order: each says by itself what it says.
 * @throws ZodError where it is and cannot be read
 */
export function readEvent(message: EngineMessage): EngineEvent | null {
  if (message.source !== MEDIACONVERT_EVENTS.source) return null;
  const { detail } = JobStateChange.parse(message);
  const { jobId: engineJobId, status, timestamp, userMetadata } = detail;
  const { success, data: jobId } = JobId.safeParse(userMetadata.jobId);
  if (!success || userMetadata.app !== APP) return { kind: 'nothing', why: `not a job of ours: ${engineJobId}` };
  const job = { jobId, engineJobId, part: ENCODE };
  switch (status) {
    case 'PROGRESSING':
      return {
        kind: 'running',
        ...job,
        ...(timestamp !== undefined && { startedAt: new Date(timestamp).toISOString() }),
      };
    case 'INPUT_INFORMATION':
    case 'STATUS_UPDATE':
      return { kind: 'running', ...job };
    case 'COMPLETE': {
      const warnings = detail.warnings.map(({ code }) => code);
      const after = afterComplete(userMetadata.attempt, warnings);
      return after.kind === 'unknown' ? { kind: 'nothing', why: after.why } : { ...job, ...after };
    }
    case 'ERROR':
      return { kind: 'ended', ...job, end: endOfError(detail.errorCode, detail.errorMessage) };
    case 'CANCELED':
      return { kind: 'ended', ...job, end: CANCELLED };
    default:
      return { kind: 'nothing', why: `the job is ${status}` };
  }
}
