import type { EngineState } from './engine.ts';

/**
 * What keeps the whole service from starting jobs keeps each one that waits from it.
 * @param why null where nothing does; asked only where a job waits. Where it cannot be told, they merely wait.
 */
export async function withBlock(
  states: Map<string, EngineState>,
  why: () => Promise<string | null>,
): Promise<Map<string, EngineState>> {
  if (![...states.values()].some(({ kind }) => kind === 'waiting')) return states;
  const blockedBy = await why().catch(() => null);
  if (blockedBy === null) return states;
  return new Map([...states].map(([id, state]) => [id, state.kind === 'waiting' ? { blockedBy, ...state } : state]));
}
