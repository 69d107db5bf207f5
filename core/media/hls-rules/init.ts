/** What an init segment and the fragments of a segment say, of any fMP4 (ISO/IEC 14496-12). The bytes are untrusted. */
import { bodies, body, viewOf } from '../boxes.ts';
import { avcCodec, mp4aChannels, mp4aCodec } from '../codecs.ts';

export interface Track {
  id: number;
  kind: 'video' | 'audio' | 'other';
  /** Ticks per second. */
  timescale: number;
  /** The sample entry: `avc1`. */
  entry: string;
  /** RFC 6381; only the sample entry where more is not read. */
  codec: string;
  width?: number;
  height?: number;
  /** TransferCharacteristics of a colr box: 16 is PQ, 18 is HLG (ISO/IEC 23091-2). */
  transfer?: number;
  /** Channels, per second. */
  channels?: number;
  rate?: number;
  /** trex: what fragments leave out. */
  defaults: SampleDefaults;
}

interface SampleDefaults {
  duration: number;
  bytes: number;
  flags: number;
}

/** One track of one fragment, in seconds. */
export interface Run {
  track: Track;
  /** By decode times, which of reordered pictures are other pictures' times. */
  start: number;
  duration: number;
  samples: number;
  /** When its first sample in order of presentation is shown, and its last ends. */
  shownFrom: number;
  shownTo: number;
  /** The longest time from one shown sample to the next. */
  longest: number;
  /** How long the last one is shown, by its duration. */
  last: number;
  /** When its sync samples are shown, in order. */
  syncs: number[];
  /** Whether the first sample is one. */
  startsWithSync: boolean;
  /** Bytes from the moof's beginning to the end of the first sample, where the fragment says it. */
  firstBytes?: number;
}

/** Bytes of a sample entry before its child boxes. */
const VIDEO_ENTRY = 78;
const AUDIO_ENTRY = 28;
/** More samples in one fragment are not looked at: 10 s have 600 pictures, or 500 frames of sound. */
const SAMPLES_LIMIT = 20_000;
/** sample_is_non_sync_sample, ISO/IEC 14496-12, 8.8.3.1 */
const NON_SYNC = 0x10000;

/**
 * The tracks of an init segment.
 * @throws Error when it is not one
 */
export function tracksOf(init: Uint8Array): Track[] {
  const moov = body(init, 'moov');
  const [mvex] = bodies(moov, 'mvex');
  const trex = mvex ? bodies(mvex, 'trex').map(viewOf) : [];
  return bodies(moov, 'trak').map((trak) => {
    const tkhd = viewOf(body(trak, 'tkhd'));
    const id = tkhd.getUint32(tkhd.getUint8(0) === 1 ? 20 : 12);
    const mdhd = viewOf(body(trak, 'mdia', 'mdhd'));
    const timescale = mdhd.getUint32(mdhd.getUint8(0) === 1 ? 20 : 12);
    if (timescale === 0) throw new Error('a track has a time scale of 0');
    const own = trex.find((view) => view.getUint32(4) === id);
    const defaults = {
      duration: own?.getUint32(12) ?? 0,
      bytes: own?.getUint32(16) ?? 0,
      flags: own?.getUint32(20) ?? 0,
    };
    return { id, timescale, defaults, ...entryOf(body(trak, 'mdia', 'minf', 'stbl', 'stsd').subarray(8)) };
  });
}

function entryOf(stsd: Uint8Array): Omit<Track, 'id' | 'timescale' | 'defaults'> {
  const entry = String.fromCharCode(...stsd.subarray(4, 8));
  const [content] = bodies(stsd, entry);
  if (content === undefined) throw new Error('no sample entry');
  const view = viewOf(content);
  if (/^(avc[13]|hvc1|hev1|av01|vp09|dvh1|dvhe)$/.test(entry)) {
    const size = { width: view.getUint16(24), height: view.getUint16(26) };
    const boxes = content.subarray(VIDEO_ENTRY);
    const nclx = bodies(boxes, 'colr').find((colr) => String.fromCharCode(...colr.subarray(0, 4)) === 'nclx');
    const transfer = nclx && { transfer: viewOf(nclx).getUint16(6) };
    return { kind: 'video', entry, codec: videoCodec(entry, boxes), ...size, ...transfer };
  }
  if (/^(mp4a|ac-3|ec-3|fLaC|Opus|alac)$/.test(entry)) {
    const rate = view.getUint32(24) >>> 16;
    const [esds] = bodies(content.subarray(AUDIO_ENTRY), 'esds');
    if (!esds) return { kind: 'audio', entry, codec: entry, rate, channels: view.getUint16(16) };
    // The entry's own count is a template that says 2 of mono as well (ISO/IEC 14496-14, 5.6.1).
    const channels = mp4aChannels(esds.subarray(4));
    return { kind: 'audio', entry, codec: mp4aCodec(esds.subarray(4)), rate, ...(channels && { channels }) };
  }
  return { kind: 'other', entry, codec: entry };
}

function videoCodec(entry: string, boxes: Uint8Array): string {
  const [avcC] = bodies(boxes, 'avcC');
  if (avcC && entry.startsWith('avc')) return avcCodec(avcC).replace(/^avc1/, entry);
  const [hvcC] = bodies(boxes, 'hvcC');
  return hvcC ? `${entry}.${hevcProfile(hvcC)}` : entry;
}

