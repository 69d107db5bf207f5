const TYPES: Readonly<Record<string, string>> = {
  m3u8: 'application/vnd.apple.mpegurl',
  m4s: 'video/iso.segment',
  jpg: 'image/jpeg',
  json: 'application/json',
};

/** Content-Type of an output file. */
export function contentTypeOf(path: string, kind: 'video' | 'audio'): string {
  const ending = path.slice(path.lastIndexOf('.') + 1);
  if (ending === 'mp4') return kind === 'audio' || path.startsWith('audio-') ? 'audio/mp4' : 'video/mp4';
  return TYPES[ending] ?? 'application/octet-stream';
}
