import { FILES, OPTIONAL_NAMES, type OptionalName } from '../contracts/outputs.ts';
import type { Preset, Rung } from '../contracts/presets.ts';
import type { SourceInfo } from '../contracts/table/media.ts';
import { mixChannels } from './channels.ts';
import { planColor } from './color.ts';
import type { AudioPlan, EncodePlan, Mp4Plan, TrackEnds, VideoPlan } from './encode-plan.ts';
import { oneOf } from './frame-rate.ts';
import { ladderFor } from './ladder.ts';
import { LIMITS } from './limits.ts';
import { planMp4, planOutputs } from './plan-outputs.ts';
import type { AudioTrack, Fraction, MediaProbe, VideoTrack } from './probe.ts';
import { shortSide } from './size.ts';

/** Interval of keyframes, short so that a seek decodes little; segments are cut at every third, or as the preset says. */
export const GOP_SECONDS = 2;

/** A picture that begins so late is preceded by repeats of it. */
export const LONG_GAP_SECONDS = 0.1;
/** FFmpeg's own value of `-dts_delta_threshold`. */
export const JUMP_SECONDS = 10;
/** Of which frames have been lost: AMR in 3GP by FFmpeg 5.1, E-AC-3 in MP4. In other codecs, such as Opus, time without frames is silence. */
const PACKED = /^(?:amr_[nw]b|eac3)$/;
const AUDIO_BITRATES = { '128k': 128_000, '64k': 64_000 } as const;

export function planEncode(probe: MediaProbe, preset: Preset, ends: TrackEnds): EncodePlan {
  const kind: EncodePlan['kind'] = probe.video ? 'video' : 'audio';
  const { wanted, skipped } = outputsFor(kind, preset);
  const video = probe.video ? planVideo(probe.video, preset, ends) : undefined;
  const mp4 =
    video && wanted.includes('mp4')
      ? planMp4(video.displayed, video.rungs, preset, probe.audio !== undefined)
      : undefined;
  const audio = probe.audio ? planAudio(probe.audio, { video, mp4, preset, endSeconds: ends.audio ?? 0 }) : undefined;
  const plan = {
    kind,
    durationSeconds: Math.max(video?.endSeconds ?? 0, audio?.endSeconds ?? 0),
    crf: preset.crf,
    segmentSeconds: preset.segmentSeconds,
    ...(video && { video }),
    ...(audio && { audio }),
    ...planOutputs(wanted, { video, audio, mp4 }),
    skipped: [...skipped, ...probe.skipped, ...skippedChannels(audio)],
    joined: ends.joined === true,
    indexed: ends.indexed === true,
    ...(probe.format === 'flac' && { numbered: true as const }),
    ...(probe.format === 'ogg' && { paged: true as const }),
    ...(probe.format.startsWith('matroska') && { clustersFrom: probe.startSeconds }),
    jumpSeconds: ends.pause === undefined ? JUMP_SECONDS : Math.ceil(ends.pause) + 1,
  };
  return { ...plan, worstCaseBytes: worstCase(plan) };
}

/** Of the outputs that the preset asks for: those that this kind of source can have, and why the others are left out. */
function outputsFor(
  kind: EncodePlan['kind'],
  preset: Preset,
): Pick<EncodePlan, 'skipped'> & { wanted: OptionalName[] } {
  const asked = OPTIONAL_NAMES.filter((name) => preset.outputs[name]);
  const refusal = (name: OptionalName) => {
    const only = name === 'preview' ? undefined : FILES[name].only;
    return only && only.kind !== kind ? only.otherwise : undefined;
  };
  return {
    wanted: asked.filter((name) => refusal(name) === undefined),
    skipped: asked.flatMap((what) => {
      const why = refusal(what);
      return why === undefined ? [] : [{ what, why }];
    }),
  };
}

function planVideo(track: VideoTrack, preset: Preset, ends: TrackEnds): VideoPlan {
  const retime = limitRate(track.frameRate, preset.maxFrameRate);
  const start = ends.videoStart ?? track.startSeconds;
  // Renditions begin together: one that begins later than the audio would need an empty edit, which browsers ignore. A short gap is
  // filled by showing the first frame longer. Across a long one it is repeated, because the encoder's clock follows the first gaps.
  const late = start >= LONG_GAP_SECONDS && track.frameRate !== undefined;
  const frameRate = retime ?? track.frameRate;
  const constantRate = frameRate !== undefined && !late && (retime !== undefined || track.constantRate);
  return {
    track: track.index,
    displayed: track.displayed,
    ...(track.crop && { crop: track.crop }),
    deinterlace: track.combed ?? [],
    ...(track.turn && track.combed?.length ? { turn: track.turn } : {}),
    ...(retime ? { retime } : {}),
    ...(late ? { lead: start } : {}),
    frameRate,
    constantRate,
    timescale: frameRate && constantRate ? wholeTicks(frameRate.num) : variableTicks(ends.video ?? 0),
    color: planColor(track.color, shortSide(track.displayed), track),
    ...(track.codec === 'mpeg4' && { oneByOne: true }),
    captions: track.captions === true,
    maxFrameRate: preset.maxFrameRate,
    mostPictures: Math.floor(LIMITS.decodedPixels / (track.coded.width * track.coded.height)),
    rungs: ladderFor(track.displayed, preset, frameRate && frameRate.num / frameRate.den),
    endSeconds: ends.video ?? 0,
    lastFrameSeconds: (retime ? undefined : ends.lastFrame) ?? (frameRate ? frameRate.den / frameRate.num : 0),
  };
}

