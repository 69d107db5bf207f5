/**
 * Everything that is made from an upload, by name. This is the only list: keys, schemas, permissions, the encode plan, publishing,
 * removal, the API and the CLI map over it. docs/architecture.md says how to add an output.
 */

/**
 * The folders in which outputs lie. `path` stands between creator and media id where the media item is public; `open` folders may
 * be seen by anyone where it is private.
 */
export const FOLDERS = {
  hls: { path: 'hls', open: false },
  mp4: { path: 'mp4', open: false },
  thumbnails: { path: 'thumbnails/media', open: true },
  waveforms: { path: 'waveforms', open: false },
} as const;
export type Folder = keyof typeof FOLDERS;

export interface StreamOutput {
  /** Under the folder `hls`, with a slash at its end, or empty. */
  path: string;
  /** File name of the playlist or manifest with which a player begins: of the pointer, and in the version's folder. */
  playlist: string;
  contentType: string;
  /** Whether anyone may see it when the media item is private. */
  open: boolean;
}

export const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';

/**
 * A playlist with the files that it names: each version has a folder, and the pointer is the playlist, adapted to lie beside it. `dash` is
 * the MPEG-DASH manifest of the same files as `master`.
 */
export const STREAMS = {
  master: { path: '', playlist: 'master.m3u8', contentType: PLAYLIST_TYPE, open: false },
  dash: { path: '', playlist: 'manifest.mpd', contentType: 'application/dash+xml', open: false },
  preview: { path: 'preview/', playlist: 'preview.m3u8', contentType: PLAYLIST_TYPE, open: true },
} as const satisfies Record<string, StreamOutput>;

export interface FileOutput {
  /** Its name under the worker's output prefix. */
  file: string;
  contentType: string;
  folder: Folder;
  /** File name of the pointer, which is replaced with each version: the address that outlives a version. */
  pointer: string;
  /**
   * Whether the pointer is a small object that CloudFront answers with a redirect to the version's file, rather than a copy of it: for what
   * is large. docs/decisions/0008-stable-addresses.md
   */
  redirect: boolean;
  /** The only kind of source that has it, and why the other kind does not; null: both have it. */
  only: { kind: 'video' | 'audio'; otherwise: string } | null;
}

const OF_VIDEO = { kind: 'video', otherwise: 'The file has no video track.' } as const;
const OF_AUDIO = { kind: 'audio', otherwise: 'Waveforms are made of sound files only.' } as const;

/** Single files. */
export const FILES = {
  /** The worker writes the MP4 beside the playlists. */
  mp4: {
    file: 'video.mp4',
    contentType: 'video/mp4',
    folder: 'mp4',
    pointer: 'video.mp4',
    redirect: true,
    only: OF_VIDEO,
  },
  thumbnail: {
    file: 'thumbnail.jpg',
    contentType: 'image/jpeg',
    folder: 'thumbnails',
    pointer: 'auto-generated.jpg',
    redirect: false,
    only: OF_VIDEO,
  },
  poster: {
    file: 'poster.jpg',
    contentType: 'image/jpeg',
    folder: 'thumbnails',
    pointer: 'poster.jpg',
    redirect: false,
    only: OF_VIDEO,
  },
  /** The same frame in the size of the largest rung. */
  posterLarge: {
    file: 'poster-large.jpg',
    contentType: 'image/jpeg',
    folder: 'thumbnails',
    pointer: 'poster-large.jpg',
    redirect: false,
    only: OF_VIDEO,
  },
  waveform: {
    file: 'waveform.json',
    contentType: 'application/json',
    folder: 'waveforms',
    pointer: 'waveform.json',
    redirect: false,
    only: OF_AUDIO,
  },
} as const satisfies Record<string, FileOutput>;

export type StreamName = keyof typeof STREAMS;
export type FileName = keyof typeof FILES;
export type OutputName = StreamName | FileName;
/** Each version has a master playlist and a DASH manifest; a preset says whether the other outputs are wanted. */
export type OptionalName = Exclude<OutputName, 'master' | 'dash'>;

export const STREAM_NAMES = Object.keys(STREAMS) as StreamName[];
export const FILE_NAMES = Object.keys(FILES) as FileName[];
export const FOLDER_NAMES = Object.keys(FOLDERS) as Folder[];
export const OUTPUT_NAMES: readonly OutputName[] = [...STREAM_NAMES, ...FILE_NAMES];
export const OPTIONAL_NAMES = OUTPUT_NAMES.filter((name) => name !== 'master' && name !== 'dash');

/** An object with an entry for each of these names. */
export function each<Name extends string, T>(names: readonly Name[], make: (name: Name) => T): Record<Name, T> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, T>;
}

/** The same, with entries only for the names for which `make` returns a value. */
export function some<Name extends string, T>(
  names: readonly Name[],
  make: (name: Name) => T | undefined,
): { [Key in Name]?: T } {
  const made = names.map((name) => [name, make(name)] as const);
  return Object.fromEntries(made.filter(([, value]) => value !== undefined)) as { [Key in Name]?: T };
}
