import type { EngineEnd } from '../engine.ts';
import { finishPart, readFinish } from './parts.ts';
import { endOfWarnings } from './reasons.ts';

/**
 * What follows when MediaConvert has completed a job.
 * @param attempt of the job's user metadata: without it nothing says where the outputs are
 */
export function afterComplete(
  attempt: string | undefined,
  warnings: readonly number[],
): { kind: 'ended'; end: EngineEnd } | { kind: 'continues'; next: string } | { kind: 'unknown'; why: string } {
  const end = endOfWarnings(warnings);
  if (end) return { kind: 'ended', end };
  const next = finishPart({ number: Number(attempt), warnings });
  if (readFinish(next)) return { kind: 'continues', next };
  return { kind: 'unknown', why: 'MediaConvert has completed the job, but does not say which submission it was.' };
}
