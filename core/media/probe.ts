import { z } from 'zod';
import { DropreelError } from '../jobs/errors.ts';
import type { ColorTags } from './color.ts';
import { LIMITS } from './limits.ts';
import { displayedSize, type Size } from './size.ts';

/** What a source holds, as far as the plan needs it. */
export interface MediaProbe {
  /** FFmpeg's name of the demuxer: `mov,mp4,m4a,3gp,3g2,mj2`. */
  format: string;
  /** As the container says; undefined where it does not. */
  durationSeconds: number | undefined;
  video?: VideoTrack;
  audio?: AudioTrack;
}

export interface VideoTrack {
  /** FFmpeg's stream index. */
  index: number;
  codec: string;
  /** As a viewer sees it. */
  displayed: Size;
  pixelFormat: string | undefined;
  color: ColorTags;
  /** Average; undefined where the container does not say. */
  frameRate: Fraction | undefined;
  /** The slowest constant rate on which all frames fall. */
  baseRate: Fraction | undefined;
  /** Whether all frames are equally long, as far as the header tells. */
  constantRate: boolean;
  interlaced: boolean;
  /** Start of the track in seconds after the file's start. */
  startSeconds: number;
  /** End of the track in seconds after the file's start, as the container says. */
  endSeconds: number | undefined;
}

export interface AudioTrack {
  index: number;
  codec: string;
  channels: number;
  /** Hz */
  sampleRate: number;
  endSeconds: number | undefined;
}

export interface Fraction {
  num: number;
  den: number;
}

const Num = z.coerce.number().optional().catch(undefined);
const Text = z
  .string()
  .optional()
  .transform((text) => (text === 'unknown' || text === 'reserved' ? undefined : text));

const Stream = z.object({
  index: z.number().int(),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
  width: Num,
  height: Num,
  sample_aspect_ratio: z.string().optional(),
  pix_fmt: Text,
  color_primaries: Text,
  color_transfer: Text,
  color_space: Text,
  field_order: Text,
  r_frame_rate: z.string().optional(),
  avg_frame_rate: z.string().optional(),
  start_time: Num,
  duration: Num,
  nb_frames: Num,
  channels: Num,
  sample_rate: Num,
  disposition: z.record(z.string(), z.number()).default({}),
  side_data_list: z.array(z.object({ rotation: Num })).default([]),
  tags: z.record(z.string(), z.string()).default({}),
});
type Stream = z.infer<typeof Stream>;

/** `ffprobe -show_format -show_streams -of json` */
export const FfprobeOutput = z.object({
  streams: z.array(Stream).default([]),
  format: z.object({ format_name: z.string(), start_time: Num, duration: Num }),
});
export type FfprobeOutput = z.infer<typeof FfprobeOutput>;

/**
 * Chooses the tracks and applies the limits. Throws a DropreelError for a file that is not to be encoded.
 * The first video track that is no cover picture is taken, and the audio track marked as default, else the first.
 */
export function interpretProbe(output: FfprobeOutput): MediaProbe {
  const { streams, format } = output;
  if (streams.length > LIMITS.tracks) {
    throw new DropreelError(
      'limit_tracks',
      `The file has ${streams.length} tracks; at most ${LIMITS.tracks} are allowed.`,
    );
  }
  const start = format.start_time ?? 0;
  const video = streams.find(isVideo);
  const audios = streams.filter(isAudio);
  const audio = audios.find((stream) => stream.disposition.default === 1) ?? audios[0];
  if (video === undefined && audio === undefined) {
    throw new DropreelError('no_tracks', 'The file holds no video and no sound.');
  }
  const probe: MediaProbe = {
    format: format.format_name,
    durationSeconds: format.duration,
    ...(video ? { video: videoTrack(video, start) } : {}),
    ...(audio ? { audio: audioTrack(audio, start) } : {}),
  };
  checkDuration(probe.durationSeconds);
  return probe;
}

/** Throws when a media is longer than the limit. */
export function checkDuration(seconds: number | undefined): void {
  if (seconds !== undefined && seconds > LIMITS.durationSeconds) {
    const hours = (seconds / 3600).toFixed(1);
    throw new DropreelError(
      'limit_duration',
      `The media lasts ${hours} hours; at most ${LIMITS.durationSeconds / 3600} are allowed.`,
    );
  }
}

export function limitPixels(width: number, height: number): DropreelError {
  const limit = `at most ${LIMITS.side} a side and ${LIMITS.pixels} pixels in all are allowed`;
  return new DropreelError('limit_pixels', `A frame is ${width}x${height}; ${limit}.`);
}

function isVideo(stream: Stream): boolean {
  const { disposition } = stream;
  return stream.codec_type === 'video' && disposition.attached_pic !== 1 && disposition.timed_thumbnails !== 1;
}

// A track without a single packet (some cameras write one) is as good as none.
function isAudio(stream: Stream): boolean {
  return stream.codec_type === 'audio' && stream.nb_frames !== 0;
}

function videoTrack(stream: Stream, fileStart: number): VideoTrack {
  const coded = { width: stream.width ?? 0, height: stream.height ?? 0 };
  if (Math.max(coded.width, coded.height) > LIMITS.side || coded.width * coded.height > LIMITS.pixels) {
    throw limitPixels(coded.width, coded.height);
  }
  if (coded.width === 0 || coded.height === 0) {
    throw new DropreelError('corrupt', 'The video track does not say how large its pictures are; it is damaged.');
  }
  const aspect = fraction(stream.sample_aspect_ratio?.replace(':', '/'));
  const rotation = stream.side_data_list.find((data) => data.rotation !== undefined)?.rotation ?? 0;
  const average = fraction(stream.avg_frame_rate);
  const base = fraction(stream.r_frame_rate);
  const frameRate = average ?? base;
  return {
    index: stream.index,
    codec: stream.codec_name ?? 'unknown',
    displayed: displayedSize(coded, aspect ? aspect.num / aspect.den : 1, rotation),
    pixelFormat: stream.pix_fmt,
    color: { primaries: stream.color_primaries, transfer: stream.color_transfer, matrix: stream.color_space },
    frameRate,
    baseRate: base,
    constantRate: average !== undefined && base !== undefined && average.num * base.den === base.num * average.den,
    interlaced: stream.field_order !== undefined && /^(?:tt|bb|tb|bt)$/.test(stream.field_order),
    startSeconds: (stream.start_time ?? fileStart) - fileStart,
    endSeconds: endOf(stream, fileStart),
  };
}

function audioTrack(stream: Stream, fileStart: number): AudioTrack {
  return {
    index: stream.index,
    codec: stream.codec_name ?? 'unknown',
    channels: stream.channels ?? 0,
    sampleRate: stream.sample_rate ?? 0,
    endSeconds: endOf(stream, fileStart),
  };
}

function endOf(stream: Stream, fileStart: number): number | undefined {
  if (stream.duration === undefined) return undefined;
  return (stream.start_time ?? fileStart) - fileStart + stream.duration;
}

/** `30000/1001`; undefined for text that is no positive fraction. */
export function fraction(text: string | undefined): Fraction | undefined {
  const [, num, den] = /^(\d+)\/(\d+)$/.exec(text ?? '') ?? [];
  const value = { num: Number(num), den: Number(den) };
  return value.num > 0 && value.den > 0 ? value : undefined;
}
