import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import { readFragment, readInit, shownAt, type TrackHeader } from '../../core/media/fragments.ts';
import { type ByteRange, type Named, readMediaPlaylist, type Segment } from '../../core/media/media-playlist.ts';
import { peakRate } from '../../core/media/peak-rate.ts';
import { joinFragments, movedBy } from '../../core/media/segments.ts';
import { type PlacedRendition, type PlacedSegment, segmentIndex } from '../../core/media/sidx.ts';
import { segmentSeconds } from '../../core/media/timeline.ts';
import { type Bytes, walkBoxes, withFile } from './box-walk.ts';

/** A finished rendition on the disk. */
export interface RenditionFiles {
  /** `1080p`, `audio-128k` */
  file: string;
  header: TrackHeader;
  init: Required<Named>;
  segments: (Required<Segment> & PlacedSegment)[];
  /** Total of the init segment and the segments. */
  bytes: number;
}

/** How long the last picture of a rendition stays; undefined for sound. */
export function lastFrameOf({ video }: EncodePlan, file: string): number | undefined {
  return video?.rungs.some((rung) => rung.name === file) ? video.lastFrameSeconds : undefined;
}

/**
 * Reads a rendition's playlist, init segment and the head of each segment. Durations are those of the samples, not the playlist's.
 * @throws DropreelError `verify_failed` when a file is missing or is not as it should be
 */
export async function readRendition(plan: EncodePlan, directory: string, file: string): Promise<RenditionFiles> {
  try {
    const playlist = readMediaPlaylist(await readFile(join(directory, `${file}.m3u8`), 'utf8'));
    const init = placed(playlist.init);
    const { header, segments } = await withFile(join(directory, init.uri), async (bytes) => {
      const found = [];
      for (const segment of playlist.segments.map(placed)) {
        const moofs = await readMoofs(bytes, segment.range);
        const fragments = moofs.map(({ moof, ...place }) => ({ ...place, fragment: readFragment(moof) }));
        found.push({ ...segment, fragments, fragment: joinFragments(fragments.map(({ fragment }) => fragment)) });
      }
      return { header: readInit(await readRange(bytes, init.range)), segments: found };
    });
    const seconds = segmentSeconds({ file, header, segments }, lastFrameOf(plan, file));
    const timed = segments.map((segment, i) => ({ ...segment, durationSeconds: seconds[i] ?? 0 }));
    const bytes = segments.reduce((total, { range }) => total + range.bytes, init.range.bytes);
    return { file, header, init, segments: timed, bytes };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DropreelError('verify_failed', `The rendition ${file} cannot be read: ${why}`, { cause: error });
  }
}

function placed<T extends Named>(named: T): T & Required<Named> {
  const { range } = named;
  if (range === undefined) throw new Error(`${named.uri} has no range`);
  return { ...named, range };
}

/** When each of a rendition's samples is presented, in seconds from its start, in order. Segments begin with keyframes. */
export async function shownTimes(directory: string, { header, init, segments }: RenditionFiles): Promise<number[]> {
  return withFile(join(directory, init.uri), async (bytes) => {
    const times: number[] = [];
    for (const { range } of segments) {
      const ticks = (await readMoofs(bytes, range)).flatMap(({ moof }) => shownAt(moof)).sort((a, b) => a - b);
      for (const at of ticks) times.push((at - header.skip) / header.timescale);
    }
    return times;
  });
}

/** The most pictures a second of a film whose rate varies, as its smallest rung shows it; undefined of others, and of sound. */
export async function measurePeak(
  { video }: EncodePlan,
  directory: string,
  renditions: readonly RenditionFiles[],
): Promise<number | undefined> {
  if (!video || video.constantRate) return undefined;
  const rung = renditions.findLast(({ file }) => video.rungs.some(({ name }) => name === file));
  return rung && peakRate(await shownTimes(directory, rung));
}

/** The bodies of a segment's moofs, and where each begins and how many bytes follow up to the next; a segment may hold several fragments. */
async function readMoofs(file: Bytes, range: ByteRange) {
  const moofs: { moof: Uint8Array; offset: number; size: number }[] = [];
  let bytes = 0;
  for await (const box of walkBoxes(file, range)) {
    if (box.type === 'moof') moofs.push({ moof: await box.body(), offset: box.offset, size: 0 });
    const last = moofs.at(-1);
    if (last) last.size += box.size;
    bytes += box.size;
  }
  if (bytes !== range.bytes)
    throw new Error(`the segment at ${range.offset} is not the ${range.bytes} bytes that it should be`);
  return moofs;
}

async function readRange(file: Bytes, { offset, bytes }: ByteRange): Promise<Uint8Array> {
  const read = await file.read(offset, bytes);
  if (read.length !== bytes) throw new Error('the init segment is cut off');
  return read;
}

/**
 * Copies the init segment and the segments of a rendition, which follow each other, to a file of their own, with an index between the two.
 * @throws Error when the segments do not follow each other
 */
export async function copySegments(from: string, to: string, rendition: PlacedRendition): Promise<RenditionFiles> {
  const { file, header, init, segments } = rendition;
  const start = segments[0]?.range.offset ?? 0;
  const end = segments.reduce((at, { range }) => {
    if (range.offset !== at) throw new Error(`a segment begins at ${range.offset}, and the one before ends at ${at}`);
    return at + range.bytes;
  }, start);
  const head = await withFile(from, (file) => readRange(file, init));
  const index = segmentIndex(rendition);
  await writeFile(to, Buffer.concat([head, index]));
  if (end > start) {
    await pipeline(createReadStream(from, { start, end: end - 1 }), createWriteStream(to, { flags: 'a' }));
  }
  const uri = basename(to);
  const moved = head.length + index.length - start;
  return {
    file,
    header,
    init: { uri, range: { offset: 0, bytes: head.length } },
    segments: segments.map((segment) => {
      const { offset, bytes } = segment.range;
      const fragments = movedBy(moved, segment.fragments);
      return { ...segment, uri, fragments, range: { offset: offset + moved, bytes } };
    }),
    bytes: head.length + end - start,
  };
}
