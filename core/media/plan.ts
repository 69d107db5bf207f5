import { type ColorPlan, planColor } from './color.ts';
import { ladderFor, type PlannedRung } from './ladder.ts';
import { LIMITS } from './limits.ts';
import type { Preset, Rung } from './presets.ts';
import type { AudioTrack, Fraction, MediaProbe, VideoTrack } from './probe.ts';
import { longSide, type Size, shortSide, withLongSideAtMost, withWidthAtMost } from './size.ts';
import { planTasks, type Task } from './tasks.ts';

export const SEGMENT_SECONDS = 6;
/** Keyframes come this often, so that a seek decodes little; segments are cut at every third. */
export const GOP_SECONDS = 2;
export const PREVIEW_SECONDS = 30;
/** The waveform's resolution. */
export const PIXELS_PER_SECOND = 20;

const MP4_LONG_SIDE = 2400;
const POSTER_WIDTH = 320;
const THUMBNAIL_WIDTH = 1280;
const LONG_GAP_SECONDS = 0.1;
/** Frames, spread over the whole duration, of which the poster is the most representative. */
const POSTER_CANDIDATES = 50;
const PREVIEW_SHORT_SIDE = 720;
const AUDIO_BITRATES = { '128k': 128_000, '64k': 64_000 } as const;

/** All that is decided about one source before anything is encoded. Pure data: the same probe and preset give the same plan. */
export interface EncodePlan {
  kind: 'video' | 'audio';
  /** Seconds from the file's start to the end of its last track. */
  durationSeconds: number;
  crf: number;
  video?: VideoPlan;
  audio?: AudioPlan;
  mp4?: Mp4Plan;
  poster?: Size & { everySeconds: number; candidates: number };
  thumbnail?: Size & { atSeconds: number; rung: string };
  /** Names of the renditions whose first segments make the preview. */
  preview?: { rung?: string; audio?: Rung['audio']; seconds: number };
  waveform?: { pixelsPerSecond: number };
  tasks: Task[];
  /** What the preset asks for and this source cannot have. */
  skipped: { what: string; why: string }[];
  /** Bytes of all outputs if every cap is reached: for the check of the disk. */
  worstCaseBytes: number;
}

export interface VideoPlan {
  track: number;
  deinterlace: boolean;
  /** Set when frames have to be left out (a rate above the limit) or repeated (a track that begins late): the constant rate. */
  retime?: Fraction;
  /** Whether frames are shown for different times. */
  irregular: boolean;
  /** How much longer the first frame is shown, because the track begins that much after the file. 0 in most files. */
  holdSeconds: number;
  /** Of the output; undefined where the source does not say. */
  frameRate: Fraction | undefined;
  /** Ticks per second of the encoders' clock: frames of a constant rate fall on whole ticks. */
  timescale: number;
  color: ColorPlan;
  rungs: PlannedRung[];
  /** Expected end, in seconds. */
  endSeconds: number;
  /** How long the last frame stays. */
  lastFrameSeconds: number;
}

export interface AudioPlan {
  track: number;
  channels: 1 | 2;
  /** Hz */
  sampleRate: number;
  /** As the source has them, for the waveform. */
  sourceChannels: number;
  sourceRate: number;
  renditions: AudioRendition[];
  endSeconds: number;
}

export interface AudioRendition {
  name: Rung['audio'];
  /** Of its playlist and files: `audio-128k` beside video, `128k` alone. */
  file: string;
  /** Bits per second. */
  bitrate: number;
  /** False when only the MP4 has it. */
  streamed: boolean;
}

export interface Mp4Plan {
  file: string;
  /** The rung whose packets it shares; absent when it is encoded by itself. */
  rung?: string;
  /** Set when it is encoded by itself. */
  encode?: Size & { maxBitrate: number; x264Preset: string };
  audio?: Rung['audio'];
}

