import { createHash } from 'node:crypto';
import { type BigIntStats, createReadStream } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { identityOf } from './writers.ts';

/** What ends the names of files beside a recording. */
const TEMPORARY = '.transcoding';
const ORIGINAL = '.original';
const RECORD = '.archive.json';
/** MP4 and QuickTime: only they are archived. */
const EXTENSION = /\.(?:mp4|mov|m4v)$/i;

/** The names that belong to a recording, `a.mp4`, all in its folder. */
export interface Recording {
  path: string;
  directory: string;
  name: string;
  /** `a.transcoding.mp4`: the new file until it is verified. */
  temporary: string;
  /** `a.mp4.original`, under which the original is kept. */
  original: string;
  /** `a.mp4.archive.json` */
  record: string;
}

export function recordingAt(path: string): Recording {
  const [directory, name, extension] = [dirname(path), basename(path), extname(path)];
  const stem = name.slice(0, name.length - extension.length);
  const at = (file: string) => join(directory, file);
  return {
    ...{ path, directory, name, temporary: at(`${stem}${TEMPORARY}${extension}`) },
    ...{ original: `${path}${ORIGINAL}`, record: `${path}${RECORD}` },
  };
}

export function isRecordingName(name: string): boolean {
  return EXTENSION.test(name) && !name.startsWith('.') && !name.slice(0, -extname(name).length).endsWith(TEMPORARY);
}

/** The recording of which a file is the record. */
export function recordingOfRecord(path: string): Recording | undefined {
  const name = path.slice(0, -RECORD.length);
  return path.endsWith(RECORD) && isRecordingName(basename(name)) ? recordingAt(name) : undefined;
}

/** Undefined where nothing has that name. Links are not followed. */
export async function statOf(path: string): Promise<BigIntStats | undefined> {
  return lstat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** Whether two names lead to one file. */
export function isSameFile(a: BigIntStats | undefined, b: BigIntStats | undefined): boolean {
  return a !== undefined && b !== undefined && identityOf(a) === identityOf(b);
}

/** Whether a name leads to the same file as before, and it was not written in between. */
export function isUnchanged(before: BigIntStats | undefined, now: BigIntStats | undefined): boolean {
  if (!before || !now) return before === now;
  return isSameFile(before, now) && versionOf(before) === versionOf(now);
}

/** Size and time of the last change, which a copy or a move of the folder keeps. */
export function versionOf({ size, mtimeNs }: Pick<BigIntStats, 'size' | 'mtimeNs'>): string {
  return `${size}-${mtimeNs}`;
}

/** @throws the signal's reason */
export async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, { ...(signal && { signal }) }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
  return hash.digest('hex');
}
