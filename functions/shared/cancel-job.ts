import type { CancelReason } from '../../engines/engine.ts';
import type { Engines } from '../../engines/registry.ts';
import { logger } from './observability.ts';

/** Ends the engine's job of a job whose end does not depend on it: when that fails, the engine's job runs to its end in vain. */
export async function cancelJob(
  { engines }: { engines: Engines },
  { jobId, engine, engineJobId }: { jobId: string; engine: string; engineJobId: string },
  why: CancelReason,
): Promise<void> {
  try {
    await engines.get(engine).cancel(engineJobId, why);
  } catch (error) {
    logger.warn('not cancelled', { jobId, engine, engineJobId, error });
  }
}
