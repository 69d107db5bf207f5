import type { ArchivePolicy, ArchiveReason, ArchiveRefusal, Quality } from '../contracts/archive.ts';
import { refusal } from './fitness.ts';
import { staticHdr } from './hdr.ts';
import {
  copiedOf,
  type Description,
  type Inspection,
  isCover,
  rotationOf,
  type Stream,
  type TrackTimes,
  videosOf,
} from './inspection.ts';
import { bibliographic } from './languages.ts';

/**
 * Whether a file holds what its own index declares. FFmpeg reads a file that was cut to its end without a word, and a copy of it has as
 * many pictures as could be read.
 */
export function indexFault({ description, times }: Inspection): ArchiveRefusal | undefined {
  // Of subtitles FFmpeg leaves out the empty samples; those of chapters it does not give.
  const sound = description.streams.filter(({ codec_type }) => codec_type === 'audio');
  for (const { index, nb_frames } of [...videosOf(description), ...sound]) {
    const packets = times.get(index)?.packets ?? 0;
    if (nb_frames === undefined || packets === nb_frames) continue;
    return refusal('source_damaged', `Track ${index} declares ${nb_frames} packets and holds ${packets}.`);
  }
  const [video] = videosOf(description);
  if (video && (times.get(video.index)?.shown.length ?? 0) > 0) return undefined;
  return refusal('source_damaged', 'It shows no picture.');
}

/** All differences that a viewer, an editor or an index of recordings would notice, but for the quality of the pictures. */
export function compareFiles(
  original: Inspection,
  archived: Inspection,
  policy: Pick<ArchivePolicy, 'codec' | 'minSavingsPercent'>,
): ArchiveRefusal[] {
  const [before] = videosOf(original.description);
  const [after] = videosOf(archived.description);
  if (!before || !after) return [refusal('tracks', 'The new file has no picture.')];
  const rules: (ArchiveRefusal | undefined)[] = [
    codecFault(after, policy),
    durationFault(original.description, archived.description),
    ...timesFaults(original.times.get(before.index), archived.times.get(after.index)),
    pictureFault(before, after),
    colorFault(original.description, archived.description),
    ...copiesFaults(original, archived),
    roleFault(before, after),
    metadataFault(original.description, archived.description),
    savingsFault(original.bytes, archived.bytes, policy),
  ];
  return rules.filter((found) => found !== undefined);
}

const EXPECTED = { hevc: { codec: 'hevc', tag: 'hvc1' }, av1: { codec: 'av1', tag: 'av01' } } as const;

function codecFault(video: Stream, { codec }: Pick<ArchivePolicy, 'codec'>): ArchiveRefusal | undefined {
  const right = EXPECTED[codec];
  if (video.codec_name === right.codec && video.codec_tag_string === right.tag) return undefined;
  return refusal(
    'codec_tag',
    `It is ${video.codec_name} as ${video.codec_tag_string}, not ${right.codec} as ${right.tag}.`,
  );
}

const DURATION = { seconds: 1, share: 0.001 };

function durationFault(before: Description, after: Description): ArchiveRefusal | undefined {
  const [from, to] = [before.format.duration, after.format.duration];
  const allowed = Math.min(DURATION.seconds, Math.max(from ?? 0, 1) * DURATION.share);
  // A missing value is a difference, never a match.
  if (from !== undefined && to !== undefined && Math.abs(from - to) <= allowed + lastPicture(before)) return undefined;
  return refusal('duration', `It lasts ${to ?? 'no'} s instead of ${from ?? 'no'} s.`);
}

/** Seconds of one picture: the last one's duration may be lost, which no time of a picture shows. */
function lastPicture(description: Description): number {
  const [, num, den] = /^(\d+)\/(\d+)$/.exec(videosOf(description)[0]?.avg_frame_rate ?? '') ?? [];
  return Number(num) > 0 ? Number(den) / Number(num) : 0;
}

/** Compares exactly, in ticks: a time in seconds is rounded to a microsecond. */
function timesFaults(before: TrackTimes | undefined, after: TrackTimes | undefined): ArchiveRefusal[] {
  if (!before || !after) return [refusal('frame_count', 'A track has no packets.')];
  if (before.shown.length !== after.shown.length) {
    return [refusal('frame_count', `It shows ${after.shown.length} pictures instead of ${before.shown.length}.`)];
  }
  const moved = before.shown.findIndex((time, i) => !isSameTime(time, before, after.shown[i] ?? 0n, after));
  if (moved < 0) return [];
  const [from, to] = [seconds(before, moved), seconds(after, moved)].map((time) => time.toFixed(6));
  return [refusal('frame_times', `Picture ${moved} is shown at ${to} s instead of ${from} s.`)];
}

