import type { ArchivePolicy } from '../contracts/archive.ts';

/** Ticks of all processors since the machine started: the first line of Linux's /proc/stat, proc(5). */
export interface Ticks {
  busy: number;
  iowait: number;
  total: number;
}

/** @throws Error when it is not that file */
export function parseStat(text: string): Ticks {
  const line = /^cpu +(\d[\d ]*)$/m.exec(text)?.[1];
  if (line === undefined) throw new Error('/proc/stat has no line of all processors.');
  // The time of guests is part of user and nice.
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line
    .split(' ')
    .map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  return { busy, iowait, total: busy + idle + iowait };
}

/**
 * Ticks that a process has used, and those of its children that have ended: fields 14 to 17 of its /proc/PID/stat. The name before them may
 * hold anything, so they are counted from its end.
 */
export function ticksOf(text: string): number {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
}

/** Percent of the machine's time. */
export interface Load {
  /** Of the processors, by others. */
  cpu: number;
  ioWait: number;
}

/** @param own ticks that our own processes used in between */
export function loadBetween(before: Ticks, after: Ticks, own: number): Load {
  const total = Math.max(1, after.total - before.total);
  return {
    cpu: Math.max(0, (100 * (after.busy - before.busy - own)) / total),
    ioWait: Math.max(0, (100 * (after.iowait - before.iowait)) / total),
  };
}

/** Why work is paused at a load; undefined where it goes on. */
export function whyPaused(
  { cpu, ioWait }: Load,
  { maxCpuPercent, maxIoWaitPercent }: Pick<ArchivePolicy, 'maxCpuPercent' | 'maxIoWaitPercent'>,
): string | undefined {
  if (cpu > maxCpuPercent) return `other processes use ${cpu.toFixed(0)} % of the processors, above ${maxCpuPercent} %`;
  if (ioWait > maxIoWaitPercent)
    return `the machine waits ${ioWait.toFixed(0)} % for its disks, above ${maxIoWaitPercent} %`;
  return undefined;
}