/** `1.6.L93.B0` from the HEVCDecoderConfigurationRecord: profile, compatibility, tier and level, constraints. ISO/IEC 14496-15, annex E. */
function hevcProfile(hvcC: Uint8Array): string {
  const view = viewOf(hvcC);
  const first = view.getUint8(1);
  const space = ['', 'A', 'B', 'C'][first >> 6] ?? '';
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed = (reversed << 1) | ((view.getUint32(2) >>> bit) & 1);
  const tier = first & 0x20 ? 'H' : 'L';
  const constraints = [...hvcC.subarray(6, 12)].map((byte) => byte.toString(16).toUpperCase());
  while (constraints.at(-1) === '0') constraints.pop();
  const parts = [`${space}${first & 0x1f}`, (reversed >>> 0).toString(16).toUpperCase(), `${tier}${view.getUint8(12)}`];
  return [...parts, ...constraints].join('.');
}

/**
 * The runs of a fragment.
 * @param moof body of the box
 * @throws Error or RangeError when it cannot be read
 */
export function runsOf(moof: Uint8Array, tracks: readonly Track[]): Run[] {
  return bodies(moof, 'traf').flatMap((traf) => {
    const tfhd = viewOf(body(traf, 'tfhd'));
    const track = tracks.find(({ id }) => id === tfhd.getUint32(4));
    if (!track) return [];
    const tfdt = viewOf(body(traf, 'tfdt'));
    const first = tfdt.getUint8(0) === 1 ? Number(tfdt.getBigUint64(4)) : tfdt.getUint32(4);
    const truns = bodies(traf, 'trun').map(viewOf);
    // A run without fields of its own can announce four billion samples in eight bytes.
    const count = truns.reduce((sum, trun) => sum + trun.getUint32(4), 0);
    if (count > SAMPLES_LIMIT) throw new Error('too many samples in a fragment');
    const samples = truns.flatMap((trun) => [...samplesOf(trun, defaultsOf(tfhd, track))]);
    let at = first;
    const shown: { time: number; end: number; sync: boolean }[] = [];
    for (const { duration, flags, offset } of samples) {
      shown.push({ time: at + offset, end: at + offset + duration, sync: (flags & NON_SYNC) === 0 });
      at += duration;
    }
    const duration = (at - first) / track.timescale;
    const own = { track, start: first / track.timescale, duration, samples: samples.length };
    const data = dataOffset(tfhd, truns[0]);
    const place = data !== undefined && samples[0] ? { firstBytes: data + samples[0].bytes } : {};
    return [{ ...own, ...place, startsWithSync: shown[0]?.sync === true, ...presentation(shown, track.timescale) }];
  });
}

/** data_offset, where it counts from the moof's beginning: without base_data_offset (ISO/IEC 14496-12, 8.8.7 and 8.8.8). */
function dataOffset(tfhd: DataView, trun: DataView | undefined): number | undefined {
  return trun && trun.getUint32(0) & 0x1 && !(tfhd.getUint32(0) & 0x1) ? trun.getInt32(8) : undefined;
}

function presentation(samples: readonly { time: number; end: number; sync: boolean }[], timescale: number) {
  const shown = [...samples].sort((a, b) => a.time - b.time);
  const times = shown.map(({ time }) => time / timescale);
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? time));
  return {
    shownFrom: times[0] ?? 0,
    shownTo: (shown.at(-1)?.end ?? 0) / timescale,
    longest: gaps.reduce((most, gap) => Math.max(most, gap), 0),
    last: (shown.at(-1)?.end ?? 0) / timescale - (times.at(-1) ?? 0),
    syncs: shown.filter(({ sync }) => sync).map(({ time }) => time / timescale),
  };
}

function defaultsOf(tfhd: DataView, { defaults }: Track): SampleDefaults {
  const flags = tfhd.getUint32(0) & 0xffffff;
  let at = 8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0);
  const next = (present: number, otherwise: number) => {
    if (!(flags & present)) return otherwise;
    at += 4;
    return tfhd.getUint32(at - 4);
  };
  const duration = next(0x8, defaults.duration);
  const bytes = next(0x10, defaults.bytes);
  return { duration, bytes, flags: next(0x20, defaults.flags) };
}

function* samplesOf(trun: DataView, defaults: SampleDefaults): Generator<SampleDefaults & { offset: number }> {
  const flags = trun.getUint32(0) & 0xffffff;
  const count = trun.getUint32(4);
  let at = 8 + (flags & 0x1 ? 4 : 0);
  const next = (present: number, otherwise: number) => {
    if (!(flags & present)) return otherwise;
    at += 4;
    return trun.getUint32(at - 4);
  };
  const firstFlags = flags & 0x4 ? next(0x4, 0) : undefined;
  for (let i = 0; i < count; i++) {
    const duration = next(0x100, defaults.duration);
    const bytes = next(0x200, defaults.bytes);
    const own = next(0x400, defaults.flags);
    const offset = next(0x800, 0) | 0;
    yield { duration, bytes, offset, flags: i === 0 ? (firstFlags ?? own) : own };
  }
}
