import { join } from 'node:path';
import type { ServiceContext } from '../../kernel/account.ts';
import { type Journal, openJournal } from '../../kernel/journal.ts';

/** An accepted event and its undelivered targets. */
export interface Accepted {
  /** The event's id. */
  id: string;
  /** The envelope as JSON. */
  event: string;
  /** Milliseconds since the epoch. */
  acceptedAt: number;
  /** `{rule ARN}#{target id}` */
  targets: string[];
}

type Entry = { op: 'accept'; accepted: Accepted } | { op: 'done'; id: string; target: string };

/** Durable store of accepted events that are not delivered yet. */
export class PendingEvents {
  readonly #pending = new Map<string, Accepted>();
  #journal: Journal<Entry> | undefined;

  static async open(context: ServiceContext): Promise<PendingEvents> {
    const store = new PendingEvents();
    store.#journal = await openJournal<Entry>({
      file: join(context.dir, 'events.journal'),
      apply: (entry) => store.#apply(entry),
      snapshot: () => [...store.#pending.values()].map((accepted) => ({ op: 'accept', accepted })),
    });
    return store;
  }

  all(): Accepted[] {
    return [...this.#pending.values()];
  }

  /** Resolves when the events are on the disk. */
  async accept(events: Accepted[]): Promise<void> {
    await Promise.all(events.map((accepted) => this.#journal?.append({ op: 'accept', accepted })));
  }

  async done(id: string, target: string): Promise<void> {
    await this.#journal?.append({ op: 'done', id, target });
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }

  async abandon(): Promise<void> {
    await this.#journal?.abandon();
  }

  #apply(entry: Entry): void {
    if (entry.op === 'accept') {
      this.#pending.set(entry.accepted.id, { ...entry.accepted, targets: [...entry.accepted.targets] });
      return;
    }
    const accepted = this.#pending.get(entry.id);
    if (!accepted) return;
    accepted.targets = accepted.targets.filter((target) => target !== entry.target);
    if (accepted.targets.length === 0) this.#pending.delete(entry.id);
  }
}
