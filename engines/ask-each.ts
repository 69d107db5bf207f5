import { eachLimit } from '../aws/concurrency.ts';
import type { EngineState } from './engine.ts';

/** Failures in a row from which on a service is not asked any more: each may take as long as its time-out. */
const IN_VAIN = 20;

/** For a service that is asked for one job at a time: an answer that is missing or cannot be read is of this job alone. */
export async function askEach(
  ids: readonly string[],
  atOnce: number,
  ask: (id: string) => Promise<EngineState>,
): Promise<Map<string, EngineState>> {
  const states = new Map<string, EngineState>();
  let inVain = 0;
  let last: unknown;
  await eachLimit(ids, atOnce, async (id) => {
    if (inVain >= IN_VAIN) return void states.set(id, { kind: 'unanswered', error: last });
    try {
      states.set(id, await ask(id));
      inVain = 0;
    } catch (error) {
      states.set(id, { kind: 'unanswered', error });
      last = error;
      inVain++;
    }
  });
  return states;
}
