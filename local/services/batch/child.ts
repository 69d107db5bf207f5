import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { groupUsage, statFields, type Usage } from './processes.ts';

/** Keeps a laptop usable while it encodes. */
const NICE = 10;

export interface Child {
  pid: number;
  /** Exit code as for a container: 128 + n after signal n. */
  exited: Promise<number>;
  /** Sends SIGTERM to the entry point only, like `docker stop`. */
  terminate(): void;
  /** Kills the entry point and all its descendants. */
  kill(): void;
  /** Usage of the whole group; undefined where the system does not provide it. */
  usage(): Promise<Usage | undefined>;
}

/**
 * Starts a program as leader of its own process group, with its output appended to `logFile`. `pidFile` identifies it for
 * `killLeftovers` until it has ended.
 * @throws Error when the program cannot be started
 */
export async function startChild(options: {
  command: readonly string[];
  cwd: string;
  environment: Record<string, string>;
  logFile: string;
  pidFile: string;
}): Promise<Child> {
  const [program = '', ...args] = options.command;
  const log = await open(options.logFile, 'a');
  let child: ChildProcess;
  let ended: Promise<unknown[]>;
  try {
    child = spawn(program, args, {
      cwd: options.cwd,
      env: options.environment,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    // Listened for at once: a program may end before its log is closed here.
    ended = once(child, 'exit');
    ended.catch(() => {});
    // Recorded synchronously, because a process that is not in a pid file is never killed after a crash.
    if (child.pid !== undefined) writeFileSync(options.pidFile, `${child.pid} ${identity(child.pid)}`);
    await once(child, 'spawn');
  } finally {
    await log.close();
  }
  const pid = child.pid ?? 0;
  const exited = ended.then(async ([code, signal]) => {
    send(-pid, 'SIGKILL');
    await rm(options.pidFile, { force: true });
    return typeof code === 'number' ? code : 128 + (constants.signals[signal as NodeJS.Signals] ?? 0);
  });
  try {
    setPriority(pid, NICE);
  } catch {
    // It has ended already.
  }
  return {
    pid,
    exited,
    terminate: () => send(pid, 'SIGTERM'),
    kill: () => send(-pid, 'SIGKILL'),
    usage: () => groupUsage(pid),
  };
}

/** Kills process groups that an earlier run of the cloud left behind. Returns their number. */
export async function killLeftovers(dir: string): Promise<number> {
  await mkdir(dir, { recursive: true });
  let killed = 0;
  for (const name of await readdir(dir)) {
    const file = join(dir, name);
    const [pid = '', started = ''] = (await readFile(file, 'utf8')).split(' ');
    const now = identity(Number(pid));
    // If the leader has ended, its number is not reused while the group has members. A different process is left alone.
    if (Number(pid) > 1 && started.startsWith(bootId()) && (now === started || now === '')) {
      if (send(-Number(pid), 'SIGKILL')) killed += 1;
    }
    await rm(file, { force: true });
  }
  return killed;
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Start time and boot of a process, because process numbers are reused. Empty when there is no such process. */
function identity(pid: number): string {
  if (process.platform !== 'linux') return startByPs(pid);
  const start = statFields(pid)?.[19];
  return start === undefined ? '' : `${bootId()}:${start}`;
}

function startByPs(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).replace(/\s+/g, '_');
  } catch {
    return '';
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
