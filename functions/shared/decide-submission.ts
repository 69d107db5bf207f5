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
import { addedBy, charge } from '../../core/jobs/spending.ts';
import { holdJob, submitting, waitForEngine, whyNotToSubmit } from '../../core/jobs/transitions.ts';
import { presumed } from '../../core/media/estimate.ts';
import { readPart } from '../../engines/batch/parts.ts';
import { choose } from '../../engines/choose.ts';
import type { Engines } from '../../engines/registry.ts';
import { type CapServices, room } from './caps.ts';
import { presetOf } from './encoding.ts';
import {
  type Condition,
  conditionOf,
  type Expected,
  expectations,
  experienceWith,
  passedOver,
} from './expectations.ts';

export interface DecideServices extends CapServices {
  engines: Engines;
}

/** What is to be done with a job that is to be submitted. */
export type Decided =
  /** It is leased to the caller. `tried`: an earlier call began to submit it. */
  | { change: Change; job: JobRow; tried: boolean; deadlineSeconds?: number | undefined }
  /** It waits. */
  | { change: Change; waits: Extract<ErrorCode, 'cap_reached' | 'engine_down'> }
  | (Refused & { moves?: Moves });

/** Its engine is down, and may have it or has begun with it: another one is to have it under another number. */
export interface Moves {
  /** The engine whose service is down. */
  moves: string;
  /** What became of the last submission to it. */
  why: string;
}

/** By the engines, their state and the caps as they are now. */
export async function decideSubmission(
  services: DecideServices,
  row: JobRow,
  media: MediaRow | null,
  info: SourceInfo,
): Promise<Decided> {
  const now = new Date().toISOString();
  const refused = whyNotToSubmit(row, now);
  if (refused) return refused;
  const collection = await getCollection(services.table, row.creatorId, row.collectionId);
  const condition = await conditionOf(services.table, services.engines, now);
  const deadline = deadlineOf(row, collection, now);
  const choice = await choiceFor(services, row, { info, condition, deadline });
  const { failing } = condition;
  const moves = row.engine !== AUTO && choice.engine !== row.engine;
  if (moves && (row.submittingUntil !== undefined || row.part !== undefined)) {
    const down = passedOver(condition, services.engines.needs(row)) ?? row.engine;
    return { refused: `${down} is down`, moves: { moves: down, why: failing.get(down)?.why ?? '' } };
  }
  const service = services.engines.servedBy({ engine: choice.engine, part: row.part });
  const outage = failing.get(service) ?? null;
  const until = pausedUntil(outage, now);
  if (outage && until) {
    const message = `${service} has taken no job since ${outage.failingSince}: ${outage.why}`;
    return withChange(waitForEngine(row, { code: 'engine_down', message, at: now }, until), { waits: 'engine_down' });
  }
  // What has begun is not stopped by a cap: what was spent on it would be lost.
  const lease = (to: Parameters<typeof submitting>[2]) =>
    withChange(submitting(row, media, to, now), { deadlineSeconds: deadline });
  if (row.part !== undefined || (row.charged && !moves)) return lease(choice);
  const { usd = 0 } = choice.estimate ?? {};
  const more = addedBy(row, usd, now);
  const { caps, over } = more === null ? { caps: {}, over: null } : await room(services, row, collection, more, now);
  if (over) return withChange(holdJob(row, media, over), { waits: 'cap_reached' });
  return lease({ ...choice, charge: charge(row, usd, caps, now) });
}

function withChange<Made extends { change: Change }, const More>(
  outcome: Made | Refused,
  more: More,
): (Made & More) | Refused {
  return 'refused' in outcome ? outcome : { ...outcome, ...more };
}

/** Seconds that are left for an upload; undefined where there is no deadline. */
function deadlineOf(row: JobRow, collection: CollectionRow | null, now: string): number | undefined {
  const { purpose, createdAt, uploadedAt = createdAt } = row;
  const minutes = collection?.deadlineMinutes;
  if (purpose !== 'ingest' || minutes === undefined || minutes === null) return undefined;
  return 60 * minutes - (Date.parse(now) - Date.parse(uploadedAt)) / 1000;
}

/**
 * The engine that the row names, or the choice for `auto`, and what it is expected to take. A choice is made again where its engine has
 * been down for long.
 */
async function choiceFor(
  { table, engines }: DecideServices,
  row: JobRow,
  { info, condition, deadline }: { info: SourceInfo; condition: Condition; deadline: number | undefined },
) {
  const { source, preset, expected } = await expectationsFor({ table, engines }, row, { info, condition, deadline });
  const isDown = passedOver(condition, engines.needs(row)) !== undefined;
  const engine = engineFor(row, expected, { mayMove: isDown && isMovable(engines, row), deadline });
  const { estimate, assumed } = expected.find((one) => one.engine === engine) ?? {};
  return {
    engine,
    onDemand: engines.get(engine).needsOnDemand(info, preset),
    ...(estimate && assumed && !('unfit' in estimate) && { estimate: { ...estimate, of: classOf(source), assumed } }),
  };
}

/** Whether `auto` gave it to its engine, it has not left that one before, and its encode is not done. */
function isMovable(engines: Engines, row: JobRow): boolean {
  if (readPart(row.part)?.name === 'join') return false;
  return row.auto === true && !hasLeft(row, engines.needs(row)) && engines.needs(row).includes(row.engine);
}

/** Whether it has moved on from one of these services. It does not return, so that it moves no more often than there are engines. */
function hasLeft({ movedFrom = [] }: JobRow, services: readonly string[]): boolean {
  return services.some((service) => movedFrom.includes(service));
}

/** Whether a job that is blocked may move, and an engine that does not need the same service is up and fit for it. */
export async function mayMoveOn(services: DecideServices, row: JobRow, info: SourceInfo): Promise<boolean> {
  if (!isMovable(services.engines, row)) return false;
  const blocked = services.engines.servedBy(row);
  const condition = await conditionOf(services.table, services.engines, new Date().toISOString());
  const { expected } = await expectationsFor(services, row, { info, condition });
  return expected.some((one) => !one.needs.includes(blocked) && !hasLeft(row, one.needs) && isUp(one));
}

async function expectationsFor(
  { table, engines }: DecideServices,
  row: JobRow,
  { info, condition, deadline }: { info: SourceInfo; condition: Condition; deadline?: number | undefined },
) {
  const preset = presetOf(row);
  const source = presumed(info, secondsOf(info, row.source.size));
  const experience = await experienceWith(table, source);
  return { source, preset, expected: expectations(engines, condition, experience, { source, preset, deadline }) };
}

function isFit({ estimate }: Expected): boolean {
  return !('unfit' in estimate);
}

function isUp(one: Expected): boolean {
  return !one.down && isFit(one);
}

function engineFor(
  row: JobRow,
  expected: readonly Expected[],
  { mayMove, deadline }: { mayMove: boolean; deadline: number | undefined },
): string {
  const others = expected.filter((one) => !hasLeft(row, one.needs) && isFit(one));
  if (row.engine === AUTO) return choose(others.length > 0 ? others : expected, deadline).engine;
  const up = others.filter(isUp);
  return mayMove && up.length > 0 ? choose(up, deadline).engine : row.engine;
}
