import { FILE_NAMES, FILES, PLAYLIST_TYPE } from '../contracts/outputs.ts';

const FILE_TYPES = new Map<string, string>(FILE_NAMES.map((name) => [FILES[name].file, FILES[name].contentType]));

/** Content-Type of an output file. */
export function contentTypeOf(path: string, kind: 'video' | 'audio'): string {
  const type = FILE_TYPES.get(path);
  if (type !== undefined) return type;
  if (path.endsWith('.m3u8')) return PLAYLIST_TYPE;
  if (!path.endsWith('.mp4')) return 'application/octet-stream';
  return kind === 'audio' || /(?:^|\/)audio-/.test(path) ? 'audio/mp4' : 'video/mp4';
}
