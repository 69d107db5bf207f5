import { BOX_HEADER_BYTES, readBoxHeader } from '../../core/media/boxes.ts';
import { type Run, runsOf, type Track, tracksOf } from '../../core/media/hls-rules/init.ts';
import {
  type Playlist,
  type Range,
  readPlaylist,
  type Segment,
  type Tag,
} from '../../core/media/hls-rules/playlist.ts';
import {
  type Delivery,
  isKeyframes,
  type MediaFile,
  type SegmentFacts,
  type Stream,
} from '../../core/media/hls-rules/stream.ts';
import { OverBudget, type Part, type Source } from './source.ts';

/** A film of ten hours in segments of six seconds has 6,000 of about 100 bytes each. */
const PLAYLIST_BYTES = 4 * 1024 * 1024;
const PLAYLISTS = 100;
/** A day has 14,400 of six seconds, and 43,200 entries in an I-frame playlist. */
const SEGMENTS = 50_000;
const INIT_BYTES = 256 * 1024;
/** Read at a time: what stands before the media of a fragment, some 5 KB of six seconds of 60 pictures. */
const WINDOW = 8 * 1024;
/** The same of an entry of an I-frame playlist: its moof. */
const KEYFRAME_WINDOW = 4096;
/** Of segments that are byte ranges, the first that are looked into; of the others all but the last are taken at the playlist's word. */
const LOOKED_INTO = { segments: 1000, keyframes: 100 };
const MOOF_BYTES = 1024 * 1024;
/** Boxes of one segment that are looked at. */
const BOXES = 256;
const AT_ONCE = 6;

/**
 * Reads a stream as far as the rules need it: its playlists, the init segments, and the boxes before the media of each segment.
 * @param address of the master playlist, or of one media playlist
 * @throws Error when that cannot be read
 */
export async function readStream(source: Source, address: string): Promise<Stream> {
  const { playlist, delivery } = await readText(source, address, address);
  const base = delivery?.redirected ?? address;
  const stream: Stream = { media: [], missing: [], complete: true };
  // URIs are relative to where a redirect led (RFC 3986, section 5.1.3).
  const read = (file: MediaFile, at: string) => readMedia(source, stream, file, file.delivery?.redirected ?? at);
  if (playlist.kind === 'media') {
    const file: MediaFile = { playlist, namedBy: [], segments: [], ...(delivery && { delivery }) };
    stream.media.push(file);
    await read(file, address);
    return stream;
  }
  stream.master = { playlist, ...(delivery && { delivery }) };
  const named = [...namedBy(source, stream, playlist, base)];
  if (named.length > PLAYLISTS) stream.complete = false;
  for (const [at, tags] of named.slice(0, PLAYLISTS)) {
    const [tag] = tags;
    const result = await readText(source, at, base).catch((error: unknown) => reasonOf(error, stream));
    if (typeof result === 'string') {
      if (tag) stream.missing.push({ tag, uri: uriOf(tag), why: result });
      continue;
    }
    const file: MediaFile = { ...result, namedBy: tags, segments: [] };
    stream.media.push(file);
    await read(file, at);
  }
  return stream;
}

const uriOf = (tag: Tag) => tag.uri ?? tag.attributes.get('URI') ?? '';

/** The playlists that a master playlist names, with the tags that do. */
function namedBy(source: Source, stream: Stream, playlist: Playlist, from: string): Map<string, Tag[]> {
  const named = new Map<string, Tag[]>();
  for (const tag of [...playlist.variants, ...playlist.renditions, ...playlist.iframes]) {
    const uri = uriOf(tag);
    if (uri === '') continue;
    try {
      const at = source.resolve(uri, from);
      named.set(at, [...(named.get(at) ?? []), tag]);
    } catch (error) {
      stream.missing.push({ tag, uri, why: reasonOf(error, stream) });
    }
  }
  return named;
}

async function readText(
  source: Source,
  at: string,
  master: string,
): Promise<{ playlist: Playlist; delivery?: Delivery }> {
  const { bytes, delivery } = await source.read(at, { offset: 0, length: PLAYLIST_BYTES + 1 }, 'text');
  if (bytes.length > PLAYLIST_BYTES) throw new Error(`a playlist of more than ${PLAYLIST_BYTES} bytes`);
  const folder = master.slice(0, master.lastIndexOf('/') + 1);
  const name = at.startsWith(folder) ? at.slice(folder.length) : at;
  return {
    playlist: readPlaylist(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), name),
    ...(delivery && { delivery }),
  };
}

async function readMedia(source: Source, stream: Stream, file: MediaFile, at: string): Promise<void> {
  const { segments } = file.playlist;
  try {
    await readInit(source, stream, file, at);
    if (segments.length > SEGMENTS) stream.complete = false;
    const wanted = segments.slice(0, SEGMENTS);
    const keyframes = isKeyframes(file);
    await eachLimit(wanted, async (segment, i) => {
      const { range } = segment;
      const known = range && i >= LOOKED_INTO[keyframes ? 'keyframes' : 'segments'] && i < segments.length - 1;
      file.segments[i] = known
        ? { bytes: range.length }
        : await readSegment(source, segment, { at, tracks: file.tracks ?? [], stream, keyframes });
    });
  } catch (error) {
    if (!(error instanceof OverBudget)) throw error;
    stream.complete = false;
  }
  // Without holes.
  file.segments = segments.map((_, i) => file.segments[i] ?? {});
}

