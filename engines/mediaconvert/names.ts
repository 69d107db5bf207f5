import { z } from 'zod';

/** What the construct of this engine, lib/engines/mediaconvert, and its code agree on. */

const Name = z.string().min(1);

/** Variables of every function that is connected with the engine. */
export const MediaConvertEnv = z.object({
  MEDIACONVERT_QUEUE: Name,
  /** The role that jobs run with. */
  MEDIACONVERT_ROLE: Name,
  /** In which jobs write. */
  MEDIACONVERT_BUCKET: Name,
  /** The queues of AWS Batch, and the job definition, of the workers that prepare and finish. */
  MEDIACONVERT_TASK_QUEUE: Name,
  MEDIACONVERT_RETRANSCODE_TASK_QUEUE: Name,
  MEDIACONVERT_ON_DEMAND_TASK_QUEUE: Name,
  MEDIACONVERT_TASK_DEFINITION: Name,
});
export type MediaConvertEnv = z.infer<typeof MediaConvertEnv>;

/** The events that `readEvent` reads, by their source and detail-type on EventBridge. */
export const MEDIACONVERT_EVENTS = { source: 'aws.mediaconvert', jobChanged: 'MediaConvert Job State Change' } as const;
/** Entry of a job's user metadata, by which its events are known; they carry the job's id too. */
export const APP = 'dropreel';
