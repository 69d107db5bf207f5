import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';

/** Resource use of a process group. */
export interface Usage {
  /** CPU time since its start. */
  cpuSeconds: number;
  memoryBytes: number;
}

/** Fields of /proc/{pid}/stat after the program's name: 0 state, 2 group, 11–14 CPU ticks, 19 start time. See proc(5). */
export function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** On Linux, for every architecture that Node supports. */
const TICKS_PER_SECOND = 100;

/** Undefined when the system has no /proc or the group has ended. */
export async function groupUsage(group: number): Promise<Usage | undefined> {
  const names = await readdir('/proc').catch(() => []);
  let usage: Usage | undefined;
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statFields(Number(name));
    if (fields?.[2] !== String(group)) continue;
    usage ??= { cpuSeconds: 0, memoryBytes: 0 };
    // The process's own time and that of ended children.
    for (const field of fields.slice(11, 15)) usage.cpuSeconds += Number(field) / TICKS_PER_SECOND;
    usage.memoryBytes += heldBytes(Number(name));
  }
  return usage;
}

/**
 * Memory that the kernel can't reclaim from a process: anonymous, shared and swapped-out pages. Pages of programs and
 * libraries are files: a container short of memory drops and rereads them, and is not killed for them. This value is also the
 * cheapest to read: PSS makes the kernel walk the page tables.
 */
function heldBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kib = status.matchAll(/^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB$/gm);
    return [...kib].reduce((total, [, value]) => total + Number(value) * 1024, 0);
  } catch {
    return 0;
  }
}
