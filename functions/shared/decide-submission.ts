import { getCollection } from '../../aws/table.ts';
import { AUTO } from '../../core/contracts/engines.ts';
import type { ErrorCode } from '../../core/contracts/errors.ts';
import type { Refused } from '../../core/contracts/refused.ts';
import type { CollectionRow } from '../../core/contracts/table/collections.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { MediaRow, SourceInfo } from '../../core/contracts/table/media.ts';
import type { Change } from '../../core/jobs/change.ts';
import { classOf } from '../../core/jobs/experience.ts';
import { pausedUntil } from '../../core/jobs/outage.ts';
import { secondsOf } from '../../core/jobs/quota.ts';
import { charge } from '../../core/jobs/spending.ts';
import { holdJob, submitting, waitForEngine } from '../../core/jobs/transitions.ts';
import { presumed } from '../../core/media/estimate.ts';
import { choose } from '../../engines/choose.ts';
import type { Engines } from '../../engines/registry.ts';
import { type CapServices, room } from './caps.ts';
import { presetNamed } from './encoding.ts';
import { type Condition, conditionOf, type Expected, expectations, experienceWith } from './expectations.ts';

export interface DecideServices extends CapServices {
  engines: Engines;
}

/** What is to be done with a job that is to be submitted. */
export type Decided =
  /** It is leased to the caller. `tried`: an earlier call began to submit it. */
  | { change: Change; job: JobRow; tried: boolean }
  /** It waits. */
  | { change: Change; waits: Extract<ErrorCode, 'cap_reached' | 'engine_down'> }
  /** `moves`: its engine may have it and is down, and another engine is to have it under another number. */
  | (Refused & { moves?: string });

/** By the engines, their state and the caps as they are now. */
export async function decideSubmission(
  services: DecideServices,
  row: JobRow,
  media: MediaRow | null,
  info: SourceInfo,
): Promise<Decided> {
  const now = new Date().toISOString();
  const collection = await getCollection(services.table, row.creatorId, row.collectionId);
  const condition = await conditionOf(services.table, services.engines, now);
  const choice = await choiceFor(services, row, { info, condition, deadline: deadlineOf(row, collection, now) });
  const { failing } = condition;
  const moves = row.engine !== AUTO && choice.engine !== row.engine;
  if (moves && row.submittingUntil !== undefined) {
    return { refused: `${row.engine} is down, and may have it`, moves: failing.get(row.engine)?.why ?? '' };
  }
  const outage = failing.get(choice.engine) ?? null;
  const until = pausedUntil(outage, now);
  if (outage && until) {
    const message = `${choice.engine} has taken no job since ${outage.failingSince}: ${outage.why}`;
    return withChange(waitForEngine(row, { code: 'engine_down', message, at: now }, until), { waits: 'engine_down' });
  }
  if (row.charged) return submitting(row, media, choice, now);
  const { usd = 0 } = choice.estimate ?? {};
  const { caps, over } = await room(services, row, collection, usd, now);
  if (over) return withChange(holdJob(row, media, over), { waits: 'cap_reached' });
  return submitting(row, media, { ...choice, charge: charge(row, usd, caps, now) }, now);
}

function withChange<const More>(
  outcome: { change: Change } | Refused,
  more: More,
): ({ change: Change } & More) | Refused {
  return 'refused' in outcome ? outcome : { ...outcome, ...more };
}

/** Seconds that are left for an upload; undefined where there is no deadline. */
function deadlineOf({ purpose, createdAt }: JobRow, collection: CollectionRow | null, now: string): number | undefined {
  const minutes = collection?.deadlineMinutes;
  if (purpose !== 'ingest' || minutes === undefined || minutes === null) return undefined;
  return 60 * minutes - (Date.parse(now) - Date.parse(createdAt)) / 1000;
}

/**
 * The engine that the row names, or the choice for `auto`, and what it is expected to take. A choice is made again where its engine has
 * been down for long, and it was not made again before.
 */
async function choiceFor(
  { table, engines }: DecideServices,
  row: JobRow,
  { info, condition, deadline }: { info: SourceInfo; condition: Condition; deadline: number | undefined },
) {
  const { source, preset, expected } = await expectationsFor({ table, engines }, row, { info, condition });
  const engine = engineFor(row, expected, deadline);
  const { estimate, assumed } = expected.find((one) => one.engine === engine) ?? {};
  return {
    engine,
    onDemand: engines.get(engine).needsOnDemand(info, preset),
    ...(estimate && assumed && !('unfit' in estimate) && { estimate: { ...estimate, of: classOf(source), assumed } }),
  };
}

/** Whether another engine is up and fit for a job that `auto` gave to its engine, and that has not moved yet. */
export async function mayMoveOn(services: DecideServices, row: JobRow, info: SourceInfo): Promise<boolean> {
  if (row.auto !== true || row.movedFrom !== undefined) return false;
  const condition = await conditionOf(services.table, services.engines, new Date().toISOString());
  const { expected } = await expectationsFor(services, row, { info, condition });
  return expected.some((one) => one.engine !== row.engine && !one.down && isFit(one));
}

async function expectationsFor(
  { table, engines }: DecideServices,
  row: JobRow,
  { info, condition }: { info: SourceInfo; condition: Condition },
) {
  const preset = presetNamed(row.preset.name);
  const source = presumed(info, secondsOf(info, row.source.size));
  const experience = await experienceWith(table, source);
  return { source, preset, expected: expectations(engines, condition, experience, source, preset) };
}

function isFit({ estimate }: Expected): boolean {
  return !('unfit' in estimate);
}

function engineFor(
  { engine, auto, movedFrom }: JobRow,
  expected: readonly Expected[],
  deadline: number | undefined,
): string {
  const others = expected.filter((one) => one.engine !== movedFrom && isFit(one));
  if (engine === AUTO) return choose(others.length > 0 ? others : expected, deadline).engine;
  const mayMove = auto === true && movedFrom === undefined;
  const isDown = expected.find((one) => one.engine === engine)?.down === true;
  return mayMove && isDown ? choose(expected, deadline).engine : engine;
}
