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
