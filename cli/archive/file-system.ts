import { execFile } from 'node:child_process';
import { link, open, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Everything that the archive of a folder does to its files. A crash falls between two of these calls, or into one. */
export interface FileSystem {
  /** @throws Error EEXIST */
  create(path: string): Promise<void>;
  /** Replaces what has the name. Links are not followed: a folder that others write to may have any. */
  write(path: string, text: string): Promise<void>;
  /** Returns when the bytes of a file are on the disk. */
  sync(path: string): Promise<void>;
  /** Returns when the names in a folder are on the disk. */
  syncDirectory(path: string): Promise<void>;
  /** @throws Error EEXIST */
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Times to the nanosecond, mode, owner and extended attributes, as far as this user may. */
  copyAttributes(from: string, to: string): Promise<void>;
}

const run = promisify(execFile);

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
}

export const DISK: FileSystem = {
  create: async (path) => (await open(path, 'wx', 0o600)).close(),
  write: async (path, text) => {
    await rm(path, { force: true });
    await writeFile(path, text, { flag: 'wx' });
  },
  sync,
  syncDirectory: sync,
  link,
  rename,
  unlink,
  // Node sets times through a number of seconds, which has no nanoseconds, and no extended attributes.
  copyAttributes: async (from, to) => {
    await run('cp', ['--preserve=all', '--attributes-only', '--', from, to]);
  },
};
