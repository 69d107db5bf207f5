import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Load, loadBetween, parseStat, type Ticks, ticksOf, whyPaused } from '../../core/archive/load.ts';
import type { ArchivePolicy } from '../../core/contracts/archive.ts';

const SAMPLE_MS = 2000;

/** The load of this machine since the last call, without what the processes `own` and this one use. */
class LoadMeter {
  #before: { ticks: Ticks; own: ReadonlyMap<number, number> } | undefined;

  /** Undefined for the first call. */
  async read(own: readonly number[]): Promise<Load | undefined> {
    const [text, ...used] = await Promise.all([
      readFile('/proc/stat', 'utf8'),
      ...[process.pid, ...own].map(async (pid): Promise<[number, number]> => {
        // It may have ended.
        const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
        return [pid, stat === undefined ? 0 : ticksOf(stat)];
      }),
    ]);
    const now = { ticks: parseStat(text), own: new Map(used) };
    const before = this.#before;
    this.#before = now;
    if (!before) return undefined;
    const spent = used.map(([pid, ticks]) => Math.max(0, ticks - (before.own.get(pid) ?? 0)));
    return loadBetween(
      before.ticks,
      now.ticks,
      spent.reduce((sum, ticks) => sum + ticks, 0),
    );
  }
}

/** Stops the processes of an encode while the machine is busy with something else, and lets them go on where they were. */
export class Throttle {
  readonly #pids = new Set<number>();
  readonly #policy: Pick<ArchivePolicy, 'maxCpuPercent' | 'maxIoWaitPercent'>;
  readonly #onChange: (reason: string | undefined) => void;
  readonly #readLoad: (own: readonly number[]) => Promise<Load | undefined>;
  #reason: string | undefined;

  /** @param onChange called with the reason when work pauses, and without one when it goes on */
  constructor(
    policy: Pick<ArchivePolicy, 'maxCpuPercent' | 'maxIoWaitPercent'>,
    onChange: (reason: string | undefined) => void,
    readLoad?: (own: readonly number[]) => Promise<Load | undefined>,
  ) {
    const meter = new LoadMeter();
    this.#policy = policy;
    this.#onChange = onChange;
    this.#readLoad = readLoad ?? ((own) => meter.read(own));
  }

  /** A process that is started while work is paused is paused too. */
  add(pid: number): void {
    this.#pids.add(pid);
    if (this.#reason !== undefined) this.#signal(pid, 'SIGSTOP');
  }

  /** Looks at the load every two seconds until the signal; then all go on. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      await delay(SAMPLE_MS, undefined, { signal }).catch(() => {});
    }
    this.#set(undefined);
  }

  async look(): Promise<void> {
    const load = await this.#readLoad([...this.#pids]);
    if (load) this.#set(whyPaused(load, this.#policy));
  }

  #set(reason: string | undefined): void {
    const [was, is] = [this.#reason !== undefined, reason !== undefined];
    this.#reason = reason;
    if (was === is) return;
    for (const pid of this.#pids) this.#signal(pid, is ? 'SIGSTOP' : 'SIGCONT');
    this.#onChange(reason);
  }

  #signal(pid: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
      this.#pids.delete(pid);
    }
  }
}