/** `source.mp4` may be any name: the MP4 lies beside the playlists. */
export const MP4_FILE = 'video.mp4';
export const POSTER_FILE = 'poster.jpg';
export const THUMBNAIL_FILE = 'thumbnail.jpg';
export const WAVEFORM_FILE = 'waveform.json';

/** Where the chosen tracks end, in seconds after the file's start, as measured or as the container says. */
export interface TrackEnds {
  video?: number;
  /** How long the last frame of the video stays; absent where the frame rate says it. */
  lastFrame?: number;
  audio?: number;
}

export function planEncode(probe: MediaProbe, preset: Preset, ends: TrackEnds): EncodePlan {
  const video = probe.video ? planVideo(probe.video, preset, ends) : undefined;
  const mp4 = video && preset.outputs.mp4 ? planMp4(video.rungs, probe) : undefined;
  const audio = probe.audio ? planAudio(probe.audio, video, mp4, ends.audio ?? 0) : undefined;
  const durationSeconds = Math.max(video?.endSeconds ?? 0, audio?.endSeconds ?? 0);
  const plan = {
    kind: video ? ('video' as const) : ('audio' as const),
    durationSeconds,
    crf: preset.crf,
    ...(video ? { video, ...pictures(video, preset) } : {}),
    ...(audio ? { audio } : {}),
    ...(mp4 ? { mp4 } : {}),
    ...(preset.outputs.preview ? { preview: planPreview(video, audio) } : {}),
    ...(!video && audio && preset.outputs.waveform ? { waveform: { pixelsPerSecond: PIXELS_PER_SECOND } } : {}),
    skipped: skippedOutputs(preset, video !== undefined),
  };
  return { ...plan, tasks: planTasks(plan), worstCaseBytes: worstCase(plan) };
}

function planVideo(track: VideoTrack, preset: Preset, ends: TrackEnds): VideoPlan {
  const retime = retimed(track);
  const holdSeconds = !retime && track.startSeconds > 0.0005 ? track.startSeconds : 0;
  const constant = retime !== undefined || track.constantRate;
  const frameRate = retime ?? track.frameRate;
  return {
    track: track.index,
    deinterlace: track.interlaced,
    ...(retime ? { retime } : {}),
    irregular: !constant || holdSeconds > 0,
    holdSeconds,
    frameRate,
    timescale: frameRate && constant ? wholeTicks(frameRate.num) : 90_000,
    color: planColor(track.color, shortSide(track.displayed)),
    rungs: ladderFor(track.displayed, preset),
    endSeconds: ends.video ?? 0,
    lastFrameSeconds: (retime ? undefined : ends.lastFrame) ?? (frameRate ? frameRate.den / frameRate.num : 0),
  };
}

// Renditions begin together: one that begins later than the sound's would need an empty edit, which browsers ignore. A short
// gap is filled by showing the first frame longer, a long one by repeating it, for the encoder's clock runs by the gaps.
function retimed(track: VideoTrack): Fraction | undefined {
  const late = track.startSeconds >= LONG_GAP_SECONDS;
  const rate = track.constantRate || !late ? track.frameRate : track.baseRate;
  return limitRate(rate) ?? (late ? (rate ?? { num: 30, den: 1 }) : undefined);
}

// 120 becomes 60 and 100 becomes 50: whole frames are left out, none is shown twice.
function limitRate(rate: Fraction | undefined): Fraction | undefined {
  if (rate === undefined || rate.num / rate.den <= LIMITS.frameRate + 0.5) return undefined;
  return { num: rate.num, den: rate.den * Math.ceil(rate.num / rate.den / (LIMITS.frameRate + 0.5)) };
}

// At least 10,000 ticks a second, so that a frame that is late by a little stays so.
function wholeTicks(rate: number): number {
  return rate >= 10_000 ? rate : wholeTicks(rate * 2);
}