async function readInit(source: Source, stream: Stream, file: MediaFile, at: string): Promise<void> {
  const map = file.playlist.segments[0]?.map;
  if (!map?.uri) return;
  try {
    const range = map.range ?? { offset: 0, length: INIT_BYTES };
    if (range.length > INIT_BYTES) throw new Error(`an init segment of more than ${INIT_BYTES} bytes`);
    const part = await source.read(source.resolve(map.uri, at), range);
    if (part.delivery) file.initDelivery = part.delivery;
    if (map.range && part.bytes.length < range.length) throw new Error('its range is beyond the end of the file');
    file.tracks = tracksOf(part.bytes);
  } catch (error) {
    file.initProblem = `${map.uri}: ${reasonOf(error, stream)}`;
  }
}

async function readSegment(
  source: Source,
  { uri, range }: Segment,
  { at, tracks, stream, keyframes }: { at: string; tracks: readonly Track[]; stream: Stream; keyframes: boolean },
): Promise<SegmentFacts> {
  const facts: SegmentFacts = {};
  try {
    const address = source.resolve(uri, at);
    const offset = range?.offset ?? 0;
    const most = keyframes ? KEYFRAME_WINDOW : WINDOW;
    const first = await source.read(address, { offset, length: Math.min(range?.length ?? most, most) });
    if (first.delivery) facts.delivery = first.delivery;
    const { total } = first;
    if (range && total !== null && offset + range.length > total)
      throw new Error(`its range ends beyond ${total} bytes`);
    const bytes = range?.length ?? total;
    if (bytes === null) return facts;
    facts.bytes = bytes;
    if (bytes === 0) throw new Error('it is empty');
    if (tracks.length === 0) return facts;
    try {
      const segment = { offset, length: bytes };
      Object.assign(facts, await walk(source, first, { address, tracks, segment, cut: keyframes }));
    } catch (error) {
      facts.unreadable = `${uri}: ${reasonOf(error, stream)}`;
    }
  } catch (error) {
    facts.missing = `${uri}: ${reasonOf(error, stream)}`;
  }
  return facts;
}

/**
 * Goes from box to box, and reads the moofs.
 * @param where `cut`: whether the segment may end within its mdat, as one of a keyframe does
 */
async function walk(
  source: Source,
  first: Part,
  { address, tracks, segment, cut }: { address: string; tracks: readonly Track[]; segment: Range; cut: boolean },
): Promise<{ runs: Run[]; whole: boolean; holdsFirst?: boolean }> {
  const runs: Run[] = [];
  let holdsFirst: boolean | undefined;
  const end = segment.offset + segment.length;
  let window = { offset: segment.offset, bytes: first.bytes };
  const bytesAt = async (at: number, length: number) => {
    const from = at - window.offset;
    if (from < 0 || from + Math.min(length, end - at) > window.bytes.length) {
      const { bytes } = await source.read(address, {
        offset: at,
        length: Math.min(Math.max(length, WINDOW), end - at),
      });
      window = { offset: at, bytes };
    }
    return window.bytes.subarray(at - window.offset, at - window.offset + length);
  };
  let at = segment.offset;
  for (let i = 0; at < end; i++) {
    if (i === BOXES) return { runs, whole: false };
    const box = readBoxHeader(await bytesAt(at, BOX_HEADER_BYTES), end - at);
    if (cut && box?.type === 'mdat' && at + box.size > end) break;
    if (box === null || box.size < box.header || at + box.size > end) throw new Error(`no whole box at byte ${at}`);
    if (box.type === 'moof') {
      if (box.size > MOOF_BYTES) throw new Error('a moof of more than 1 MiB');
      const found = runsOf((await bytesAt(at, box.size)).subarray(box.header), tracks);
      const firstBytes = runs.length === 0 ? found[0]?.firstBytes : undefined;
      if (firstBytes !== undefined) holdsFirst = at + firstBytes <= end;
      runs.push(...found);
    }
    at += box.size;
  }
  return { runs, whole: true, ...(holdsFirst !== undefined && { holdsFirst }) };
}

/** What went wrong, as a clause. @throws OverBudget */
function reasonOf(error: unknown, stream: Stream): string {
  if (error instanceof OverBudget) {
    stream.complete = false;
    throw error;
  }
  return error instanceof Error ? error.message : String(error);
}

async function eachLimit<T>(items: readonly T[], work: (item: T, i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const workers = Array.from({ length: AT_ONCE }, async () => {
    while (next < items.length) {
      const i = next++;
      const item = items[i];
      if (item !== undefined) await work(item, i);
    }
  });
  await Promise.all(workers);
}
