import type { Command } from 'commander';
import { nameIn } from '../../archive/archive-recording.ts';
import { DISK } from '../../archive/file-system.ts';
import { lockFolder } from '../../archive/lock.ts';
import { scan } from '../../archive/scan.ts';
import { folderAt, readSettings } from '../../archive/settings.ts';
import { repair } from '../../archive/undo.ts';
import { requireLinux } from '../../archive/worker.ts';
import { outputOf } from '../../context.ts';
import { CliError, EXIT } from '../../exit.ts';
import { collectionOf, eitherWay, type FolderOptions, withPlace } from './options.ts';

export function addArchiveRepair(archive: Command): void {
  withPlace(archive.command('repair'))
    .description('finish or undo what a crash left; `run` and `watch` do it themselves')
    .action(
      eitherWay(
        async (options: FolderOptions, command: Command) => {
          requireLinux();
          const folder = await folderAt(options.folder);
          const { policy } = await readSettings(folder);
          await using _lock = await lockFolder(folder);
          const { files, orphans, problems } = await scan(folder, policy, Date.now());
          const recordings = [...files.filter(({ record }) => record).map(({ recording }) => recording), ...orphans];
          const done: string[] = [];
          for (const recording of recordings) {
            try {
              const what = await repair(DISK, recording, { policy, now: new Date().toISOString() });
              if (what !== undefined) done.push(`${nameIn(folder, recording.path)}: ${what}`);
            } catch (error) {
              problems.push((error as Error).message);
            }
          }
          outputOf(command).result({ done, problems }, () => done.join('\n') || 'Nothing had to be repaired.');
          if (problems.length > 0) throw new CliError(EXIT.failed, problems.join('\n'));
        },
        // What a crash left there, sweep finishes or undoes by itself; what it never saw, it finds so.
        async ({ api, out }, options) => {
          const view = await api.call('runArchive', { id: collectionOf(options), body: { all: true } });
          out.result(view, () => `${view.collectionId}  looked through again within minutes`);
        },
      ),
    );
}
