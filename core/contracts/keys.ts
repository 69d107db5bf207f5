/** Every S3 key of the product, in one place: the stacks' policies and lifecycle rules, the functions and the worker use these. */

import { CollectionId, CreatorId } from './ids.ts';

export const DROP_PREFIX = 'drop/';
export const TMP_PREFIX = 'tmp/';
/** In the media bucket: before the keys of media that are played with a signature only. docs/decisions/0101-private-playback.md */
export const PRIVATE_PREFIX = 'private/';
export const DEFAULT_COLLECTION = 'default';

/** Who may see a version. It decides where the version lies. */
export const ACCESS = ['public', 'private'] as const;
export type Access = (typeof ACCESS)[number];

/** Match the keys of every published MP4, and of every published stream, as a policy's resources have them. */
export const OUTPUT_KEYS = ['*/mp4/*.mp4', '*/hls/*'] as const;

/** Match the keys of the pointers, as a policy's resources have them. */
export const POINTER_KEYS = [
  '*/hls/*/master.m3u8',
  '*/hls/*/preview/preview.m3u8',
  '*/thumbnails/media/*.jpg',
  '*/waveforms/*/waveform.json',
] as const;

export interface DropLocation {
  creatorId: string;
  collectionId: string;
  /** The rest of the key after the collection: what the uploader called the file. */
  path: string;
}

/**
 * Reads `drop/{creatorId}/{collectionId}/{path…}`. `drop/{creatorId}/{file}` goes to the collection `default`.
 * Null for a key that is no drop: a "folder" (ends in a slash), an invalid creator or collection, another prefix.
 */
export function parseDropKey(key: string): DropLocation | null {
  if (!key.startsWith(DROP_PREFIX) || key.endsWith('/')) return null;
  const [creatorId, second, ...rest] = key.slice(DROP_PREFIX.length).split('/');
  if (!creatorId || !second || !CreatorId.safeParse(creatorId).success) return null;
  if (rest.length === 0) return { creatorId, collectionId: DEFAULT_COLLECTION, path: second };
  if (!CollectionId.safeParse(second).success) return null;
  return { creatorId, collectionId: second, path: rest.join('/') };
}

export function dropKey(location: DropLocation): string {
  return `${DROP_PREFIX}${location.creatorId}/${location.collectionId}/${location.path}`;
}

/** Where one job writes, and all that it may write. */
export function tmpPrefix(jobId: string): string {
  return `${TMP_PREFIX}${jobId}/`;
}

/** Written last by the worker; its presence says that the prefix is complete, or why it never will be. */
export const RESULT_FILE = 'result.json';
/** Written first by the worker, with If-None-Match: which engine job may work under this prefix. */
export const CLAIM_FILE = 'claim.json';

/**
 * The published objects of a media in one of its two places. Under `v{n}` they are immutable, n being the number of the
 * job that made them. The others are pointers or small copies, replaced in one PUT each.
 */
export function mediaKeys(creatorId: string, mediaId: string, access: Access = 'public') {
  const root = `${access === 'private' ? PRIVATE_PREFIX : ''}${creatorId}/`;
  const hls = `${root}hls/${mediaId}/`;
  const thumbnails = `${root}thumbnails/media/${mediaId}/`;
  const waveforms = `${root}waveforms/${mediaId}/`;
  const mp4 = `${root}mp4/${mediaId}/`;
  return {
    master: `${hls}master.m3u8`,
    preview: `${hls}preview/preview.m3u8`,
    thumbnail: `${thumbnails}auto-generated.jpg`,
    poster: `${thumbnails}poster.jpg`,
    waveform: `${waveforms}waveform.json`,
    /** Every prefix of the place that holds objects of this media. */
    prefixes: [hls, thumbnails, waveforms, mp4],
    version: (n: number) => ({
      hls: `${hls}v${n}/`,
      preview: `${hls}preview/v${n}/`,
      mp4: `${mp4}v${n}.mp4`,
      thumbnail: `${thumbnails}v${n}/auto-generated.jpg`,
      poster: `${thumbnails}v${n}/poster.jpg`,
      waveform: `${waveforms}v${n}/waveform.json`,
    }),
  };
}

/** Every prefix that holds published objects of this media, in both places. */
export function mediaPrefixes(creatorId: string, mediaId: string): string[] {
  return ACCESS.flatMap((access) => mediaKeys(creatorId, mediaId, access).prefixes);
}
