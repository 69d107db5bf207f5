import { execa } from 'execa';
import { DropreelError, ERRORS } from '../../../core/contracts/errors.ts';
import { Complaints } from '../ffmpeg/complaints.ts';
import type { FfmpegProgress } from '../ffmpeg/progress.ts';
import {
  announce,
  checkExit,
  command,
  isNotStarted,
  type OnProcess,
  PROBE_LIMITS,
  runFfmpeg,
  SAYING,
  spawnFfmpeg,
  type Tools,
} from '../ffmpeg/run.ts';

/** Below everything else, for processors and for disks with a scheduler that knows idle: nice(1), ionice(1). */
export const QUIETLY = ['nice', '-n', '19', 'ionice', '-c', '3'];

/** Where an archive's encode runs: FFmpeg, and who is told of its processes. */
export interface Host {
  tools: Tools;
  signal: AbortSignal;
  /** For those who pause the processes. */
  onProcess?: OnProcess | undefined;
}

/** A file by its folder and name: FFmpeg opens it by name, whatever characters it has. */
export interface MediaFile {
  directory: string;
  name: string;
}

/** Milliseconds: reading every packet of a large file is as slow as the disk, and the process may be paused. */
const READ_TIMEOUT = 24 * 3_600_000;

/**
 * Runs ffprobe; calls `onLine` for each line of its output. A damaged file has fewer of them.
 * @throws Error when it was killed, or the signal's reason
 */
export async function probeLines(
  { tools, signal, onProcess }: Host,
  { directory }: MediaFile,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<void> {
  const child = execa(...command(tools, 'ffprobe', ['-v', 'error', ...args]), {
    ...PROBE_LIMITS,
    timeout: READ_TIMEOUT,
    reject: false,
    cancelSignal: signal,
    cwd: directory,
    buffer: false,
    stderr: 'ignore',
  });
  announce(child, onProcess);
  for await (const line of child) onLine(line);
  signal.throwIfAborted();
  checkEnded(await child);
}

/** What ended by a signal, or never began, says nothing of the file. */
export function checkEnded({
  failed,
  exitCode,
  shortMessage,
}: { failed: boolean } & { [Key in 'exitCode' | 'shortMessage']?: unknown }): void {
  if (failed && (exitCode === undefined || isNotStarted(exitCode)))
    throw new Error(`ffprobe did not end: ${shortMessage}`);
}

/**
 * Runs ffmpeg; calls `onLine` for each line of its standard output.
 * @throws DropreelError, or the signal's reason
 */
export async function ffmpegLines(
  { tools, signal, onProcess }: Host,
  { directory }: MediaFile,
  args: string[],
  onLine: (line: string) => void,
): Promise<void> {
  const child = spawnFfmpeg(tools, [...SAYING, ...args], { cwd: directory, signal });
  announce(child, onProcess);
  const said = new Complaints();
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.add(text));
  let lines = 0;
  for await (const line of child) {
    lines += 1;
    onLine(line);
  }
  const result = await child;
  signal.throwIfAborted();
  checkExit(result, said, lines > 0);
}

/**
 * Runs ffmpeg to its end, with progress.
 * @returns its first error, whatever its exit code; undefined where there was none
 * @throws the signal's reason, or Error where the machine is at fault: a full disk, too little memory
 */
export async function complaintOf(
  { tools, signal, onProcess }: Host,
  { directory }: MediaFile,
  args: string[],
  onProgress?: (progress: FfmpegProgress) => void,
): Promise<string | undefined> {
  const run = { cwd: directory, signal, onProcess, ...(onProgress && { onProgress }) };
  return runFfmpeg(tools, args, run).then(({ fault }) => fault, onlyFaultsOfFile);
}

/**
 * What a failed run of FFmpeg says of the file.
 * @throws the error where the machine was the cause
 */
export function onlyFaultsOfFile(error: unknown): string {
  // The folder's disk is full today; of a worker it means that the file is too large for any.
  const isFile = error instanceof DropreelError && !ERRORS[error.code].transient && error.code !== 'disk_full';
  if (isFile) return error.message;
  throw error;
}
