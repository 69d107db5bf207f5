import { type Access, mediaKeys, pointedFiles, versionPlaces } from '../contracts/keys.ts';
import { FILES, STREAM_NAMES, STREAMS } from '../contracts/outputs.ts';
import type { Outputs } from '../contracts/table/media.ts';

/** One of the few objects that are replaced with each version: viewers start from them. */
export interface Pointer {
  key: string;
  /** The version's object that it is made from; null where the version has no such output: the pointer is removed. */
  from: string | null;
  /** For a playlist: the prefix of its URIs, because it lies beside the version's folder. */
  prefix?: string;
  /** For one that redirects: where to, as seen from it. */
  location?: string;
  contentType: string;
}

/** A version of a media item, and where it lies. */
interface PlacedVersion {
  creatorId: string;
  mediaId: string;
  n: number;
  outputs: Outputs;
  access?: Access | undefined;
}

/** In the order in which they are replaced: the master first, because it decides what plays. */
export function pointersTo({ creatorId, mediaId, n, outputs, access }: PlacedVersion): Pointer[] {
  const keys = mediaKeys(creatorId, mediaId, access);
  const { streams } = versionPlaces(creatorId, mediaId, n, access);
  return [
    ...STREAM_NAMES.map((name) => {
      const from = outputs[name] === undefined ? null : `${streams[name]}${STREAMS[name].playlist}`;
      return { key: keys[name], from, prefix: `v${n}/`, contentType: STREAMS[name].contentType };
    }),
    ...pointedFiles(access).map((name) => {
      const from = outputs[name] ?? null;
      const { redirect, contentType } = FILES[name];
      if (!redirect) return { key: keys[name], from, contentType };
      return { key: keys[name], from, location: from?.split('/').at(-1) ?? '', contentType: 'text/plain' };
    }),
  ];
}

/** The keys of all pointers of one place, the master's first. */
export function pointerKeys(creatorId: string, mediaId: string, access: Access | undefined): string[] {
  const keys = mediaKeys(creatorId, mediaId, access);
  return [...STREAM_NAMES, ...pointedFiles(access)].map((name) => keys[name]);
}

export function otherPlace(access: Access | undefined): Access {
  return access === 'private' ? 'public' : 'private';
}
