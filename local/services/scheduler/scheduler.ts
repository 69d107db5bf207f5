import { join } from 'node:path';
import type { ServiceContext } from '../../kernel/account.ts';
import { openJournal } from '../../kernel/journal.ts';
import { type Expression, parseExpression } from './expression.ts';

/** A scheduled task. */
export interface Timed {
  /** Unique name. */
  name: string;
  /** `rate(…)`, `cron(…)` or `at(…)`. */
  expression: string;
  timeZone?: string;
  /** ISO 8601. */
  start?: string;
  end?: string;
  /**
   * Resolves when the run is durably accepted.
   * @param scheduledAt milliseconds since the epoch
   */
  run(scheduledAt: number): Promise<void>;
}

export interface Scheduler {
  /** Sets the timers. One run replaces those that were missed while the cloud was down. */
  start(): void;
  /**
   * Runs the task whose name contains `name` now, in addition to its schedule.
   * @throws Error when there is none
   */
  fire(name: string): Promise<void>;
  close(): Promise<void>;
  abandon(): Promise<void>;
}

/** The time when a schedule was first seen, and the time up to which its runs are done. Milliseconds since the epoch. */
type Entry = { name: string; createdAt: number; doneUntil: number };

/** Runs schedules by the cloud's clock. */
export async function createScheduler(context: ServiceContext, schedules: readonly Timed[]): Promise<Scheduler> {
  const { clock, log } = context;
  const entries = new Map<string, Entry>();
  const journal = await openJournal<Entry>({
    file: join(context.dir, 'schedules.journal'),
    apply: (entry) => entries.set(entry.name, entry),
    snapshot: () => [...entries.values()].filter(({ name }) => schedules.some((schedule) => schedule.name === name)),
  });
  const timers = new Set<() => void>();
  const atWork = new Set<Promise<void>>();
  let closed = false;

  const entryOf = (name: string): Entry => {
    const now = clock.now();
    return entries.get(name) ?? { name, createdAt: now, doneUntil: now };
  };

  function arm(schedule: Timed, expression: Expression): void {
    const due = dueTime(schedule, expression, entryOf(schedule.name));
    if (due === undefined || closed) return;
    const cancel = clock.after(Math.max(0, due - clock.now()), () => {
      timers.delete(cancel);
      void track(runDue(schedule, expression, due));
    });
    timers.add(cancel);
  }

  async function runDue(schedule: Timed, expression: Expression, due: number): Promise<void> {
    // This run replaces all runs that were missed while the machine slept.
    const entry = { ...entryOf(schedule.name), doneUntil: clock.now() };
    try {
      await schedule.run(due);
      await journal.append(entry);
    } catch (error) {
      if (!closed) log(`scheduler: ${schedule.name}: ${String(error)}`);
    }
    arm(schedule, expression);
  }

  function track(work: Promise<void>): Promise<void> {
    atWork.add(work);
    return work.finally(() => atWork.delete(work));
  }

  function stop(): void {
    closed = true;
    for (const cancel of timers) cancel();
  }

  return {
    start() {
      for (const schedule of schedules) {
        const entry = entryOf(schedule.name);
        if (!entries.has(schedule.name)) journal.append(entry).catch((error) => log(`scheduler: ${String(error)}`));
        const { timeZone, start } = schedule;
        const anchor = start === undefined ? entry.createdAt : Date.parse(start);
        arm(schedule, parseExpression(schedule.expression, { anchor, ...(timeZone && { timeZone }) }));
      }
    },
    async fire(name) {
      const exact = schedules.filter((one) => one.name === name);
      const [schedule, ...others] = exact.length > 0 ? exact : schedules.filter((one) => one.name.includes(name));
      if (!schedule || others.length > 0) {
        const all = schedules.map((one) => one.name).join(', ');
        throw new Error(`there is ${schedule ? 'more than one' : 'no'} schedule ${name}: there are ${all}`);
      }
      await schedule.run(clock.now());
    },
    async close() {
      stop();
      await Promise.all(atWork);
      await journal.close();
    },
    async abandon() {
      stop();
      await journal.abandon();
    },
  };
}

function dueTime({ start, end }: Timed, expression: Expression, { doneUntil }: Entry): number | undefined {
  // A run exactly at the start counts, so the search begins 1 ms before.
  const from = start === undefined ? doneUntil : Math.max(doneUntil, Date.parse(start) - 1);
  const due = expression.next(from);
  return due === undefined || (end !== undefined && due > Date.parse(end)) ? undefined : due;
}
