import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { type Warning, warning } from '../../core/contracts/warnings.ts';
import { CaptionChannels, MOST_CAPTION_BYTES } from '../../core/media/caption-channels.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import { renditionName } from '../../core/media/segments.ts';

/** Bytes that are read at once. */
const CHUNK_BYTES = 1024 * 1024;
/** Bytes of what was read before that are looked at again. */
const OVERLAP_BYTES = 16;

interface Mark {
  before: readonly string[];
  bytes: Buffer;
  /** Whether the byte behind it fits. */
  fits?: (next: number) => boolean;
}

/** In SEI, and in AV1's metadata: ITU-T T.35 for the United States and ATSC. */
const MESSAGE = 'b50031';
/** Start code of MPEG-2's user data. */
const USER_DATA = '000001b2';
/** ATSC A/53 part 4, 6.2.3: `GA94`, and 3 for captions. What stands before it tells it from picture and sound. */
const A53: Mark = { before: [MESSAGE, USER_DATA], bytes: Buffer.from('GA94\x03', 'latin1') };
/** Of DVDs, as FFmpeg reads it (libavcodec/mpeg12dec.c). */
const DVD: Mark = { before: [USER_DATA], bytes: Buffer.from('434301f8', 'hex') };
/** ANSI/SCTE 20: type 3, then a 7-bit number that is 1. */
const SCTE20: Mark = { before: [], bytes: Buffer.from(`${USER_DATA}03`, 'hex'), fits: (next) => (next & 0x7f) === 1 };

/** How the captions of a codec's pictures begin. FFmpeg gives none of other codecs. */
const MARKS: Readonly<Record<string, readonly Mark[]>> = {
  h264: [A53],
  hevc: [A53],
  av1: [A53],
  mpeg2video: [A53, DVD, SCTE20],
};

/**
 * Whether anything in a file looks like CEA-608 or CEA-708 captions of a picture. All of it is read, up to the first: a programme may follow
 * others that have none, and no header names them. At 2.5 GB a second it costs what the disk takes. A mark that is cut by a transport
 * packet is missed, but each picture with captions has one.
 */
export async function hasCaptions(file: string, codec: string): Promise<boolean> {
  const marks = MARKS[codec];
  if (marks === undefined) return false;
  let kept: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
    const bytes = Buffer.concat([kept, chunk]);
    if (marks.some((mark) => holds(bytes, mark))) return true;
    kept = bytes.subarray(-OVERLAP_BYTES);
  }
  return false;
}

/** The captions that finished rungs carry, INSTREAM-ID of each, and what is lost of those of the source. */
export async function carriedCaptions(
  { video }: Pick<EncodePlan, 'video'>,
  directory: string,
): Promise<{ captions: string[]; warnings: Warning[] }> {
  const smallest = video?.captions ? video.rungs.at(-1)?.name : undefined;
  if (!video || smallest === undefined) return { captions: [], warnings: [] };
  const { captions, pictures } = await captionsIn(join(directory, renditionName(smallest)));
  const lost =
    pictures === 0
      ? 'The source seems to have captions in its pictures, and none that was decoded has any: they are not carried.'
      : video.retime && captions.length > 0
        ? 'Parts of the captions are lost with the pictures that were left out.'
        : undefined;
  return { captions, warnings: lost === undefined ? [] : [warning('subtitles_dropped', lost)] };
}

/**
 * The channels and services that the pictures of a finished rendition of H.264 carry, and how many pictures have data of captions. All of it
 * is read. What a mark begins needs no escape: each third byte of it is above 3.
 */
async function captionsIn(file: string): Promise<{ captions: string[]; pictures: number }> {
  const channels = new CaptionChannels();
  let pictures = 0;
  let kept: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
    const bytes = Buffer.concat([kept, chunk]);
    for (const at of placesOf(bytes, A53)) {
      channels.add(bytes.subarray(at, at + MOST_CAPTION_BYTES));
      pictures += 1;
    }
    kept = bytes.subarray(-(OVERLAP_BYTES + A53.bytes.length + MOST_CAPTION_BYTES));
  }
  return { captions: channels.names, pictures };
}

/** Looks for captions in the pieces of a source, in whatever order they come, before it is known which codec it has. */
export class CaptionMarks {
  readonly #found = new Map(
    Object.entries(MARKS).map(([codec, marks]) => [codec, { marks, seen: new AbortController() }]),
  );

  /** A mark that is cut by the end of a piece is missed, but each picture with captions has one. */
  add(piece: Buffer): void {
    for (const { marks, seen } of this.#found.values()) {
      if (!seen.signal.aborted && marks.some((mark) => holds(piece, mark))) seen.abort();
    }
  }

  /** Aborted as soon as such captions are seen; undefined for a codec that has none. */
  of(codec: string): AbortSignal | undefined {
    return this.#found.get(codec)?.seen.signal;
  }
}

function holds(bytes: Buffer, mark: Mark): boolean {
  return !placesOf(bytes, mark).next().done;
}

/** Where what follows a mark begins. */
function* placesOf(bytes: Buffer, { before, bytes: mark, fits }: Mark): Generator<number> {
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) {
    const next = bytes[at + mark.length];
    const behind = bytes.toString('hex', Math.max(0, at - OVERLAP_BYTES), at);
    const isPreceded = before.length === 0 || before.some((text) => behind.endsWith(text));
    if (isPreceded && (fits === undefined || (next !== undefined && fits(next)))) yield at + mark.length;
  }
}
