import { bodies, body, viewOf } from './boxes.ts';
import { avcCodec, mp4aCodec } from './codecs.ts';
import type { Size } from './size.ts';

/** The header data of an init segment's one track. */
export interface TrackHeader {
  /** Ticks per second. */
  timescale: number;
  /** RFC 6381. */
  codec: string;
  /** Media time of the edit list, in ticks: what is skipped at the start (AAC priming, reordering delay of B-frames). */
  skip: number;
}

/** The data of one segment's moof, in ticks. */
export interface Fragment {
  /** tfdt: decode time of the first sample. */
  start: number;
  duration: number;
  samples: number;
  /** Whether the first sample is a sync sample. */
  startsWithKeyframe: boolean;
  /** Bytes from the moof's beginning to the end of its first sample. */
  firstBytes: number;
  /** When its first sample, in order of presentation, is presented. */
  firstStart: number;
  /** When its last sample, in order of presentation, begins to be presented. */
  lastStart: number;
  /** Duration of that sample. Meaningless for video of a variable rate: it is computed from decode times, which are other frames' times. */
  lastDuration: number;
}

/** Bytes before the sample entry's child boxes: 8 of SampleEntry, and 70 (video) or 20 (audio) more. */
const ENTRY_BYTES = { avc1: 78, mp4a: 28 } as const;

/**
 * Reads an init segment with one H.264 or AAC track.
 * @throws Error when it is anything else
 */
export function readInit(init: Uint8Array): TrackHeader {
  const trak = body(init, 'moov', 'trak');
  const mdhd = viewOf(body(trak, 'mdia', 'mdhd'));
  const timescale = mdhd.getUint32(mdhd.getUint8(0) === 1 ? 20 : 12);
  const entries = body(trak, 'mdia', 'minf', 'stbl', 'stsd').subarray(8);
  return { timescale, codec: codecOf(entries), skip: editStart(trak) };
}

/**
 * The size of the pictures, as coded, that an init segment announces: of its VisualSampleEntry (ISO/IEC 14496-12, 12.1.3).
 * @throws Error when it has no H.264 track
 */
export function pictureSize(init: Uint8Array): Size {
  const [video] = bodies(body(init, 'moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd').subarray(8), 'avc1');
  if (!video) throw new Error('the init segment holds no avc1');
  const entry = viewOf(video);
  return { width: entry.getUint16(24), height: entry.getUint16(26) };
}

function codecOf(entries: Uint8Array): string {
  const [video] = bodies(entries, 'avc1');
  if (video) return avcCodec(body(video.subarray(ENTRY_BYTES.avc1), 'avcC'));
  const [audio] = bodies(entries, 'mp4a');
  if (audio) return mp4aCodec(body(audio.subarray(ENTRY_BYTES.mp4a), 'esds').subarray(4));
  throw new Error('the init segment holds neither avc1 nor mp4a');
}

function editStart(trak: Uint8Array): number {
  const [edts] = bodies(trak, 'edts');
  if (edts === undefined) return 0;
  const elst = viewOf(body(edts, 'elst'));
  if (elst.getUint32(4) !== 1) throw new Error('the edit list has more than one entry');
  return elst.getUint8(0) === 1 ? Number(elst.getBigInt64(16)) : elst.getInt32(12);
}

/** sample_is_non_sync_sample, ISO/IEC 14496-12, 8.8.3.1 */
const NON_SYNC = 0x10000;

/** Reads the moof of a segment that holds one fragment of one track; `moof` is the box's body. */
export function readFragment(moof: Uint8Array): Fragment {
  const start = decodeStart(moof);
  let samples = 0;
  let duration = 0;
  let last = { start: Number.NEGATIVE_INFINITY, duration: 0 };
  let firstStart = Number.POSITIVE_INFINITY;
  let firstFlags: number | undefined;
  let firstBytes = 0;
  for (const sample of samplesOf(moof)) {
    if (samples === 0) firstBytes = dataOffset(moof) + sample.bytes;
    firstFlags ??= sample.flags;
    const shown = start + duration + sample.compositionOffset;
    firstStart = Math.min(firstStart, shown);
    if (shown >= last.start) last = { start: shown, duration: sample.duration };
    duration += sample.duration;
    samples += 1;
  }
  const startsWithKeyframe = firstFlags !== undefined && (firstFlags & NON_SYNC) === 0;
  const ends = { firstStart, lastStart: last.start, lastDuration: last.duration };
  return { start, duration, samples, startsWithKeyframe, firstBytes, ...ends };
}

