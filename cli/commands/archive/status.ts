import type { Command } from 'commander';
import type { Standing } from '../../../core/archive/candidates.ts';
import { nameIn } from '../../archive/archive-recording.ts';
import { activity, currentFiles, policyLine, refusalsLine } from '../../archive/describe.ts';
import { archiveText } from '../../archive/over-api.ts';
import { type Found, scan } from '../../archive/scan.ts';
import { folderAt, readSettings } from '../../archive/settings.ts';
import { readStatus, type Status } from '../../archive/status.ts';
import { requireLinux } from '../../archive/worker.ts';
import { outputOf } from '../../context.ts';
import { fields } from '../../table.ts';
import { collectionOf, eitherWay, type FolderOptions, withPlace } from './options.ts';

export function addArchiveStatus(archive: Command): void {
  withPlace(archive.command('status'))
    .description('what is done now and why not, the policy, and each recording that keeps its original')
    .action(
      eitherWay(
        async (options: FolderOptions, command: Command) => {
          requireLinux();
          const folder = await folderAt(options.folder);
          const [settings, status] = [await readSettings(folder), await readStatus(folder)];
          const { files, problems } = await scan(folder, settings.policy, Date.now());
          const counts: Partial<Record<Standing, number>> = {};
          for (const { standing } of files) counts[standing] = (counts[standing] ?? 0) + 1;
          const refused = files.flatMap((found) => refusedLine(folder, found));
          const result = { folder, ...settings, status, counts, refused, problems };
          outputOf(command).result(result, () =>
            [
              fields([
                ['folder', folder],
                ['policy', `${settings.enabled ? '' : 'disabled: '}${policyLine(settings.policy)}`],
                ['status', activity(settings, status)],
                ['current', currentFiles(status)],
                [
                  'files',
                  Object.entries(counts)
                    .map(([standing, count]) => `${count} ${standing}`)
                    .join(', ') || 'none',
                ],
                ['pauses', status?.pauses.length ? pausesText(status) : undefined],
              ]),
              ...refused.map(({ file, why }) => `kept     ${file}: ${why}`),
              ...[...problems, ...(status?.problems ?? [])].map((problem) => `problem  ${problem}`),
            ].join('\n'),
          );
        },
        async ({ api, out }, options) => {
          const view = await api.call('getArchive', { id: collectionOf(options) });
          out.result(view, () => archiveText(view));
        },
      ),
    );
}

function refusedLine(folder: string, { recording, record }: Found): { file: string; why: string }[] {
  if (record?.state !== 'refused') return [];
  return [{ file: nameIn(folder, recording.path), why: refusalsLine(record.refusals) }];
}

/** The last of them. */
function pausesText({ pauses }: Status): string {
  const last = pauses.at(-1);
  return last ? `${pauses.length}; the last from ${last.from} to ${last.to ?? 'now'}: ${last.reason}` : 'none';
}
