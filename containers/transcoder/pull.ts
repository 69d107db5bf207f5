import { appendFile, type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { eachLimit } from '../../aws/concurrency.ts';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { Source } from '../../core/contracts/table/media.ts';
import { checksumOfFile } from './checksum.ts';
import { headSource, readSpan, type SourceObject } from './input/ranges.ts';
import { needDisk, type Scratch } from './scratch.ts';

const PART_BYTES = 16 * 1024 * 1024;
const PARALLEL = 4;

export interface PullRun extends SourceObject {
  scratch: Scratch;
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
      const start = index * PART_BYTES;
      const span = { start, end: Math.min(start + PART_BYTES, source.size) };
      await readSpan(run, span, (piece, at) => handle.write(piece, 0, piece.length, at));
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
