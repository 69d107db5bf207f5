/** Counts what AWS would bill for. Amounts are summed by name and labels; prices are applied when a run is reported. */
export class Meter {
  #amounts = new Map<string, number>();

  /** `request:s3:PutObject`, `lambda:gb-seconds:ingest-upload`, `batch:vcpu-seconds`, `sqs:…`. */
  add(name: string, amount = 1): void {
    this.#amounts.set(name, (this.#amounts.get(name) ?? 0) + amount);
  }

  /** A copy of the amounts, for the difference between two times. */
  snapshot(): Record<string, number> {
    return Object.fromEntries(this.#amounts);
  }
}
