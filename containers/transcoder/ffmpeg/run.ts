import type { ChildProcess } from 'node:child_process';
import { execa } from 'execa';
import { Complaints, plain } from './complaints.ts';
import { encodeFailure, saysDiskFull } from './errors.ts';
import { type FfmpegProgress, ProgressReader } from './progress.ts';

/** Where the programs are, and which user runs them. */
export interface Tools {
  ffmpeg: string;
  ffprobe: string;
  /** The command that starts them as another user; absent: they run as this one. */
  prefix?: readonly string[];
  /** Id of that user and its group. */
  mediaId?: number;
  /** Whether all processes of that user are this worker's. */
  alone?: boolean;
}

/**
 * Program and arguments, to run as that user. File names are relative to `cwd`, because the directories above may be closed to that user.
 */
export function command(tools: Tools, name: 'ffmpeg' | 'ffprobe', args: readonly string[]): [string, string[]] {
  const [program = '', ...rest] = [...(tools.prefix ?? []), tools[name], ...args];
  return [program, rest];
}

/** The whole environment of these programs: no credentials, and no way to them. */
export const ENVIRONMENT = { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8' };

/** Limits of each ffprobe run: a minute, and 32 MB of output. */
export const PROBE_LIMITS = {
  timeout: 60_000,
  killSignal: 'SIGKILL',
  stdin: 'ignore',
  maxBuffer: 32_000_000,
  extendEnv: false,
  env: ENVIRONMENT,
} as const;

/** Those of a run that reads every packet, which takes as long as the disk or S3 needs for the whole file: an hour. */
export const READ_LIMITS = { ...PROBE_LIMITS, timeout: 3_600_000 } as const;

/**
 * `7.1.5-0+deb13u1`
 * @throws Error where the program does not run
 */
export async function ffmpegVersion(tools: Tools, program: 'ffmpeg' | 'ffprobe' = 'ffmpeg'): Promise<string> {
  const { stdout } = await execa(...command(tools, program, ['-version']), { extendEnv: false, env: ENVIRONMENT });
  return /^ff\w+ version (\S+)/.exec(stdout)?.[1] ?? 'unknown';
}

/** Called with the id of a process; what it returns is called when that has ended, because the id may be another's then. */
export type OnProcess = (pid: number) => () => void;

export function announce(child: Pick<ChildProcess, 'pid' | 'once'>, onProcess: OnProcess | undefined): void {
  const ended = child.pid === undefined ? undefined : onProcess?.(child.pid);
  if (ended) child.once('exit', ended);
}

export interface FfmpegRun {
  cwd: string;
  signal: AbortSignal;
  onProgress?: (progress: FfmpegProgress) => void;
  /** For those who pause it. */
  onProcess?: OnProcess | undefined;
}

export interface FfmpegOutcome {
  last: FfmpegProgress | undefined;
  /** The warnings and errors it printed, cut, without addresses. */
  stderr: string;
  /** The first error after which it went on. */
  fault: string | undefined;
}

/**
 * Runs ffmpeg to its end. Aborting kills it: its output is not used without a done-marker, so nothing is gained by letting it finish a
 * file.
 * @throws DropreelError, or the signal's reason
 */
export async function runFfmpeg(tools: Tools, args: string[], run: FfmpegRun): Promise<FfmpegOutcome> {
  run.signal.throwIfAborted();
  const reader = new ProgressReader();
  const said = new Complaints();
  let last: FfmpegProgress | undefined;
  const child = spawnFfmpeg(tools, [...REPORTING, ...args], run);
  announce(child, run.onProcess);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const report of reader.read(text)) {
      last = report;
      run.onProgress?.(report);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.add(text);
  });
  const result = await child;
  run.signal.throwIfAborted();
  checkExit(result, said, (last?.frames ?? last?.seconds ?? 0) > 0);
  return { last, stderr: plain(said.tail), fault: said.fault };
}

/**
 * Throws for a failed run: a DropreelError for FFmpeg's message, a plain error when it could not even be started.
 * @param started whether it has written any output
 */
export function checkExit(
  result: { failed: boolean } & { [Key in 'exitCode' | 'signal' | 'originalMessage']?: unknown },
  said: Complaints,
  started: boolean,
): void {
  if (!result.failed && !saysDiskFull(said.tail)) return;
  const code = typeof result.exitCode === 'number' ? result.exitCode : undefined;
  const signal = typeof result.signal === 'string' ? result.signal : undefined;
  if (code === undefined && signal === undefined) throw new Error(`FFmpeg did not start: ${result.originalMessage}`);
  if (isNotStarted(code)) throw new Error(`FFmpeg did not start: exit code ${code}`);
  throw encodeFailure(said, { code, signal, started });
}

/** What nice(1), ionice(1) and setpriv(1) exit with when they cannot start the program behind them; FFmpeg has no such code. */
export function isNotStarted(exitCode: unknown): boolean {
  return exitCode === 126 || exitCode === 127;
}

/** Global options of an encode: what it says, each time anew because it is counted, and the reports of its progress on its output. */
export const SAYING = ['-v', 'repeat+level+warning', '-nostats'];
export const REPORTING = [...SAYING, '-progress', 'pipe:1', '-stats_period', '0.2'];
/** The same, with what its encoders tell in the end. */
export const TELLING = REPORTING.map((option) => (option === SAYING[1] ? 'repeat+level+info' : option));

/**
 * Starts ffmpeg with its output as streams. Nothing is buffered, because a damaged file can cause endless warnings.
 * @param more What it has from descriptor 3 on.
 */
export function spawnFfmpeg(
  tools: Tools,
  args: string[],
  run: Pick<FfmpegRun, 'cwd' | 'signal'>,
  more: readonly ('ignore' | 'pipe')[] = [],
) {
  return execa(...command(tools, 'ffmpeg', ['-nostdin', '-hide_banner', '-y', ...args]), {
    cwd: run.cwd,
    reject: false,
    cancelSignal: run.signal,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'pipe', ...more],
    buffer: false,
    extendEnv: false,
    env: ENVIRONMENT,
  });
}
