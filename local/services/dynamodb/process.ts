import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Transport } from './database.ts';
import { ensureDatabase } from './empty.ts';
import { openSession, type Session } from './stdio.ts';
import { callTool } from './tools.ts';

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 5000;
/** Minimum time between two starts, and the wait after a failed one. */
const RESTART_MS = 1000;

/**
 * Runs dynoxide with its database in `dir`, and restarts it when it dies. The connection is its input and output, as a server of
 * the Model Context Protocol, because its HTTP server has no authentication and answers every user and web page of the machine.
 * @throws Error when it cannot be started
 */
export async function startDatabase(dir: string, log: (line: string) => void): Promise<Transport> {
  const database = join(dir, 'table.sqlite');
  const pidFile = join(dir, 'dynoxide.pid');
  const { program, version } = findProgram();
  await killStale(pidFile, database, log);
  await ensureDatabase(database, version, async (file) => {
    const { child } = await serve(program, file);
    await end(child);
  });
  let closing = false;
  let child: ChildProcess | undefined;

  async function start(): Promise<Session> {
    const startedAt = Date.now();
    const { child: started, session } = await serve(program, database, async (spawned) => {
      child = spawned;
      if (spawned.pid !== undefined) await writeFile(pidFile, String(spawned.pid));
    });
    const ended = (code: number | null, signal: NodeJS.Signals | null) => {
      if (closing) return;
      log(`dynamodb: dynoxide ended (${signal ?? code}) and is started again`);
      running = restart(startedAt + RESTART_MS - Date.now());
    };
    if (started.exitCode !== null || started.signalCode !== null) throw new Error('dynoxide ended when it had started');
    started.once('exit', ended);
    return session;
  }

  function restart(ms: number): Promise<Session> {
    const next = wait(Math.max(ms, 0)).then(() => {
      if (closing) throw new Error('the local DynamoDB is closed');
      return start();
    });
    next.catch((error) => {
      if (closing) return;
      log(`dynamodb: ${String(error)}`);
      running = restart(RESTART_MS);
    });
    return next;
  }

  let running = start();
  await running;

  return {
    send: async (target, input) => callTool(await running, target, input),
    async close() {
      closing = true;
      await running.catch(() => {});
      if (child) await end(child);
      await rm(pidFile, { force: true });
    },
    crash() {
      closing = true;
      child?.kill('SIGKILL');
    },
  };
}

/**
 * Starts the program and waits until it is ready.
 * @param spawned is awaited before that
 */
async function serve(
  program: string,
  database: string,
  spawned: (child: ChildProcess) => Promise<void> = async () => {},
): Promise<{ child: ChildProcess; session: Session }> {
  const child = spawn(program, ['mcp', '--db-path', database], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Not affected by the terminal's Ctrl-C, so that writes still complete while the cloud closes.
    detached: true,
  });
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors = `${errors}${chunk}`.slice(-2000);
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(error));
    child.once('exit', () => reject(new Error(`dynoxide ended while it was starting: ${errors.trim()}`)));
  });
  failed.catch(() => {});
  const late = new AbortController();
  try {
    await spawned(child);
    const session = openSession(child);
    session.catch(() => {});
    const timeout = wait(START_TIMEOUT_MS, undefined, { signal: late.signal }).then(() => {
      throw new Error(`dynoxide did not answer within ${START_TIMEOUT_MS / 1000} s`);
    });
    timeout.catch(() => {});
    return { child, session: await Promise.race([session, failed, timeout]) };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    late.abort();
  }
}

/** When its input is closed, it writes its log into the database and ends. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.stdin?.end();
  const forced = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(forced);
}

function findProgram(): { program: string; version: string } {
  const name = `@dynoxide/${process.platform}-${process.arch}`;
  try {
    const require = createRequire(import.meta.url);
    const manifest = require.resolve(`${name}/package.json`);
    const program = join(dirname(manifest), process.platform === 'win32' ? 'dynoxide.exe' : 'dynoxide');
    return { program, version: require(manifest).version };
  } catch {
    throw new Error(`${name} is not installed: install it, or name another DynamoDB (dynamodbEndpoint)`);
  }
}

/** Ends the process that a crashed cloud left behind, if the process number still belongs to a dynoxide with this database. */
async function killStale(pidFile: string, database: string, log: (line: string) => void): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  const isOurs = () => pid > 1 && /dynoxide/.test(commandLine(pid)) && commandLine(pid).includes(database);
  if (isOurs()) {
    process.kill(pid, 'SIGKILL');
    log('dynamodb: ended a dynoxide that an earlier run had left behind');
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (isOurs() && Date.now() < deadline) await wait(20);
  }
  await rm(pidFile, { force: true });
}

/** Empty when there is no such process. */
function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}
