import { mkdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DropreelError } from '../../core/jobs/errors.ts';
import { SOURCE_FILE } from '../../core/media/tasks.ts';

/** One job's directory on the scratch disk. What lies in it is a checkpoint: a later attempt on the same disk goes on from it. */
export interface Scratch {
  root: string;
  /** The pulled source. Without an ending, so that none can mislead FFmpeg. */
  source: string;
  /** Everything to be pushed, and nothing else. */
  out: string;
}

export async function openScratch(root: string): Promise<Scratch> {
  const scratch = { root, source: join(root, SOURCE_FILE), out: join(root, 'out') };
  await mkdir(scratch.out, { recursive: true });
  return scratch;
}

export async function removeScratch(scratch: Scratch): Promise<void> {
  await rm(scratch.root, { recursive: true, force: true });
}

/** Reads a done-marker; null when the task has not been finished on this disk. */
export async function readMarker<T>(scratch: Scratch, name: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(join(scratch.root, name), 'utf8')) as T;
  } catch {
    return null;
  }
}

/** Written whole or not at all. */
export async function writeMarker(scratch: Scratch, name: string, value: unknown): Promise<void> {
  const path = join(scratch.root, name);
  await writeFile(`${path}.part`, JSON.stringify(value));
  await rename(`${path}.part`, path);
}

/** Throws disk_full when less than `bytes` can be written. */
export async function needDisk(scratch: Scratch, bytes: number, what: string): Promise<void> {
  const { bavail, bsize } = await statfs(scratch.root);
  const free = bavail * bsize;
  if (free >= bytes) return;
  const MiB = 1024 ** 2;
  const [needed, left] = [Math.ceil(bytes / MiB), Math.floor(free / MiB)];
  throw new DropreelError('disk_full', `${what} may need ${needed} MiB; the scratch disk has ${left} MiB free.`);
}
