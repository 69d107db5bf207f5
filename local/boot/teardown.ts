import type { Ending } from '../plugin.ts';

/** A started component. */
export interface Running extends Ending {
  name: string;
}

/** Started components, ended in reverse order. */
export class Teardown {
  readonly #running: Running[] = [];

  add(running: Running): void {
    this.#running.unshift(running);
  }

  /**
   * Closes every component, even if another fails.
   * @throws AggregateError
   */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const running of this.#running.splice(0)) {
      try {
        await running.close();
      } catch (error) {
        errors.push(new Error(`${running.name} could not be closed`, { cause: error }));
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'the local cloud was not closed cleanly');
  }

  async crash(): Promise<void> {
    await Promise.allSettled(this.#running.splice(0).map(async (running) => running.crash()));
  }
}
