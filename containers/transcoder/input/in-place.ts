import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { DropreelError } from '../../../core/contracts/errors.ts';
import { CaptionMarks } from '../captions.ts';
import { CellChecksum, wholeChecksum } from './cell-checksum.ts';
import { CELL_BYTES, Cells } from './cells.ts';
import { type Door, openDoor } from './door.ts';
import type { Input } from './input.ts';
import { IN_PLACE_PATIENCE, type Patience, readSpan, type SourceObject } from './ranges.ts';

/**
 * The most that is read of an object, in times of its size: a look at all of it (for fields), the encode, one more pass (damage, a
 * waveform), and one for what was read twice. What wants more is downloaded.
 */
const MOST_TIMES = 4;

/** More was read of a source than a few downloads of it would have been. */
export class Scattered extends Error {
  override readonly name = 'Scattered';
}

export interface Traffic {
  requests: number;
  bytes: number;
}

/** A source that is read in S3, by ranges, and by FFmpeg through a door on loopback. */
export class InPlace implements Input, AsyncDisposable {
  readonly size: number;
  readonly isInPlace = true;
  readonly directory: string;
  readonly protocols: readonly string[];
  readonly traffic: Traffic = { requests: 0, bytes: 0 };
  /** Aborted with the reason when the source cannot be read on: whatever FFmpeg made of it then is not whole. */
  readonly signal: AbortSignal;
  readonly #end = new AbortController();
  readonly #cells: Cells;
  readonly #door: Door;
  readonly #marks = new CaptionMarks();
  readonly #arrived: Set<number> = new Set();
  readonly #checksum: CellChecksum | undefined;

  /**
   * @param directory Where FFmpeg's programs run that write nothing.
   * @param head Of the object, with its checksum.
   */
  static async open(
    object: SourceObject,
    directory: string,
    head: HeadObjectCommandOutput,
    patience = IN_PLACE_PATIENCE,
  ): Promise<InPlace> {
    let made: InPlace | undefined;
    const door = await openDoor({ size: object.source.size, from: (at) => (made as InPlace).#cells.from(at) });
    made = new InPlace(object, directory, { head, door, patience });
    return made;
  }

  private constructor(
    object: SourceObject,
    directory: string,
    { head, door, patience }: { head: HeadObjectCommandOutput; door: Door; patience: Patience },
  ) {
    const { size } = object.source;
    this.size = size;
    this.directory = directory;
    this.#door = door;
    this.signal = AbortSignal.any([object.signal, this.#end.signal]);
    const wanted = wholeChecksum(head);
    this.#checksum = wanted && new CellChecksum({ size, cellBytes: CELL_BYTES, wanted });
    this.protocols = ['-protocol_whitelist', 'http,tcp', '-http_proxy', door.proxy, '-max_redirects', '0'];
    const counted = { ...object, signal: this.signal };
    this.#cells = new Cells({
      size,
      fetch: async (span, onPiece) => {
        this.traffic.requests += 1;
        try {
          const take = (piece: Uint8Array, at: number) => {
            this.#count(piece.length);
            onPiece(piece, at);
          };
          await readSpan(counted, span, take, patience);
        } catch (error) {
          this.#end.abort(error);
          throw error;
        }
      },
      onCell: (index, bytes) => this.#take(index, bytes),
    });
  }

  #count(bytes: number): void {
    this.traffic.bytes += bytes;
    if (this.traffic.bytes <= MOST_TIMES * this.size) return;
    this.#end.abort(new Scattered(`It was read ${MOST_TIMES} times over.`));
    this.signal.throwIfAborted();
  }

  #take(index: number, bytes: Buffer): void {
    if (this.#arrived.has(index)) return;
    this.#arrived.add(index);
    this.#checksum?.add(index, bytes);
    this.#marks.add(bytes);
  }

  async read(at: number, length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let from = at, left = Math.min(length, this.size - at); left > 0; ) {
      this.signal.throwIfAborted();
      const part = (await this.#cells.from(from)).subarray(0, left);
      parts.push(part);
      from += part.length;
      left -= part.length;
    }
    return Buffer.concat(parts);
  }

  nameIn(): string {
    return this.#door.url;
  }

  async hasCaptions(codec: string): Promise<boolean> {
    return this.#marks.of(codec)?.aborted ?? false;
  }

  lateCaptions(codec: string): AbortSignal | undefined {
    return this.#marks.of(codec);
  }

  check(): void {
    this.signal.throwIfAborted();
    const wrong = this.#checksum?.wrong() ?? null;
    if (wrong === null) return;
    throw new DropreelError('storage_failed', `The source does not match its ${wrong} checksum after it was read.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('The source is not read any more.'));
    await this.#door[Symbol.asyncDispose]();
  }
}
