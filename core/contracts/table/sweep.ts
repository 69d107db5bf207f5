import { z } from 'zod';

const Time = z.iso.datetime();

/** The only row of sweep: when it ran and what it did last, and how far it has compared the drops with the table. */
export const SweepRow = z.object({
  type: z.literal('sweep'),
  lastRunAt: Time,
  /** Milliseconds. */
  tookMs: z.number().int(),
  /** Counts by name: see SweepReport of functions/sweep. */
  report: z.record(z.string(), z.number()),
  /** The last runs, the newest first, without the counts that are 0. */
  runs: z
    .array(z.object({ at: Time, tookMs: z.number().int(), did: z.record(z.string(), z.number()) }))
    .optional()
    .catch(undefined),
  /** The last upload key compared; absent at the start of a pass. */
  dropAfter: z.string().optional(),
  /**
   * By the engine's name: since when jobs have waited in its queues while none ran. Release 0.1 has a single time here, which is not
   * used: the next run records it again.
   */
  engineIdleSince: z.record(z.string(), Time).optional().catch(undefined),
});
export type SweepRow = z.infer<typeof SweepRow>;

/**
 * Present while a run of sweep does something that no other run may do at the same time; other runs skip it until then. `turn` is what
 * rows of release 0.1 have.
 */
export const LeaseRow = z.object({ type: z.literal('turn'), until: Time });
export type LeaseRow = z.infer<typeof LeaseRow>;
