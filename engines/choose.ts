import type { Estimate } from './engine.ts';

/** An engine that may have a job. */
export interface Candidate {
  engine: string;
  estimate: Estimate;
  /** Whether it has been down for so long that others are to be preferred. */
  down?: boolean;
  /** Whether so many jobs wait at it that the time of the encode says nothing of when it is done. */
  busy?: boolean;
}

export interface Choice {
  engine: string;
  /** A sentence for people. */
  reason: string;
}

/**
 * The choice of `auto`: of the engines that are fit for the source and not down, the cheapest that is done before the deadline; where none
 * is, the quickest. Of two that are equal, and where no estimate can be made, the first. docs/engines.md has the rule with its reasons.
 * @param candidates in the order of the registry; at least one
 * @param deadlineSeconds in what time it is to be done, which those that are busy are not counted on for; absent: any
 * @throws Error without candidates
 */
export function choose(candidates: readonly Candidate[], deadlineSeconds = Number.POSITIVE_INFINITY): Choice {
  const [first] = candidates;
  if (!first) throw new Error('There is no engine to choose.');
  if (candidates.length === 1) return { engine: first.engine, reason: 'It is the only engine that there is.' };
  const fit = candidates.flatMap(({ estimate, ...one }) => ('unfit' in estimate ? [] : [{ ...one, ...estimate }]));
  const up = fit.filter(({ down }) => !down);
  const usable = up.length > 0 ? up : fit;
  const besides = usable.length < fit.length ? ' among those that are not down' : '';
  const [only, second] = usable;
  if (!only) return { engine: first.engine, reason: 'No engine can say what it takes: it is the first.' };
  if (!second) return { engine: only.engine, reason: `It is the only engine for this source${besides}.` };
  const isInTime = ({ seconds, busy }: (typeof usable)[number]) =>
    deadlineSeconds === Number.POSITIVE_INFINITY || (seconds <= deadlineSeconds && !busy);
  const inTime = usable.filter(isInTime);
  const [quickest = only] = usable.toSorted((a, b) => a.seconds - b.seconds);
  const [cheapest] = inTime.toSorted((a, b) => a.usd - b.usd);
  if (!cheapest) return { engine: quickest.engine, reason: `None meets the deadline: it is the quickest${besides}.` };
  const when = inTime.length < usable.length ? ' that meets the deadline' : '';
  return { engine: cheapest.engine, reason: `It is the cheapest${when}${besides}.` };
}
