import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes a state directory for this process; a lock left by one that is dead is taken over.
 * @throws Error naming the process that uses the directory
 */
export async function lockDirectory(dir: string): Promise<Lock> {
  const file = join(dir, 'lock');
  const own = `${process.pid} ${(await startTime(process.pid)) ?? ''} ${randomUUID()}\n`;
  for (;;) {
    if (await placeWhole(file, own)) return { release: () => rm(file, { force: true }) };
    const found = await readFile(file, 'utf8').catch(() => '');
    const [pid = 0, started = ''] = found.trim().split(' ');
    if (await isRunning(Number(pid), started)) {
      throw new Error(
        `${dir} is in use by another local cloud (process ${Number(pid)}). End it, or give another directory.`,
      );
    }
    // Of several that find a dead one's lock, one gets to rename it.
    const aside = `${file}.${randomUUID()}`;
    await rename(file, aside).catch(() => undefined);
    const taken = await readFile(aside, 'utf8').catch(() => found);
    if (taken !== found) await rename(aside, file);
    else await rm(aside, { force: true });
  }
}

/** Creates a file with its content at once, unless it is there. */
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

/** Whether the very process that wrote the lock still runs, not another one with its number. */
async function isRunning(pid: number, started: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = await startTime(pid);
  return now === undefined || started === '' || now === started;
}

/** When a process began, in clock ticks since the machine's start; undefined where the system does not tell. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the name in parentheses, and may hold anything; the start time is the 22nd.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
