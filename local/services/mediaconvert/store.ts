import { join } from 'node:path';
import { type Journal, openJournal } from '../../kernel/journal.ts';
import type { MediaConvertEvent } from './events.ts';
import { isDone, type Job } from './job.ts';

/** AWS keeps jobs for three months: https://docs.aws.amazon.com/mediaconvert/latest/ug/how-mediaconvert-works.html */
const KEEP_MS = 90 * 24 * 3600 * 1000;

type Record =
  | { type: 'job'; job: Job; event?: { n: number; event: MediaConvertEvent } }
  | { type: 'announced'; n: number };

/** Durable store of jobs and of the events that are not delivered yet. */
export interface Store {
  jobs: ReadonlyMap<string, Job>;
  /** By number, ascending. */
  outbox: ReadonlyMap<number, MediaConvertEvent>;
  /** Saves the job as it is now, with an event to deliver; resolves to the event's number when both are durable. */
  save(job: Job, event?: MediaConvertEvent): Promise<number | undefined>;
  announced(n: number): Promise<void>;
  close(): Promise<void>;
  /** Closes like a crash. */
  abandon(): Promise<void>;
}

export async function openStore(dir: string, now: () => number): Promise<Store> {
  const jobs = new Map<string, Job>();
  const outbox = new Map<number, MediaConvertEvent>();
  let last = 0;
  const journal: Journal<Record> = await openJournal<Record>({
    file: join(dir, 'jobs.journal'),
    apply(record) {
      if (record.type === 'announced') {
        outbox.delete(record.n);
        return;
      }
      jobs.set(record.job.id, record.job);
      if (!record.event) return;
      last = Math.max(last, record.event.n);
      outbox.set(record.event.n, record.event.event);
    },
    *snapshot() {
      const since = now() - KEEP_MS;
      for (const job of jobs.values()) if (!isDone(job) || job.submittedAt > since) yield { type: 'job', job };
      const [any] = jobs.values();
      if (any) for (const [n, event] of outbox) yield { type: 'job', job: any, event: { n, event } };
    },
  });
  return {
    jobs,
    outbox,
    async save(job, event) {
      const numbered = event && { n: ++last, event };
      await journal.append({ type: 'job', job, ...(numbered && { event: numbered }) });
      return numbered?.n;
    },
    announced: (n) => journal.append({ type: 'announced', n }),
    close: () => journal.close(),
    abandon: () => journal.abandon(),
  };
}