/** When each sample of a fragment is presented, in ticks, in the order of the decoder. */
export function shownAt(moof: Uint8Array): number[] {
  let time = decodeStart(moof);
  return [...samplesOf(moof)].map(({ duration, compositionOffset }) => {
    time += duration;
    return time - duration + compositionOffset;
  });
}

/** A sample of a fragment. */
export interface Sample {
  bytes: number;
  /** ISO/IEC 14496-12, 8.8.3.1. */
  flags: number;
  /** When it is presented, in ticks. */
  shown: number;
}

/** The samples of a fragment in the order of the decoder, which is that of their bytes. */
export function readSamples(moof: Uint8Array): Sample[] {
  const shown = shownAt(moof);
  return [...samplesOf(moof)].map(({ bytes, flags }, i) => ({ bytes, flags, shown: shown[i] ?? 0 }));
}

function decodeStart(moof: Uint8Array): number {
  const tfdt = viewOf(body(moof, 'traf', 'tfdt'));
  return tfdt.getUint8(0) === 1 ? Number(tfdt.getBigInt64(4)) : tfdt.getUint32(4);
}

/** Bytes from the moof's beginning to its first sample: data_offset, as default-base-is-moof has it (ISO/IEC 14496-12, 8.8.7 and 8.8.8). */
function dataOffset(moof: Uint8Array): number {
  const trun = viewOf(body(moof, 'traf', 'trun'));
  if ((trun.getUint32(0) & 0x1) === 0) throw new Error('a fragment does not say where its samples are');
  return trun.getInt32(8);
}

function* samplesOf(moof: Uint8Array) {
  const traf = body(moof, 'traf');
  const defaults = readTfhd(viewOf(body(traf, 'tfhd')));
  for (const trun of bodies(traf, 'trun')) yield* readTrun(viewOf(trun), defaults);
}

interface SampleDefaults {
  duration: number;
  bytes: number;
  flags: number;
}

function readTfhd(tfhd: DataView): SampleDefaults {
  const flags = tfhd.getUint32(0) & 0xffffff;
  let at = 8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0);
  const next = (present: number) => {
    if (!(flags & present)) return 0;
    at += 4;
    return tfhd.getUint32(at - 4);
  };
  const duration = next(0x8);
  const bytes = next(0x10);
  return { duration, bytes, flags: next(0x20) };
}

function* readTrun(trun: DataView, defaults: SampleDefaults) {
  const flags = trun.getUint32(0) & 0xffffff;
  const count = trun.getUint32(4);
  let at = 8 + (flags & 0x1 ? 4 : 0);
  const firstFlags = flags & 0x4 ? trun.getUint32(at) : undefined;
  at += flags & 0x4 ? 4 : 0;
  for (let i = 0; i < count; i++) {
    const duration = flags & 0x100 ? trun.getUint32(at) : defaults.duration;
    at += flags & 0x100 ? 4 : 0;
    const bytes = flags & 0x200 ? trun.getUint32(at) : defaults.bytes;
    at += flags & 0x200 ? 4 : 0;
    const own = flags & 0x400 ? trun.getUint32(at) : defaults.flags;
    at += flags & 0x400 ? 4 : 0;
    const compositionOffset = flags & 0x800 ? trun.getInt32(at) : 0;
    at += flags & 0x800 ? 4 : 0;
    yield { duration, bytes, flags: i === 0 ? (firstFlags ?? own) : own, compositionOffset };
  }
}
