import { execa } from 'execa';
import { cut, encodeFailure, saysDiskFull } from './errors.ts';
import { type FfmpegProgress, ProgressReader } from './progress.ts';

/** Where the programs are. */
export interface Tools {
  ffmpeg: string;
  ffprobe: string;
}

export interface FfmpegRun {
  cwd: string;
  signal: AbortSignal;
  onProgress?: (progress: FfmpegProgress) => void;
}

export interface FfmpegOutcome {
  last: FfmpegProgress | undefined;
  /** The warnings and errors it printed, cut. */
  stderr: string;
}

/**
 * Runs ffmpeg to its end. Aborting kills it: what it has written is not used without a done-marker, so nothing is gained by
 * letting it finish a file. Throws a DropreelError, or the signal's reason.
 */
export async function runFfmpeg(tools: Tools, args: string[], run: FfmpegRun): Promise<FfmpegOutcome> {
  run.signal.throwIfAborted();
  const reader = new ProgressReader();
  const outcome: FfmpegOutcome = { last: undefined, stderr: '' };
  const child = spawnFfmpeg(tools, [...REPORTING, ...args], run);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const report of reader.read(text)) {
      outcome.last = report;
      run.onProgress?.(report);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    outcome.stderr = cut(outcome.stderr + text);
  });
  const result = await child;
  run.signal.throwIfAborted();
  checkExit(result, outcome.stderr);
  return outcome;
}

/** Throws for a failed run: a DropreelError for what FFmpeg says, a plain error when it could not even be started. */
export function checkExit(
  result: { failed: boolean } & { [Key in 'exitCode' | 'signal' | 'originalMessage']?: unknown },
  stderr: string,
): void {
  if (!result.failed && !saysDiskFull(stderr)) return;
  const code = typeof result.exitCode === 'number' ? result.exitCode : undefined;
  const signal = typeof result.signal === 'string' ? result.signal : undefined;
  if (code === undefined && signal === undefined) throw new Error(`FFmpeg did not start: ${result.originalMessage}`);
  throw encodeFailure(stderr, { code, signal });
}

const REPORTING = ['-v', 'warning', '-nostats', '-progress', 'pipe:1', '-stats_period', '0.2'];

/** Starts ffmpeg with its output as streams; nothing is buffered, a damaged file can cause warnings without end. */
export function spawnFfmpeg(tools: Tools, args: string[], run: Pick<FfmpegRun, 'cwd' | 'signal'>) {
  return execa(tools.ffmpeg, ['-nostdin', '-hide_banner', '-y', ...args], {
    cwd: run.cwd,
    reject: false,
    cancelSignal: run.signal,
    killSignal: 'SIGKILL',
    stdin: 'ignore',
    buffer: false,
    // The job's credentials are none of FFmpeg's business.
    extendEnv: false,
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8' },
  });
}
