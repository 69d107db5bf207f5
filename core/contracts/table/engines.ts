import { z } from 'zod';

/** What finished jobs of one engine and one class took, and what its estimates had assumed of them: sums, in which older jobs fade. */
export const Experience = z.object({
  jobs: z.number().int(),
  seconds: z.number(),
  assumedSeconds: z.number(),
  usd: z.number(),
  assumedUsd: z.number(),
});
export type Experience = z.infer<typeof Experience>;

/** The experience with one class of sources, by the engine's name. */
export const ExperienceRow = z.object({
  type: z.literal('experience'),
  /** Counts the changes: each is conditional on the one before. */
  rev: z.number().int(),
  engines: z.record(z.string(), Experience),
});
export type ExperienceRow = z.infer<typeof ExperienceRow>;

/** Present while submissions to an engine fail; the next that succeeds removes it. */
export const EngineRow = z.object({
  type: z.literal('engine'),
  /** In a row, of any jobs. */
  failures: z.number().int().positive(),
  failingSince: z.iso.datetime(),
  /** Absent until there are so many failures that it counts as down. */
  pausedUntil: z.iso.datetime().optional(),
  /** The last failure, in the engine's words. */
  why: z.string(),
});
export type EngineRow = z.infer<typeof EngineRow>;

const Looked = z.object({
  queues: z.array(
    z.object({ queue: z.string(), atWork: z.boolean(), waiting: z.number().int(), blockedBy: z.string().nullable() }),
  ),
  broken: z.array(z.object({ what: z.string(), reason: z.string() })),
  vcpus: z.object({ most: z.number(), now: z.number() }).optional(),
});

/** From the last run of sweep. */
export const LoadRow = z.object({
  type: z.literal('load'),
  at: z.iso.datetime(),
  /** How many jobs are ready to run at each engine, up to some number, by its name; absent where it did not answer. */
  waiting: z.record(z.string(), z.number()),
  /** What each engine that answered has said, by its name; rows of earlier releases have none. */
  looks: z.record(z.string(), Looked).optional().catch(undefined),
});
export type LoadRow = z.infer<typeof LoadRow>;
