import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { eachLimit } from '../../aws/concurrency.ts';
import { head, list } from '../../aws/s3.ts';
import type { OutputFile, Succeeded } from '../../core/contracts/job.ts';
import { contentTypeOf } from '../../core/media/content-types.ts';
import { Crc64Nvme, crc64OfFile } from './crc64nvme.ts';

/**
 * Larger files are uploaded in parts of this size, each a request: an hour of five files at 8 MiB would be some 800. S3 wants at least 5 MiB, and
 * takes 10,000 parts.
 */
const PART_BYTES = 64 * 1024 * 1024;
const MAX_PARTS = 10_000;
/** Files at once, and parts of a file at once: at most 4 x 2 buffers of a part are in memory, half a GiB, when nothing is encoded any more. */
const PARALLEL_FILES = 4;
const PARALLEL_PARTS = 2;

export interface PushRun {
  s3: S3Client;
  bucket: string;
  prefix: string;
  directory: string;
  kind: 'video' | 'audio';
  /** Whether an earlier attempt may have pushed some files. */
  resumed: boolean;
  signal: AbortSignal;
  onProgress: (fraction: number) => void;
}

/**
 * Bytes of JSON. A result of 32 MiB is not read (aws/s3.ts), and eight rungs of a day, with segments of 2 s, have 50 MB of playlists: such a
 * result has none, and they are published from their files.
 */
const MOST_PLAYLISTS = 28 * 1024 * 1024;

/** @param texts ASCII, by path */
export function within(texts: Record<string, string>): Pick<Succeeded, 'playlists'> {
  return JSON.stringify(texts).length <= MOST_PLAYLISTS ? { playlists: texts } : {};
}

/**
 * Uploads every file of the directory under the prefix, with checksums of whole objects, and returns what it uploaded, and the texts of the
 * playlists, which are published from the result, if that can hold them. That they are files as well is for publishers of 0.2.0, after a deployment was taken back:
 * the release after the next may leave it out.
 */
export async function push(run: PushRun): Promise<Pick<Succeeded, 'files' | 'playlists'>> {
  const entries = await readdir(run.directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(run.directory.length + 1))
    .sort();
  const there = run.resumed ? await sizesThere(run) : new Map<string, number>();
  const files: OutputFile[] = [];
  await eachLimit(paths, PARALLEL_FILES, async (path) => {
    run.signal.throwIfAborted();
    files.push(await pushFile(run, path, there.get(path)));
    run.onProgress(files.length / paths.length);
  });
  const playlists = await Promise.all(
    paths.filter(isPlaylist).map(async (path) => [path, await readFile(join(run.directory, path), 'utf8')] as const),
  );
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)), ...within(Object.fromEntries(playlists)) };
}

function isPlaylist(path: string): boolean {
  return path.endsWith('.m3u8');
}

async function sizesThere({ s3, bucket, prefix }: PushRun): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for await (const item of list(s3, bucket, prefix)) sizes.set(item.key.slice(prefix.length), item.size);
  return sizes;
}

/** Uploads one file of the directory, unless it is there. */
export async function pushFile(
  run: Omit<PushRun, 'resumed' | 'onProgress'>,
  path: string,
  sizeThere: number | undefined,
): Promise<OutputFile> {
  const { s3, bucket, prefix } = run;
  const local = join(run.directory, path);
  const { size } = await stat(local);
  const crc64nvme = await crc64OfFile(local);
  const file = { path, size, crc64nvme, contentType: contentTypeOf(path, run.kind) };
  const key = `${prefix}${path}`;
  if (sizeThere === size && (await head(s3, { bucket, key }))?.crc64nvme === crc64nvme) return file;
  await putFile(run, key, local, file);
  return file;
}

/** Uploads a file. S3 refuses it where its bytes are not of that size and checksum. */
export async function putFile(
  run: Pick<PushRun, 's3' | 'bucket' | 'signal'>,
  key: string,
  local: string,
  file: OutputFile,
  partBytes = PART_BYTES,
): Promise<void> {
  if (file.size <= partBytes) await putWhole(run, key, local, file);
  else await putInParts(run, key, local, file, Math.max(partBytes, Math.ceil(file.size / MAX_PARTS)));
}

async function putWhole(
  run: Pick<PushRun, 's3' | 'bucket' | 'signal'>,
  key: string,
  local: string,
  file: OutputFile,
): Promise<void> {
  const command = new PutObjectCommand({
    Bucket: run.bucket,
    Key: key,
    Body: await readBytes(local, 0, file.size),
    ContentType: file.contentType,
    ChecksumCRC64NVME: file.crc64nvme,
  });
  await run.s3.send(command, { abortSignal: run.signal });
}

async function putInParts(
  run: Pick<PushRun, 's3' | 'bucket' | 'signal'>,
  key: string,
  local: string,
  file: OutputFile,
  partBytes: number,
): Promise<void> {
  const { s3, signal } = run;
  const object = { Bucket: run.bucket, Key: key };
  const checksum = { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'FULL_OBJECT' } as const;
  const created = await s3.send(
    new CreateMultipartUploadCommand({ ...object, ContentType: file.contentType, ...checksum }),
    { abortSignal: signal },
  );
  const upload = { ...object, UploadId: created.UploadId };
  try {
    const Parts = await uploadParts(run, upload, local, { size: file.size, partBytes });
    const command = new CompleteMultipartUploadCommand({
      ...upload,
      MultipartUpload: { Parts },
      ChecksumCRC64NVME: file.crc64nvme,
      ChecksumType: 'FULL_OBJECT',
      MpuObjectSize: file.size,
    });
    await s3.send(command, { abortSignal: signal });
  } catch (error) {
    // The bucket's lifecycle rule removes what is not aborted here.
    await s3.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

async function uploadParts(
  run: Pick<PushRun, 's3' | 'signal'>,
  upload: { Bucket: string; Key: string; UploadId: string | undefined },
  local: string,
  { size, partBytes }: { size: number; partBytes: number },
): Promise<CompletedPart[]> {
  const numbers = Array.from({ length: Math.ceil(size / partBytes) }, (_, i) => i + 1);
  const parts: CompletedPart[] = [];
  await eachLimit(numbers, PARALLEL_PARTS, async (PartNumber) => {
    const start = (PartNumber - 1) * partBytes;
    const Body = await readBytes(local, start, Math.min(partBytes, size - start));
    const ChecksumCRC64NVME = new Crc64Nvme().update(Body).digest();
    const { ETag } = await run.s3.send(new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumCRC64NVME }), {
      abortSignal: run.signal,
    });
    parts.push({ PartNumber, ETag, ChecksumCRC64NVME });
  });
  return parts.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
}

async function readBytes(path: string, start: number, length: number): Promise<Buffer> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, start);
    if (bytesRead !== length) throw new Error(`${path} became shorter while it was read`);
    return buffer;
  } finally {
    await handle.close();
  }
}
