import { putIfMatch, readText } from '../../aws/s3.ts';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { Succeeded } from '../../core/contracts/job.ts';
import { versionPlaces } from '../../core/contracts/keys.ts';
import { FILE_NAMES, STREAMS } from '../../core/contracts/outputs.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { MediaRow, PublishedVersion } from '../../core/contracts/table/media.ts';
import { dashManifest } from '../../core/media/dash-manifest.ts';
import { masterPlaylist } from '../../core/media/master-playlist.ts';
import { IMMUTABLE, type PublishPlan } from '../../core/publish/plan.ts';
import { danglingUris } from '../../core/publish/playlist-uris.ts';
import { pointersTo } from '../../core/publish/pointers.ts';
import { sizesUnder } from './copy-all.ts';
import type { PublishServices } from './services.ts';

/**
 * Checks that every URI of every playlist names an object that the plan makes.
 * @throws DropreelError `publish_failed` when one does not
 */
export async function checkPlaylists(services: PublishServices, plan: PublishPlan, result: Succeeded): Promise<void> {
  const keys = new Set(plan.copies.map(({ to }) => to));
  const playlists = plan.copies.filter(({ to }) => to.endsWith('.m3u8'));
  const texts = playlists.map(async ({ from, to }) => {
    const text = await readText(services.s3, { bucket: services.mediaBucket, key: from });
    if (text === null) throw new DropreelError('publish_failed', `${from} is missing.`);
    refuseDangling(text, to, keys);
  });
  await Promise.all(texts);
  const folder = plan.prefixes[0] ?? '';
  for (const { name, text } of entriesOf(result)) refuseDangling(text, `${folder}${STREAMS[name].playlist}`, keys);
}

/** The key of a missing object of a published version; null when all objects that a viewer may request exist. */
export async function firstMissing(
  services: PublishServices,
  { creatorId, mediaId }: Pick<MediaRow, 'creatorId' | 'mediaId'>,
  { version: n, outputs, access }: PublishedVersion,
): Promise<string | null> {
  const { streams } = versionPlaces(creatorId, mediaId, n, access);
  const entries = pointersTo({ creatorId, mediaId, n, outputs, access }).flatMap(({ from }) => from ?? []);
  const files = FILE_NAMES.flatMap((name) => outputs[name] ?? []);
  const folders = new Set(Object.values(streams));
  const there = new Set((await sizesUnder(services, [...folders, ...files])).keys());
  const gone = [...entries, ...files].find((key) => !there.has(key));
  if (gone !== undefined) return gone;
  for (const key of [...there].filter((name) => name.endsWith('.m3u8') || name.endsWith('.mpd'))) {
    const text = (await readText(services.s3, { bucket: services.mediaBucket, key })) ?? '';
    const [uri] = danglingUris(text, key, there);
    if (uri !== undefined) return `${key.slice(0, key.lastIndexOf('/') + 1)}${uri}`;
  }
  return null;
}

function refuseDangling(playlist: string, key: string, keys: ReadonlySet<string>): void {
  const [uri] = danglingUris(playlist, key, keys);
  if (uri !== undefined) throw new DropreelError('publish_failed', `${key} names ${uri}, which does not exist.`);
}

/** What viewers begin with, as it would play from the version's folder; a result of an earlier release has no manifest. */
function entriesOf(result: Succeeded): { name: 'master' | 'dash'; text: string }[] {
  const manifest = dashManifest(result);
  const master = { name: 'master' as const, text: masterPlaylist(result, '') };
  return manifest === null ? [master] : [master, { name: 'dash', text: manifest }];
}

/** Writes the version's own master playlist and manifest, from which the pointers are made, now and on a rollback. */
export async function writeVersionEntries(services: PublishServices, job: JobRow, result: Succeeded): Promise<void> {
  const { streams } = versionPlaces(job.creatorId, job.mediaId, job.n, job.access);
  for (const { name, text: body } of entriesOf(result)) {
    const { playlist, contentType } = STREAMS[name];
    const object = { bucket: services.mediaBucket, key: `${streams[name]}${playlist}`, body, contentType };
    // On a conflict, it was written before, from this same result.
    await putIfMatch(services.s3, { ...object, cacheControl: IMMUTABLE }, null);
  }
}
