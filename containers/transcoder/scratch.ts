import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { DropreelError } from '../../core/contracts/errors.ts';
import { JobId } from '../../core/contracts/ids.ts';

/** Name of the pulled source. */
const SOURCE_FILE = 'source';

/** One job's directory on the scratch disk. Its content is a checkpoint: a later attempt on the same disk continues from it. */
export interface Scratch {
  root: string;
  /** The pulled source. Without an extension, so that none can mislead FFmpeg. */
  source: string;
  /** Everything to be pushed, and nothing else. */
  out: string;
  /** Times of the decoded pictures, which verification reads. */
  times: string;
}

/** @param mediaId FFmpeg's user and group, when it has its own: it may read there, and no other user may. */
export async function openScratch(root: string, mediaId?: number): Promise<Scratch> {
  const scratch = {
    root,
    source: join(root, SOURCE_FILE),
    out: join(root, 'out'),
    times: join(root, 'pictures.times'),
  };
  await mkdir(scratch.out, { recursive: true });
  if (mediaId === undefined) return scratch;
  const { uid } = await stat(root);
  for (const directory of [root, scratch.out]) {
    await chown(directory, uid, mediaId);
    await chmod(directory, 0o750);
  }
  return scratch;
}

export async function removeScratch(scratch: Scratch): Promise<void> {
  await rm(scratch.root, { recursive: true, force: true });
}

/**
 * Removes what other jobs have left on a disk that outlives a job: a killed worker cannot. Where one job at a time has the disk, nobody
 * else's work is there.
 */
export async function removeOthers(directory: string, jobId: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name !== jobId && JobId.safeParse(name).success) await rm(join(directory, name), { recursive: true });
  }
}

/** The outcome of a finished task on this disk; null when it is not finished, or its marker is not what this worker would write. */
export async function readMarker<T>(scratch: Scratch, name: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(join(scratch.root, name), 'utf8')));
  } catch {
    return null;
  }
}

/** Writes the marker whole or not at all. */
export async function writeMarker(scratch: Scratch, name: string, value: unknown): Promise<void> {
  const path = join(scratch.root, name);
  await writeFile(`${path}.part`, JSON.stringify(value));
  await rename(`${path}.part`, path);
}

/** Forgets which tasks are finished on this disk, so that all of them run anew. */
export async function removeMarkers({ root }: Scratch): Promise<void> {
  const markers = (await readdir(root)).filter((name) => name.endsWith('.done.json'));
  for (const name of markers) await rm(join(root, name));
}

/** Removes all that a directory holds. */
export async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
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
