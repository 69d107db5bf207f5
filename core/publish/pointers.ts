import { type Access, mediaKeys } from '../contracts/keys.ts';
import type { Outputs } from '../contracts/rows.ts';

/** One of the few objects that are replaced with each version: viewers begin there. */
export interface Pointer {
  key: string;
  /** The version's object that it is made from; null where the version has no such output: the pointer goes. */
  from: string | null;
  /** For a playlist: what goes before its URIs, for it lies beside the version's folder. */
  prefix?: string;
  contentType: string;
}

/** The master playlist of a version, as it would play from its own folder: what the pointer, and a rollback, is made from. */
export function versionMaster(creatorId: string, mediaId: string, n: number, access: Access | undefined): string {
  return `${mediaKeys(creatorId, mediaId, access).version(n).hls}master.m3u8`;
}

/** In the order in which they are replaced: the master first, for it decides what plays. */
export function pointersTo(
  creatorId: string,
  mediaId: string,
  n: number,
  outputs: Outputs,
  access: Access | undefined,
): Pointer[] {
  const keys = mediaKeys(creatorId, mediaId, access);
  const version = keys.version(n);
  const playlist = { prefix: `v${n}/`, contentType: 'application/vnd.apple.mpegurl' };
  const jpeg = { contentType: 'image/jpeg' };
  return [
    { key: keys.master, from: versionMaster(creatorId, mediaId, n, access), ...playlist },
    { key: keys.preview, from: outputs.preview === undefined ? null : `${version.preview}preview.m3u8`, ...playlist },
    { key: keys.thumbnail, from: outputs.thumbnail ?? null, ...jpeg },
    { key: keys.poster, from: outputs.poster ?? null, ...jpeg },
    { key: keys.waveform, from: outputs.waveform ?? null, contentType: 'application/json' },
  ];
}

/** The keys of all pointers of one place, the master's first. */
export function pointerKeys(creatorId: string, mediaId: string, access: Access | undefined): string[] {
  const { master, preview, thumbnail, poster, waveform } = mediaKeys(creatorId, mediaId, access);
  return [master, preview, thumbnail, poster, waveform];
}

export function otherPlace(access: Access | undefined): Access {
  return access === 'private' ? 'public' : 'private';
}
