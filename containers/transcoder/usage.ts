import { readFile } from 'node:fs/promises';

/** Linux counts times of processes in hundredths of a second for user space (USER_HZ). */
const TICKS = 100;

/** CPU seconds of this process and of its ended children. Without /proc, of this process alone. */
export async function cpuSeconds(): Promise<number> {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const own = (userCPUTime + systemCPUTime) / 1e6;
  const stat = await readFile('/proc/self/stat', 'utf8').catch(() => '');
  // Fields after the command's closing parenthesis: cutime and cstime are the 14th and 15th of them (proc(5), 16 and 17).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const children = (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) / TICKS;
  return own + children;
}
