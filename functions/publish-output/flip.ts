import { head, type ObjectHead, openStream, putOver, readText, removeOver } from '../../aws/s3.ts';
import { BRIEF } from '../../core/publish/plan.ts';
import { prefixUris } from '../../core/publish/playlist-uris.ts';
import type { Pointer } from '../../core/publish/pointers.ts';
import type { PublishServices } from './services.ts';

export type Verdict = { ok: true } | { ok: false; why: string };

/** More conflicts in a row than any race explains. */
const MAX_ROUNDS = 10;

/** The pointers of the place in which a version lies, and the keys of those in the other place, each time the master's first. */
export interface Turn {
  pointers: readonly Pointer[];
  left: readonly string[];
}

/**
 * Turns the pointers to the version of `jobId`, the master first. Each notes that job in its metadata, so a second call
 * skips what is done. Then nothing may point to a version in the place that is left.
 *
 * What is there is read first, then `may` looks at the rows, and each PUT holds only if nothing was put since: a caller that
 * was late at any point meets the newer pointer as a conflict, and asks again.
 * Of two callers for the two places, each puts its own master before it looks at the other's, so that one of them at least
 * meets the other: it asks again.
 * @param may is told which job the master playlist names at that moment, here and in the place that is left.
 */
export async function flip(
  services: PublishServices,
  jobId: string,
  { pointers, left }: Turn,
  may: (masterJob: string | undefined, leftJob: string | undefined) => Promise<Verdict>,
): Promise<Verdict> {
  const [leftMaster = ''] = left;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const [there, heads] = await Promise.all([
      headOf(services, leftMaster),
      Promise.all(pointers.map(({ key }) => headOf(services, key))),
    ]);
    const verdict = await may(heads[0]?.metadata.job, there?.metadata.job);
    if (!verdict.ok) return verdict;
    if (!(await putAll(services, jobId, pointers, heads))) continue;
    if (await leave(services, left, there)) return { ok: true };
  }
  throw new Error(`The pointers changed under ${MAX_ROUNDS} attempts to replace them.`);
}

/** Removes the pointers of the place that is left, if they are still those of `before`, its master. False on a conflict. */
async function leave(services: PublishServices, left: readonly string[], before: ObjectHead | null): Promise<boolean> {
  const [master = '', ...others] = left;
  // The master is read last: who puts pointers there puts it first.
  const heads = before ? await Promise.all(others.map((key) => headOf(services, key))) : [];
  const now = await headOf(services, master);
  if (now === null) return true;
  if (now.etag !== before?.etag) return false;
  return removeRead(services, left, [now, ...heads]);
}

/** Removes those of these pointers that name a job which is not to be seen: `gone` picks them. */
export async function removePointersOf(
  services: PublishServices,
  keys: readonly string[],
  gone: (jobs: string[]) => Promise<string[]>,
): Promise<void> {
  const heads = await Promise.all(keys.map((key) => headOf(services, key)));
  const jobs = await gone([...new Set(heads.flatMap((found) => found?.metadata.job ?? []))]);
  const theirs = heads.map((found) => (found && jobs.includes(found.metadata.job ?? '') ? found : null));
  await removeRead(services, keys, theirs);
}

/** The master's last: as long as it is there, there may be others. */
async function removeRead(
  { s3, mediaBucket: bucket }: PublishServices,
  keys: readonly string[],
  heads: readonly (ObjectHead | null)[],
): Promise<boolean> {
  for (let i = keys.length - 1; i >= 0; i--) {
    const [key = '', found] = [keys[i], heads[i]];
    if (found && (await removeOver(s3, { bucket, key }, found.etag)) === 'conflict') return false;
  }
  return true;
}

function headOf(services: PublishServices, key: string): Promise<ObjectHead | null> {
  return head(services.s3, { bucket: services.mediaBucket, key });
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
