import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { workingEncoders } from '../../containers/transcoder/archive/encoders.ts';
import { QUIETLY } from '../../containers/transcoder/archive/host.ts';
import { ffmpegVersion, type Tools } from '../../containers/transcoder/ffmpeg/run.ts';
import { ARCHIVE_ENCODERS } from '../../core/archive/fitness.ts';
import type { ArchivePolicy } from '../../core/contracts/archive.ts';
import { CliError, EXIT } from '../exit.ts';
import type { Output } from '../output.ts';
import type { Work } from './archive-recording.ts';
import { DISK } from './file-system.ts';
import { lockFolder } from './lock.ts';
import { ProgressLine } from './progress-line.ts';
import { isRecordingName, type Recording, recordingAt } from './recording.ts';
import type { StatusFile } from './status.ts';
import { Throttle } from './throttle.ts';

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
  { status, out }: { status: StatusFile; out: Output },
): Promise<Worker> {
  requireLinux();
  const lock = await lockFolder(folder);
  const ended = new AbortController();
  try {
    const tools = quietTools();
    const wanted = ARCHIVE_ENCODERS[policy.codec];
    const [ffmpeg] = await Promise.all([versionOf(tools, 'ffmpeg'), versionOf(tools, 'ffprobe')]);
    const encoders = await workingEncoders(tools, wanted);
    if (encoders.length === 0) {
      const names = wanted.join(', ');
      throw new CliError(
        EXIT.failed,
        `FFmpeg ${ffmpeg} encodes with none of ${names} here: dropreel doctor says more.`,
      );
    }
    const throttle = new Throttle(policy, (reason) => {
      status.paused(reason);
      out.note(reason === undefined ? 'goes on' : `paused: ${reason}`);
    });
    const throttled = throttle.run(ended.signal);
    const line = new ProgressLine(out);
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
        onProgress: (file, phase, fraction) => {
          status.progress(file, phase, fraction);
          line.show(file, phase, fraction);
        },
        onEnded: (file) => {
          status.ended(file);
          line.clear();
        },
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

async function versionOf(tools: Tools, program: 'ffmpeg' | 'ffprobe'): Promise<string> {
  return ffmpegVersion(tools, program).catch(() => {
    throw new CliError(EXIT.failed, `${tools[program]} does not run: dropreel doctor says more.`);
  });
}

/** What files are open, how busy the machine is and who works on a folder is found by Linux's ways. */
export function requireLinux(): void {
  if (process.platform === 'linux') return;
  throw new CliError(EXIT.usage, 'The archive of a folder needs Linux: its /proc tells which files are being written.');
}

/**
 * The recording that a person names.
 * @throws CliError unless it is below the folder, links followed, and has the name of one
 */
export async function recordingIn(folder: string, path: string): Promise<Recording> {
  const named = resolve(folder, path);
  const directory = await realpath(dirname(named)).catch(() => undefined);
  if (directory !== folder && !directory?.startsWith(`${folder}${sep}`)) {
    throw new CliError(EXIT.usage, `${named} is not in ${folder}.`);
  }
  const name = basename(named);
  if (isRecordingName(name)) return recordingAt(join(directory, name));
  throw new CliError(EXIT.usage, `${named} has not the name of a recording: one ends in .mp4, .mov or .m4v.`);
}
