import { DOOR_ADDRESS } from '../input/door.ts';

/** How much of FFmpeg's output is kept for the log, in characters. */
const TAIL = 4000;
/** The longest sentence that is shown to people, in characters. */
const SENTENCE = 200;

/** More late tracks are not told of. */
const MOST_LATE = 20;

/** The end of a text. */
export function cut(text: string): string {
  return text.length <= TAIL ? text : `…${text.slice(-TAIL)}`;
}

/** The memory address of the FFmpeg component that prints a line: `[h264 @ 0x55e89b7d3d00]`. */
const ADDRESS = / @ 0x[0-9a-f]{1,16}\]/g;
/** The mark that `-v level+…` puts on each line. */
const LEVEL = /\[(?:panic|fatal|error|warning)\] /g;

/** FFmpeg's messages without addresses and marks, and without the name that it opened a source in S3 by. */
export function plain(text: string): string {
  return text.replace(ADDRESS, ']').replace(LEVEL, '').replace(DOOR_ADDRESS, 'source');
}

/** A line without the name of the component that prints it. */
export function sentenceOf(line: string): string {
  let rest = plain(line).trim();
  while (rest.startsWith('[') && rest.includes('] ')) rest = rest.slice(rest.indexOf('] ') + 2);
  return rest.slice(0, SENTENCE);
}

/** What FFmpeg says of a packet that gave nothing: up to 6.0 with the stream's number, later with the name that it gives to the stream. */
function undecodedTrack(line: string): string | undefined {
  const later = line.includes('Error submitting packet to decoder');
  return (later ? /\[[av]ist#0:(\d{1,4})\// : /Error while decoding stream #0:(\d{1,4})/).exec(line)?.[1];
}

/**
 * Damage that FFmpeg tells as a warning: frames with damaged parts or a wrong checksum, cut packets of MPEG-PS, MXF of another size than its
 * index. A WAV that does not say its length (programs that write into a pipe leave it) has a short last packet, which FFmpeg calls corrupt too.
 */
function tellsDamage(line: string): boolean {
  return DAMAGE.some((words) => line.includes(words)) || isCorruptPacket(line, 'mpeg ');
}
/** Decoders compare the checksums that FLAC, AC-3 and others have in each frame; otherwise FFmpeg leaves it out. */
export const CHECKED = ['-err_detect', 'crccheck'];
/** What AC-3's decoder says of a frame, in whose place it repeats the one before, or gives none: libavcodec/ac3dec.c */
export const MISMATCH = 'frame CRC mismatch';

const DAMAGE = ['corrupt decoded frame', 'edit unit sync lost', 'broken or empty index'];

/** Errors in titles and other tags (libavformat/id3v2.c), which are not carried. */
const OF_TAGS = ['Cannot read BOM value', 'Incorrect BOM value'];

/** A gap in the counters of a transport stream. Nothing need be lost: they begin anew where recordings were joined. */
function tellsGap(line: string): boolean {
  return isCorruptPacket(line, 'mpegts ');
}

/** Ticks of a transport stream's clock in a second. */
const TS_TICKS = 90_000;

function isCorruptPacket(line: string, demuxer: string): boolean {
  return line.startsWith(`[${demuxer}`) && line.includes(' Packet corrupt (');
}

export interface LateTrack {
  /** `video`, `audio`, `subtitle`, `data` … */
  type: string;
  /** Time of its first packet on the file's own clock; absent where it has none. */
  at?: number;
}

/** What FFmpeg says of a track that begins after it has learnt what the file holds: fftools, report_new_stream. */
const LATE = /New ([a-z]{1,16}) stream /;
const LATE_TIME = ' and DTS:';

function lateTrack(line: string): LateTrack | undefined {
  const type = LATE.exec(line)?.[1];
  const time = line.indexOf(LATE_TIME);
  if (type === undefined || time < 0) return undefined;
  const at = Number.parseFloat(line.slice(time + LATE_TIME.length));
  return { type, ...(Number.isFinite(at) && { at }) };
}

/**
 * Collects FFmpeg's stderr, which can be endless: the first error, because the later ones follow from it, the last lines, and how many
 * packets could not be decoded.
 */
export class Complaints {
  readonly #undecoded = new Map<number, number>();
  /** Of each track of a transport stream: when its last packet came before which others are missing, in seconds of its clock. */
  readonly lastGaps = new Map<number, number>();
  /** How many frames of AC-3 have a wrong checksum. */
  mismatches = 0;
  #first: string | undefined;
  #gap: string | undefined;
  #line = '';
  /** FFmpeg names each once. */
  readonly late: LateTrack[] = [];
  /** The end of the output, with addresses: for the log and for classifying the failure. */
  tail = '';

  add(text: string): void {
    this.tail = cut(this.tail + text);
    const lines = (this.#line + text).split('\n');
    // A line without an end is not a sentence.
    this.#line = (lines.pop() ?? '').slice(0, TAIL);
    for (const line of lines) {
      const late = lateTrack(line);
      if (late && this.late.length < MOST_LATE) this.late.push(late);
      const isGap = tellsGap(line);
      if (isGap) {
        this.#gap ??= sentenceOf(line);
        const [, track, ticks] = /stream = (\d{1,4}), dts = (\d{1,12})\)/.exec(line) ?? [];
        if (track !== undefined) this.lastGaps.set(Number(track), Number(ticks) / TS_TICKS);
      }
      if (OF_TAGS.some((words) => line.includes(words))) continue;
      const isError = line.includes('[error] ') || line.includes('[fatal] ');
      if (!isError && (isGap || !tellsDamage(line))) continue;
      this.#first ??= sentenceOf(line);
      if (line.endsWith(MISMATCH)) this.mismatches += 1;
      const track = undecodedTrack(line);
      if (track !== undefined) this.#undecoded.set(Number(track), this.undecoded(Number(track)) + 1);
    }
  }

  /** Forgets what was said of what is not used: the pictures between a seek and the first that is wanted. */
  forget(): void {
    this.#first = undefined;
    this.#gap = undefined;
    this.#undecoded.clear();
  }

  /** How many packets of a track gave nothing. */
  undecoded(track: number): number {
    return this.#undecoded.get(track) ?? 0;
  }

  /** The first gap in the counters of a transport stream. */
  get gap(): string | undefined {
    return this.#gap;
  }

  /** The first error or sign of damage; undefined when there was none, whatever the other warnings. */
  get fault(): string | undefined {
    return this.#first;
  }

  /** One sentence for people: the first error, else the last line. */
  get sentence(): string {
    return this.#first ?? sentenceOf(this.tail.trim().split('\n').at(-1) ?? '');
  }
}
