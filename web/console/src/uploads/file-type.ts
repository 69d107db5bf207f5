/** Types of media that browsers do not name. */
const TYPES: Readonly<Record<string, string>> = {
  avi: 'video/x-msvideo',
  flac: 'audio/flac',
  m2ts: 'video/mp2t',
  m4a: 'audio/mp4',
  mkv: 'video/x-matroska',
  mov: 'video/quicktime',
  mts: 'video/mp2t',
  mxf: 'video/mxf',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  ts: 'video/mp2t',
  wav: 'audio/wav',
  webm: 'video/webm',
  wmv: 'video/x-ms-wmv',
};

/** What an upload is announced as. What a file is, is found out when it is read. */
export function typeOf({ name, type }: Pick<File, 'name' | 'type'>): string {
  if (/^(?:video|audio)\//.test(type)) return type;
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return TYPES[ending] ?? (type || 'application/octet-stream');
}
