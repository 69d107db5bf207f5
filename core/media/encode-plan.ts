import type { OptionalName } from '../contracts/outputs.ts';
import type { Rung } from '../contracts/presets.ts';
import type { ChannelMix } from './channels.ts';
import type { PlannedChunk } from './chunk.ts';
import type { ColorPlan } from './color.ts';
import type { Combed } from './interlace.ts';
import type { PlannedRung } from './ladder.ts';
import type { Fraction, Turn } from './probe.ts';
import type { Size } from './size.ts';

export type { TrackEnds } from './tracks.ts';

/** All that is decided about one source before anything is encoded. Pure data: the same probe and preset give the same plan. */
export interface EncodePlan extends Partial<OutputPlans> {
  kind: 'video' | 'audio';
  /** Seconds from the file's start to the end of its last track. */
  durationSeconds: number;
  crf: number;
  /** Of every segment but the last, in seconds. */
  segmentSeconds: number;
  video?: VideoPlan;
  audio?: AudioPlan;
  /** Outputs that the preset asks for and this source cannot have. */
  skipped: { what: string; why: string }[];
  /** Bytes of all outputs if every cap is reached: for the check of the disk. */
  worstCaseBytes: number;
  /** Whether the source is joined from several recordings, so that the measured ends of its tracks are a guess. */
  joined: boolean;
  /** Whether the expected ends are those of an MP4's index, which its packets were not compared with. */
  indexed: boolean;
  /** Set for FLAC: each frame says its number, so that where time passes between two of them, some are missing. */
  numbered?: true;
  /** Set for Ogg: its pages have numbers. */
  paged?: true;
  /** Set for Matroska, whose clusters may have checksums: when the file begins, in seconds of their clock. */
  clustersFrom?: number;
  /** Seconds from which on a step of the source's clock is a jump. */
  jumpSeconds: number;
  /** Set where only a part of the pictures is encoded. */
  chunk?: PlannedChunk;
}

/** What each output needs to know besides the ladder. */
export interface OutputPlans extends Record<OptionalName, object> {
  /** Names of the renditions whose first segments make the preview. */
  preview: { rung?: string; audio?: Rung['audio']; seconds: number };
  mp4: Mp4Plan;
  thumbnail: Size & { atSeconds: number; rung: string };
  poster: Size & { everySeconds: number; candidates: number };
  /** The rung that the poster's frame is taken of. */
  posterLarge: { rung: string };
  waveform: { pixelsPerSecond: number };
}

export interface VideoPlan {
  track: number;
  /** The picture's shape, for which the rungs are made. */
  displayed: Size;
  /** Set where FFmpeg does not crop as the container says: what is shown of the coded picture. */
  crop?: Size & { left: number; top: number; aspect: Fraction };
  deinterlace: Combed;
  /** By how much pictures are turned clockwise once they are deinterlaced; absent where FFmpeg turns them by itself. */
  turn?: Turn;
  /** Set when frames have to be left out because their rate is above the limit: the rate that remains. */
  retime?: Fraction;
  /** Set when the track begins so late that its first frame is repeated until then: seconds. */
  lead?: number;
  /** Pictures a second of the output at most; of a rate that varies, on average. */
  maxFrameRate: number;
  /** Of the output; undefined where the source has no value. */
  frameRate: Fraction | undefined;
  /** Whether every picture is shown at a whole multiple of the rate. */
  constantRate: boolean;
  /** Ticks per second of the encoders' clock: frames of a constant rate fall on whole ticks. */
  timescale: number;
  color: ColorPlan;
  /** Set for a decoder that complains of damage by chance when it decodes several pictures at once: FFmpeg's of MPEG-4. */
  oneByOne?: true;
  /** Whether the pictures may carry captions, which the rungs keep. */
  captions: boolean;
  /** So many pictures are decoded at most. */
  mostPictures: number;
  rungs: PlannedRung[];
  /** Expected end, in seconds. */
  endSeconds: number;
  /** How long the last frame stays. */
  lastFrameSeconds: number;
}

export interface AudioPlan extends ChannelMix {
  track: number;
  /** The track of the right side, where `track` is the left one. */
  right?: number;
  /** Hz */
  sampleRate: number;
  /** As in the source, for the waveform. */
  sourceChannels: number;
  sourceRate: number;
  /** BCP 47, such as `de`. */
  language?: string;
  renditions: AudioRendition[];
  /** LUFS that it is brought to; absent where it stays as loud as it is. */
  loudnessTarget?: number;
  endSeconds: number;
  /** Set for codecs whose packets may hold many frames, of which some demuxers give the first one only to be decoded. */
  packed?: true;
  /** Set where the decoder is not to compare checksums, because they are wrong throughout. */
  wrongChecksums?: true;
  /** Set where its times are a guess: what is decoded follows what was before. */
  roughTimes?: true;
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
  /** Its name beside the playlists. */
  file: string;
  /** The rung whose packets it shares; absent when it is encoded by itself. */
  rung?: string;
  /** Set when it is encoded by itself. */
  encode?: Size & { maxBitrate: number; x264Preset: string };
  audio?: Rung['audio'];
}

/** File names, without extension, of all renditions that are streamed: rungs first, then audio. */
export function streamed(plan: Pick<EncodePlan, 'video' | 'audio'>): string[] {
  const audio = plan.audio?.renditions.filter((rendition) => rendition.streamed) ?? [];
  return [...(plan.video?.rungs ?? []).map((rung) => rung.name), ...audio.map((rendition) => rendition.file)];
}
