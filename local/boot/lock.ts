import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Lock {
  release(): Promise<void>;
}

/**
 * Locks a state directory for this process; the lock of a dead process is taken over.
 * @throws Error naming the process that uses the directory
 */
export async function lockDirectory(dir: string): Promise<Lock> {
  const file = join(dir, 'lock');
  const own = `${await thisProcess()} ${randomUUID()}\n`;
  for (;;) {
    if (await placeWhole(file, own)) return { release: () => rm(file, { force: true }) };
    const found = await readFile(file, 'utf8').catch(() => '');
    if (await isRunning(found)) {
      const pid = Number.parseInt(found, 10);
      throw new Error(`${dir} is in use by another local cloud (process ${pid}). End it, or use another directory.`);
    }
    // If several processes find a dead process's lock, only one can rename it.
    const aside = `${file}.${randomUUID()}`;
    await rename(file, aside).catch(() => undefined);
    const taken = await readFile(aside, 'utf8').catch(() => found);
    if (taken !== found) await rename(aside, file);
    else await rm(aside, { force: true });
  }
}

/** Creates a file with its content atomically, unless it exists. */
async function placeWhole(file: string, content: string): Promise<boolean> {
  const aside = `${file}.${randomUUID()}`;
  await writeFile(aside, content);
  try {
    await link(aside, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(aside);
  }
}

/** Identifies this process even if its number is reused later: `{number} {start time}`. */
export async function thisProcess(): Promise<string> {
  return `${process.pid} ${(await startTime(process.pid)) ?? ''}`;
}

/** Whether a process that `thisProcess` identified still runs; text after the identifier is ignored. */
export async function isRunning(name: string): Promise<boolean> {
  const [number = '', started = ''] = name.split(' ');
  const pid = Number(number);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = await startTime(pid);
  return now === undefined || started === '' || now === started;
}

/** Start time of a process in clock ticks since the machine's start; undefined where the system does not provide it. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the name in parentheses, and may contain any text; the start time is the 22nd.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
