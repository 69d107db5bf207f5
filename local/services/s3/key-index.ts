/** S3 lists keys by their UTF-8 bytes; JavaScript compares UTF-16, which differs above U+FFFF. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const surrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;
    if (surrogate(x) !== surrogate(y)) return surrogate(x) ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

/** A map with its keys in S3's order. */
export class KeyIndex<Value> {
  readonly #values = new Map<string, Value>();
  readonly #sorted: string[] = [];

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    if (!this.#values.has(key)) this.#sorted.splice(this.#firstNotBefore(key), 0, key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#sorted.splice(this.#firstNotBefore(key), 1);
  }

  entries(): IterableIterator<[string, Value]> {
    return this.#values.entries();
  }

  /** Entries in order, from `from` on. The index must not change meanwhile. */
  *from(from: string): Generator<[string, Value]> {
    for (let i = this.#firstNotBefore(from); i < this.#sorted.length; i++) {
      const key = this.#sorted[i] ?? '';
      const value = this.#values.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  #firstNotBefore(key: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareKeys(this.#sorted[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
