import { getRow, type Table } from '../../aws/table.ts';
import type { Preset } from '../../core/contracts/presets.ts';
import { EngineRow, ExperienceRow } from '../../core/contracts/table/engines.ts';
import { engineKeys } from '../../core/contracts/table/keys.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { classOf, corrected } from '../../core/jobs/experience.ts';
import { isPassedOver } from '../../core/jobs/outage.ts';
import type { Candidate } from '../../engines/choose.ts';
import type { Engines } from '../../engines/registry.ts';
import { PRICES } from './cost.ts';

/** What an engine of this deployment is expected to take for a source. */
export interface Expected extends Candidate {
  /** What it had assumed; absent where it is unfit. */
  assumed?: { seconds: number; usd: number };
  /** How many finished jobs of the source's class have corrected that. */
  jobs: number;
}

/** The experience with the class of a source. */
export function experienceWith(table: Table, source: SourceInfo): Promise<ExperienceRow | null> {
  return getRow(table, engineKeys.experience(classOf(source)), ExperienceRow);
}

/** The engines to which submissions fail, by name. */
export async function failing(table: Table, engines: Engines): Promise<Map<string, EngineRow>> {
  const rows = await Promise.all(
    engines.entries().map(async ([name]) => [name, await getRow(table, engineKeys.engine(name), EngineRow)] as const),
  );
  return new Map(rows.flatMap(([name, row]) => (row ? [[name, row]] : [])));
}

/** In the order of the registry. @param known what `experienceWith` and `failing` gave */
export function expect(
  engines: Engines,
  known: { experience: ExperienceRow | null; failing: ReadonlyMap<string, EngineRow>; now: string },
  source: SourceInfo,
  preset: Preset,
): Expected[] {
  return engines.entries().map(([engine, { estimate }]) => {
    const assumed = estimate(source, preset, PRICES);
    const before = known.experience?.engines[engine];
    const down = isPassedOver(known.failing.get(engine) ?? null, known.now);
    if ('unfit' in assumed) return { engine, estimate: assumed, down, jobs: 0 };
    return { engine, estimate: corrected(assumed, before), down, assumed, jobs: before?.jobs ?? 0 };
  });
}
