import { head, type ObjectHead, openStream, putOver, readText, removeOver } from '../../aws/s3.ts';
import { BRIEF } from '../../core/publish/plan.ts';
import { prefixUris } from '../../core/publish/playlist-uris.ts';
import type { Pointer } from '../../core/publish/pointers.ts';
import type { PublishServices } from './services.ts';

export type Verdict = { ok: true } | { ok: false; why: string };

/** More conflicts in a row than any race explains. */
const MAX_ROUNDS = 10;

/**
 * Turns the pointers to the version of `jobId`, the master first. Each notes that job in its metadata, so a second call
 * skips what is done.
 *
 * What is there is read first, then `may` looks at the rows, and each PUT holds only if nothing was put since: a caller that
 * was late at any point meets the newer pointer as a conflict, and asks again.
 * @param may is told which job the master playlist names at that moment.
 */
export async function flip(
  services: PublishServices,
  jobId: string,
  pointers: readonly Pointer[],
  may: (masterJob: string | undefined) => Promise<Verdict>,
): Promise<Verdict> {
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const heads = await Promise.all(
      pointers.map(({ key }) => head(services.s3, { bucket: services.mediaBucket, key })),
    );
    const verdict = await may(heads[0]?.metadata.job);
    if (!verdict.ok) return verdict;
    if (await putAll(services, jobId, pointers, heads)) return { ok: true };
  }
  throw new Error(`The pointers changed under ${MAX_ROUNDS} attempts to replace them.`);
}

async function putAll(
  services: PublishServices,
  jobId: string,
  pointers: readonly Pointer[],
  heads: readonly (ObjectHead | null)[],
): Promise<boolean> {
  for (const [i, pointer] of pointers.entries()) {
    const before = heads[i] ?? null;
    if (!(await put(services, jobId, pointer, before))) return false;
  }
  return true;
}

/** False on a conflict. */
async function put(
  services: PublishServices,
  jobId: string,
  pointer: Pointer,
  before: ObjectHead | null,
): Promise<boolean> {
  const { s3, mediaBucket: bucket } = services;
  const { key, from, contentType } = pointer;
  if (from === null) return before === null || (await removeOver(s3, { bucket, key }, before.etag)) === 'removed';
  if (before?.metadata.job === jobId) return true;
  const body = await bodyOf(services, from, pointer.prefix);
  const object = { bucket, key, body, contentType, cacheControl: BRIEF, metadata: { job: jobId } };
  return (await putOver(s3, object, before?.etag ?? null)) === 'written';
}

async function bodyOf(services: PublishServices, from: string, prefix: string | undefined) {
  const object = { bucket: services.mediaBucket, key: from };
  if (prefix === undefined) {
    const { body, size } = await openStream(services.s3, object);
    return { stream: body, size };
  }
  const playlist = await readText(services.s3, object);
  if (playlist === null) throw new Error(`${from} is missing.`);
  return prefixUris(playlist, prefix);
}