function planMp4(rungs: PlannedRung[], probe: MediaProbe): Mp4Plan | undefined {
  const [top] = rungs;
  if (top === undefined) return undefined;
  const base = { file: MP4_FILE, ...(probe.audio ? { audio: '128k' as const } : {}) };
  if (longSide(top) <= MP4_LONG_SIDE) return { ...base, rung: top.name };
  return {
    ...base,
    encode: { ...withLongSideAtMost(top, MP4_LONG_SIDE), maxBitrate: top.maxBitrate, x264Preset: top.x264Preset },
  };
}

function planAudio(
  track: AudioTrack,
  video: VideoPlan | undefined,
  mp4: Mp4Plan | undefined,
  endSeconds: number,
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
    channels: track.channels === 1 ? 1 : 2,
    sampleRate: track.sampleRate === 44_100 ? 44_100 : 48_000,
    sourceChannels: track.channels,
    sourceRate: track.sampleRate,
    renditions: renditions.filter(({ name, streamed }) => streamed || (mp4?.rung !== undefined && mp4.audio === name)),
    endSeconds,
  };
}

function pictures(video: VideoPlan, preset: Preset): Pick<EncodePlan, 'poster' | 'thumbnail'> {
  const [top] = video.rungs;
  const last = video.rungs.at(-1);
  if (top === undefined || last === undefined) return {};
  // The smallest rung that is still as wide as the thumbnail: less to scale.
  const from = video.rungs.filter((rung) => rung.width >= THUMBNAIL_WIDTH).at(-1) ?? top;
  return {
    ...(preset.outputs.poster
      ? {
          poster: {
            ...withWidthAtMost(last, POSTER_WIDTH),
            everySeconds: video.endSeconds / POSTER_CANDIDATES,
            candidates: POSTER_CANDIDATES,
          },
        }
      : {}),
    ...(preset.outputs.thumbnail
      ? {
          thumbnail: {
            ...withWidthAtMost(from, THUMBNAIL_WIDTH),
            atSeconds: thumbnailTime(video),
            rung: from.name,
          },
        }
      : {}),
  };
}

// A tenth of the duration, but not after the last frame has begun.
function thumbnailTime({ endSeconds, lastFrameSeconds }: VideoPlan): number {
  return Math.max(0, Math.min(endSeconds / 10, endSeconds - lastFrameSeconds - 0.001));
}

function planPreview(video: VideoPlan | undefined, audio: AudioPlan | undefined): NonNullable<EncodePlan['preview']> {
  if (video === undefined) return { audio: '128k', seconds: PREVIEW_SECONDS };
  const rung = video.rungs.find((candidate) => shortSide(candidate) <= PREVIEW_SHORT_SIDE) ?? video.rungs.at(-1);
  return {
    ...(rung ? { rung: rung.name } : {}),
    ...(rung && audio ? { audio: rung.audio } : {}),
    seconds: PREVIEW_SECONDS,
  };
}

function skippedOutputs(preset: Preset, isVideo: boolean): EncodePlan['skipped'] {
  const { outputs } = preset;
  if (isVideo) return outputs.waveform ? [{ what: 'waveform', why: 'Waveforms are made of sound files only.' }] : [];
  const wanted = (['mp4', 'poster', 'thumbnail'] as const).filter((what) => outputs[what]);
  return wanted.map((what) => ({ what, why: 'The file has no video track.' }));
}

function worstCase(plan: Pick<EncodePlan, 'video' | 'audio' | 'mp4' | 'durationSeconds'>): number {
  const rungs = plan.video?.rungs ?? [];
  const mp4 = plan.mp4?.encode ?? rungs.find((rung) => rung.name === plan.mp4?.rung);
  const bits = [
    ...rungs.map((rung) => rung.maxBitrate),
    ...(plan.audio?.renditions ?? []).map((rendition) => rendition.bitrate),
    // The MP4 is written once more when its index is moved to the front.
    ...(mp4 ? [(mp4.maxBitrate + AUDIO_BITRATES['128k']) * 2] : []),
  ].reduce((total, bitrate) => total + bitrate, 0);
  return Math.ceil((bits / 8) * plan.durationSeconds * 1.05) + 16 * 1024 * 1024;
}
