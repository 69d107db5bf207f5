import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BOX_HEADER_BYTES, readBoxHeader } from '../../../core/media/boxes.ts';
import { readInit, readSamples, type Sample, type TrackHeader } from '../../../core/media/fragments.ts';
import type { PieceRendition } from '../../../core/media/piece.ts';
import { GOP_SECONDS } from '../../../core/media/plan.ts';
import { withEditList, writeMoof } from '../../../core/media/write-moof.ts';
import { log } from '../log.ts';
import { wholeName } from '../split.ts';
import { mdatHeader } from './rewrite.ts';

/** Pieces of what FFmpeg is encoding, for a growing version: docs/decisions/0403-growing-versions.md */

/** Milliseconds between two looks at what FFmpeg has written. */
const LOOK_MS = 500;
/** Bytes that are copied at once. */
const COPY_BYTES = 1024 * 1024;

/** Where pieces are made, one at a time, and what takes each, which is removed afterwards. */
export type PieceTaker = Pick<PiecesRun, 'to' | 'take'>;

export interface PiecesRun {
  /** Where FFmpeg writes its files. */
  from: string;
  /** Where pieces are made, one at a time. */
  to: string;
  /** Names of the renditions. */
  files: readonly string[];
  /** At which segments pieces end. */
  ends: readonly number[];
  segmentSeconds: number;
  /** Of sound: by so much a segment may begin before its time. */
  earlySeconds?: number;
  /** Of a chunk's pictures: the edit list of its files, which are written anew as in `rewriteRendition`. Absent: they are as FFmpeg has them. */
  delaySeconds?: number;
  /** Takes a piece, which is removed afterwards. */
  take: (piece: { path: string; name: string; end: number; renditions: PieceRendition[] }) => Promise<void>;
}

/**
 * Follows FFmpeg while it writes, and makes a piece of each run of segments that is complete in all renditions. A fault ends it, and nothing
 * else: the encode needs none of it.
 * @returns a function that stops it, when all that was begun is done
 */
export function followPieces(run: PiecesRun): (options?: { flush: boolean }) => Promise<void> {
  const stop = new AbortController();
  let flushes = false;
  const following = follow(run, stop.signal, () => flushes).catch((error: unknown) => {
    log('warn', 'no more pieces', { error: String(error) });
  });
  return async ({ flush } = { flush: false }) => {
    flushes = flush;
    stop.abort();
    await following;
  };
}

async function follow(run: PiecesRun, stop: AbortSignal, flushes: () => boolean): Promise<void> {
  const { from, to, files, ends, segmentSeconds, take } = run;
  await mkdir(to, { recursive: true });
  const renditions = files.map((file) => new Followed(join(from, wholeName(file)), file, run));
  let begins = 0;
  for (const end of ends) {
    for (;;) {
      for (const rendition of renditions) await rendition.look();
      if (renditions.every((rendition) => rendition.reaches(end * segmentSeconds))) break;
      if (stop.aborted) {
        if (flushes()) await make(Number.POSITIVE_INFINITY);
        return;
      }
      await delay(LOOK_MS, undefined, { signal: stop }).catch(() => undefined);
    }
    await make(end * segmentSeconds);
    begins = end * segmentSeconds;
    if (stop.aborted && !flushes()) return;

    async function make(until: number): Promise<void> {
      const name = `piece-${end}.mp4`;
      const path = join(to, name);
      const out = await open(path, 'w');
      try {
        const made: PieceRendition[] = [];
        let offset = 0;
        for (const rendition of renditions) {
          const written = await rendition.write(out, offset, begins, until);
          if (!written) return;
          made.push(written.rendition);
          offset = written.end;
        }
        await out.close();
        await take({ path, name, end, renditions: made });
      } finally {
        await out.close().catch(() => undefined);
        await rm(path, { force: true });
      }
    }
  }
}

interface Followable {
  /** Of its moof, and of its samples. */
  offset: number;
  bytesAt: number;
  bytes: number;
  samples: Sample[];
  /** When it begins to be shown, in ticks of the film. */
  first: number;
  /** The multiple of a segment's length from which it is, in seconds. */
  segment: number;
}

/** A file that FFmpeg is writing. */
class Followed {
  readonly #path: string;
  readonly #file: string;
  readonly #run: PiecesRun;
  #read = 0;
  #init: Buffer | undefined;
  #header: TrackHeader | undefined;
  #moof: { offset: number; samples: Sample[] } | undefined;
  #fragments: Followable[] = [];

