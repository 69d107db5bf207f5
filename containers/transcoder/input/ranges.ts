import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { httpStatus } from '../../../aws/http-status.ts';
import { archived, unreadable, unreadableByHead } from '../../../aws/unreadable.ts';
import { DropreelError } from '../../../core/contracts/errors.ts';
import type { Source } from '../../../core/contracts/table/media.ts';
import { asDropreelError } from '../failures.ts';

/** Failures in a row, without so many bytes between them. The SDK's own retries of a request come on top. */
const ATTEMPTS = 5;
/** S3 sends as much in a hundredth of a second: a connection that takes as long as one that stands still may is as good as dead. */
const LEAST_BYTES = 65_536;
/** The longest wait between two of them, in milliseconds. */
const LONGEST_WAIT_MS = 10_000;

/** How long S3 is asked, in milliseconds. */
export interface Patience {
  /** For 64 KiB, after which a request is given up and made anew. */
  stalledMs: number;
  /** Before the first new request; doubled before each that follows. */
  waitMs: number;
  /** Without 64 KiB, for which it is asked anew even after five failures. */
  goOnMs: number;
}

/** A download that fails costs little: the next attempt has its parts. */
const DOWNLOAD_PATIENCE: Patience = { stalledMs: 20_000, waitMs: 400, goOnMs: 0 };
/** A source that cannot be read while it is encoded costs all of the encode: S3 may be away for five minutes. */
export const IN_PLACE_PATIENCE: Patience = { ...DOWNLOAD_PATIENCE, goOnMs: 300_000 };

/** The source as it lies in S3: each request is pinned to the version and the ETag of the job. */
export interface SourceObject {
  s3: S3Client;
  source: Source;
  signal: AbortSignal;
}

/** @throws DropreelError when the object cannot be read, or is not that of the job any more */
export async function headSource({ s3, source, signal }: SourceObject): Promise<HeadObjectCommandOutput> {
  const sent = s3.send(new HeadObjectCommand({ ...pinned(source), ChecksumMode: 'ENABLED' }), { abortSignal: signal });
  const head = await sent.catch(async (error: unknown) => {
    const { bucket, key, versionId } = source;
    const why = await unreadableByHead(s3, { bucket, key, versionId }, error);
    throw sourceError(error) ?? (why === null ? error : unreadableSource(why));
  });
  const why = archived(head);
  if (why !== null) throw unreadableSource(why);
  if (head.ContentLength !== source.size) throw changed();
  return head;
}

const unreadableSource = (why: string) => new DropreelError('source_unreadable', why);

export function pinned(source: Source) {
  const etag = source.etag.startsWith('"') ? source.etag : `"${source.etag}"`;
  return {
    Bucket: source.bucket,
    Key: source.key,
    IfMatch: etag,
    ...(source.versionId ? { VersionId: source.versionId } : {}),
  };
}

const changed = () => new DropreelError('source_changed', 'The object was replaced while it was read.');

export function sourceError(error: unknown): DropreelError | null {
  const status = httpStatus(error);
  // 405: the version is a delete marker. 416: it is shorter than it was.
  if (status === 404 || status === 405) {
    return new DropreelError('source_missing', 'The uploaded object, or this version of it, no longer exists.');
  }
  if (status === 412 || status === 416) return changed();
  const why = unreadable(error);
  return why === null ? null : unreadableSource(why);
}

export interface ByteSpan {
  start: number;
  /** The first byte that does not belong to it. */
  end: number;
}

/**
 * Gives each byte of a range once, in order, in pieces with their place. The SDK retries a request; a body that breaks off, comes to a halt
 * or trickles is asked for anew here, from the byte that it has reached.
 * @throws DropreelError for a source that is gone, replaced or unreadable; else S3's last error
 */
export async function readSpan(
  object: SourceObject,
  { start, end }: ByteSpan,
  onPiece: (piece: Uint8Array, at: number) => unknown,
  { stalledMs, waitMs, goOnMs } = DOWNLOAD_PATIENCE,
): Promise<void> {
  let [at, failures, since, from] = [start, 0, performance.now(), start];
  while (at < end) {
    try {
      await readOnce(object, { start: at, end }, stalledMs, async (piece) => {
        await onPiece(piece, at);
        at += piece.length;
        if (at - from >= LEAST_BYTES) [failures, since, from] = [0, performance.now(), at];
      });
    } catch (error) {
      object.signal.throwIfAborted();
      const known = error instanceof DropreelError ? error : sourceError(error);
      if (known) throw known;
      failures += 1;
      const isEnough = failures >= ATTEMPTS && performance.now() - since >= goOnMs;
      if (isEnough || asDropreelError(error).code === 'disk_full') throw error;
      const wait = Math.min(waitMs * 2 ** (failures - 1), LONGEST_WAIT_MS);
      await delay(wait, undefined, { signal: object.signal });
    }
  }
}

async function readOnce(
  { s3, source, signal }: SourceObject,
  { start, end }: ByteSpan,
  stalledMs: number,
  onPiece: (piece: Uint8Array) => Promise<void>,
): Promise<void> {
  const halted = new AbortController();
  let body: Readable | undefined;
  const clock = setTimeout(() => {
    const error = Object.assign(new Error(`S3 sent next to nothing for ${stalledMs / 1000} s.`), { code: 'ETIMEDOUT' });
    halted.abort(error);
    body?.destroy(error);
  }, stalledMs);
  try {
    const command = new GetObjectCommand({ ...pinned(source), Range: `bytes=${start}-${end - 1}` });
    const answer = await s3.send(command, { abortSignal: AbortSignal.any([signal, halted.signal]) });
    if (answer.ContentRange !== `bytes ${start}-${end - 1}/${source.size}`) throw changed();
    body = answer.Body as Readable;
    let [left, fresh] = [end - start, 0];
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      left -= piece.length;
      if (left < 0) throw new DropreelError('storage_failed', 'S3 sent more bytes than were asked for.');
      await onPiece(piece);
      fresh += piece.length;
      if (fresh < LEAST_BYTES) continue;
      clock.refresh();
      fresh = 0;
    }
    // A plain error is retried.
    if (left > 0) throw Object.assign(new Error('S3 ended the body too early'), { code: 'ECONNRESET' });
  } catch (error) {
    // An abort hides that the clock was its reason.
    halted.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(clock);
  }
}
