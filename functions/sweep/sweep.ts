import { apply, getRow } from '../../aws/table.ts';
import { rowKeys, SweepRow } from '../../core/contracts/rows.ts';
import { count, logger } from '../shared/stack.ts';
import { expandCollections } from './collections.ts';
import { deleteMedia } from './deletions.ts';
import { compareDrops } from './drops.ts';
import { repairJobs } from './jobs.ts';
import { startRetranscodes } from './retranscodes.ts';
import { NOTHING_DONE, type SweepReport, type SweepServices } from './services.ts';
import { expireUploads } from './uploads.ts';
import { removeOldVersions } from './versions.ts';

/** In this order: flags first, and what clears rows last. */
const PARTS = [
  expandCollections,
  startRetranscodes,
  repairJobs,
  removeOldVersions,
  deleteMedia,
  expireUploads,
] as const;

/**
 * One run. Each part does what it finds and leaves the rest to the next run; an error in one part does not keep the others
 * from their work, but ends the run as failed.
 */
export async function sweep(
  services: Omit<SweepServices, 'now' | 'timeIsUp' | 'did'>,
  now: string,
  timeIsUp: () => boolean,
): Promise<SweepReport> {
  const started = Date.now();
  const report = { ...NOTHING_DONE };
  const did: SweepServices['did'] = (what, times = 1) => {
    report[what] += times;
  };
  const run = { ...services, now, timeIsUp, did };
  let failure: unknown;
  const attempt = async <Value>(name: string, part: () => Promise<Value>): Promise<Value | undefined> => {
    try {
      return await part();
    } catch (error) {
      logger.error('a part of the sweep failed', { part: name, error });
      did('errors');
      failure ??= error;
      return undefined;
    }
  };
  const last = await getRow(services.table, rowKeys.sweep(), SweepRow);
  for (const part of PARTS) await attempt(part.name, () => part(run));
  const compared = await attempt(compareDrops.name, () => compareDrops(run, last?.dropAfter));
  const dropAfter = compared ? compared.after : last?.dropAfter;
  const row: SweepRow = { type: 'sweep', lastRunAt: now, tookMs: Date.now() - started, report };
  const remove = dropAfter === undefined ? ['dropAfter'] : [];
  await apply(services.table, [{ op: 'update', key: rowKeys.sweep(), expect: {}, set: { ...row, dropAfter }, remove }]);
  if (report.jobsRepaired + report.dropsRecovered > 0) count('repaired', report.jobsRepaired + report.dropsRecovered);
  logger.info('swept', { report, tookMs: row.tookMs });
  if (failure !== undefined) throw failure;
  return report;
}
