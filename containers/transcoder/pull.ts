import { appendFile, type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { eachLimit } from '../../aws/concurrency.ts';
import { httpStatus } from '../../aws/http-status.ts';
import { archived, unreadable, unreadableByHead } from '../../aws/unreadable.ts';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { Source } from '../../core/contracts/table/media.ts';
import { checksumOfFile } from './checksum.ts';
import { asDropreelError } from './failures.ts';
import { needDisk, type Scratch } from './scratch.ts';

const PART_BYTES = 16 * 1024 * 1024;
const PARALLEL = 4;
const ATTEMPTS = 5;

export interface PullRun {
  s3: S3Client;
  source: Source;
  scratch: Scratch;
  signal: AbortSignal;
  onProgress: (fraction: number) => void;
}

/**
 * Downloads the source to the scratch disk: ranges in parallel, each pinned to the version and ETag of the job. Parts that are already
 * there are not read again. Afterwards the size is right, and so is the checksum where S3 has one of the whole object.
 */
export async function pull(run: PullRun): Promise<void> {
  const { source, scratch, signal } = run;
  if (source.size === 0) throw new DropreelError('empty_file', 'The file has 0 bytes.');
  const head = await headSource(run);
  const part = `${scratch.source}.part`;
  if (await complete(scratch.source, source.size)) return;
  const journal = await openJournal(`${scratch.source}.parts`, source);
  const count = Math.ceil(source.size / PART_BYTES);
  const missing = Array.from({ length: count }, (_, i) => i).filter((i) => !journal.done.has(i));
  await needDisk(scratch, Math.min(missing.length * PART_BYTES, source.size), 'The source file');
  const handle = await open(part, journal.done.size > 0 ? 'r+' : 'w');
  try {
    let done = journal.done.size;
    await eachLimit(missing, PARALLEL, async (index) => {
      signal.throwIfAborted();
      await pullPart(run, handle, index);
      await journal.add(index, handle);
      done += 1;
      run.onProgress(done / count);
    });
  } finally {
    await handle.close();
  }
  await verifyChecksum(part, head, `${scratch.source}.parts`);
  await rename(part, scratch.source);
}

async function headSource({ s3, source, signal }: PullRun): Promise<HeadObjectCommandOutput> {
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

/** The SDK retries a request; a body that breaks off is retried here. */
async function pullPart(run: PullRun, handle: FileHandle, index: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readPart(run, handle, index);
    } catch (error) {
      run.signal.throwIfAborted();
      const known = error instanceof DropreelError ? error : sourceError(error);
      if (known) throw known;
      if (attempt >= ATTEMPTS || asDropreelError(error).code === 'disk_full') throw error;
      await delay(200 * 2 ** attempt, undefined, { signal: run.signal });
    }
  }
}

async function readPart({ s3, source, signal }: PullRun, handle: FileHandle, index: number): Promise<void> {
  const start = index * PART_BYTES;
  const end = Math.min(start + PART_BYTES, source.size);
  const command = new GetObjectCommand({ ...pinned(source), Range: `bytes=${start}-${end - 1}` });
  const { Body, ContentRange } = await s3.send(command, { abortSignal: signal });
  if (ContentRange !== `bytes ${start}-${end - 1}/${source.size}`) throw changed();
  let at = start;
  for await (const chunk of Body as AsyncIterable<Uint8Array>) {
    if (at + chunk.length > end) throw new DropreelError('storage_failed', 'S3 sent more bytes than were asked for.');
    await handle.write(chunk, 0, chunk.length, at);
    at += chunk.length;
  }
  // A plain error is retried.
  if (at !== end) throw Object.assign(new Error('S3 ended the body too early'), { code: 'ECONNRESET' });
}

/** Records which parts are on the disk, in a file beside them: a line each, written after the part's own bytes are synced. */
async function openJournal(path: string, source: Source) {
  const head = JSON.stringify({ ...source, part: PART_BYTES });
  const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n');
  const kept = lines[0] === head ? lines.slice(1, -1).map(Number) : [];
  await writeFile(path, [head, ...kept, ''].join('\n'));
  return {
    done: new Set(kept),
    add: async (index: number, handle: FileHandle) => {
      await handle.datasync();
      await appendFile(path, `${index}\n`);
    },
  };
}

export async function complete(path: string, size: number): Promise<boolean> {
  const handle = await open(path).catch(() => null);
  if (handle === null) return false;
  const found = (await handle.stat()).size;
  await handle.close();
  return found === size;
}

async function verifyChecksum(path: string, head: HeadObjectCommandOutput, journal: string): Promise<void> {
  const wrong = await checksumOfFile(path, head);
  if (wrong === null) return;
  // It is unknown which part is wrong, so the next attempt starts over.
  await rm(journal, { force: true });
  throw new DropreelError('storage_failed', `The source does not match its ${wrong} checksum after it was read.`);
}
