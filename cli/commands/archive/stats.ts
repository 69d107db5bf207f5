import type { Command } from 'commander';
import { statsOf } from '../../../core/archive/stats.ts';
import { nextWindow } from '../../../core/archive/window.ts';
import { statsText } from '../../archive/describe.ts';
import { archiveStatsText } from '../../archive/over-api.ts';
import { scan } from '../../archive/scan.ts';
import { folderAt, readSettings } from '../../archive/settings.ts';
import { readStatus } from '../../archive/status.ts';
import { requireLinux } from '../../archive/worker.ts';
import { outputOf } from '../../context.ts';
import { collectionOf, eitherWay, type FolderOptions, withPlace } from './options.ts';

export function addArchiveStats(archive: Command): void {
  withPlace(archive.command('stats'))
    .description('how many files, how much was saved, what happens now and next')
    .action(
      eitherWay(
        async (options: FolderOptions, command: Command) => {
          requireLinux();
          const folder = await folderAt(options.folder);
          const now = new Date();
          const [settings, status] = [await readSettings(folder), await readStatus(folder)];
          const { files } = await scan(folder, settings.policy, now.getTime());
          const stats = statsOf(files.flatMap(({ record }) => record ?? []));
          const next = settings.enabled ? new Date(nextWindow(now.getTime(), settings.policy)).toISOString() : null;
          outputOf(command).result({ ...stats, status, nextRun: next }, () => statsText(stats, settings, status, now));
        },
        async ({ api, out }, options) => {
          const view = await api.call('getArchive', { id: collectionOf(options) });
          out.result(view, () => archiveStatsText(view));
        },
      ),
    );
}
