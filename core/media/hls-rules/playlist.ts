/**
 * A playlist as a list of tags with their lines (RFC 8216, section 4.1). Unlike parsers for players it refuses nothing: what is wrong, where
 * and how often is for the rules to say.
 */

/** A part of a resource, in bytes. */
export interface Range {
  offset: number;
  length: number;
}

export interface Tag {
  /** With its `#`. */
  name: string;
  /** What follows the colon. */
  value: string;
  /** From 1. */
  line: number;
  /** Of an attribute list; without the quotes of quoted strings. */
  attributes: ReadonlyMap<string, string>;
  /** The line after EXT-X-STREAM-INF. */
  uri?: string;
}

export interface MapSection {
  uri: string;
  line: number;
  range?: Range;
}

export interface Segment {
  uri: string;
  line: number;
  /** Of EXTINF; NaN where there is none or it is no number. */
  seconds: number;
  range?: Range;
  /** An EXT-X-BYTERANGE that has no offset and does not follow another of the same resource, or cannot be read. */
  badRange?: string;
  map?: MapSection;
  /** Whether EXT-X-DISCONTINUITY stands before it. */
  discontinuity: boolean;
}

export interface Playlist {
  /** As people are shown it: relative to the master playlist where it lies below it. */
  name: string;
  /** First line. */
  first: string;
  kind: 'master' | 'media';
  tags: readonly Tag[];
  segments: readonly Segment[];
  /** EXT-X-STREAM-INF, EXT-X-MEDIA and EXT-X-I-FRAME-STREAM-INF of a master playlist. */
  variants: readonly Tag[];
  renditions: readonly Tag[];
  iframes: readonly Tag[];
}

const TAG = /^(#EXT[A-Z0-9-]*)(?::(.*))?$/;
const MASTER_TAGS = new Set(['#EXT-X-STREAM-INF', '#EXT-X-MEDIA', '#EXT-X-I-FRAME-STREAM-INF', '#EXT-X-SESSION-DATA']);

export function readPlaylist(text: string, name: string): Playlist {
  const lines = text.split(/\r?\n/);
  const tags = lines.flatMap((line, i) => {
    const [, tagName, value = ''] = TAG.exec(line) ?? [];
    return tagName
      ? [{ name: tagName, value, line: i + 1, attributes: attributesOf(value), ...uriAfter(lines, i) }]
      : [];
  });
  const of = (tagName: string) => tags.filter((tag) => tag.name === tagName);
  return {
    name,
    first: lines[0] ?? '',
    kind: tags.some((tag) => MASTER_TAGS.has(tag.name)) ? 'master' : 'media',
    tags,
    segments: segmentsOf(lines, tags),
    variants: of('#EXT-X-STREAM-INF'),
    renditions: of('#EXT-X-MEDIA'),
    iframes: of('#EXT-X-I-FRAME-STREAM-INF'),
  };
}

export function tagOf(playlist: Playlist, name: string): Tag | undefined {
  return playlist.tags.find((tag) => tag.name === name);
}

/** A decimal number of an attribute or a tag; NaN where it is missing. */
export function numberOf(text: string | undefined): number {
  return text !== undefined && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

function attributesOf(value: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (let at = 0; at < value.length; ) {
    const equals = value.indexOf('=', at);
    if (equals < 0) break;
    const quoted = value[equals + 1] === '"';
    const from = equals + (quoted ? 2 : 1);
    const end = value.indexOf(quoted ? '"' : ',', from);
    attributes.set(value.slice(at, equals), value.slice(from, end < 0 ? value.length : end));
    if (end < 0) break;
    at = end + (quoted ? 2 : 1);
  }
  return attributes;
}

function uriAfter(lines: readonly string[], i: number): { uri?: string } {
  const next = lines[i + 1]?.trim();
  return lines[i]?.startsWith('#EXT-X-STREAM-INF') && next && !next.startsWith('#') ? { uri: next } : {};
}

function segmentsOf(lines: readonly string[], tags: readonly Tag[]): Segment[] {
  const byLine = new Map(tags.map((tag) => [tag.line, tag]));
  const segments: Segment[] = [];
  let map: MapSection | undefined;
  let extinf: string | undefined;
  let byteRange: string | undefined;
  let discontinuity = false;
  lines.forEach((line, i) => {
    const tag = byLine.get(i + 1);
    if (tag?.name === '#EXT-X-MAP') map = mapOf(tag);
    else if (tag?.name === '#EXTINF') extinf = tag.value;
    else if (tag?.name === '#EXT-X-BYTERANGE') byteRange = tag.value;
    else if (tag?.name === '#EXT-X-DISCONTINUITY') discontinuity = true;
    // The byte order mark of a playlist that must not have one does not make its first line a segment.
    if (/^\uFEFF?#/.test(line) || line.trim() === '') return;
    const uri = line.trim();
    segments.push({
      uri,
      line: i + 1,
      seconds: numberOf(extinf?.split(',')[0]),
      ...(byteRange !== undefined && rangeAfter(byteRange, uri, segments.at(-1))),
      ...(map && { map }),
      discontinuity,
    });
    discontinuity = false;
    extinf = undefined;
    byteRange = undefined;
  });
  return segments;
}

function mapOf({ attributes, line }: Tag): MapSection {
  const uri = attributes.get('URI') ?? '';
  const text = attributes.get('BYTERANGE');
  // Without an offset it begins at the first byte (RFC 8216, section 4.3.2.5).
  const range = text === undefined ? null : readRange(text, 0);
  return { uri, line, ...(range && { range }) };
}

/** `length@offset`; without an offset it begins where the segment before ends, of the same resource (RFC 8216, section 4.3.2.2). */
function rangeAfter(text: string, uri: string, before: Segment | undefined): { range?: Range; badRange?: string } {
  const end = before?.uri === uri && before.range ? before.range.offset + before.range.length : null;
  const range = readRange(text, end);
  return range ? { range } : { badRange: text };
}

function readRange(text: string, otherwise: number | null): Range | null {
  const [, length, offset] = /^(\d{1,15})(?:@(\d{1,15}))?$/.exec(text) ?? [];
  if (length === undefined) return null;
  if (offset !== undefined) return { length: Number(length), offset: Number(offset) };
  return otherwise === null ? null : { length: Number(length), offset: otherwise };
}
