import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { outcomeLine } from '../../archive/describe.ts';
import { pass, whyClosed } from '../../archive/pass.ts';
import { folderAt, readSettings, requireNotNested } from '../../archive/settings.ts';
import { StatusFile } from '../../archive/status.ts';
import { requireLinux, startWorker } from '../../archive/worker.ts';
import { outputOf } from '../../context.ts';
import type { Output } from '../../output.ts';
import { type FolderOptions, locally, untilInterrupted, withFolder } from './options.ts';

/** Milliseconds until the folder is looked through again in an open window, and until settings and window are looked at. */
const SCAN_MS = 10 * 60_000;
const LOOK_MS = 60_000;

export function addArchiveWatch(archive: Command): void {
  withFolder(archive.command('watch'))
    .description('archive in every window, until Ctrl-C; what the systemd unit runs')
    .action(
      locally(async ({ folder: path }: FolderOptions, command: Command) => {
        const out = outputOf(command);
        const signal = untilInterrupted();
        requireLinux();
        const folder = await folderAt(path);
        // Before its status is written.
        await requireNotNested(folder);
        const status = new StatusFile(folder, () => new Date());
        for (;;) {
          const pause = await turn(folder, { out, signal, status }).catch((error: unknown) => {
            signal.throwIfAborted();
            // The folder may be gone for a while, or a person restores something in it.
            status.waiting(out.error(error).message);
            return LOOK_MS;
          });
          await delay(pause, undefined, { signal }).catch(() => {});
          signal.throwIfAborted();
        }
      }),
    );
}

/**
 * Policy and lock are taken anew each time, so that `enable` and `restore` work beside it.
 * @returns milliseconds until the next turn
 */
async function turn(
  folder: string,
  { out, signal, status }: { out: Output; signal: AbortSignal; status: StatusFile },
): Promise<number> {
  const { enabled, policy } = await readSettings(folder);
  const why = enabled ? whyClosed(Date.now(), policy) : 'the folder is disabled';
  status.waiting(why);
  if (why !== undefined) return LOOK_MS;
  await using worker = await startWorker(folder, policy, { status, out });
  const result = await pass(worker.work, {
    ...{ force: false, most: Number.POSITIVE_INFINITY, signal },
    onOutcome: (outcome) => out.result(outcome, () => outcomeLine(outcome)),
  });
  for (const line of [...result.done, ...result.problems]) out.note(line);
  status.problems(result.problems);
  status.waiting(result.waits);
  return SCAN_MS;
}
