import { eachLimit } from '../../aws/concurrency.ts';
import { putIfMatch, readText } from '../../aws/s3.ts';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { Succeeded } from '../../core/contracts/job.ts';
import { versionPlaces } from '../../core/contracts/keys.ts';
import { FILE_NAMES, STREAMS } from '../../core/contracts/outputs.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { MediaRow, PublishedVersion } from '../../core/contracts/table/media.ts';
import { dashManifest } from '../../core/media/dash-manifest.ts';
import { masterPlaylist } from '../../core/media/master-playlist.ts';
import { IMMUTABLE, type PublishPlan, type TextObject } from '../../core/publish/plan.ts';
import { danglingUris } from '../../core/publish/playlist-uris.ts';
import { pointersTo } from '../../core/publish/pointers.ts';
import { AT_ONCE, sizesUnder } from './copy-all.ts';
import type { PublishServices } from './services.ts';

/** The playlists and manifests of a version that are written from its result. Viewers begin with the master and the manifest. */
export function textsOf(job: JobRow, plan: PublishPlan, result: Succeeded): TextObject[] {
  const { streams } = versionPlaces(job.creatorId, job.mediaId, job.n, job.access);
  const manifest = dashManifest(result);
  const entry = (name: 'master' | 'dash', body: string): TextObject => {
    const { playlist, contentType } = STREAMS[name];
    return { key: `${streams[name]}${playlist}`, body, contentType };
  };
  return [
    ...plan.playlists,
    entry('master', masterPlaylist(result, '')),
    // A result of an earlier release has no manifest.
    ...(manifest === null ? [] : [entry('dash', manifest)]),
  ];
}

/**
 * Checks that every URI of every playlist names an object that the plan makes, and that no object is made twice: a result may come from
 * an engine that nobody trusts.
 * @throws DropreelError `publish_failed` when it is not so
 */
export async function checkPlaylists(
  services: PublishServices,
  plan: PublishPlan,
  texts: readonly TextObject[],
): Promise<void> {
  const keys = new Set<string>();
  for (const key of [...plan.copies.map(({ to }) => to), ...texts.map(({ key }) => key)]) {
    if (keys.has(key)) throw new DropreelError('publish_failed', `The result has ${key} twice.`);
    keys.add(key);
  }
  for (const { key, body } of texts) refuseDangling(body, key, keys);
  // Those of workers before the result contained their texts.
  const copied = plan.copies.filter(({ to }) => to.endsWith('.m3u8'));
  await eachLimit(copied, AT_ONCE, async ({ from, to }) => {
    const text = await readText(services.s3, { bucket: services.mediaBucket, key: from });
    if (text === null) throw new DropreelError('publish_failed', `${from} is missing.`);
    refuseDangling(text, to, keys);
  });
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

export async function writeTexts(services: PublishServices, texts: readonly TextObject[]): Promise<void> {
  await eachLimit(texts, AT_ONCE, async (text) => {
    const object = { bucket: services.mediaBucket, ...text, cacheControl: IMMUTABLE };
    // On a conflict, it was written before, from this same result.
    await putIfMatch(services.s3, object, null);
  });
}
