import { statfs } from 'node:fs/promises';
import { bytes } from './units.ts';

/** Bytes that a local cloud should have free at least: an encode writes its outputs beside the original. */
const LEAST_FREE = 2 * 2 ** 30;

export interface Disk {
  directory: string;
  freeBytes: number;
  /** What to do; only for a disk that is nearly full. */
  problem?: string;
}

/** The disk of a directory; undefined when it cannot be read. */
export async function diskOf(directory: string): Promise<Disk | undefined> {
  const found = await statfs(directory).catch(() => undefined);
  if (!found) return undefined;
  const freeBytes = found.bavail * found.bsize;
  const problem = `Only ${bytes(freeBytes)} are free at ${directory}: remove media, or use another directory (npm run dev -- --state DIR).`;
  return { directory, freeBytes, ...(freeBytes < LEAST_FREE && { problem }) };
}
