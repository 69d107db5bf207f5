import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ServiceContext } from '../../kernel/account.ts';
import { type Journal, openJournal } from '../../kernel/journal.ts';
import type { Attributes, Message } from './message.ts';
import { Queue } from './queue.ts';
import type { QueueConfiguration } from './template.ts';

/**
 * A record of the journal. Of a receive only the count is kept: consumers live in this process or are short-lived, so after a
 * restart no consumer holds a message, and it is visible at once.
 */
type Entry =
  | { op: 'send'; queue: string; message: Message }
  | { op: 'receive'; queue: string; id: string; at: number }
  | { op: 'visible'; queue: string; id: string; at: number }
  | { op: 'delete'; queue: string; id: string }
  | { op: 'move'; queue: string; id: string; to: string }
  | { op: 'purge'; queue: string };

/**
 * Behaviour that AWS allows of a standard queue and this one does not have by default:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
 */
export interface Disorder {
  /** Milliseconds for which a message that is sent now cannot be received. */
  holdOf(queueArn: string): number;
  /** Milliseconds after which a message that is received now is delivered once more; undefined: it is not. */
  againAfter(queueArn: string): number | undefined;
}

/** Durable store of the queues and their messages. Every method that changes something resolves when the change is on the disk. */
export class QueueStore {
  readonly #queues = new Map<string, Queue>();
  readonly #context: ServiceContext;
  readonly #disorder: Disorder | undefined;
  #journal: Journal<Entry> | undefined;
  #stopped = false;

  private constructor(context: ServiceContext, configurations: QueueConfiguration[], disorder?: Disorder) {
    this.#context = context;
    this.#disorder = disorder;
    for (const configuration of configurations) {
      this.#queues.set(configuration.arn, new Queue(configuration, context.clock));
    }
  }

  static async open(
    context: ServiceContext,
    configurations: QueueConfiguration[],
    disorder?: Disorder,
  ): Promise<QueueStore> {
    const store = new QueueStore(context, configurations, disorder);
    store.#journal = await openJournal<Entry>({
      file: join(context.dir, 'messages.journal'),
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

  /** A queue that is not in the template is not kept over a restart. */
  create(configuration: QueueConfiguration): void {
    this.#queues.set(configuration.arn, new Queue(configuration, this.#context.clock));
  }

  remove(arn: string): void {
    this.#queues.delete(arn);
  }

  byArn(arn: string): Queue | undefined {
    return this.#queues.get(arn);
  }

  /**
   * Resolves to the message's id.
   * @param delay milliseconds
   */
  async send(
    queue: Queue,
    message: { body: string; attributes: Attributes; sender: string; delay: number; trace?: string | undefined },
  ): Promise<string> {
    const now = this.#context.clock.now();
    const { body, attributes, sender, delay, trace } = message;
    const id = randomUUID();
    const visibleAt = now + delay + (this.#disorder?.holdOf(queue.arn) ?? 0);
    await this.#append({
      op: 'send',
      queue: queue.arn,
      message: { id, body, attributes, sender, sentAt: now, visibleAt, receiveCount: 0, ...(trace && { trace }) },
    });
    return id;
  }

  /**
   * Waits up to `wait` for messages. Messages that exceed the maximum of receives are moved to the dead letters instead.
   * @param options milliseconds
   */
  async receive(queue: Queue, options: { max: number; wait: number; visibility: number; signal?: AbortSignal }) {
    const deadline = this.#context.clock.now() + options.wait;
    for (;;) {
      const received = this.#take(queue, options.max, options.visibility);
      if (received.length > 0) return received;
      if (this.#stopped || options.signal?.aborted || this.#context.clock.now() >= deadline) return [];
      await queue.changed(deadline, options.signal);
    }
  }

  async delete(queue: Queue, id: string): Promise<void> {
    if (queue.get(id)) await this.#append({ op: 'delete', queue: queue.arn, id });
  }

  /** @param visibility milliseconds from now */
  async changeVisibility(queue: Queue, id: string, visibility: number): Promise<void> {
    await this.#append({ op: 'visible', queue: queue.arn, id, at: this.#context.clock.now() + visibility });
  }

  async purge(queue: Queue): Promise<void> {
    await this.#append({ op: 'purge', queue: queue.arn });
  }

  /** Sends a dead letter back as a new message with a new id, times and counts. */
  async redrive(from: Queue, id: string, to: Queue): Promise<void> {
    const message = from.get(id);
    if (!message) return;
    const { body, attributes, sender, trace } = message;
    await this.send(to, { body, attributes, sender, delay: 0, trace });
    await this.delete(from, id);
  }

  /** Ends all waits of receivers; no more messages are delivered. */
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
    const now = this.#context.clock.now();
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
      const received = queue.hide(message, now + visibility);
      taken.push(received);
      const again = this.#disorder?.againAfter(queue.arn);
      // Only the first time: copies of copies would come into the dead letters without any failure.
      if (again !== undefined && received.message.receiveCount === 1)
        this.#context.clock.after(again, () => this.#handOutAgain(queue, received.message));
    }
    return taken;
  }

  /** Simulates a server that has a copy of the message and missed its receive or deletion. */
  #handOutAgain(queue: Queue, message: Readonly<Message>): void {
    if (this.#stopped) return;
    const now = this.#context.clock.now();
    const present = queue.get(message.id);
    if (!present) queue.put({ ...message, visibleAt: now });
    else if (present.receiveCount === message.receiveCount) queue.show(message.id, now);
  }

  /** Not awaited, because a count or an expiry that is lost in a crash is made up for at the next receive. */
  #appendLater(entry: Entry): void {
    this.#append(entry).catch((error) => this.#context.log(`sqs: ${error}`));
  }

  async #append(entry: Entry): Promise<void> {
    await this.#journal?.append(entry);
  }

  #apply(entry: Entry): void {
    const queue = this.#queues.get(entry.queue);
    // Queues that are no longer in the template are removed with their messages.
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