function isSameTime(a: bigint, { base: from }: TrackTimes, b: bigint, { base: to }: TrackTimes): boolean {
  // Over the common denominator, where a tick of each clock is num × the other's den.
  const difference = a * from.num * to.den - b * to.num * from.den;
  const ticks = [from.num * to.den, to.num * from.den] as const;
  const coarser = ticks[0] > ticks[1] ? ticks[0] : ticks[1];
  return (difference < 0n ? -difference : difference) <= coarser;
}

/** When a presented packet of a track is shown. */
export function seconds({ base, shown }: TrackTimes, i: number): number {
  return (Number(shown[i] ?? 0n) * Number(base.num)) / Number(base.den);
}

function pictureFault(before: Stream, after: Stream): ArchiveRefusal | undefined {
  const properties: Record<string, (stream: Stream) => string> = {
    size: ({ width, height }) => `${width}x${height}`,
    'sample aspect': ({ sample_aspect_ratio = '1:1' }) => (sample_aspect_ratio === '0:1' ? '1:1' : sample_aspect_ratio),
    rotation: (stream) => String(rotationOf(stream)),
  };
  const other = difference(properties, before, after);
  if (other) return refusal('picture', other);
  const [from, to] = [before, after].map(rateOf);
  if (from === undefined || to === undefined || Math.abs(from - to) <= from * DURATION.share + 0.01) return undefined;
  return refusal('picture', `frame rate: ${after.avg_frame_rate} instead of ${before.avg_frame_rate}`);
}

function rateOf({ avg_frame_rate }: Stream): number | undefined {
  const [num, den] = (avg_frame_rate ?? '').split('/').map(Number);
  return num && den ? num / den : undefined;
}

function colorFault(before: Description, after: Description): ArchiveRefusal | undefined {
  const hdr = (description: Description) => JSON.stringify(staticHdr(description) ?? 'none');
  const properties: Record<string, (description: Description) => string> = {
    // yuvj420p is an old name of yuv420p with full range.
    'pixel format': (it) => (videosOf(it)[0]?.pix_fmt ?? 'none').replace('yuvj', 'yuv'),
    range: (it) => videosOf(it)[0]?.color_range ?? 'tv',
    matrix: (it) => videosOf(it)[0]?.color_space ?? 'unknown',
    transfer: (it) => videosOf(it)[0]?.color_transfer ?? 'unknown',
    primaries: (it) => videosOf(it)[0]?.color_primaries ?? 'unknown',
    'mastering data': hdr,
  };
  const other = difference(properties, before, after);
  return other === undefined ? undefined : refusal('color', other);
}

/** `rotation: 0 instead of 90`; undefined where all are equal. */
function difference<T>(properties: Record<string, (of: T) => string>, before: T, after: T): string | undefined {
  for (const [name, read] of Object.entries(properties)) {
    const [from, to] = [read(before), read(after)];
    if (from !== to) return `${name}: ${to} instead of ${from}`;
  }
  return undefined;
}

/** Copied tracks are compared in their order. */
function copiesFaults(original: Inspection, archived: Inspection): (ArchiveRefusal | undefined)[] {
  const [before, after] = [copiedOf(original.description), copiedOf(archived.description)];
  if (before.length !== after.length) {
    return [refusal('tracks', `It has ${after.length + 1} tracks instead of ${before.length + 1}.`)];
  }
  return before.flatMap((track, i) => {
    const copy = after[i];
    if (copy === undefined || copy.codec_type !== track.codec_type || copy.codec_name !== track.codec_name) {
      return [refusal('tracks', `Track ${track.index} is ${copy?.codec_name} instead of ${track.codec_name}.`)];
    }
    const fault =
      copy.codec_tag_string === track.codec_tag_string || isCover(track) ? undefined : tagFault(track, copy);
    return [fault, roleFault(track, copy), copyFault(original, track, archived, copy)];
  });
}

function tagFault(track: Stream, copy: Stream): ArchiveRefusal {
  return refusal(
    'tracks',
    `Track ${track.index} is marked ${copy.codec_tag_string} instead of ${track.codec_tag_string}.`,
  );
}

function copyFault(
  original: Inspection,
  track: Stream,
  archived: Inspection,
  copy: Stream,
): ArchiveRefusal | undefined {
  const hash = original.hashes.get(track.index);
  if (hash === undefined || hash !== archived.hashes.get(copy.index)) {
    return refusal('copied_track', `The bytes of track ${track.index} differ.`);
  }
  // A cover has no time.
  if (isCover(track)) return undefined;
  const [fault] = timesFaults(original.times.get(track.index), archived.times.get(copy.index));
  return fault && refusal('copied_track', `Track ${track.index}: ${fault.detail}`);
}

