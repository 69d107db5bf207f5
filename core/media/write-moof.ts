import { BOX_HEADER_BYTES, bodies, readBoxHeader } from './boxes.ts';
import type { Sample } from './fragments.ts';

/** What a fragment is written with. Its times are in ticks. */
export interface NewFragment {
  /** Of the file's fragments, from 1: it increases. */
  sequence: number;
  /** A group of pictures that ends before the next one begins. */
  samples: readonly Sample[];
  /** What the file's edit list skips: by so much a picture may be decoded before it is shown, at most. */
  delay: number;
  /** When the first picture after this fragment is shown; absent where that is not known yet. */
  next?: number;
}

export interface Written {
  /** The whole box. */
  moof: Uint8Array;
  /** Where in it the duration of its last sample is, as 32 bits. */
  lastDurationAt: number;
  /** When its last sample is decoded. */
  lastDecoded: number;
}

/** ISO/IEC 14496-12: 8.8.7 (tfhd), 8.8.8 (trun). */
const DEFAULT_BASE_IS_MOOF = 0x020000;
const TRUN_FLAGS = {
  dataOffset: 0x1,
  firstSampleFlags: 0x4,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  offset: 0x800,
};
const TRACK = 1;
const MDAT_HEADER = 8;

/**
 * When each sample is decoded: the i-th when the i-th picture is shown, but no later than its own picture, which is shown `delay` after its time
 * in the file. The first of a fragment is decoded at the time of its first picture. So neither a gap nor an overlap is between two
 * fragments, whoever encoded them, at whatever rate, and none depends on another. Encoders' own times do: of two pictures before.
 */
function decodeTimes(samples: readonly Sample[], delay: number): number[] {
  const times = samples.map(({ shown }) => shown).sort((a, b) => a - b);
  for (let i = times.length - 1, next = Number.POSITIVE_INFINITY; i >= 0; i--) {
    next = Math.min(times[i] ?? 0, (samples[i]?.shown ?? 0) + delay, next - 1);
    times[i] = next;
  }
  return times;
}

/**
 * The head of a fragment whose samples follow it in an mdat with a header of 8 bytes.
 * @throws Error without samples
 */
export function writeMoof({ sequence, samples, delay, next }: NewFragment): Written {
  const [first, second] = samples;
  if (first === undefined) throw new Error('a fragment without samples');
  const decoded = decodeTimes(samples, delay);
  const [start = 0, lastDecoded = 0] = [decoded[0], decoded.at(-1)];
  const others = second?.flags ?? first.flags;
  const hasFlags = samples.some(({ flags }, i) => i > 0 && flags !== others);
  const { dataOffset, firstSampleFlags, ...each } = TRUN_FLAGS;
  const flags = dataOffset | each.duration | each.size | each.offset | (hasFlags ? each.flags : firstSampleFlags);
  const trun = words(
    samples.length,
    0,
    ...(hasFlags ? [] : [first.flags]),
    ...samples.flatMap((sample, i) => {
      const at = decoded[i] ?? 0;
      const duration = Math.max(0, (decoded[i + 1] ?? next ?? at) - at);
      return [duration, sample.bytes, ...(hasFlags ? [sample.flags] : []), sample.shown + delay - at];
    }),
  );
  const tfdt = new Uint8Array(8);
  new DataView(tfdt.buffer).setBigUint64(0, BigInt(start));
  const moof = box(
    'moof',
    full('mfhd', 0, 0, words(sequence)),
    box(
      'traf',
      full('tfhd', 0, DEFAULT_BASE_IS_MOOF | 0x20, words(TRACK, others)),
      full('tfdt', 1, 0, tfdt),
      full('trun', 1, flags, trun),
    ),
  );
  const view = new DataView(moof.buffer);
  const trunBody = moof.length - trun.length;
  view.setInt32(trunBody + 4, moof.length + MDAT_HEADER);
  return { moof, lastDurationAt: moof.length - 4 * (hasFlags ? 4 : 3), lastDecoded };
}

/** An init segment of one track, without an edit list, with one that skips so many ticks. @throws Error where it has one */
export function withEditList(init: Uint8Array, skip: number): Uint8Array {
  const edts = box('edts', full('elst', 0, 0, words(1, 0, skip, 0x00010000)));
  return within(init, ['moov', 'trak'], (trak) => {
    if (bodies(trak, 'edts').length > 0) throw new Error('the init segment has an edit list');
    return [trak, edts];
  });
}

/** Boxes in which the content of one, at a path, is changed. */
function within(bytes: Uint8Array, path: readonly string[], change: (content: Uint8Array) => Uint8Array[]): Uint8Array {
  const [type, ...rest] = path;
  if (type === undefined) return joined(change(bytes));
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const found = readBoxHeader(bytes.subarray(at, at + BOX_HEADER_BYTES), bytes.length - at);
    if (found === null || found.size < found.header) throw new Error('the init segment is cut off');
    const content = bytes.subarray(at + found.header, at + found.size);
    parts.push(found.type === type ? box(type, within(content, rest, change)) : bytes.subarray(at, at + found.size));
    at += found.size;
  }
  return joined(parts);
}

/** 32 bits each, the negative ones as two's complement. */
function words(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (const [i, value] of values.entries()) view.setInt32(i * 4, value);
  return new Uint8Array(view.buffer);
}

function full(type: string, version: number, flags: number, content: Uint8Array): Uint8Array {
  return box(type, words((version << 24) | flags), content);
}

function box(type: string, ...contents: Uint8Array[]): Uint8Array {
  const size = contents.reduce((total, { length }) => total + length, 8);
  return joined([words(size), Uint8Array.from(type, (letter) => letter.charCodeAt(0)), ...contents]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
