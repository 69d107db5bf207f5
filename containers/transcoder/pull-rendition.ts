import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { Job } from '../../core/contracts/job.ts';
import { readMediaPlaylist } from '../../core/media/media-playlist.ts';
import { pinned, sourceError } from './input/ranges.ts';
import { complete, type PullRun, pull } from './pull.ts';
import { needDisk } from './scratch.ts';

/** Whether a job's source is a published rendition, named by its playlist, and not an upload, whose name is arbitrary. */
export function isRendition({ source, output }: Pick<Job, 'source' | 'output'>): boolean {
  return source.bucket === output.bucket && source.key.endsWith('.m3u8');
}

/** Brings a job's source to the scratch disk: an upload, or a published rendition. */
export async function bring(job: Pick<Job, 'source' | 'output'>, run: Omit<PullRun, 'source'>): Promise<void> {
  const from = isRendition(job) ? pullRendition : pull;
  await from({ ...run, source: job.source });
}

/**
 * Downloads a published rendition to the scratch disk as one file: its init segment and its segments, concatenated. `source` is the
 * playlist, and its size the bytes of all of them. They are ranges of one object, or objects of their own in versions of earlier releases.
 */
async function pullRendition(run: PullRun): Promise<void> {
  const { source, scratch, signal } = run;
  if (await complete(scratch.source, source.size)) return;
  await needDisk(scratch, source.size, 'The source file');
  const { Body } = await get(run, pinned(source));
  const { init, segments } = readMediaPlaylist((await Body?.transformToString()) ?? '');
  const folder = source.key.slice(0, source.key.lastIndexOf('/') + 1);
  const parts = [init, ...segments];
  const part = `${scratch.source}.part`;
  await rm(part, { force: true });
  for (const [i, { uri, range }] of parts.entries()) {
    const Range = range && `bytes=${range.offset}-${range.offset + range.bytes - 1}`;
    const { Body: bytes } = await get(run, { Bucket: source.bucket, Key: `${folder}${uri}`, ...(Range && { Range }) });
    await pipeline(bytes as Readable, createWriteStream(part, { flags: 'a' }), { signal });
    run.onProgress((i + 1) / parts.length);
  }
  if (!(await complete(part, source.size))) {
    throw new DropreelError('storage_failed', `The rendition has not the ${source.size} bytes that were published.`);
  }
  await rename(part, scratch.source);
}

async function get({ s3, signal }: PullRun, object: { Bucket: string; Key: string; IfMatch?: string; Range?: string }) {
  return s3.send(new GetObjectCommand(object), { abortSignal: signal }).catch((error: unknown) => {
    throw sourceError(error) ?? error;
  });
}
