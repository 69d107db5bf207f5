import { putOver, readText } from '../../aws/s3.ts';
import type { Succeeded } from '../../core/contracts/job.ts';
import { mediaKeys } from '../../core/contracts/keys.ts';
import type { JobRow, MediaRow, PublishedVersion } from '../../core/contracts/rows.ts';
import { DropreelError } from '../../core/jobs/errors.ts';
import { masterPlaylist } from '../../core/media/master-playlist.ts';
import { IMMUTABLE, PLAYLIST_TYPE, type PublishPlan } from '../../core/publish/plan.ts';
import { danglingUris } from '../../core/publish/playlist-uris.ts';
import { versionMaster } from '../../core/publish/pointers.ts';
import { sizesUnder } from './copy-all.ts';
import type { PublishServices } from './services.ts';

/** Every URI of every playlist names an object that the plan makes. Throws publish_failed when one does not. */
export async function checkPlaylists(services: PublishServices, plan: PublishPlan, result: Succeeded): Promise<void> {
  const keys = new Set(plan.copies.map(({ to }) => to));
  const playlists = plan.copies.filter(({ to }) => to.endsWith('.m3u8'));
  const texts = playlists.map(async ({ from, to }) => {
    const text = await readText(services.s3, { bucket: services.mediaBucket, key: from });
    if (text === null) throw new DropreelError('publish_failed', `${from} is missing.`);
    refuseDangling(text, to, keys);
  });
  await Promise.all(texts);
  const hls = plan.prefixes[0] ?? '';
  refuseDangling(masterPlaylist(result, ''), `${hls}master.m3u8`, keys);
}

/** The key of an object of a published version that is not there; null when all are that a viewer may ask for. */
export async function firstMissing(
  services: PublishServices,
  { creatorId, mediaId }: Pick<MediaRow, 'creatorId' | 'mediaId'>,
  { version: n, outputs, access }: PublishedVersion,
): Promise<string | null> {
  const { hls, preview } = mediaKeys(creatorId, mediaId, access).version(n);
  const { mp4, thumbnail, poster, waveform } = outputs;
  const singles = [mp4, thumbnail, poster, waveform].filter((key) => key !== undefined);
  const there = new Set((await sizesUnder(services, [hls, preview, ...singles])).keys());
  const entries = [
    versionMaster(creatorId, mediaId, n, access),
    ...(outputs.preview ? [`${preview}preview.m3u8`] : []),
  ];
  const gone = [...entries, ...singles].find((key) => !there.has(key));
  if (gone !== undefined) return gone;
  for (const key of [...there].filter((name) => name.endsWith('.m3u8'))) {
    const text = (await readText(services.s3, { bucket: services.mediaBucket, key })) ?? '';
    const [uri] = danglingUris(text, key, there);
    if (uri !== undefined) return `${key.slice(0, key.lastIndexOf('/') + 1)}${uri}`;
  }
  return null;
}

function refuseDangling(playlist: string, key: string, keys: ReadonlySet<string>): void {
  const [uri] = danglingUris(playlist, key, keys);
  if (uri !== undefined) throw new DropreelError('publish_failed', `${key} names ${uri}, which is not there.`);
}

/** The version's own master playlist, from which the pointer is made, now and on a rollback. */
export async function writeVersionMaster(services: PublishServices, job: JobRow, result: Succeeded): Promise<void> {
  await putOver(
    services.s3,
    {
      bucket: services.mediaBucket,
      key: versionMaster(job.creatorId, job.mediaId, job.n, job.access),
      body: masterPlaylist(result, ''),
      contentType: PLAYLIST_TYPE,
      cacheControl: IMMUTABLE,
    },
    // A conflict: it was written before, from this same result.
    null,
  );
}
