import type { Clock } from '../../kernel/clock.ts';
import { type Message, type Received, receiptHandle } from './message.ts';
import type { QueueConfiguration } from './template.ts';

/** One queue's messages in memory, in the order of sending. */
export class Queue {
  readonly configuration: QueueConfiguration;
  readonly #clock: Clock;
  readonly #messages = new Map<string, Message>();
  readonly #inFlight = new Set<string>();
  /** Invisible because of a receive, not because of ChangeMessageVisibility. */
  readonly #hidden = new Set<string>();
  readonly #waiting = new Set<() => void>();

  constructor(configuration: QueueConfiguration, clock: Clock) {
    this.configuration = configuration;
    this.#clock = clock;
  }

  get arn(): string {
    return this.configuration.arn;
  }

  get(id: string): Readonly<Message> | undefined {
    return this.#messages.get(id);
  }

  /** The messages for the snapshot: after a restart no consumer holds them. */
  *lasting(): Iterable<Message> {
    for (const message of this.#messages.values()) {
      yield this.#hidden.has(message.id) ? { ...message, visibleAt: 0 } : message;
    }
  }

  *visible(now: number): Iterable<Message> {
    for (const message of this.#messages.values()) if (message.visibleAt <= now) yield message;
  }

  /** Milliseconds since the epoch. */
  oldestSentAt(): number | undefined {
    let oldest: number | undefined;
    for (const { sentAt } of this.#messages.values()) if (oldest === undefined || sentAt < oldest) oldest = sentAt;
    return oldest;
  }

  expired(now: number): Message[] {
    const oldest = now - this.configuration.retention * 1000;
    return [...this.#messages.values()].filter((message) => message.sentAt < oldest);
  }

  /** Whether the message was received and its visibility timeout has not passed. */
  isInFlight(id: string): boolean {
    const message = this.#messages.get(id);
    return message !== undefined && this.#inFlight.has(id) && message.visibleAt > this.#clock.now();
  }

  counts(): { visible: number; inFlight: number; delayed: number } {
    const counts = { visible: 0, inFlight: 0, delayed: 0 };
    const now = this.#clock.now();
    for (const message of this.#messages.values()) {
      counts[message.visibleAt <= now ? 'visible' : this.#inFlight.has(message.id) ? 'inFlight' : 'delayed']++;
    }
    return counts;
  }

  put(message: Message): void {
    this.#messages.set(message.id, { ...message });
    this.wake();
  }

  count(id: string, at: number): void {
    const message = this.#messages.get(id);
    if (!message) return;
    message.receiveCount++;
    message.firstReceivedAt ??= at;
    message.visibleAt = 0;
  }

  /** Makes the message invisible after a receive was counted. */
  hide(message: Message, until: number): Received {
    message.visibleAt = until;
    this.#inFlight.add(message.id);
    this.#hidden.add(message.id);
    return { message: { ...message }, receiptHandle: receiptHandle(message) };
  }

  show(id: string, at: number): void {
    const message = this.#messages.get(id);
    if (message) message.visibleAt = at;
    this.#hidden.delete(id);
    this.wake();
  }

  remove(id: string): void {
    this.#messages.delete(id);
    this.#inFlight.delete(id);
    this.#hidden.delete(id);
  }

  clear(): void {
    this.#messages.clear();
    this.#inFlight.clear();
    this.#hidden.clear();
  }

  wake(): void {
    for (const resume of [...this.#waiting]) resume();
  }

  /** Resolves when a message may have become visible, at `deadline` (milliseconds since the epoch), or when aborted. */
  changed(deadline: number, signal?: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    let next = deadline;
    for (const { visibleAt } of this.#messages.values()) if (visibleAt > now && visibleAt < next) next = visibleAt;
    return new Promise((resolve) => {
      const resume = () => {
        cancel();
        this.#waiting.delete(resume);
        signal?.removeEventListener('abort', resume);
        resolve();
      };
      const cancel = this.#clock.after(next - now, resume);
      this.#waiting.add(resume);
      signal?.addEventListener('abort', resume);
    });
  }
}
