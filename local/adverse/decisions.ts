import { createHash } from 'node:crypto';

/** A number from 0 up to, not including, 1. The same aspect of the same occasion always gives the same number. */
export type Roll = (aspect: string) => number;

/**
 * Numbers derived from a seed, a kind of occasion and how many of that kind there were before. Occasions of other kinds do
 * not change them, so concurrent work does not either.
 */
export class Decisions {
  readonly #seed: number;
  readonly #counts = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** The next occasion of a kind, for example `sqs receive ingest`. */
  next(kind: string): Roll {
    const n = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, n);
    return (aspect) => {
      const digest = createHash('sha256')
        .update(JSON.stringify([this.#seed, kind, n, aspect]))
        .digest();
      return digest.readUIntBE(0, 6) / 2 ** 48;
    };
  }
}
