import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Load, loadBetween, parseStat, type Ticks, ticksOf, whyPaused } from '../../core/archive/load.ts';
import type { ArchivePolicy } from '../../core/contracts/archive.ts';

const SAMPLE_MS = 2000;

/** The load of this machine since the last call, without what this process and its children use. */
class LoadMeter {
  #before: { ticks: Ticks; own: number } | undefined;

  /**
   * Undefined for the first call.
   * @param children those that may still run; what others have used counts as this process's
   */
  async read(children: readonly number[]): Promise<Load | undefined> {
    const [text, ...used] = await Promise.all([
      readFile('/proc/stat', 'utf8'),
      // One may have ended.
      ...[process.pid, ...children].map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').then(ticksOf, () => 0)),
    ]);
    const now = { ticks: parseStat(text), own: used.reduce((sum, ticks) => sum + ticks, 0) };
    const before = this.#before;
    this.#before = now;
    return before && loadBetween(before.ticks, now.ticks, now.own - before.own);
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

  /**
   * A process that is started while work is paused is paused too.
   * @returns what is called when it has ended: its id may be another's then
   */
  add(pid: number): () => void {
    this.#pids.add(pid);
    if (this.#reason !== undefined) this.#signal(pid, 'SIGSTOP');
    return () => this.#pids.delete(pid);
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
