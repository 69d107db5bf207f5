import { execFile } from 'node:child_process';
import { mkdtemp, open, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MIB = 2 ** 20;

/** A job's disk as a file system of its own, of so many bytes. What is on it is gone with the attempt. */
export interface SmallDisk {
  /** Absolute; the directory is there. */
  path: string;
  /** To be made on it. */
  directories: readonly string[];
  bytes: number;
}

/** Mounts $1 bytes of tmpfs at $2, makes the directories up to `--`, and becomes the program after it, with its process number. */
const MOUNT_AND_RUN = `
mount -t tmpfs -o "size=$1" tmpfs "$2" && shift 2 || exit
while [ "$1" != -- ]; do mkdir -p "$1" && shift || exit; done
shift
exec "$@"
`;

/** The command on such a disk, which nobody else sees: it is mounted in a namespace of the command's own. Linux only. */
export function onSmallDisk(command: readonly string[], { path, directories, bytes }: SmallDisk): string[] {
  // Who is not root may mount as root of a user namespace.
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

/** Why this machine can't give a job such a disk; undefined where it can. */
export async function smallDiskProblem(): Promise<string | undefined> {
  const path = await mkdtemp(join(tmpdir(), 'dropreel-disk-'));
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

/** Takes all that is left of the disk of process `pid`. @throws Error when it is not on it yet */
export async function fillDisk(pid: number, { path, bytes }: Omit<SmallDisk, 'directories'>): Promise<void> {
  // Its namespace is entered by way of its root directory.
  const filler = await open(join(`/proc/${pid}/root`, path, 'filler'), 'w');
  try {
    const zeros = Buffer.alloc(MIB);
    // Never more than it holds: before the mount, this would be the machine's own.
    for (let left = bytes; left >= 0; ) left -= (await filler.write(zeros)).bytesWritten;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return;
    throw error;
  } finally {
    await filler.close();
  }
  throw new Error(`process ${pid} is not on its disk yet`);
}
