import { randomUUID } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { AwsError } from '../../kernel/service.ts';
import type { Queue } from './queue.ts';
import type { QueueStore } from './store.ts';

interface Task {
  handle: string;
  source: Queue;
  destination: Queue | undefined;
  status: 'RUNNING' | 'COMPLETED' | 'FAILED';
  startedAt: number;
  moved: number;
  toMove: number;
  failure?: string;
}

/** Redrives of dead letters to one queue, or each to its source queue. The list is not kept over a restart. */
export class MoveTasks {
  readonly #store: QueueStore;
  readonly #clock: Clock;
  readonly #tasks: Task[] = [];

  constructor(store: QueueStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @throws AwsError when the source is not a dead-letter queue, or is being redriven */
  start(source: Queue, destination: Queue | undefined): string {
    const isDeadLetters = [...this.#store.queues].some(
      ({ configuration }) => configuration.redrive?.deadLetterArn === source.arn,
    );
    if (!isDeadLetters) {
      throw new AwsError('InvalidParameterValue', 400, 'Source queue must be configured as a Dead Letter Queue.');
    }
    if (this.#tasks.some((task) => task.source === source && task.status === 'RUNNING')) {
      throw new AwsError(
        'UnsupportedOperation',
        400,
        'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
      );
    }
    const ids = [...source.visible(this.#clock.now())].map(({ id }) => id);
    const task: Task = {
      handle: randomUUID(),
      source,
      destination,
      status: 'RUNNING',
      startedAt: this.#clock.now(),
      moved: 0,
      toMove: ids.length,
    };
    this.#tasks.unshift(task);
    void this.#run(task, ids);
    return task.handle;
  }

  /** Lists the latest first. */
  list(source: Queue, max: number): object[] {
    return this.#tasks
      .filter((task) => task.source === source)
      .slice(0, max)
      .map((task) => ({
        ...(task.status === 'RUNNING' && { TaskHandle: task.handle }),
        Status: task.status,
        SourceArn: task.source.arn,
        ...(task.destination && { DestinationArn: task.destination.arn }),
        ApproximateNumberOfMessagesMoved: task.moved,
        ApproximateNumberOfMessagesToMove: task.toMove,
        ...(task.failure && { FailureReason: task.failure }),
        StartedTimestamp: task.startedAt,
      }));
  }

  async #run(task: Task, ids: string[]): Promise<void> {
    try {
      for (const id of ids) {
        const origin = task.source.get(id)?.deadLetterSource;
        const to = task.destination ?? (origin === undefined ? undefined : this.#store.byArn(origin));
        if (!to) throw new Error(`CouldNotDetermineMessageSource`);
        await this.#store.redrive(task.source, id, to);
        task.moved++;
      }
      task.status = 'COMPLETED';
    } catch (error) {
      task.status = 'FAILED';
      task.failure = error instanceof Error ? error.message : String(error);
    }
  }
}
