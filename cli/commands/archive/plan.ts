import type { Command } from 'commander';
import { wholePlan } from '../../../client/archive-plan.ts';
import { statsOf } from '../../../core/archive/stats.ts';
import { nameIn } from '../../archive/archive-recording.ts';
import { clockTime, gigabytes } from '../../archive/describe.ts';
import { planText } from '../../archive/over-api.ts';
import { type Found, scan } from '../../archive/scan.ts';
import { folderAt, readSettings, readSpeed } from '../../archive/settings.ts';
import { requireLinux } from '../../archive/worker.ts';
import { outputOf } from '../../context.ts';
import { table } from '../../table.ts';
import { duration } from '../../units.ts';
import { collectionOf, eitherWay, type FolderOptions, withPlace } from './options.ts';

/** Candidates that are listed for people; --json has all. */
const SHOWN = 20;

export function addArchivePlan(archive: Command): void {
  withPlace(archive.command('plan'))
    .description('what would be archived, the oldest first; changes nothing')
    .action(
      eitherWay(
        async (options: FolderOptions, command: Command) => {
          requireLinux();
          const folder = await folderAt(options.folder);
          const { policy } = await readSettings(folder);
          const { files, problems } = await scan(folder, policy, Date.now());
          const due = files.filter(({ standing }) => standing === 'due');
          const bytes = due.reduce((sum, file) => sum + file.bytes, 0);
          const { archived, savedPercent } = statsOf(files.flatMap(({ record }) => record ?? []));
          // What the folder's own recordings have saved says more than the target.
          const percent = archived > 0 ? savedPercent : policy.targetSavingsPercent;
          const speed = await readSpeed(folder);
          const seconds = speed === undefined ? undefined : bytes / speed;
          const expected = Math.round((bytes * percent) / 100);
          const plan = {
            files: due.length,
            bytes,
            expectedSavedBytes: expected,
            expectedPercent: percent,
            seconds,
            problems,
          };
          const list = due.map(({ recording, ...file }) => ({
            file: nameIn(folder, recording.path),
            bytes: file.bytes,
          }));
          outputOf(command).result({ ...plan, candidates: list }, () =>
            [
              table(
                ['FILE', 'SIZE', 'CHANGED'],
                due.slice(0, SHOWN).map((file) => row(folder, file, policy.timeZone)),
              ),
              ...(due.length > SHOWN ? [`and ${due.length - SHOWN} more`] : []),
              '',
              `${due.length} files, ${gigabytes(bytes)}; about ${gigabytes(expected)} saved at ${percent.toFixed(0)} % (${archived > 0 ? 'as before in this folder' : 'the target'})`,
              seconds === undefined
                ? 'How long it takes is known after the first one.'
                : `About ${duration(seconds)} of work, at the speed of those before.`,
              ...problems.map((problem) => `problem  ${problem}`),
            ].join('\n'),
          );
        },
        async ({ api, out }, options) => {
          const plan = await wholePlan(api, collectionOf(options));
          out.result(plan, () => planText(plan));
        },
      ),
    );
}

function row(folder: string, { recording, bytes, changedAt }: Found, timeZone: string): string[] {
  return [nameIn(folder, recording.path), gigabytes(bytes), clockTime(new Date(changedAt), timeZone)];
}
