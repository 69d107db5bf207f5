import { join } from 'node:path';
import { type Journal, openJournal } from '../../kernel/journal.ts';
import type { EmitEvent } from '../../kernel/service.ts';
import { isDone, type Job, type JobSpec, type JobState } from './job.ts';

/** AWS keeps a finished job for at least 7 days. https://docs.aws.amazon.com/batch/latest/userguide/job_states.html */
const KEEP_MS = 7 * 24 * 3600 * 1000;

export type BatchEvent = Parameters<EmitEvent>[0];

/** New values; null removes a field. */
export type Changes = { [K in keyof JobState]?: JobState[K] | null };

type Record =
  | { type: 'job'; id: string; seq: number; createdAt: number; spec: JobSpec }
  | { type: 'change'; id: string; changes: Changes; event?: { n: number; event: BatchEvent } }
  | { type: 'event'; id: string; n: number; event: BatchEvent }
  | { type: 'announced'; n: number };

/** Durable store of jobs and of the events that are not delivered yet. */
export async function openStore(dir: string, now: () => number): Promise<Store> {
  const tables = new Tables();
  const journal = await openJournal<Record>({
    file: join(dir, 'jobs.journal'),
    apply: (record) => tables.apply(record),
    snapshot: () => tables.snapshot(now() - KEEP_MS),
  });
  return new Store(tables, journal);
}

export class Store {
  readonly #tables: Tables;
  readonly #journal: Journal<Record>;

  constructor(tables: Tables, journal: Journal<Record>) {
    this.#tables = tables;
    this.#journal = journal;
  }

  /** By id, including children of arrays. */
  get jobs(): ReadonlyMap<string, Job> {
    return this.#tables.jobs;
  }

  /** By number, ascending: events of state changes that the bus has not accepted yet. */
  get outbox(): ReadonlyMap<number, { id: string; event: BatchEvent }> {
    return this.#tables.outbox;
  }

  /** Resolves once the job is durable. */
  async add(id: string, spec: JobSpec, createdAt: number): Promise<Job> {
    await this.#journal.append({ type: 'job', id, seq: this.#tables.seq + 1, createdAt, spec });
    const job = this.jobs.get(id);
    if (!job) throw new Error(`job ${id} was not added`);
    return job;
  }

  /**
   * Changes the job at once, and resolves when the change is durable. `describe` is called after the change for the event to put
   * in the outbox; the result is its number there.
   */
  async change(job: Job, changes: Changes, describe?: () => BatchEvent): Promise<number | undefined> {
    if (!describe) {
      await this.#journal.append({ type: 'change', id: job.id, changes });
      return undefined;
    }
    assign(job, changes);
    const n = this.#tables.event + 1;
    await this.#journal.append({ type: 'change', id: job.id, changes, event: { n, event: describe() } });
    return n;
  }

  announced(n: number): Promise<void> {
    return this.#journal.append({ type: 'announced', n });
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  /** Closes like a crash. */
  abandon(): Promise<void> {
    return this.#journal.abandon();
  }
}

class Tables {
  readonly jobs = new Map<string, Job>();
  readonly outbox = new Map<number, { id: string; event: BatchEvent }>();
  seq = 0;
  event = 0;

  apply(record: Record): void {
    if (record.type === 'job') {
      this.seq = Math.max(this.seq, record.seq);
      this.#create(record);
    } else if (record.type === 'change') {
      const job = this.jobs.get(record.id);
      if (job) assign(job, record.changes);
      if (record.event) this.#enqueue(record.id, record.event);
    } else if (record.type === 'event') {
      this.#enqueue(record.id, record);
    } else {
      this.outbox.delete(record.n);
    }
  }

  #enqueue(id: string, { n, event }: { n: number; event: BatchEvent }): void {
    this.event = Math.max(this.event, n);
    this.outbox.set(n, { id, event });
  }

  #create({ id, seq, spec, createdAt }: { id: string; seq: number; spec: JobSpec; createdAt: number }): void {
    const fresh = (status: 'SUBMITTED' | 'PENDING'): JobState => ({
      status,
      createdAt,
      attempts: [],
      isCancelled: false,
      isTerminated: false,
    });
    const job: Job = { id, spec, seq, state: fresh('SUBMITTED'), children: [] };
    this.jobs.set(id, job);
    for (let index = 0; index < (spec.arraySize ?? 0); index += 1) {
      const child: Job = { id: `${id}:${index}`, spec, seq, state: fresh('PENDING'), parent: job, index, children: [] };
      job.children.push(child);
      this.jobs.set(child.id, child);
    }
  }

  snapshot(since: number): Record[] {
    const records: Record[] = [];
    const unannounced = new Set([...this.outbox.values()].map(({ id }) => id));
    for (const job of this.jobs.values()) {
      if (
        job.parent ||
        (isDone(job) && !unannounced.has(job.id) && (job.state.stoppedAt ?? job.state.createdAt) < since)
      )
        continue;
      records.push({ type: 'job', id: job.id, seq: job.seq, createdAt: job.state.createdAt, spec: job.spec });
      for (const each of [job, ...job.children]) records.push({ type: 'change', id: each.id, changes: each.state });
    }
    for (const [n, { id, event }] of this.outbox) records.push({ type: 'event', id, n, event });
    return records;
  }
}

function assign(job: Job, changes: Changes): void {
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) Reflect.deleteProperty(job.state, name);
    else Object.assign(job.state, { [name]: value });
  }
}
