/** The URIs of an HLS playlist or a DASH manifest, as text: a media playlist of 20,000 segments is about 1 MB. */

const ATTRIBUTE = /(?<=[:,]URI=")[^"]*(?=")/g;
/** Of our own manifests: files are named in BaseURL elements only. */
const BASE_URL = /(?<=<BaseURL>)[^<]*(?=<)/g;

const isManifest = (text: string) => text.startsWith('<?xml');

/** Each URI in order: lines that are not tags, and URI attributes (EXT-X-MAP, EXT-X-MEDIA…). RFC 8216, section 4. */
export function playlistUris(playlist: string): string[] {
  if (isManifest(playlist)) return [...playlist.matchAll(BASE_URL)].map(([uri]) => uri);
  return lines(playlist).flatMap((line) => {
    if (line.startsWith('#')) return [...line.matchAll(ATTRIBUTE)].map(([uri]) => uri);
    return line === '' ? [] : [line];
  });
}

/** The same playlist, for a place from which its files lie under `prefix` (`v3/`). */
export function prefixUris(playlist: string, prefix: string): string {
  if (isManifest(playlist)) return playlist.replaceAll(BASE_URL, (uri) => `${prefix}${uri}`);
  const moved = lines(playlist).map((line) => {
    if (line.startsWith('#')) return line.replaceAll(ATTRIBUTE, (uri) => `${prefix}${uri}`);
    return line === '' ? line : `${prefix}${line}`;
  });
  return moved.join('\n');
}

/** URIs of the playlist at `key` that name none of `keys`. A URI that leaves the playlist's own folder is included. */
export function danglingUris(playlist: string, key: string, keys: ReadonlySet<string>): string[] {
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  return playlistUris(playlist).filter((uri) => !keys.has(`${folder}${uri}`));
}

/** The same with a comment at its end. */
export function withComment(playlist: string, comment: string): string {
  return `${playlist.trimEnd()}\n${isManifest(playlist) ? `<!-- ${comment} -->` : `# ${comment}`}\n`;
}

function lines(playlist: string): string[] {
  return playlist.split(/\r?\n/);
}
