import { apply, getRow } from '../../aws/table.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { SweepRow } from '../../core/contracts/table/sweep.ts';
import { SWEEP_MINUTES } from '../../core/contracts/timing.ts';
import { count, logger } from '../shared/observability.ts';
import { archiveOriginals } from './archive/originals.ts';
import { deleteMedia } from './deletions.ts';
import { compareDrops } from './drops.ts';
import { watchEngines } from './engines.ts';
import { repairJobs } from './jobs.ts';
import { removeLateUploads } from './late-uploads.ts';
import { sendOverdueDeliveries } from './overdue-deliveries.ts';
import { resumeRestored } from './restores.ts';
import { renewMedia } from './retranscodes.ts';
import { driveRollOuts } from './roll-outs.ts';
import { NOTHING_DONE, type SweepReport, type SweepServices } from './services.ts';
import { expireUploads } from './uploads.ts';
import { removeOldVersions } from './versions.ts';

/** A part does the work that it finds until `timeIsUp`, and leaves the rest to the next run. Parts do not rely on each other. */
export type Part = (services: SweepServices) => Promise<void>;

const PARTS: readonly Part[] = [
  compareDrops,
  watchEngines,
  repairJobs,
  resumeRestored,
  driveRollOuts,
  renewMedia,
  sendOverdueDeliveries,
  expireUploads,
  removeOldVersions,
  deleteMedia,
  removeLateUploads,
  archiveOriginals,
];

const EVERY_MS = SWEEP_MINUTES * 60_000;
/** Runs that are kept for people: the last hour. */
const RUNS = 12;

/**
 * One run. Each part may take its share of the remaining time, and they take turns to be first, so that none waits for ever behind one
 * that has much to do. An error in one part does not keep the others from their work, but ends the run as failed.
 * @param remainingMs until the run has to end
 */
export async function sweep(
  services: Omit<SweepServices, 'now' | 'remainingMs' | 'timeIsUp' | 'report'>,
  now: string,
  remainingMs: () => number,
  parts: readonly Part[] = PARTS,
): Promise<SweepReport> {
  const started = Date.now();
  const counts = { ...NOTHING_DONE };
  const report: SweepServices['report'] = (what, times = 1) => {
    counts[what] += times;
  };
  const table = {
    ...services.table,
    onUnreadable: (...row: Parameters<NonNullable<typeof services.table.onUnreadable>>) => {
      report('rowsUnreadable');
      services.table.onUnreadable?.(...row);
    },
  };
  let failure: unknown;
  const first = Math.floor(Date.parse(now) / EVERY_MS) % parts.length;
  const rotated = [...parts.slice(first), ...parts.slice(0, first)];
  for (const [i, part] of rotated.entries()) {
    const others = remainingMs() * (1 - 1 / (rotated.length - i));
    const left = () => remainingMs() - others;
    try {
      await part({ ...services, table, now, report, remainingMs: left, timeIsUp: () => left() <= 0 });
    } catch (error) {
      logger.error('a part of the sweep failed', { part: part.name, error });
      report('errors');
      failure ??= error;
    }
  }
  const tookMs = Date.now() - started;
  const did = Object.fromEntries(Object.entries(counts).filter(([, times]) => times > 0));
  // Of two runs that end at one moment, one is missing here: it is for people to look at.
  const before = await getRow(services.table, rowKeys.sweep(), SweepRow.pick({ runs: true }));
  const runs = [{ at: now, tookMs, did }, ...(before?.runs ?? [])].slice(0, RUNS);
  const row: SweepRow = { type: 'sweep', lastRunAt: now, tookMs, report: counts, runs };
  await apply(services.table, [{ op: 'update', key: rowKeys.sweep(), expect: {}, set: { ...row } }]);
  if (counts.jobsRepaired + counts.dropsRecovered > 0) count('repaired', counts.jobsRepaired + counts.dropsRecovered);
  logger.info('swept', { report: counts, tookMs: row.tookMs });
  if (failure !== undefined) throw failure;
  return counts;
}
