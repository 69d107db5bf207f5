import type { Command } from 'commander';
import { ArchivePolicy } from '../../../core/contracts/archive.ts';
import { policyLine } from '../../archive/describe.ts';
import { changed, folderAt, readSettings, requireNotNested, writeSettings } from '../../archive/settings.ts';
import { outputOf } from '../../context.ts';
import { type FolderOptions, locally, withFolder } from './options.ts';

export function addArchiveEnable(archive: Command): void {
  withFolder(archive.command('enable'))
    .description('let `run` and `watch` archive in a folder, and change its policy')
    .option('--set <name=value...>', `one or more of ${Object.keys(ArchivePolicy.shape).join(', ')}`)
    .addHelpText('after', '\nFor example: --set window=01:00-05:00 minAgeDays=14 floors.mean=0.97')
    .action(
      locally(async (options: FolderOptions & { set?: string[] }, command: Command) => {
        const folder = await folderAt(options.folder);
        await requireNotNested(folder);
        const { policy } = await readSettings(folder);
        await switchTo(folder, { enabled: true, policy: changed(policy, options.set ?? []) }, command);
      }),
    );
  withFolder(archive.command('disable'))
    .description('let them do nothing; the policy is kept, and so are originals')
    .action(
      locally(async (options: FolderOptions, command: Command) => {
        const folder = await folderAt(options.folder);
        await switchTo(folder, { ...(await readSettings(folder)), enabled: false }, command);
      }),
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