function limitRate(rate: Fraction | undefined, most: number): Fraction | undefined {
  const kept = rate === undefined ? 1 : oneOf(rate.num / rate.den, most);
  return rate === undefined || kept === 1 ? undefined : { num: rate.num, den: rate.den * kept };
}

// At least 10,000 ticks a second, so that small delays of frames are kept.
function wholeTicks(rate: number): number {
  return rate >= 10_000 ? rate : wholeTicks(rate * 2);
}

/** FFmpeg's MP4 muxer takes no picture that is shown for 2^31 ticks (libavformat/movenc.c, check_pkt), and one may stand as long as the film. */
function variableTicks(seconds: number): number {
  return seconds * 90_000 < 2 ** 31 ? 90_000 : 24_000;
}

function planAudio(
  track: AudioTrack,
  {
    video,
    mp4,
    preset,
    endSeconds,
  }: { video: VideoPlan | undefined; mp4: Mp4Plan | undefined; preset: Preset; endSeconds: number },
): AudioPlan {
  const names: Rung['audio'][] = ['128k', '64k'];
  const renditions = names.map((name) => ({
    name,
    file: video ? `audio-${name}` : name,
    bitrate: AUDIO_BITRATES[name],
    streamed: video ? video.rungs.some((rung) => rung.audio === name) : true,
  }));
  return {
    track: track.index,
    ...(track.right !== undefined && { right: track.right }),
    ...mixChannels(track.channels, track.layout),
    sampleRate: track.sampleRate === 44_100 ? 44_100 : 48_000,
    sourceChannels: track.channels,
    sourceRate: track.sampleRate,
    ...(track.language !== undefined && { language: track.language }),
    ...(PACKED.test(track.codec) && { packed: true }),
    ...(track.wrongChecksums && { wrongChecksums: true }),
    ...(track.roughTimes && { roughTimes: true }),
    renditions: renditions.filter(({ name, streamed }) => streamed || mp4?.audio === name),
    ...(preset.loudnessTarget !== undefined && { loudnessTarget: preset.loudnessTarget }),
    endSeconds,
  };
}

function skippedChannels(audio: AudioPlan | undefined): EncodePlan['skipped'] {
  return audio?.lost === undefined ? [] : [{ what: 'channels', why: audio.lost }];
}

function worstCase(plan: Pick<EncodePlan, 'video' | 'audio' | 'mp4' | 'durationSeconds'>): number {
  const rungs = plan.video?.rungs ?? [];
  const mp4 = plan.mp4?.encode ?? rungs.find((rung) => rung.name === plan.mp4?.rung);
  const sound = (plan.audio?.renditions ?? []).map((rendition) => rendition.bitrate);
  return outputBytes([...rungs.map((rung) => rung.maxBitrate), ...sound], mp4?.maxBitrate, plan.durationSeconds);
}

function outputBytes(bitrates: readonly number[], mp4: number | undefined, seconds: number): number {
  // The MP4 is written a second time when its index is moved to the front.
  const all = [...bitrates, ...(mp4 === undefined ? [] : [(mp4 + AUDIO_BITRATES['128k']) * 2])];
  const bits = all.reduce((total, bitrate) => total + bitrate, 0);
  return Math.ceil((bits / 8) * seconds * 1.05) + 16 * 1024 * 1024;
}

/** What is known of a source before it is probed. */
type KnownSource = Pick<SourceInfo, 'durationSeconds' | 'width' | 'height' | 'frameRate'>;

/** Bytes that the outputs of such a source have if every cap is reached; 0 where its length is not known. */
export function mostBytes(known: KnownSource, preset: Preset): number {
  const { durationSeconds = 0, width, height, frameRate } = known;
  const source = width && height ? { width, height } : undefined;
  const rungs = source ? ladderFor(source, preset, frameRate) : [];
  const mp4 = source && preset.outputs.mp4 ? planMp4(source, rungs, preset, true) : undefined;
  const own = mp4 ? [(mp4.encode ?? rungs[0])?.maxBitrate ?? 0, AUDIO_BITRATES['128k']] : [];
  const bits = [...rungs.map((rung) => rung.maxBitrate), ...Object.values(AUDIO_BITRATES), ...own];
  return Math.ceil((bits.reduce((total, bitrate) => total + bitrate, 0) / 8) * durationSeconds);
}

/**
 * Bytes of disk that a worker may need for a source about which this much is known: for itself, and for its outputs if every cap is
 * reached. The worker, which knows more, applies the limit to the plan.
 * @param size of the source; 0 for one that need not be on the disk
 */
export function scratchNeeded(size: number, known: KnownSource, preset: Preset): number {
  const { durationSeconds, width, height, frameRate } = known;
  if (durationSeconds === undefined) return size;
  const source = width && height ? { width, height } : undefined;
  const rungs = source ? ladderFor(source, preset, frameRate) : [];
  const mp4 = source && preset.outputs.mp4 ? planMp4(source, rungs, preset, true) : undefined;
  const bitrates = [...rungs.map((rung) => rung.maxBitrate), ...Object.values(AUDIO_BITRATES)];
  return size + outputBytes(bitrates, mp4 && (mp4.encode ?? rungs[0])?.maxBitrate, durationSeconds);
}
