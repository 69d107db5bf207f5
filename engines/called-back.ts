import { EngineCalledBack, type EngineMessage } from '../core/contracts/events.ts';
import type { EngineEvent } from './engine.ts';

/** The end of a job that its engine reported by POST /engine-callbacks. Null for any other message. */
export function readCallback(message: EngineMessage): EngineEvent | null {
  const { success, data } = EngineCalledBack.safeParse(message);
  if (!success) return null;
  const { jobId, engineJobId, error = 'no reason given' } = data.detail;
  const reason = { code: 'worker_lost' as const, message: `The worker ended without a result (${error}).` };
  return { kind: 'ended', jobId, engineJobId, end: { by: 'itself', reason } };
}
