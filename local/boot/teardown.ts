/** Something that was started. */
export interface Running {
  name: string;
  /** Lets what is at work end. */
  close(): Promise<void> | void;
  /** Stops at once and saves nothing. */
  crash(): Promise<void> | void;
}

/** What was started, to be ended in the opposite order. */
export class Teardown {
  readonly #running: Running[] = [];

  add(running: Running): void {
    this.#running.unshift(running);
  }

  /** Every one is closed, also when another fails. @throws AggregateError */
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
