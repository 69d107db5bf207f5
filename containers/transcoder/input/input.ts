import { stat } from 'node:fs/promises';
import { basename, dirname, relative } from 'node:path';
import { DropreelError } from '../../../core/contracts/errors.ts';
import { type Bytes, withFile } from '../box-walk.ts';
import { hasCaptions } from '../captions.ts';
import { FILES_ONLY } from '../ffmpeg/demuxers.ts';

/** The source, as the worker and FFmpeg's programs read it: a file on the scratch disk, or an object in S3. */
export interface Input extends Bytes {
  /** Whether its bytes come from S3 while it is read, which may take long without any fault of the file. */
  readonly isInPlace: boolean;
  /** Where FFmpeg's programs run that write nothing. */
  readonly directory: string;
  /** FFmpeg's options before `-i` that let it open this source and nothing else. */
  readonly protocols: readonly string[];
  /** What FFmpeg is told to open when it runs in a directory. */
  nameIn(directory: string): string;
  /** Whether captions of a codec's pictures were seen: in all of a file, in what has been read so far of an object. */
  hasCaptions(codec: string): Promise<boolean>;
  /** Aborted when captions are seen after all; undefined where hasCaptions has seen everything. */
  lateCaptions(codec: string): AbortSignal | undefined;
  /**
   * Called after a program has read it.
   * @throws DropreelError `storage_failed` when all of it was read, and it is not what S3 has the checksum of
   */
  check(): void;
}

/**
 * A source on the scratch disk, whose checksum was compared when it was downloaded. Of a job that MediaConvert has encoded it need not be
 * there: nothing reads it then, and its size is 0.
 */
export async function fileInput(path: string): Promise<Input> {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  return {
    size,
    isInPlace: false,
    directory: dirname(path),
    protocols: FILES_ONLY,
    read: (at, length) => withFile(path, (bytes) => bytes.read(at, length)),
    nameIn: (directory) => `${relative(directory, dirname(path)) || '.'}/${basename(path)}`,
    hasCaptions: (codec) => hasCaptions(path, codec),
    lateCaptions: () => undefined,
    check: () => undefined,
  };
}

/**
 * Called after a program with a time limit has read an input.
 * @throws DropreelError `storage_failed` when the time was over and S3 may have taken it
 */
export function checkInTime({ isInPlace }: Input, { timedOut }: { timedOut: boolean }): void {
  if (!timedOut || !isInPlace) return;
  throw new DropreelError('storage_failed', 'The source could not be read from S3 within the time that ffprobe has.');
}
