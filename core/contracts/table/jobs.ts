import { z } from 'zod';
import { GpuUse } from '../gpu.ts';
import { CollectionId, CreatorId, JobId, MediaId } from '../ids.ts';
import { ACCESS } from '../keys.ts';
import { PresetContent } from '../presets.ts';
import { Failure, Source } from './media.ts';

const Time = z.iso.datetime();
const Access = z.enum(ACCESS);

export const JobState = z.enum(['queued', 'running', 'succeeded', 'published', 'failed', 'cancelled']);
export type JobState = z.infer<typeof JobState>;

/** In the order in which a worker finishes them. */
export const STEPS = ['pulled', 'transcoded', 'pushed'] as const;
export const JobStep = z.object({ name: z.enum(STEPS), at: Time });
export type JobStep = z.infer<typeof JobStep>;

export const JobRow = z.object({
  type: z.literal('job'),
  jobId: JobId,
  mediaId: MediaId,
  creatorId: CreatorId,
  collectionId: CollectionId,
  n: z.number().int().positive(),
  purpose: z.enum(['ingest', 'retranscode']),
  /** An EngineName, or that of an engine of a later release; `auto` until it is first submitted. */
  engine: z.string(),
  /** Whether `auto` chose its engine: it may move on to others, to each once. */
  auto: z.literal(true).optional(),
  /** The engines that it moved on from, or whose service one of them needed, because they were down, blocked or unfit. */
  movedFrom: z.array(z.string()).optional(),
  /** It follows one that its engine lost, or attempted only once: there is no third by itself. */
  secondAttempt: z.literal(true).optional(),
  /** When its upload came, where it was made later than that: deadlines count from then. */
  uploadedAt: Time.optional(),
  /** Absent until the engine accepted the job. */
  engineJobId: z.string().optional(),
  /** Which part of the job comes next or is under way, in the words of its engine; absent: the first, or the only one. */
  part: z.string().optional(),
  /** How often it was submitted, all parts together. */
  submissions: z.number().int().nonnegative().optional(),
  /** Until then one caller is submitting the job, and no other does. */
  submittingUntil: Time.optional(),
  /** Whether its engine job may not be reclaimed by AWS; decided before it is submitted. */
  onDemand: z.boolean().optional(),
  /** What it was expected to take when it was first submitted. */
  estimate: z
    .object({
      /** From its start to its last upload. */
      seconds: z.number(),
      usd: z.number(),
      /** The class of its source, and what the engine had assumed before the experience with that class was applied. */
      of: z.string(),
      assumed: z.object({ seconds: z.number(), usd: z.number() }),
    })
    .optional(),
  state: JobState,
  source: Source,
  preset: z.object({ name: z.string(), version: z.number().int() }),
  /** What that version said when the job was made, whatever becomes of the preset; absent in rows from before it was kept. */
  content: PresetContent.optional(),
  steps: z.array(JobStep),
  /** Percent, 0 to 100. */
  progress: z.number().min(0).max(100),
  /** How far each worker of the present part is, where there are several: two digits of percent for each. */
  children: z.string().optional(),
  /** How long the slowest of those took that have ended, and the numbers of those that were started a second time. */
  slowestSeconds: z.number().optional(),
  twins: z.array(z.number().int()).optional(),
  /** Times real time, of the encoder. */
  speed: z.number().optional(),
  /** The engine's own attempt, from 1. */
  attempt: z.number().int().nonnegative(),
  /** Where its version goes: set once, before the first copy. Absent: nothing of it is published yet. */
  access: Access.optional(),
  /**
   * Viewers get what there is of it: since when, up to which second, and after which step of that. docs/decisions/0403-growing-versions.md
   */
  growing: z.object({ since: Time, seconds: z.number().nonnegative(), step: z.number().int().positive() }).optional(),
  error: Failure.optional(),
  /** Of all its attempts; it is written with the end of the job, or after it. */
  cost: z.object({ usd: z.number(), vcpuSeconds: z.number() }).optional(),
  /** What it counts for under which caps, by core/jobs/spending.ts; absent where it was submitted without any. */
  charged: z
    .object({ usd: z.number(), month: z.string(), under: z.array(z.enum(['creator', 'collection'])) })
    .optional(),
  /** vCPU-seconds of attempts without a result before the good one: part of the cost that follows. */
  heldInVain: z.number().optional(),
  /** vCPU-seconds of all that worked on its earlier parts: what they cost, should it fail. */
  heldBefore: z.number().optional(),
  /** What the GPU of its worker did; absent where none was asked for. */
  gpu: GpuUse.optional(),
  heartbeatAt: Time,
  createdAt: Time,
  startedAt: Time.optional(),
  finishedAt: Time.optional(),
  /** Seconds since the epoch: DynamoDB's TTL removes the row of a finished job. */
  expiresAt: z.number().int().optional(),
  todo: z.string().optional(),
  todoAt: z.string().optional(),
});
export type JobRow = z.infer<typeof JobRow>;

/** What a published job took, as estimates are meant; null where that is not known. */
export function actualOf({ state, startedAt, steps, cost }: JobRow): { seconds: number; usd: number } | null {
  const pushedAt = steps.find(({ name }) => name === 'pushed')?.at;
  if (state !== 'published' || startedAt === undefined || pushedAt === undefined || !cost) return null;
  return { seconds: Math.max(0, (Date.parse(pushedAt) - Date.parse(startedAt)) / 1000), usd: cost.usd };
}
