import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { Complaints } from './complaints.ts';
import { checkExit, command, ENVIRONMENT, type Tools } from './run.ts';
import { InfoReader } from './ssim.ts';

/** One of several ffmpegs that run at once, each with the next one's input. */
export interface Stage {
  child: ChildProcess;
  said: Complaints;
  /** What is told at the level `info`, if that is asked for. */
  info: InfoReader;
  /** Resolves when it has ended, however it has. */
  ended: Promise<void>;
  /** Whether it was ended by `end`. */
  stopped: boolean;
}

/**
 * Starts an ffmpeg whose descriptors are given. With Node's own function, because execa ends a process as failed when its output is
 * another's input.
 * @throws Error when it cannot be started
 */
export async function startStage(
  tools: Tools,
  args: readonly string[],
  cwd: string,
  stdio: StdioOptions,
): Promise<Stage> {
  const [program, rest] = command(tools, 'ffmpeg', ['-nostdin', '-hide_banner', '-y', ...args]);
  const child = spawn(program, rest, { cwd, stdio, env: ENVIRONMENT });
  const said = new Complaints();
  const info = new InfoReader();
  child.stderr
    ?.setEncoding('utf8')
    .on('data', (text: string) => said.add(info.read(text)))
    .on('end', () => said.add(info.rest));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await once(child, 'spawn').catch((cause: Error) => {
    throw new Error(`FFmpeg did not start: ${cause.message}`, { cause });
  });
  return { child, said, info, ended, stopped: false };
}

/** Kills what still runs of them. */
export function end(stages: readonly Stage[]): void {
  for (const stage of stages) {
    if (stage.child.exitCode !== null || stage.child.signalCode !== null) continue;
    stage.stopped = true;
    stage.child.kill('SIGKILL');
  }
}

export function hasFailed({ child }: Stage): boolean {
  return child.exitCode !== 0;
}

/** FFmpeg's message when the process that reads its output has ended. */
const READER_GONE = 'Broken pipe';

/**
 * Throws for a stage that has failed. The first of the list counts most, because those after it end well with what they got; but not where
 * it ended because one after it had, or was killed with it.
 */
export function checkStages(stages: readonly Stage[], started: (stage: Stage) => boolean): void {
  const isEffect = ({ child, said, stopped }: Stage) =>
    (stopped && child.signalCode === 'SIGKILL') || said.tail.includes(READER_GONE);
  const causes = stages.filter((stage) => !isEffect(stage));
  for (const stage of [...causes, ...stages.filter(isEffect)]) {
    const { exitCode, signalCode } = stage.child;
    const result = { failed: hasFailed(stage), exitCode: exitCode ?? undefined, signal: signalCode ?? undefined };
    checkExit(result, stage.said, started(stage));
  }
}

/** The descriptor of a stage as a stream; it was asked for as a pipe. */
export function outputOf({ child }: Stage, descriptor: number): Readable {
  return child.stdio[descriptor] as Readable;
}

export function inputOf({ child }: Stage): Writable {
  return child.stdin as Writable;
}
