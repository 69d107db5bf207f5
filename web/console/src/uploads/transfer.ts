import type { Client } from '../../../../client/client.ts';
import type { Answer } from '../../../../client/request.ts';
import { PutRefused, put } from './send.ts';

type Upload = Answer<'getUpload'>;

/** Requests at once, of one file. */
const AT_ONCE = 3;
const PART_URLS = 100;
/** S3 has an object there already: that of this file if an answer to it was lost, otherwise of another one. */
export const THERE_ALREADY = 412;

/**
 * Sends what is missing of a file and completes its upload. Started again, it goes on from the parts that have arrived.
 * @param onProgress bytes that have arrived, and are being sent
 * @param again whether this page has sent the file to this upload before
 * @throws whatever cut it: the next call goes on
 */
export async function transfer(
  client: Client,
  id: string,
  { file, again }: { file: File; again: boolean },
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const upload = await client.call('getUpload', { id });
  if (upload.status === 'open') {
    if (upload.put) await whole(upload.put, { file, again }, onProgress, signal);
    else if (upload.multipart) await inParts(client, upload, file, onProgress, signal);
  }
  await client.call('completeUpload', { id });
}

async function whole(
  { url, headers }: NonNullable<Upload['put']>,
  { file, again }: { file: File; again: boolean },
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  await put({ url, headers, body: file }, onProgress, signal).catch((error: unknown) => {
    if (!again || !(error instanceof PutRefused) || error.status !== THERE_ALREADY) throw error;
  });
}

async function inParts(
  client: Client,
  { id, multipart }: Upload,
  file: File,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  if (!multipart) return;
  const { partSize, partCount, received } = multipart;
  const there = new Set(received);
  const missing = Array.from({ length: partCount }, (_, i) => i + 1).filter((part) => !there.has(part));
  const sizeOf = (part: number) => Math.min(partSize, file.size - (part - 1) * partSize);
  const sent = new Map(received.map((part) => [part, sizeOf(part)]));
  const tell = (part: number, bytes: number) => {
    sent.set(part, bytes);
    onProgress([...sent.values()].reduce((sum, one) => sum + one, 0));
  };
  for (let from = 0; from < missing.length; from += PART_URLS) {
    const partNumbers = missing.slice(from, from + PART_URLS);
    const { parts } = await client.call('createUploadParts', { id, body: { partNumbers } });
    const left = [...parts];
    const sendNext = async (): Promise<void> => {
      for (let part = left.shift(); part; part = left.shift()) {
        const { partNumber, url } = part;
        const start = (partNumber - 1) * partSize;
        const body = file.slice(start, start + sizeOf(partNumber));
        await put({ url, body }, (bytes) => tell(partNumber, bytes), signal);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, sendNext));
  }
}
