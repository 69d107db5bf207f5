import type { Command } from 'commander';
import { ArchivePolicy, CollectionArchivePolicy } from '../../../core/contracts/archive.ts';
import { policyLine } from '../../archive/describe.ts';
import { archiveText } from '../../archive/over-api.ts';
import { changed, folderAt, readSettings, requireNotNested, writeSettings } from '../../archive/settings.ts';
import { outputOf } from '../../context.ts';
import { collectionOf, eitherWay, type FolderOptions, withPlace } from './options.ts';

export function addArchiveEnable(archive: Command): void {
  withPlace(archive.command('enable'))
    .description('let it be archived: a folder by `run` and `watch`, a collection by itself; and change its policy')
    .option(
      '--set <name=value...>',
      `one or more of ${Object.keys(ArchivePolicy.shape).join(', ')}; of a collection, without the machine's limits`,
    )
    .addHelpText('after', '\nFor example: --set window=01:00-05:00 minAgeDays=14 floors.mean=0.97')
    .action(
      eitherWay(
        async (options: FolderOptions & { set?: string[] }, command: Command) => {
          const folder = await folderAt(options.folder);
          await requireNotNested(folder);
          const { policy } = await readSettings(folder);
          await switchTo(folder, { enabled: true, policy: changed(policy, options.set ?? []) }, command);
        },
        async ({ api, out }, options) => {
          const id = collectionOf(options);
          const { policy } = await api.call('getArchive', { id });
          const wanted = changed(policy, options.set ?? [], CollectionArchivePolicy);
          const view = await api.call('patchArchive', { id, body: { enabled: true, policy: wanted } });
          out.result(view, () => archiveText(view));
        },
      ),
    );
  withPlace(archive.command('disable'))
    .description('let them do nothing; the policy is kept, and so are originals')
    .action(
      eitherWay(
        async (options: FolderOptions, command: Command) => {
          const folder = await folderAt(options.folder);
          await switchTo(folder, { ...(await readSettings(folder)), enabled: false }, command);
        },
        async ({ api, out }, options) => {
          const view = await api.call('patchArchive', { id: collectionOf(options), body: { enabled: false } });
          out.result(view, () => archiveText(view));
        },
      ),
    );
}

async function switchTo(
  folder: string,
  settings: { enabled: boolean; policy: ArchivePolicy },
  command: Command,
): Promise<void> {
  await writeSettings(folder, settings);
  const word = settings.enabled ? 'enabled' : 'disabled';
  outputOf(command).result({ folder, ...settings }, () => `${folder}  ${word}: ${policyLine(settings.policy)}`);
}
