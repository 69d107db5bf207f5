import { randomUUID } from 'node:crypto';
import { deleteIfMatch, head, type ObjectHead, putIfMatch, readText } from '../../aws/s3.ts';
import { copyIfMatch } from '../../aws/s3-copy.ts';
import type { Refused } from '../../core/contracts/refused.ts';
import { BRIEF } from '../../core/publish/plan.ts';
import { prefixUris, withComment } from '../../core/publish/playlist-uris.ts';
import type { Pointer } from '../../core/publish/pointers.ts';
import type { PublishServices } from './services.ts';

export type Verdict = 'allowed' | Refused;

/** `conflict`: another caller has written since the objects were read. */
type Written = 'done' | 'conflict';

/** More consecutive conflicts than any race explains. */
const MAX_ROUNDS = 10;

/** The pointers of the place in which a version lies, and the keys of those in the other place, the master's first in each. */
export interface PointerSwitch {
  pointers: readonly Pointer[];
  otherKeys: readonly string[];
  /** The version's playlists by key, as far as they are known; the others are read. */
  texts: ReadonlyMap<string, string>;
}

/**
 * Switches the pointers to the version of `jobId`, the master first. Each notes that job in its metadata, so a second call skips what is
 * done. Afterwards no pointer in the other place may name a version.
 *
 * The objects are read first, then `isAllowed` checks the rows, and each PUT succeeds only if nothing was put since: a caller that was
 * late at any point meets the newer pointer as a conflict, and checks again. Of two callers for the two places, each puts its own master
 * before it looks at the other's, so that at least one of them meets the other: it checks again.
 * @param isAllowed gets the jobs that the master playlists name at that moment, here and in the other place
 */
export async function switchPointers(
  services: PublishServices,
  jobId: string,
  { pointers, otherKeys, texts }: PointerSwitch,
  isAllowed: (masterJob: string | undefined, otherJob: string | undefined) => Promise<Verdict>,
): Promise<'switched' | Refused> {
  const [otherMaster = ''] = otherKeys;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const [other, heads] = await Promise.all([
      headOf(services, otherMaster),
      Promise.all(pointers.map(({ key }) => headOf(services, key))),
    ]);
    const verdict = await isAllowed(heads[0]?.metadata.job, other?.metadata.job);
    if (verdict !== 'allowed') return verdict;
    if ((await putAll(services, jobId, { pointers, texts }, heads)) === 'conflict') continue;
    if ((await removeOthers(services, otherKeys, other)) === 'done') return 'switched';
  }
  throw new Error(`The pointers changed under ${MAX_ROUNDS} attempts to replace them.`);
}

/** Removes the pointers in the other place, if they are still those of `before`, its master. */
async function removeOthers(
  services: PublishServices,
  otherKeys: readonly string[],
  before: ObjectHead | null,
): Promise<Written> {
  const [master = '', ...others] = otherKeys;
  // The master is read last, because a caller that puts pointers there puts it first.
  const heads = before ? await Promise.all(others.map((key) => headOf(services, key))) : [];
  const now = await headOf(services, master);
  if (now === null) return 'done';
  if (now.etag !== before?.etag) return 'conflict';
  return removeRead(services, otherKeys, [now, ...heads]);
}

/** Removes those of these pointers that name a job whose version is not to be shown: `gone` selects them. */
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

/** Removes the master's last: as long as it exists, there may be others. */
async function removeRead(
  { s3, mediaBucket: bucket }: PublishServices,
  keys: readonly string[],
  heads: readonly (ObjectHead | null)[],
): Promise<Written> {
  for (let i = keys.length - 1; i >= 0; i--) {
    const [key = '', found] = [keys[i], heads[i]];
    if (found && (await deleteIfMatch(s3, { bucket, key }, found.etag)) === 'conflict') return 'conflict';
  }
  return 'done';
}

function headOf(services: PublishServices, key: string): Promise<ObjectHead | null> {
  return head(services.s3, { bucket: services.mediaBucket, key });
}

async function putAll(
  services: PublishServices,
  jobId: string,
  { pointers, texts }: Pick<PointerSwitch, 'pointers' | 'texts'>,
  heads: readonly (ObjectHead | null)[],
): Promise<Written> {
  for (const [i, pointer] of pointers.entries()) {
    const before = heads[i] ?? null;
    if ((await put(services, jobId, { pointer, texts }, before)) === 'conflict') return 'conflict';
  }
  return 'done';
}

async function put(
  services: PublishServices,
  jobId: string,
  { pointer, texts }: { pointer: Pointer; texts: PointerSwitch['texts'] },
  before: ObjectHead | null,
): Promise<Written> {
  const { s3, mediaBucket: bucket } = services;
  const { key, from, prefix, location, contentType } = pointer;
  if (from === null) {
    const removed = before && (await deleteIfMatch(s3, { bucket, key }, before.etag));
    return removed === 'conflict' ? 'conflict' : 'done';
  }
  if (before?.metadata.job === jobId) return 'done';
  const etag = before?.etag ?? null;
  const object = { bucket, key, contentType, cacheControl: BRIEF, metadata: { job: jobId } };
  let written: 'written' | 'conflict';
  if (prefix !== undefined) {
    const playlist = texts.get(from) ?? (await read(services, from));
    written = await putIfMatch(s3, { ...object, body: pointing(playlist, prefix) }, etag);
  } else if (location !== undefined) {
    const metadata = { ...object.metadata, location };
    written = await putIfMatch(s3, { ...object, metadata, body: redirecting(location) }, etag);
  } else written = await copyIfMatch(s3, { ...object, from }, etag);
  return written === 'conflict' ? 'conflict' : 'done';
}

/**
 * Each playlist ends with a unique comment, so that no two PUTs have one ETag: a caller that was suspended could otherwise take a version
 * that was restored for an unchanged one. Pictures may be equal: they are put after the master, which is not.
 */
function pointing(playlist: string, prefix: string): string {
  return withComment(prefixUris(playlist, prefix), randomUUID());
}

/** As unique as a playlist. Viewers are sent to the place in the metadata, and do not see this text. */
function redirecting(location: string): string {
  return `${location}\n${randomUUID()}\n`;
}

async function read(services: PublishServices, key: string): Promise<string> {
  const playlist = await readText(services.s3, { bucket: services.mediaBucket, key });
  if (playlist === null) throw new Error(`${key} is missing.`);
  return playlist;
}
