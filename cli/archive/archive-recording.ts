import { relative } from 'node:path';
import { shrink } from '../../containers/transcoder/archive/shrink.ts';
import type { OnProcess, Tools } from '../../containers/transcoder/ffmpeg/run.ts';
import { policyKey } from '../../core/archive/candidates.ts';
import { type ArchiveEncoder, refusal } from '../../core/archive/fitness.ts';
import type { ArchivePolicy, ArchiveRefusal, Replacement } from '../../core/contracts/archive.ts';
import { plus } from '../../core/time.ts';
import type { FileSystem } from './file-system.ts';
import { sha256Of, statOf } from './recording.ts';
import { writeRecord } from './records.ts';
import { replace, SourceChanged } from './replace.ts';
import type { Found } from './scan.ts';
import { repair } from './undo.ts';
import { identityOf, openForWriting } from './writers.ts';

/** What the archive of a folder works with. */
export interface Work {
  folder: string;
  policy: ArchivePolicy;
  disk: FileSystem;
  tools: Tools;
  /** `7.1.5` */
  ffmpeg: string;
  encoders: readonly ArchiveEncoder[];
  now: () => Date;
  onProcess: OnProcess;
  /** Path from the folder, and how far it is. */
  onProgress: (file: string, phase: string, fraction: number) => void;
  /** However it has. */
  onEnded: (file: string) => void;
}

export type Outcome = { file: string; bytes: number } & (
  | { state: 'archived'; record: Replacement }
  | { state: 'refused'; refusals: ArchiveRefusal[] }
);

export function nameIn(folder: string, path: string): string {
  return relative(folder, path);
}

/**
 * Makes the dense copy of a recording, verifies it, and gives it the recording's name; or records why not.
 * @throws the signal's reason, or Error where the machine is at fault. Then nothing is recorded, and the recording is as it was.
 */
export async function archiveRecording(work: Work, found: Found, signal: AbortSignal): Promise<Outcome> {
  const { disk, policy, now } = work;
  const { recording, bytes, version } = found;
  const file = nameIn(work.folder, recording.path);
  const refuse = async (refusals: ArchiveRefusal[]): Promise<Outcome> => {
    const record = {
      state: 'refused',
      at: now().toISOString(),
      source: version,
      policy: policyKey(policy),
      refusals,
    } as const;
    await writeRecord(disk, recording, record);
    return { file, bytes, state: 'refused', refusals };
  };
  if (found.links > 1) return refuse([refusal('hard_link', `It has ${found.links} names.`)]);
  for (const name of [recording.temporary, recording.original]) {
    if (await statOf(name)) throw new Error(`${name} exists: move it away.`);
  }
  const temporary = nameIn(recording.directory, recording.temporary);
  await writeRecord(disk, recording, { state: 'encoding', at: now().toISOString(), temporary });
  try {
    await disk.create(recording.temporary);
    const sha256 = await sha256Of(recording.path, signal);
    const { onProcess, tools, encoders, ffmpeg } = work;
    const shrunk = await shrink(
      { tools, signal, onProcess },
      {
        ...{ directory: recording.directory, original: recording.name, archived: temporary, policy, encoders },
        onProgress: ({ phase, fraction }) => work.onProgress(file, phase, fraction),
      },
    );
    if (!shrunk.done) {
      await disk.unlink(recording.temporary);
      return await refuse(shrunk.refusals);
    }
    signal.throwIfAborted();
    const { encoder, quality } = shrunk;
    const at = now().toISOString();
    const deleteAfter = plus(at, { days: policy.keepOriginalDays });
    const check = () => checkUnused(recording.path);
    const record = await replace(disk, recording, {
      version,
      sha256,
      encoder,
      quality,
      ffmpeg,
      at,
      deleteAfter,
      check,
    });
    return { file, bytes, state: 'archived', record };
  } catch (error) {
    await giveUp(work, found);
    if (error instanceof SourceChanged) return refuse([refusal('source_changed', error.message)]);
    throw error;
  } finally {
    work.onEnded(file);
  }
}

async function checkUnused(path: string): Promise<void> {
  const [stats, open] = [await statOf(path), await openForWriting()];
  if (stats && open.has(identityOf(stats))) throw new SourceChanged(`${path} is open for writing.`);
}

/** Leaves the recording as it was; what cannot be undone now is repaired before the next pass. */
async function giveUp({ disk, policy, now }: Work, { recording }: Found): Promise<void> {
  await repair(disk, recording, { policy, now: now().toISOString() });
}
