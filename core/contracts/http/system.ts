import { z } from 'zod';
import { ErrorCode } from '../errors.ts';
import { CreatorId, JobId, MediaId } from '../ids.ts';

const Time = z.iso.datetime();

export const SCOPES = { creator: 'dropreel/creator', operator: 'dropreel/operator' } as const;

/** Whom the access token stands for. */
export const Me = z.object({ creatorId: CreatorId, operator: z.boolean() }).meta({ id: 'Me' });

export const Stats = z
  .object({
    /** Absent for the statistics of all creators. */
    creatorId: CreatorId.optional(),
    media: z.record(z.string(), z.number().int()),
    minutesIn: z.number(),
    /** Of all renditions together. */
    minutesOut: z.number(),
    bytesIn: z.number(),
    bytesOut: z.number(),
    bytesSavedByArchive: z.number(),
    cost: z.array(z.object({ month: z.string(), engine: z.string(), usd: z.number(), vcpuSeconds: z.number() })),
    /** Of published jobs that had an estimate: the sums of what they were expected to take, and of what they took. */
    estimates: z
      .array(
        z.object({
          month: z.string(),
          engine: z.string(),
          jobs: z.number().int(),
          expectedSeconds: z.number(),
          seconds: z.number(),
          expectedUsd: z.number(),
          usd: z.number(),
        }),
      )
      // An API of an earlier release does not say.
      .default([]),
  })
  .meta({ id: 'Stats' });
export type Stats = z.infer<typeof Stats>;

export const Health = z
  .object({
    status: z.enum(['ok', 'degraded', 'failing']),
    checkedAt: Time,
    /** What is wrong, in sentences; empty when `ok`. */
    problems: z.array(z.string()),
    queues: z.array(
      z.object({
        name: z.string(),
        waiting: z.number().int(),
        inFlight: z.number().int(),
        delayed: z.number().int(),
        deadLetters: z.number().int(),
      }),
    ),
    jobs: z.object({
      unfinished: z.number().int(),
      /** Since the last sign of life of the job that has been silent longest; null when there is none. */
      longestSilenceSeconds: z.number().nullable(),
      /** No sign of life for 15 minutes. */
      stuck: z.number().int(),
      stuckIds: z.array(JobId),
    }),
    last24Hours: z.object({
      ready: z.number().int(),
      failed: z.number().int(),
      /** Uploads that are not what the pipeline takes, such as a text: they do not degrade health. */
      refused: z.number().int(),
      latestFailure: z.object({ mediaId: MediaId, code: ErrorCode, message: z.string(), at: Time }).nullable(),
      /** The latest file under `drop/` of the last day whose key is no drop: it is not encoded. Also when it was moved or deleted since. */
      latestBadKey: z.object({ key: z.string(), at: Time }).nullable(),
    }),
    lastSweep: z.object({ at: Time, ageSeconds: z.number() }).nullable(),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;

/** What an engine that calls back sends. Keys in `output` are for information: what counts is its result.json. */
export const EngineCallback = z
  .object({
    /** The engine's own id of the job. */
    jobId: z.string().min(1).max(255),
    status: z.enum(['completed', 'failed']),
    output: z.looseObject({ mediaId: MediaId, type: z.enum(['video', 'audio']) }).optional(),
    error: z.string().max(2000).optional(),
  })
  .meta({ id: 'EngineCallback' });
export type EngineCallback = z.infer<typeof EngineCallback>;

export const CallbackReceipt = z
  .object({ accepted: z.boolean(), reason: z.enum(['ok', 'duplicate', 'stale']) })
  .meta({ id: 'CallbackReceipt' });
