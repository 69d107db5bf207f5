import type { Command } from 'commander';
import { archiveRecording } from '../../archive/archive-recording.ts';
import { outcomeLine, refusalsLine } from '../../archive/describe.ts';
import { mediaText } from '../../archive/over-api.ts';
import { look } from '../../archive/scan.ts';
import { folderAt, readSettings } from '../../archive/settings.ts';
import { StatusFile } from '../../archive/status.ts';
import { repair } from '../../archive/undo.ts';
import { recordingIn, startWorker } from '../../archive/worker.ts';
import { openForWriting } from '../../archive/writers.ts';
import { outputOf } from '../../context.ts';
import { CliError, EXIT } from '../../exit.ts';
import { mediaId } from '../../options.ts';
import { eitherWay, type FolderOptions, untilInterrupted, withOptionalFolder } from './options.ts';

const WHY_NOT = {
  young: 'is too young',
  refused: 'was refused before',
  archived: 'is archived already',
  'under-way': 'has an unfinished record: dropreel archive repair',
  'being-written': 'is being written: it changed within the last ten minutes, or a process has it open',
} as const;

export function addArchiveFile(archive: Command): void {
  withOptionalFolder(archive.command('file').argument('<path>', 'a recording in the folder, or the id of a media item'))
    .description('archive one recording now, whatever its age, the window, and an earlier refusal')
    .action(
      eitherWay(
        async (path: string, options: FolderOptions, command: Command) => {
          const out = outputOf(command);
          const signal = untilInterrupted();
          const folder = await folderAt(options.folder);
          const recording = await recordingIn(folder, path);
          const { policy } = await readSettings(folder);
          const status = new StatusFile(folder, () => new Date());
          await using worker = await startWorker(folder, policy, { status, out });
          const { work } = worker;
          await repair(work.disk, recording, { policy, now: work.now().toISOString() });
          const asked = { policy, now: Date.now(), open: await openForWriting(), isAsked: true };
          const found = await look(recording, asked);
          if (!found) throw new CliError(EXIT.notFound, `${recording.path} is not a file.`);
          if (found.standing !== 'due') {
            throw new CliError(EXIT.refused, `${recording.path} ${WHY_NOT[found.standing]}.`);
          }
          const outcome = await archiveRecording(work, found, signal);
          out.result(outcome, () => outcomeLine(outcome));
          if (outcome.state === 'refused') throw new CliError(EXIT.failed, refusalsLine(outcome.refusals));
        },
        async ({ api, out }, id) => {
          const media = await api.call('archiveMedia', { id: mediaId(id) });
          out.result(media, () => mediaText(media));
        },
      ),
    );
}
