import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureDatabase } from './empty.ts';

export interface DatabaseProcess {
  /** URL of the running process; waits for one that is being restarted. @throws Error when it cannot be started */
  endpoint(): Promise<string>;
  close(): Promise<void>;
  /** Ends it at once. */
  crash(): void;
}

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 5000;
/** One that ended sooner than this after its start is not started again before it has passed. */
const RESTART_MS = 1000;

/** Runs dynoxide on a free loopback port, its database in `dir`; starts it again when it dies. */
export async function startDatabase(dir: string, log: (line: string) => void): Promise<DatabaseProcess> {
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

  async function start(): Promise<string> {
    const startedAt = Date.now();
    const { child: started, endpoint } = await serve(program, database, async (spawned) => {
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
    return endpoint;
  }

  function restart(ms: number): Promise<string> {
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
    endpoint: () => running,
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

/** Starts the program and waits for its first answer. @param spawned is awaited before that */
async function serve(
  program: string,
  database: string,
  spawned: (child: ChildProcess) => Promise<void> = async () => {},
): Promise<{ child: ChildProcess; endpoint: string }> {
  const port = await freePort();
  const child = spawn(program, ['serve', '--host', '127.0.0.1', '--port', String(port), '--db-path', database], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Out of reach of the terminal's Ctrl-C: whoever waits for a write while the cloud closes still gets it.
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
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await spawned(child);
    await Promise.race([answers(endpoint), failed]);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return { child, endpoint };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
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
    throw new Error(`${name} is not installed: install it, or name a DynamoDB in DROPREEL_DYNAMODB_ENDPOINT`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function answers(endpoint: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const answer = await fetch(endpoint).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await wait(20);
  }
  throw new Error(`dynoxide did not answer at ${endpoint} within ${START_TIMEOUT_MS / 1000} s`);
}

/** Ends the process that a crashed cloud left behind, if the number is still that of a dynoxide with this database. */
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
