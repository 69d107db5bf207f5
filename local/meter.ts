/** Counts what AWS would bill for. Amounts add up by name and labels; prices are applied when a run is reported. */
export class Meter {
  #amounts = new Map<string, number>();

  /** `request:s3:PutObject`, `lambda:gb-seconds:ingest-upload`, `batch:vcpu-seconds`, `sqs:…`. */
  add(name: string, amount = 1): void {
    this.#amounts.set(name, (this.#amounts.get(name) ?? 0) + amount);
  }

  /** A copy, for a difference between two moments. */
  snapshot(): Record<string, number> {
    return Object.fromEntries(this.#amounts);
  }
}
