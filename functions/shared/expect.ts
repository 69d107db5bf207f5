import { getRow, type Table } from '../../aws/table.ts';
import type { Preset } from '../../core/contracts/presets.ts';
import { ExperienceRow } from '../../core/contracts/table/engines.ts';
import { engineKeys } from '../../core/contracts/table/keys.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { classOf, corrected } from '../../core/jobs/experience.ts';
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

/** In the order of the registry. */
export function expect(
  engines: Engines,
  experience: ExperienceRow | null,
  source: SourceInfo,
  preset: Preset,
): Expected[] {
  return engines.entries().map(([engine, { estimate }]) => {
    const assumed = estimate(source, preset, PRICES);
    const known = experience?.engines[engine];
    if ('unfit' in assumed) return { engine, estimate: assumed, jobs: 0 };
    return { engine, estimate: corrected(assumed, known), assumed, jobs: known?.jobs ?? 0 };
  });
}
