import type { Command } from 'commander';
import { outcomeLine } from '../../archive/describe.ts';
import { archiveText } from '../../archive/over-api.ts';
import { pass } from '../../archive/pass.ts';
import { folderAt, readSettings } from '../../archive/settings.ts';
import { StatusFile } from '../../archive/status.ts';
import { startWorker } from '../../archive/worker.ts';
import { outputOf } from '../../context.ts';
import { CliError, EXIT } from '../../exit.ts';
import { collectionOf, eitherWay, type FolderOptions, untilInterrupted, withPlace } from './options.ts';

interface RunOptions extends FolderOptions {
  all?: boolean;
  force?: boolean;
}

export function addArchiveRun(archive: Command): void {
  withPlace(archive.command('run'))
    .description('archive the oldest candidate now, if the window is open, and delete originals whose day has come')
    .option('--all', 'all candidates, while the window lasts; of a collection: look through all of it again')
    .option('--force', 'whatever the window, and where it is disabled')
    .action(
      eitherWay(
        async ({ folder: path, all = false, force = false }: RunOptions, command: Command) => {
          const out = outputOf(command);
          const signal = untilInterrupted();
          const folder = await folderAt(path);
          const { enabled, policy } = await readSettings(folder);
          if (!enabled && !force) {
            throw new CliError(EXIT.refused, `${folder} is disabled: dropreel archive enable --folder ${path}`);
          }
          const status = new StatusFile(folder, () => new Date());
          await using worker = await startWorker(folder, policy, { status, out });
          const result = await pass(worker.work, {
            ...{ force, most: all ? Number.POSITIVE_INFINITY : 1, signal },
            onOutcome: (outcome) => out.result(outcome, () => outcomeLine(outcome)),
          });
          status.problems(result.problems);
          for (const line of result.done) out.note(line);
          const isIdle = result.outcomes.length === 0 && result.problems.length === 0;
          if (result.waits === undefined && isIdle) out.note('nothing is due: dropreel archive status says why');
          if (result.waits !== undefined) out.note(`nothing more is done: ${result.waits}`);
          if (result.problems.length > 0) throw new CliError(EXIT.failed, result.problems.join('\n'));
        },
        async ({ api, out }, { all = false, force = false, ...options }) => {
          const view = await api.call('runArchive', { id: collectionOf(options), body: { all, force } });
          out.result(view, () => archiveText(view));
        },
      ),
    );
}
