import { execFile } from 'node:child_process';
import { mkdtemp, open, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MIB = 2 ** 20;

/** A job's disk as a separate file system of `bytes` bytes, removed with the attempt. */
export interface SmallDisk {
  /** Absolute; the directory exists. */
  path: string;
  /** Directories to create on it. */
  directories: readonly string[];
  bytes: number;
}

/** Mounts $1 bytes of tmpfs at $2, creates the directories up to `--`, and executes the program after it in the same process. */
const MOUNT_AND_RUN = `
mount -t tmpfs -o "size=$1" tmpfs "$2" && shift 2 || exit
while [ "$1" != -- ]; do mkdir -p "$1" && shift || exit; done
shift
exec "$@"
`;

/** The command with such a disk, mounted in the command's own namespace and not visible to other processes. Linux only. */
export function onSmallDisk(command: readonly string[], { path, directories, bytes }: SmallDisk): string[] {
  // A user other than root may mount as root of a user namespace.
  const namespaces = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--map-root-user'];
  return [
    'unshare',
    ...namespaces,
    'sh',
    '-c',
    MOUNT_AND_RUN,
    'sh',
    String(bytes),
    path,
    ...directories,
    '--',
    ...command,
  ];
}

/** The reason why this machine can't provide such a disk; undefined where it can. */
export async function smallDiskProblem(): Promise<string | undefined> {
  const path = await mkdtemp(join(tmpdir(), 'local-cloud-disk-'));
  const [program = '', ...args] = onSmallDisk(['true'], { path, directories: [], bytes: MIB });
  try {
    await promisify(execFile)(program, args);
    return undefined;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return `A disk of a size needs Linux with mount namespaces, as root or with user namespaces allowed: ${said.trim()}`;
  } finally {
    await rmdir(path);
  }
}

/**
 * Fills the disk of process `pid`.
 * @throws Error when the process does not have the disk yet
 */
export async function fillDisk(pid: number, { path, bytes }: Omit<SmallDisk, 'directories'>): Promise<void> {
  // The process's namespace is entered through its root directory.
  const filler = await open(join(`/proc/${pid}/root`, path, 'filler'), 'w');
  try {
    const zeros = Buffer.alloc(MIB);
    // Writes at most the disk's size, because before the mount this would be the machine's own disk.
    for (let left = bytes; left >= 0; ) left -= (await filler.write(zeros)).bytesWritten;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return;
    throw error;
  } finally {
    await filler.close();
  }
  throw new Error(`process ${pid} is not on its disk yet`);
}