  constructor(path: string, file: string, run: PiecesRun) {
    [this.#path, this.#file, this.#run] = [path, file, run];
  }

  /** Whether all before this second is written, and something after it. */
  reaches(seconds: number): boolean {
    return (this.#fragments.at(-1)?.segment ?? -1) >= seconds;
  }

  /** Reads what has become complete. */
  async look(): Promise<void> {
    // No link, through which the worker would read what only it can read.
    const file = await open(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: Error) => {
      if ('code' in error && error.code === 'ENOENT') return null;
      throw error;
    });
    if (!file) return;
    try {
      const status = await file.stat();
      if (!status.isFile()) throw new Error(`${this.#path} is not a file`);
      while (await this.#box(file, status.size));
    } finally {
      await file.close();
    }
  }

  async #box(file: FileHandle, size: number): Promise<boolean> {
    const offset = this.#read;
    const head = await readAt(file, offset, Math.min(BOX_HEADER_BYTES, size - offset));
    const box = readBoxHeader(head, Number.POSITIVE_INFINITY);
    if (!box || box.size < box.header || offset + box.size > size) return false;
    if (box.type === 'moov') this.#begin(await readAt(file, 0, offset + box.size));
    if (box.type === 'moof') {
      const samples = readSamples(await readAt(file, offset + box.header, box.size - box.header));
      this.#moof = { offset, samples };
    }
    if (box.type === 'mdat' && this.#moof) {
      this.#add({ ...this.#moof, bytesAt: offset + box.header, bytes: box.size - box.header });
      this.#moof = undefined;
    }
    this.#read = offset + box.size;
    return true;
  }

  #begin(init: Buffer): void {
    const { delaySeconds } = this.#run;
    const { timescale } = readInit(init);
    this.#init =
      delaySeconds === undefined ? init : Buffer.from(withEditList(init, Math.round(delaySeconds * timescale)));
    this.#header = readInit(init);
  }

  #add(fragment: Omit<Followable, 'first' | 'segment'>): void {
    const { segmentSeconds, earlySeconds = 0 } = this.#run;
    const { skip, timescale } = this.#headerOf();
    const first = Math.max(0, Math.min(...fragment.samples.map(({ shown }) => shown)) - skip);
    const segment = Math.floor((first / timescale + earlySeconds + 1e-6) / segmentSeconds) * segmentSeconds;
    this.#fragments.push({ ...fragment, first, segment });
  }

  #headerOf(): TrackHeader {
    if (!this.#header) throw new Error('a fragment before the init segment');
    return this.#header;
  }

  /** Writes the fragments of these seconds behind their init segment, and forgets them. Null where there are none. */
  async write(
    out: FileHandle,
    at: number,
    from: number,
    until: number,
  ): Promise<{ rendition: PieceRendition; end: number } | null> {
    const { timescale, codec, skip } = this.#headerOf();
    const init = this.#init ?? Buffer.alloc(0);
    const wanted = this.#fragments.filter(({ segment }) => segment >= from && segment < until);
    if (wanted.length === 0) return null;
    const segments: (PieceRendition['segments'][number] & { segment: number })[] = [];
    await out.writeFile(init);
    let end = at + init.length;
    const file = await open(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      for (const fragment of wanted) {
        const next = this.#fragments[this.#fragments.indexOf(fragment) + 1];
        const ends = next?.first ?? lastOf(fragment.samples) - skip;
        const bytes = await this.#copy(file, out, fragment, next?.first);
        const seconds = (ends - fragment.first) / timescale;
        const last = segments.at(-1);
        if (last?.segment === fragment.segment) {
          last.bytes += bytes;
          last.seconds += seconds;
        } else {
          segments.push({ segment: fragment.segment, at: fragment.first / timescale, seconds, offset: end, bytes });
        }
        end += bytes;
      }
    } finally {
      await file.close();
    }
    this.#fragments = this.#fragments.filter(({ segment }) => segment >= until);
    const rendition = {
      ...{ file: this.#file, codec, init: { offset: at, bytes: init.length } },
      segments: segments.map(({ segment: _, ...place }) => place),
    };
    return { rendition, end };
  }

  async #copy(file: FileHandle, out: FileHandle, fragment: Followable, next: number | undefined): Promise<number> {
    const { delaySeconds } = this.#run;
    const { offset, bytesAt, bytes, samples, first } = fragment;
    const { timescale } = this.#headerOf();
    if (delaySeconds === undefined) {
      const length = bytesAt + bytes - offset;
      await copyBytes(file, out, offset, length);
      return length;
    }
    const sequence = Math.floor(first / timescale / GOP_SECONDS) + 1;
    const ticks = Math.round(delaySeconds * timescale);
    const { moof } = writeMoof({ sequence, samples, delay: ticks, ...(next !== undefined && { next }) });
    await out.writeFile(Buffer.concat([moof, mdatHeader(bytes)]));
    await copyBytes(file, out, bytesAt, bytes);
    return moof.length + 8 + bytes;
  }
}

/** When the last of these samples has been shown: all of sound last as long as the one before. */
function lastOf(samples: readonly Sample[]): number {
  const [last = 0, before = last] = samples.map(({ shown }) => shown).sort((a, b) => b - a);
  return last + (last - before);
}

async function copyBytes(from: FileHandle, to: FileHandle, at: number, length: number): Promise<void> {
  for (let done = 0; done < length; done += COPY_BYTES) {
    await to.writeFile(await readAt(from, at + done, Math.min(COPY_BYTES, length - done)));
  }
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
  if (bytesRead !== length) throw new Error('a file became shorter while it was read');
  return buffer;
}
