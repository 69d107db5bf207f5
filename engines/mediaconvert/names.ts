import { z } from 'zod';
import { BatchEnv } from '../batch/names.ts';

/** What the construct of this engine, lib/engines/mediaconvert, and its code agree on. */

const Name = z.string().min(1);

/**
 * Variables of every function that is connected with the engine. Those of the workers that prepare and finish, and of the bucket in which jobs
 * write, are batch-cpu's: a function has room for 4 KB of variables.
 */
export const MediaConvertEnv = z.object({
  MEDIACONVERT_QUEUE: Name,
  /** The role that jobs run with. */
  MEDIACONVERT_ROLE: Name,
  ...BatchEnv.pick({
    JOB_BUCKET: true,
    JOB_QUEUE: true,
    RETRANSCODE_JOB_QUEUE: true,
    ON_DEMAND_JOB_QUEUE: true,
    JOB_DEFINITION: true,
  }).shape,
});
export type MediaConvertEnv = z.infer<typeof MediaConvertEnv>;

/** The events that `readEvent` reads, by their source and detail-type on EventBridge. */
export const MEDIACONVERT_EVENTS = { source: 'aws.mediaconvert', jobChanged: 'MediaConvert Job State Change' } as const;
/** Entry of a job's user metadata, by which its events are known; they carry the job's id too. */
export const APP = 'dropreel';
