import type { ByteSpan } from './ranges.ts';

/** Bytes of a cell, the unit in which an object is kept. */
export const CELL_BYTES = 1024 * 1024;
/** The most cells of one request: as many bytes as a part of a download. */
const REQUEST_CELLS = 16;
/** Cells that are kept in memory: enough for three places that are read in turn, each with what is read ahead of it. */
const KEPT_CELLS = 112;
/** From this length of a request on, the reader is taken to go on, and the next request is made before its first byte is wanted. */
const STEADY_CELLS = 4;
/** How many cells ahead of a reader the next request is made. */
const AHEAD_CELLS = 8;

interface Waiting {
  resolve(cell: Buffer): void;
  reject(error: unknown): void;
}

export interface CellsOf {
  size: number;
  /** Reads a span, in order. */
  fetch(span: ByteSpan, onPiece: (piece: Uint8Array, at: number) => void): Promise<void>;
  /** Called for each cell that arrives, also when it had been dropped and comes again. */
  onCell(index: number, bytes: Buffer): void;
}

/**
 * An object in cells of 1 MiB: those read last are kept. The first request at a place asks for one cell, each that follows it for twice as
 * many, up to 16, so that a look costs little, and reading on costs few requests. A cell can be read as soon as it has arrived.
 */
export class Cells {
  readonly #of: CellsOf;
  /** The one used last is the last. */
  readonly #kept = new Map<number, Buffer>();
  readonly #coming = new Map<number, Promise<Buffer>>();
  /** Lengths of requests, by the cell that follows them. */
  readonly #lengths = new Map<number, number>();

  constructor(of: CellsOf) {
    this.#of = of;
  }

  /** The bytes from `at` to the end of their cell. */
  async from(at: number): Promise<Buffer> {
    const index = Math.floor(at / CELL_BYTES);
    const cell = await this.#cell(index);
    return cell.subarray(at - index * CELL_BYTES);
  }

  async #cell(index: number): Promise<Buffer> {
    if (!this.#has(index)) this.#request(index);
    this.#readAhead(index);
    const kept = this.#kept.get(index);
    if (kept === undefined) return this.#coming.get(index) as Promise<Buffer>;
    this.#kept.delete(index);
    this.#kept.set(index, kept);
    return kept;
  }

  #has(index: number): boolean {
    return this.#kept.has(index) || this.#coming.has(index);
  }

  #readAhead(index: number): void {
    let next = index;
    while (this.#has(next) && next <= index + AHEAD_CELLS) next += 1;
    const isSteady = (this.#lengths.get(next) ?? 0) >= STEADY_CELLS;
    if (isSteady && next <= index + AHEAD_CELLS && next * CELL_BYTES < this.#of.size) this.#request(next);
  }

  #request(first: number): void {
    const { size } = this.#of;
    const most = Math.min(REQUEST_CELLS, 2 * (this.#lengths.get(first) ?? 0.5));
    const waiting: Waiting[] = [];
    for (let i = first; i < first + most && i * CELL_BYTES < size && !this.#has(i); i++) {
      const coming = new Promise<Buffer>((resolve, reject) => waiting.push({ resolve, reject }));
      // Perhaps nobody waits for it.
      coming.catch(() => undefined);
      this.#coming.set(i, coming);
    }
    const after = first + waiting.length;
    this.#lengths.set(after, waiting.length);
    void this.#fetch(first, waiting).catch((error: unknown) => {
      for (const [i, { reject }] of waiting.entries()) {
        this.#coming.delete(first + i);
        reject(error);
      }
    });
  }

  async #fetch(first: number, waiting: readonly Waiting[]): Promise<void> {
    const { size } = this.#of;
    const end = Math.min((first + waiting.length) * CELL_BYTES, size);
    let cell = Buffer.alloc(0);
    await this.#of.fetch({ start: first * CELL_BYTES, end }, (piece, at) => {
      for (let done = 0; done < piece.length; ) {
        const index = Math.floor((at + done) / CELL_BYTES);
        const place = at + done - index * CELL_BYTES;
        if (place === 0) cell = Buffer.allocUnsafe(Math.min(CELL_BYTES, size - index * CELL_BYTES));
        const part = piece.subarray(done, done + cell.length - place);
        cell.set(part, place);
        done += part.length;
        if (place + part.length === cell.length) this.#arrived(index, cell, waiting[index - first]);
      }
    });
  }

  #arrived(index: number, cell: Buffer, waiting: Waiting | undefined): void {
    this.#of.onCell(index, cell);
    this.#coming.delete(index);
    this.#kept.set(index, cell);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_CELLS) break;
      this.#kept.delete(oldest);
    }
    waiting?.resolve(cell);
  }
}
