import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type ChecksumAlgorithm, createDigest } from '../../gateway/checksums.ts';
import { syncDirectory } from '../../kernel/journal.ts';
import { AwsError } from '../../kernel/service.ts';
import type { Piece } from './model.ts';

/** Bytes read from a file at once: four times Node's default of 64 KiB, for fewer turns of the event loop. */
const READ_BYTES = 256 * 1024;

/** The properties of a written body. */
export interface Written {
  piece: Piece;
  /** Hex. */
  md5: string;
  /** Base64. */
  checksum: string;
}

/** The bytes of objects: uniquely named files, written once, fsynced before they are reported. */
export class Bodies {
  readonly #incoming: string;
  readonly #objects: string;

  readonly #log: (line: string) => void;

  private constructor(directory: string, log: (line: string) => void) {
    this.#log = log;
    this.#incoming = join(directory, 'incoming');
    this.#objects = join(directory, 'objects');
  }

  /** Removes remains of interrupted writes. */
  static async open(directory: string, log: (line: string) => void): Promise<Bodies> {
    const bodies = new Bodies(directory, log);
    await rm(bodies.#incoming, { recursive: true, force: true });
    await mkdir(bodies.#incoming, { recursive: true });
    await mkdir(bodies.#objects, { recursive: true });
    return bodies;
  }

  /** Leaves no file after an error.
   * @throws AwsError ServiceUnavailable when the disk is full; whatever reading `body` throws */
  async write(body: Readable, algorithm: ChecksumAlgorithm, limit: number): Promise<Written> {
    const file = randomUUID();
    const aside = join(this.#incoming, file);
    const md5 = createDigest('MD5');
    const checksum = createDigest(algorithm);
    let size = 0;
    try {
      const handle = await open(aside, 'wx');
      try {
        for await (const chunk of body as AsyncIterable<Buffer>) {
          size += chunk.length;
          if (size > limit) throw tooLarge(limit);
          md5.update(chunk);
          checksum.update(chunk);
          await writeAll(handle, chunk);
        }
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await rename(aside, join(this.#objects, file));
      await syncDirectory(this.#objects);
    } catch (error) {
      await rm(aside, { force: true });
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
        this.#log(`s3: the disk of ${this.#objects} is full: an upload of ${size} bytes or more was refused`);
        throw new AwsError('ServiceUnavailable', 503, 'The disk of the local S3 is full.');
      }
      throw error;
    }
    return { piece: { file, size }, md5: md5.digest().toString('hex'), checksum: checksum.digest().toString('base64') };
  }

  /** Bytes `from` to `to`, both included, of the concatenated pieces. */
  read(pieces: readonly Piece[], from: number, to: number): Readable {
    const objects = this.#objects;
    async function* bytes(): AsyncGenerator<Buffer> {
      let start = 0;
      for (const { file, size } of pieces) {
        const first = Math.max(from - start, 0);
        const last = Math.min(to - start, size - 1);
        if (first <= last)
          yield* createReadStream(join(objects, file), { start: first, end: last, highWaterMark: READ_BYTES });
        start += size;
      }
    }
    return Readable.from(bytes(), { objectMode: false });
  }

  /** Digests of the concatenated pieces: hex MD5, base64 checksum. */
  async digest(pieces: readonly Piece[], algorithm: ChecksumAlgorithm): Promise<{ md5: string; checksum: string }> {
    const md5 = createDigest('MD5');
    const checksum = createDigest(algorithm);
    for (const { file } of pieces) {
      for await (const chunk of createReadStream(join(this.#objects, file), {
        highWaterMark: READ_BYTES,
      }) as AsyncIterable<Buffer>) {
        md5.update(chunk);
        checksum.update(chunk);
      }
    }
    return { md5: md5.digest().toString('hex'), checksum: checksum.digest().toString('base64') };
  }

  /** A reader that has the file open can continue. */
  async remove(file: string): Promise<void> {
    await rm(join(this.#objects, file), { force: true });
  }

  /** Removes files without a reference: written, but never reported. */
  async removeUnnamed(named: (file: string) => boolean): Promise<number> {
    const unnamed = (await readdir(this.#objects)).filter((file) => !named(file));
    for (const file of unnamed) await this.remove(file);
    return unnamed.length;
  }
}

async function writeAll(handle: Awaited<ReturnType<typeof open>>, chunk: Buffer): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, done);
    done += bytesWritten;
  }
}

const tooLarge = (limit: number) =>
  new AwsError('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size', {
    MaxSizeAllowed: String(limit),
  });
