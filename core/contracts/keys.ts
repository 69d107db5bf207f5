/** Every S3 key of the product, in one place: the stacks' policies and lifecycle rules, the functions and the worker use these. */

import { CollectionId, CreatorId, MediaId, NewCreatorId } from './ids.ts';
import {
  each,
  FILE_NAMES,
  FILES,
  type FileName,
  FOLDER_NAMES,
  FOLDERS,
  type Folder,
  STREAM_NAMES,
  STREAMS,
} from './outputs.ts';

export const DROP_PREFIX = 'drop/';
export const TMP_PREFIX = 'tmp/';
/** In the uploads bucket: the dense copies that have replaced originals. No drop has such a key. */
export const ARCHIVE_PREFIX = 'archive/';
/** Prefix in the media bucket of media that is played with a signature only. docs/decisions/0101-private-playback.md */
export const PRIVATE_PREFIX = 'private/';
export const DEFAULT_COLLECTION = 'default';

/** Who may see a version. It decides where the version lies. */
export const ACCESS = ['public', 'private'] as const;
export type Access = (typeof ACCESS)[number];

/** Patterns of the keys of every published MP4, and of every published stream, as a policy's resources have them. */
export const OUTPUT_KEYS = ['*/mp4/*.mp4', '*/hls/*'] as const;

/** Patterns of every key of a published media item in both places, and of none of a job's output under tmp/. */
export const PUBLISHED_KEYS = FOLDER_NAMES.map((folder) => `*/${folder}/*`);

/** Patterns of the keys of the pointers in both places, as a policy's resources have them. */
export const POINTER_KEYS = [
  ...streamPointers().map((pointer) => `*/${FOLDERS.hls.path}/*/${pointer}`),
  ...pointedFiles('public').map((name) => `*/${FOLDERS[FILES[name].folder].path}/*/${FILES[name].pointer}`),
  ...streamPointers().map((pointer) => `${PRIVATE_PREFIX}*/hls/${pointer}`),
  ...pointedFiles('private').map((name) => `${PRIVATE_PREFIX}*/${FILES[name].folder}/${FILES[name].pointer}`),
];

/** The parts of the private place that anyone may see, as path patterns of CloudFront's behaviours. */
export const PRIVATE_BUT_OPEN = [
  ...STREAM_NAMES.filter((name) => STREAMS[name].open).map((name) => `${PRIVATE_PREFIX}*/hls/${STREAMS[name].path}*`),
  ...FOLDER_NAMES.filter((folder) => FOLDERS[folder].open).map((folder) => `${PRIVATE_PREFIX}*/${folder}/*`),
];

function streamPointers(): string[] {
  return STREAM_NAMES.map((name) => `${STREAMS[name].path}${STREAMS[name].playlist}`);
}

/**
 * The files that have a pointer in this place. Redirects have none in the private one, where each address needs a signature of its own.
 */
export function pointedFiles(access: Access | undefined): FileName[] {
  return FILE_NAMES.filter((name) => !FILES[name].redirect || access !== 'private');
}

/** Path patterns, as CloudFront's behaviours have them, of the pointers that it answers with a redirect. */
export const REDIRECTS = FILE_NAMES.filter((name) => FILES[name].redirect).map(
  (name) => `*/${FOLDERS[FILES[name].folder].path}/*/${FILES[name].pointer}`,
);

export interface DropLocation {
  creatorId: string;
  collectionId: string;
  /** The rest of the key after the collection: the uploader's name for the file. */
  path: string;
}

/**
 * Reads `drop/{creatorId}/{collectionId}/{path…}`. `drop/{creatorId}/{file}` goes to the collection `default`.
 * Null for a key that is not a drop: a "folder" (ends in a slash), an invalid creator or collection, another prefix.
 */
export function parseDropKey(key: string): DropLocation | null {
  if (!key.startsWith(DROP_PREFIX) || key.endsWith('/')) return null;
  const [creatorId, second, ...rest] = key.slice(DROP_PREFIX.length).split('/');
  if (!creatorId || !second || !NewCreatorId.safeParse(creatorId).success) return null;
  if (rest.length === 0) return { creatorId, collectionId: DEFAULT_COLLECTION, path: second };
  if (!CollectionId.safeParse(second).success) return null;
  return { creatorId, collectionId: second, path: rest.join('/') };
}

export function dropKey(location: DropLocation): string {
  return `${DROP_PREFIX}${location.creatorId}/${location.collectionId}/${location.path}`;
}

/** Every copy that the archive has ever made of a media item's originals. */
export function archivePrefix(creatorId: string, mediaId: string): string {
  return `${ARCHIVE_PREFIX}${creatorId}/${mediaId}/`;
}

/** The copy that job n has made of an upload with this key: no other is ever written there. */
export function archiveCopyKey(creatorId: string, mediaId: string, n: number, uploadKey: string): string {
  return `${archivePrefix(creatorId, mediaId)}${n}/${archiveFile(uploadKey)}`;
}

/** The names of copies. */
export const ARCHIVE_FILES = ['archive.mp4', 'archive.mov'] as const;

/** Name of the copy. QuickTime stays QuickTime: the two muxers of FFmpeg do not carry the same tags. */
export function archiveFile(uploadKey: string): (typeof ARCHIVE_FILES)[number] {
  return /\.mov$/i.test(uploadKey) ? 'archive.mov' : 'archive.mp4';
}

