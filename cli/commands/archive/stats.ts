import type { Command } from 'commander';
import { statsOf } from '../../../core/archive/stats.ts';
import { nextWindow } from '../../../core/archive/window.ts';
import { statsText } from '../../archive/describe.ts';
import { scan } from '../../archive/scan.ts';
import { folderAt, readSettings } from '../../archive/settings.ts';
import { readStatus } from '../../archive/status.ts';
import { requireLinux } from '../../archive/worker.ts';
import { outputOf } from '../../context.ts';
import { type FolderOptions, locally, withFolder } from './options.ts';

export function addArchiveStats(archive: Command): void {
  withFolder(archive.command('stats'))
    .description('how many files, how much was saved, what happens now and next')
    .action(
      locally(async (options: FolderOptions, command: Command) => {
        requireLinux();
        const folder = await folderAt(options.folder);
        const now = new Date();
        const [settings, status] = [await readSettings(folder), await readStatus(folder)];
        const { files } = await scan(folder, settings.policy, now.getTime());
        const stats = statsOf(files.flatMap(({ record }) => record ?? []));
        const next = settings.enabled ? new Date(nextWindow(now.getTime(), settings.policy)).toISOString() : null;
        outputOf(command).result({ ...stats, status, nextRun: next }, () => statsText(stats, settings, status, now));
      }),
    );
}
