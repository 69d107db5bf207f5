import { sep } from 'node:path';
import { workingEncoders } from '../../containers/transcoder/archive/encoders.ts';
import { ffmpegVersion, type Tools } from '../../containers/transcoder/ffmpeg/run.ts';
import { ARCHIVE_ENCODERS } from '../../core/archive/fitness.ts';
import type { ArchivePolicy } from '../../core/contracts/archive.ts';
import { CliError, EXIT } from '../exit.ts';
import type { Work } from './archive-recording.ts';
import { DISK } from './file-system.ts';
import { lockFolder } from './lock.ts';
import type { StatusFile } from './status.ts';
import { Throttle } from './throttle.ts';

/** Below everything else, for processors and for disks with a scheduler that knows idle: nice(1), ionice(1). */
const QUIETLY = ['nice', '-n', '19', 'ionice', '-c', '3'];

/** FFmpeg of this machine: FFMPEG_PATH and FFPROBE_PATH, else those on PATH. */
function quietTools(): Tools {
  const { FFMPEG_PATH = 'ffmpeg', FFPROBE_PATH = 'ffprobe' } = process.env;
  return { ffmpeg: FFMPEG_PATH, ffprobe: FFPROBE_PATH, prefix: QUIETLY };
}

export interface Worker extends AsyncDisposable {
  work: Work;
}

/**
 * All that is needed to archive in a folder, of which this process is the only one to change it until disposal.
 * @throws CliError when another process works on it, or the machine lacks what is needed
 */
export async function startWorker(
  folder: string,
  policy: ArchivePolicy,
  { status, onNote }: { status: StatusFile; onNote: (line: string) => void },
): Promise<Worker> {
  requireLinux();
  const lock = await lockFolder(folder);
  const ended = new AbortController();
  try {
    const tools = quietTools();
    const [ffmpeg, encoders] = await Promise.all([ffmpegVersion(tools), workingEncoders(tools)]);
    if (!ARCHIVE_ENCODERS[policy.codec].some((encoder) => encoders.includes(encoder))) {
      const names = ARCHIVE_ENCODERS[policy.codec].join(', ');
      throw new CliError(
        EXIT.failed,
        `FFmpeg ${ffmpeg} encodes with none of ${names} here: dropreel doctor says more.`,
      );
    }
    const throttle = new Throttle(policy, (reason) => {
      status.paused(reason);
      onNote(reason === undefined ? 'goes on' : `paused: ${reason}`);
    });
    const throttled = throttle.run(ended.signal);
    return {
      work: {
        ...{
          folder,
          policy,
          disk: DISK,
          tools,
          ffmpeg,
          encoders,
          now: () => new Date(),
          onProcess: (pid) => throttle.add(pid),
        },
        onProgress: (file, phase, fraction) => status.progress(file, phase, fraction),
        onEnded: (file) => status.ended(file),
      },
      [Symbol.asyncDispose]: async () => {
        ended.abort();
        await throttled;
        await status.flushed();
        await lock[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

/** What files are open, how busy the machine is and who works on a folder is found by Linux's ways. */
export function requireLinux(): void {
  if (process.platform === 'linux') return;
  throw new CliError(EXIT.usage, 'The archive of a folder needs Linux: its /proc tells which files are being written.');
}

/** The path of a file that a person names, which has to be below the folder. */
export function pathIn(folder: string, resolved: string): string {
  if (resolved.startsWith(`${folder}${sep}`)) return resolved;
  throw new CliError(EXIT.usage, `${resolved} is not in ${folder}.`);
}
