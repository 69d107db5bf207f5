import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Surroundings } from '../account.ts';
import { type Journal, openJournal } from '../journal.ts';
import type { Attributes, Message } from './message.ts';
import { Queue } from './queue.ts';
import type { QueueConfiguration } from './template.ts';

/**
 * What the journal keeps. A receive keeps its count only: consumers live in this process or are short-lived, so after a
 * restart nobody works on a message any more, and it is visible at once.
 */
type Entry =
  | { op: 'send'; queue: string; message: Message }
  | { op: 'receive'; queue: string; id: string; at: number }
  | { op: 'visible'; queue: string; id: string; at: number }
  | { op: 'delete'; queue: string; id: string }
  | { op: 'move'; queue: string; id: string; to: string }
  | { op: 'purge'; queue: string };

/** The queues with their messages, durable. Every method that changes something resolves when the change is on the disk. */
export class QueueStore {
  readonly #queues = new Map<string, Queue>();
  readonly #surroundings: Surroundings;
  #journal: Journal<Entry> | undefined;
  #stopped = false;

  private constructor(surroundings: Surroundings, configurations: QueueConfiguration[]) {
    this.#surroundings = surroundings;
    for (const configuration of configurations) {
      this.#queues.set(configuration.arn, new Queue(configuration, surroundings.clock));
    }
  }

  static async open(surroundings: Surroundings, configurations: QueueConfiguration[]): Promise<QueueStore> {
    const store = new QueueStore(surroundings, configurations);
    store.#journal = await openJournal<Entry>({
      file: join(surroundings.dir, 'messages.journal'),
      apply: (entry) => store.#apply(entry),
      snapshot: () => store.#snapshot(),
    });
    return store;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  get queues(): Iterable<Queue> {
    return this.#queues.values();
  }

  byArn(arn: string): Queue | undefined {
    return this.#queues.get(arn);
  }

  /** Resolves to the message's id. @param delay milliseconds */
  async send(
    queue: Queue,
    message: { body: string; attributes: Attributes; sender: string; delay: number },
  ): Promise<string> {
    const now = this.#surroundings.clock.now();
    const { body, attributes, sender, delay } = message;
    const id = randomUUID();
    await this.#append({
      op: 'send',
      queue: queue.arn,
      message: { id, body, attributes, sender, sentAt: now, visibleAt: now + delay, receiveCount: 0 },
    });
    return id;
  }

  /**
   * Waits up to `wait` for messages. Those received once too often go to the dead letters instead.
   * @param options milliseconds
   */
  async receive(queue: Queue, options: { max: number; wait: number; visibility: number; signal?: AbortSignal }) {
    const deadline = this.#surroundings.clock.now() + options.wait;
    for (;;) {
      const received = this.#take(queue, options.max, options.visibility);
      if (received.length > 0) return received;
      if (this.#stopped || options.signal?.aborted || this.#surroundings.clock.now() >= deadline) return [];
      await queue.changed(deadline, options.signal);
    }
  }

  async delete(queue: Queue, id: string): Promise<void> {
    if (queue.get(id)) await this.#append({ op: 'delete', queue: queue.arn, id });
  }

  /** @param visibility milliseconds from now */
  async changeVisibility(queue: Queue, id: string, visibility: number): Promise<void> {
    await this.#append({ op: 'visible', queue: queue.arn, id, at: this.#surroundings.clock.now() + visibility });
  }

  async purge(queue: Queue): Promise<void> {
    await this.#append({ op: 'purge', queue: queue.arn });
  }

  /** Sends a dead letter back as a new message: its id, times and counts start again. */
  async redrive(from: Queue, id: string, to: Queue): Promise<void> {
    const message = from.get(id);
    if (!message) return;
    const { body, attributes, sender } = message;
    await this.send(to, { body, attributes, sender, delay: 0 });
    await this.delete(from, id);
  }

  /** Ends the waits of all who receive; nothing more is handed out. */
  stop(): void {
    this.#stopped = true;
    for (const queue of this.#queues.values()) queue.wake();
  }

  async close(): Promise<void> {
    this.stop();
    await this.#journal?.close();
  }

  async abandon(): Promise<void> {
    this.stop();
    await this.#journal?.abandon();
  }

  #take(queue: Queue, max: number, visibility: number) {
    if (this.#stopped) return [];
    const now = this.#surroundings.clock.now();
    for (const message of queue.expired(now)) this.#appendLater({ op: 'delete', queue: queue.arn, id: message.id });
    const { redrive } = queue.configuration;
    const taken = [];
    for (const message of queue.visible(now)) {
      if (taken.length === max) break;
      if (redrive && message.receiveCount >= redrive.maxReceiveCount) {
        this.#appendLater({ op: 'move', queue: queue.arn, id: message.id, to: redrive.deadLetterArn });
        continue;
      }
      this.#appendLater({ op: 'receive', queue: queue.arn, id: message.id, at: now });
      taken.push(queue.hide(message, now + visibility));
    }
    return taken;
  }

  /** A count or an expiry that a crash forgets is made up for at the next receive, so nobody waits for the disk. */
  #appendLater(entry: Entry): void {
    this.#append(entry).catch((error) => this.#surroundings.log(`sqs: ${error}`));
  }

  async #append(entry: Entry): Promise<void> {
    await this.#journal?.append(entry);
  }

  #apply(entry: Entry): void {
    const queue = this.#queues.get(entry.queue);
    // A queue that the template no longer has is gone with its messages.
    if (!queue) return;
    switch (entry.op) {
      case 'send':
        queue.put(entry.message);
        break;
      case 'receive':
        queue.count(entry.id, entry.at);
        break;
      case 'visible':
        queue.show(entry.id, entry.at);
        break;
      case 'delete':
        queue.remove(entry.id);
        break;
      case 'purge':
        queue.clear();
        break;
      case 'move': {
        const message = queue.get(entry.id);
        queue.remove(entry.id);
        if (message) this.#queues.get(entry.to)?.put({ ...message, visibleAt: 0, deadLetterSource: queue.arn });
      }
    }
  }

  *#snapshot(): Iterable<Entry> {
    for (const queue of this.#queues.values()) {
      for (const message of queue.lasting()) yield { op: 'send', queue: queue.arn, message };
    }
  }
}
