import type { Command } from 'commander';
import { DISK } from '../../archive/file-system.ts';
import { lockFolder } from '../../archive/lock.ts';
import { mediaText } from '../../archive/over-api.ts';
import { folderAt, readSettings } from '../../archive/settings.ts';
import { restore } from '../../archive/undo.ts';
import { recordingIn, requireLinux } from '../../archive/worker.ts';
import { outputOf } from '../../context.ts';
import { CliError, EXIT } from '../../exit.ts';
import { mediaId } from '../../options.ts';
import { eitherWay, type FolderOptions, withOptionalFolder } from './options.ts';

export function addArchiveRestore(archive: Command): void {
  withOptionalFolder(
    archive.command('restore').argument('<path>', 'a recording in the folder, or the id of a media item'),
  )
    .description('put an original back, while it is kept; it is not archived again until it changes')
    .action(
      eitherWay(
        async (path: string, options: FolderOptions, command: Command) => {
          requireLinux();
          const folder = await folderAt(options.folder);
          const recording = await recordingIn(folder, path);
          const { policy } = await readSettings(folder);
          await using _lock = await lockFolder(folder);
          await restore(DISK, recording, { policy, now: new Date().toISOString() }).catch((error: Error) => {
            throw new CliError(EXIT.refused, error.message);
          });
          outputOf(command).result({ file: recording.path, state: 'restored' }, () => `${recording.path}  restored`);
        },
        async ({ api, out }, id) => {
          const media = await api.call('restoreOriginal', { id: mediaId(id) });
          out.result(media, () => mediaText(media));
        },
      ),
    );
}
