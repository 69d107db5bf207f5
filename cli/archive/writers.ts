import { readdir, readFile, stat } from 'node:fs/promises';

/** O_ACCMODE, O_RDONLY: open(2). */
const ACCESS = 0o3;
const READ_ONLY = 0;

/** A file on this machine, whatever its names. */
export function identityOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}

/**
 * The files that a process of this machine has open for writing, by `/proc`. Those of other users' processes are seen by root only: for the
 * others, that a file has not changed for long must do.
 */
export async function openForWriting(): Promise<Set<string>> {
  const found = new Set<string>();
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  for (const pid of processes) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const [info, target] = await Promise.all([
        readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8').catch(() => ''),
        stat(`/proc/${pid}/fd/${fd}`, { bigint: true }).catch(() => undefined),
      ]);
      const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8);
      if (target?.isFile() && (flags & ACCESS) !== READ_ONLY) found.add(identityOf(target));
    }
  }
  return found;
}
