import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Client } from '../../client/client.ts';
import { RefusedError } from '../../client/errors.ts';
import type { EngineChoice } from '../../core/contracts/engines.ts';
import type { MediaView } from '../../core/contracts/http/media.ts';
import { MAX_PARTS_PER_REQUEST, type Upload } from '../../core/contracts/http/uploads.ts';
import { CliError, EXIT } from '../exit.ts';
import { contentTypeOf } from './content-type.ts';
import { PutRefused, put } from './put.ts';
import { UploadState } from './state.ts';

export interface UploadJob {
  api: Client;
  apiUrl: string;
  path: string;
  collectionId?: string | undefined;
  title?: string | undefined;
  contentType?: string | undefined;
  engine?: EngineChoice | undefined;
  /** Parts sent at once. */
  concurrency: number;
  signal: AbortSignal;
  /** The first call has what is there already. */
  onProgress: (sent: number, size: number) => void;
}

/** Sends one file, continuing where an earlier attempt stopped. Returns the media item that it becomes. */
export async function uploadFile(job: UploadJob): Promise<MediaView> {
  const { api, path } = job;
  const info = await stat(path).catch(() => null);
  if (!info?.isFile()) throw new CliError(EXIT.usage, `${path} is not a file that can be read.`);
  if (info.size === 0) throw new CliError(EXIT.usage, `${path} is empty.`);
  const { size, mtimeMs } = info;
  const state = new UploadState({
    apiUrl: job.apiUrl,
    path,
    size,
    mtimeMs,
    collectionId: job.collectionId,
    engine: job.engine,
  });
  const upload = (await resume(api, await state.load())) ?? (await announce(job, size));
  await state.save(upload.id);
  if (upload.status === 'open') {
    if (upload.put) await sendWhole(job, upload.put, size);
    else if (upload.multipart) await sendParts(job, upload, upload.multipart);
  }
  const media = await api.call('completeUpload', { id: upload.id });
  await state.forget();
  return media;
}

/** Null when there is nothing to continue. */
async function resume(api: Client, uploadId: string | null): Promise<Upload | null> {
  if (uploadId === null) return null;
  try {
    const upload = await api.call('getUpload', { id: uploadId });
    return upload.status === 'open' ? upload : null;
  } catch (error) {
    if (error instanceof RefusedError && error.status === 404) return null;
    throw error;
  }
}

function announce({ api, path, collectionId, title, contentType, engine }: UploadJob, size: number): Promise<Upload> {
  const body = {
    fileName: basename(path),
    size,
    contentType: contentType ?? contentTypeOf(path),
    ...(collectionId && { collectionId }),
    ...(title && { title }),
    ...(engine && { engine }),
  };
  return api.call('createUpload', { body });
}

async function sendWhole(job: UploadJob, { url, headers }: NonNullable<Upload['put']>, size: number): Promise<void> {
  const { path, signal } = job;
  job.onProgress(0, size);
  try {
    await put({ url, headers, path, start: 0, size, signal, onProgress: (sent) => job.onProgress(sent, size) });
  } catch (error) {
    // The URL writes once: an earlier attempt, whose answer was lost, has sent the bytes. The API counts them.
    if (!(error instanceof PutRefused) || error.status !== 412) throw error;
  }
}

async function sendParts(job: UploadJob, upload: Upload, plan: NonNullable<Upload['multipart']>): Promise<void> {
  const { api, path, signal, concurrency } = job;
  const { partSize, partCount, received } = plan;
  const sizeOf = (n: number) => (n === partCount ? upload.size - partSize * (partCount - 1) : partSize);
  const there = new Set(received);
  const missing = Array.from({ length: partCount }, (_, i) => i + 1).filter((n) => !there.has(n));
  const urls = new Map(plan.parts.map((part) => [part.partNumber, part.url]));
  const sent = new Map(received.map((n) => [n, sizeOf(n)]));
  const report = (n: number, count: number) => {
    sent.set(n, count);
    job.onProgress(
      [...sent.values()].reduce((sum, some) => sum + some, 0),
      upload.size,
    );
  };
  let asking: Promise<void> | null = null;

  /** URLs arrive a hundred at a time; the workers that need the next ones share one request. */
  const urlFor = async (n: number, again = false): Promise<string> => {
    const known = urls.get(n);
    if (known && !again) return known;
    asking ??= askFor(missing.slice(missing.indexOf(n), missing.indexOf(n) + MAX_PARTS_PER_REQUEST)).finally(() => {
      asking = null;
    });
    await asking;
    return urls.get(n) ?? urlFor(n);
  };
  const askFor = async (partNumbers: number[]): Promise<void> => {
    const { parts } = await api.call('createUploadParts', { id: upload.id, body: { partNumbers } });
    for (const part of parts) urls.set(part.partNumber, part.url);
  };
  const send = async (n: number): Promise<void> => {
    const range = { path, start: (n - 1) * partSize, size: sizeOf(n), signal };
    const onProgress = (count: number) => report(n, count);
    try {
      await put({ ...range, url: await urlFor(n), onProgress });
    } catch (error) {
      // The URL has expired since: one retry with a new one.
      if (!(error instanceof PutRefused) || error.status !== 403) throw error;
      await put({ ...range, url: await urlFor(n, true), onProgress });
    }
  };
  job.onProgress(
    received.reduce((sum, n) => sum + sizeOf(n), 0),
    upload.size,
  );
  const queue = missing.values();
  const worker = async () => {
    for (const n of queue) await send(n);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, missing.length) }, worker));
}
