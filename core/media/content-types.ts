import { FILE_NAMES, FILES, PLAYLIST_TYPE } from '../contracts/outputs.ts';

const FILE_TYPES = new Map<string, string>(FILE_NAMES.map((name) => [FILES[name].file, FILES[name].contentType]));
const STREAM_TYPES: Readonly<Record<string, string>> = { m3u8: PLAYLIST_TYPE, m4s: 'video/iso.segment' };

/** Content-Type of an output file. */
export function contentTypeOf(path: string, kind: 'video' | 'audio'): string {
  const type = FILE_TYPES.get(path);
  if (type !== undefined) return type;
  const ending = path.slice(path.lastIndexOf('.') + 1);
  if (ending === 'mp4') return kind === 'audio' || path.startsWith('audio-') ? 'audio/mp4' : 'video/mp4';
  return STREAM_TYPES[ending] ?? 'application/octet-stream';
}