/** Whose copy it is; null for any other key. */
export function parseArchiveKey(key: string): { creatorId: string; mediaId: string } | null {
  const [creatorId = '', mediaId = '', file, ...rest] = key.startsWith(ARCHIVE_PREFIX)
    ? key.slice(ARCHIVE_PREFIX.length).split('/')
    : [];
  if (!file || rest.length > 0) return null;
  return CreatorId.safeParse(creatorId).success && MediaId.safeParse(mediaId).success ? { creatorId, mediaId } : null;
}

/** Where one job writes; it may write nowhere else. */
export function tmpPrefix(jobId: string): string {
  return `${TMP_PREFIX}${jobId}/`;
}

/** Where all jobs of a media item write: ids of media items have one length, so that none begins with another. */
export function tmpPrefixOfAll(mediaId: string): string {
  return `${TMP_PREFIX}${mediaId}-`;
}

/** Written last by the worker; its presence means that the prefix is complete, or records why it never will be. */
export const RESULT_FILE = 'result.json';
/** Written first by the worker, with If-None-Match: which engine job may work under this prefix. */
export const CLAIM_FILE = 'claim.json';

/** What the worker writes that prepares a job for an engine which encodes by itself: what it found, and the bytes that it found it in. */
export const PREPARED_FILE = 'prepared.json';
export const SOURCE_FILE = 'source';
/** The claim of that worker: the one that finishes the job has a claim of its own. Policies' pattern for claims includes it. */
export const PREPARE_CLAIM_FILE = 'prepare/claim.json';

/** The claim of the worker that joins the chunks of a film; the one that cut it has the usual one, and those between have none. */
export const JOIN_CLAIM_FILE = 'join/claim.json';

/** Under the prefix of a job, what the worker of one chunk writes, or that of the sound. */
export function partPrefix(part: number | 'sound'): string {
  return `${PARTS_PREFIX}${part}/`;
}
/** Under the prefix of a job, what the workers of all its parts write. */
export const PARTS_PREFIX = 'chunks/';
/** Under the prefix of a part, rewritten for as long as a worker is at it. */
export const PART_ALIVE_FILE = 'alive';
/** Under such a prefix, written last, once: what counts of all that any worker has written there. */
export const PART_RECORD_FILE = 'record.json';

/**
 * All published objects of a private media item lie under this prefix, and nothing else does: creator and media id come first, so
 * that a signature for the prefix has no wildcard before the id.
 */
export function privatePrefix(creatorId: string, mediaId: string): string {
  return `${PRIVATE_PREFIX}${creatorId}/${mediaId}/`;
}

function foldersOf(creatorId: string, mediaId: string, access: Access): Record<Folder, string> {
  if (access === 'private') return each(FOLDER_NAMES, (folder) => `${privatePrefix(creatorId, mediaId)}${folder}/`);
  return each(FOLDER_NAMES, (folder) => `${creatorId}/${FOLDERS[folder].path}/${mediaId}/`);
}

/**
 * The published objects of a media item in one of its two places. Under `v{n}` they are immutable, n being the number of the
 * job that made them. The others are pointers, replaced in one PUT each.
 */
export function mediaKeys(creatorId: string, mediaId: string, access: Access = 'public') {
  const folders = foldersOf(creatorId, mediaId, access);
  return {
    ...each(STREAM_NAMES, (name) => `${folders.hls}${STREAMS[name].path}${STREAMS[name].playlist}`),
    ...each(FILE_NAMES, (name) => `${folders[FILES[name].folder]}${FILES[name].pointer}`),
    /** Every prefix of the place that holds objects of this media item. */
    prefixes: access === 'private' ? [privatePrefix(creatorId, mediaId)] : Object.values(folders),
    /** Folders of the streams, `hls` being the master's; keys of the files. */
    version: (n: number) => {
      const { streams, files } = placesIn(folders, n);
      const { master: hls, dash: _, ...others } = streams;
      return { hls, ...others, ...files };
    },
  };
}

/**
 * The folder of what viewers get of version n before it is whole, beside that of the version, and the file in it that says how far it is.
 * docs/decisions/0403-growing-versions.md
 */
export function growingFolder(creatorId: string, mediaId: string, n: number, access: Access = 'public'): string {
  return `${foldersOf(creatorId, mediaId, access).hls}g${n}/`;
}
export const GROWTH_FILE = 'growing.json';

/** Where all objects of one version lie: the folders of its streams, and the keys of its files. */
export function versionPlaces(creatorId: string, mediaId: string, n: number, access: Access = 'public') {
  return placesIn(foldersOf(creatorId, mediaId, access), n);
}

function placesIn(folders: Record<Folder, string>, n: number) {
  return {
    streams: each(STREAM_NAMES, (name) => `${folders.hls}${STREAMS[name].path}v${n}/`),
    files: each(FILE_NAMES, (name) => `${folders[FILES[name].folder]}${versionFile(name, n)}`),
  };
}

/** A file to which its pointer redirects lies beside it, and is named after its version. */
function versionFile(name: FileName, n: number): string {
  const { pointer, redirect } = FILES[name];
  return redirect ? `v${n}${pointer.slice(pointer.lastIndexOf('.'))}` : `v${n}/${pointer}`;
}

/** Every prefix that holds published objects of this media item, in both places. */
export function mediaPrefixes(creatorId: string, mediaId: string): string[] {
  return ACCESS.flatMap((access) => mediaKeys(creatorId, mediaId, access).prefixes);
}
