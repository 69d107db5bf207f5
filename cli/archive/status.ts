import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../../core/contracts/text.ts';
import { STATE_DIRECTORY, writeState } from './settings.ts';

/** The last pauses that are kept. */
const PAUSES = 20;
/** Milliseconds between two writes for progress alone. */
const PROGRESS_MS = 2000;

const Current = z.object({ file: z.string(), phase: z.string(), percent: z.number() });
const Pause = z.object({ from: z.string(), to: z.string().optional(), reason: z.string() });

const Status = z.object({
  pid: z.number().int(),
  at: z.string(),
  /** Why nothing is done now. */
  waits: z.string().optional(),
  current: z.array(Current),
  pauses: z.array(Pause),
  /** What needs a person, of the last pass. */
  problems: z.array(z.string()),
});
export type Status = z.infer<typeof Status>;

/** What the process that works on a folder does, as that process last told; undefined when none runs. */
export async function readStatus(folder: string): Promise<Status | undefined> {
  const text = await readFile(join(folder, STATE_DIRECTORY, 'status.json'), 'utf8').catch(() => '');
  return Status.safeParse(parseJson(text)).data;
}

/** Tells in the folder what this process does. */
export class StatusFile {
  readonly #folder: string;
  readonly #now: () => Date;
  readonly #status: Status;
  #written = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(folder: string, now: () => Date) {
    this.#folder = folder;
    this.#now = now;
    this.#status = { pid: process.pid, at: now().toISOString(), current: [], pauses: [], problems: [] };
  }

  waiting(reason: string | undefined): void {
    if (this.#status.waits === reason) return;
    if (reason === undefined) delete this.#status.waits;
    else this.#status.waits = reason;
    this.#write();
  }

  problems(problems: readonly string[]): void {
    this.#status.problems = [...problems];
    this.#write();
  }

  progress(file: string, phase: string, fraction: number): void {
    const percent = Math.floor(100 * fraction);
    const known = this.#status.current.find((one) => one.file === file);
    const isNew = known?.phase !== phase;
    if (known) Object.assign(known, { phase, percent });
    else this.#status.current.push({ file, phase, percent });
    if (isNew || performance.now() - this.#written > PROGRESS_MS) this.#write();
  }

  ended(file: string): void {
    this.#status.current = this.#status.current.filter((one) => one.file !== file);
    this.#write();
  }

  /** @param reason absent: it goes on */
  paused(reason: string | undefined): void {
    const at = this.#now().toISOString();
    const last = this.#status.pauses.at(-1);
    if (reason !== undefined) this.#status.pauses = [...this.#status.pauses, { from: at, reason }].slice(-PAUSES);
    else if (last) last.to = at;
    this.#write();
  }

  /** Resolves when what was told is written. */
  async flushed(): Promise<void> {
    await this.#last;
  }

  /** One after the other; that it cannot be written ends no encode. */
  #write(): void {
    this.#written = performance.now();
    this.#status.at = this.#now().toISOString();
    const status = structuredClone(this.#status);
    this.#last = this.#last.then(() => writeState(this.#folder, 'status.json', status)).catch(() => {});
  }
}
