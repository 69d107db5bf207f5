import { getRow, type Table } from '../../aws/table.ts';
import type { Preset } from '../../core/contracts/presets.ts';
import { EngineRow, ExperienceRow, LoadRow } from '../../core/contracts/table/engines.ts';
import { engineKeys } from '../../core/contracts/table/keys.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { classOf, corrected } from '../../core/jobs/experience.ts';
import { isPassedOver } from '../../core/jobs/outage.ts';
import type { Candidate } from '../../engines/choose.ts';
import type { Engines } from '../../engines/registry.ts';
import { PRICES } from './cost.ts';

/** What an engine of this deployment is expected to take for a source. */
export interface Expected extends Candidate {
  /** Whose services its jobs need. It is down where one of them is. */
  needs: string[];
  /** What it had assumed; absent where it is unfit. */
  assumed?: { seconds: number; usd: number };
  /** How many finished jobs of the source's class have corrected that. */
  jobs: number;
}

/** The experience with the class of a source. */
export function experienceWith(table: Table, source: SourceInfo): Promise<ExperienceRow | null> {
  return getRow(table, engineKeys.experience(classOf(source)), ExperienceRow);
}

/** What is known of the engines themselves. */
export interface Condition {
  /** Those to which submissions fail, by name. */
  failing: ReadonlyMap<string, EngineRow>;
  load: LoadRow | null;
  now: string;
}

export async function conditionOf(table: Table, engines: Engines, now: string): Promise<Condition> {
  const [down, load] = await Promise.all([failing(table, engines), getRow(table, engineKeys.load, LoadRow)]);
  return { failing: down, load, now };
}

/** The engines to which submissions fail, by name. */
export async function failing(table: Table, engines: Engines): Promise<Map<string, EngineRow>> {
  const rows = await Promise.all(
    engines.entries().map(async ([name]) => [name, await getRow(table, engineKeys.engine(name), EngineRow)] as const),
  );
  return new Map(rows.flatMap(([name, row]) => (row ? [[name, row]] : [])));
}

/** The first of these services that `auto` passes over; undefined where there is none. */
export function passedOver({ failing, now }: Condition, services: readonly string[]): string | undefined {
  return services.find((service) => isPassedOver(failing.get(service) ?? null, now));
}

/** Jobs that wait at an engine, from which on it is busy: a page of AWS Batch's list. */
const BUSY = 100;

/** In the order of the registry. `deadline` in seconds. */
export function expectations(
  engines: Engines,
  condition: Condition,
  experience: ExperienceRow | null,
  { source, preset, deadline }: { source: SourceInfo; preset: Preset; deadline?: number | undefined },
): Expected[] {
  return engines.entries().map(([engine, { estimate }]) => {
    const assumed = estimate(source, preset, PRICES, deadline);
    const before = experience?.engines[engine];
    const needs = engines.needs({ engine });
    const state = {
      engine,
      needs,
      down: passedOver(condition, needs) !== undefined,
      busy: needs.some((service) => (condition.load?.waiting[service] ?? 0) >= BUSY),
    };
    if ('unfit' in assumed) return { ...state, estimate: assumed, jobs: 0 };
    return { ...state, estimate: corrected(assumed, before), assumed, jobs: before?.jobs ?? 0 };
  });
}
