/** Quota of a new account until AWS raises it; the default quota is 1,000. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const FRESH_ACCOUNT_CONCURRENCY = 10;

/** A limit of concurrent executions that several functions share. */
export class Concurrency {
  readonly limit: number;
  #running = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get isFull(): boolean {
    return this.#running >= this.limit;
  }

  enter(): void {
    this.#running += 1;
  }

  leave(): void {
    this.#running -= 1;
  }
}