/** Language and the dispositions that are set. A track that the muxer marks as default, the first of its kind, was so before. */
function roleFault(before: Stream, after: Stream): ArchiveRefusal | undefined {
  const language = ({ tags }: Stream) => bibliographic(tags.language ?? 'und');
  if (language(before) !== language(after)) {
    return refusal('tracks', `Track ${before.index} is in ${language(after)} instead of ${language(before)}.`);
  }
  const roles = ({ disposition }: Stream) =>
    Object.keys(disposition)
      .filter((name) => disposition[name] === 1)
      .sort()
      .join(' ') || 'none';
  if (roles(before) === roles(after)) return undefined;
  return refusal('tracks', `The roles of track ${before.index} are ${roles(after)} instead of ${roles(before)}.`);
}

/** Written by the muxer: of the file that it writes. */
const OWN_TAGS = new Set(['major_brand', 'minor_version', 'compatible_brands', 'encoder', 'vendor_id']);

function metadataFault(before: Description, after: Description): ArchiveRefusal | undefined {
  const file = tagFaultOf('the file', before.format.tags, after.format.tags);
  if (file) return refusal('metadata', file);
  const chapters = ({ chapters }: Description) =>
    JSON.stringify(chapters.map(({ start_time, tags }) => [start_time, tags.title ?? '']));
  if (chapters(before) !== chapters(after)) {
    return refusal('metadata', `chapters: ${chapters(after)} instead of ${chapters(before)}`.slice(0, 200));
  }
  const copies = new Map([videosOf(before)[0], ...copiedOf(before)].map((track, i) => [track, i]));
  const others = [videosOf(after)[0], ...copiedOf(after)];
  for (const [track, i] of copies) {
    const fault = tagFaultOf(`track ${track?.index}`, track?.tags ?? {}, others[i]?.tags ?? {});
    if (fault) return refusal('metadata', fault);
  }
  return undefined;
}

type Tags = Readonly<Record<string, string>>;

/** A tag that is new is no loss. */
function tagFaultOf(where: string, before: Tags, after: Tags): string | undefined {
  const lost = Object.keys(before).find(
    // The language is compared with the track's role.
    (name) => !OWN_TAGS.has(name) && name !== 'language' && before[name] !== after[name],
  );
  if (lost === undefined) return undefined;
  return `${lost} of ${where}: ${after[lost] ?? 'none'} instead of ${before[lost]}`.slice(0, 200);
}

/** By how many percent of the original a file is smaller. */
export function savedPercent(original: number, archived: number): number {
  return original === 0 ? 0 : (100 * (original - archived)) / original;
}

/** A copy that is not smaller is not worth its loss, whatever the policy says. */
export function savingsFault(
  original: number,
  archived: number,
  { minSavingsPercent }: Pick<ArchivePolicy, 'minSavingsPercent'>,
): ArchiveRefusal | undefined {
  const saved = savedPercent(original, archived);
  if (saved >= minSavingsPercent && archived < original) return undefined;
  return refusal(
    'savings',
    `${archived} bytes instead of ${original} save ${saved.toFixed(1)} %; ${minSavingsPercent} % are asked for.`,
  );
}

/** By how much one picture may be below the median: of real clips none is by more than 0.011 at CRF 23 (docs/archive.md). */
const PICTURE_DROP = 0.04;
/** dB. Real clips give 39.9 and more at CRF 23; limited range in the place of full gives 25. */
const LEAST_PSNR = 30;

export function qualityFaults(
  { mean, worstSecond, worstAt, worstPicture, median, psnr }: Quality,
  { floors }: Pick<ArchivePolicy, 'floors'>,
): ArchiveRefusal[] {
  const fault = (reason: ArchiveReason, what: string, value: number, least: number) =>
    // Not below, so that NaN is one.
    value >= least ? [] : [refusal(reason, `${what} is ${value.toFixed(4)}; at least ${least} is asked for.`)];
  return [
    ...fault('quality_mean', 'SSIM on average', mean, floors.mean),
    ...fault('quality_worst_second', `SSIM in the second from ${worstAt} s`, worstSecond, floors.worstSecond),
    ...fault('quality_picture', 'SSIM of the worst picture', worstPicture, median - PICTURE_DROP),
    ...fault('quality_color', 'PSNR in dB', psnr, LEAST_PSNR),
  ];
}
