import { z } from 'zod';

/** What a source holds, as far as the plan needs it. It is written down where one worker probes, and another makes the outputs. */

export const Fraction = z.object({ num: z.number(), den: z.number() });
export type Fraction = z.infer<typeof Fraction>;

const Size = z.object({ width: z.number().int(), height: z.number().int() });
/** Degrees. */
const Turn = z.literal([90, 180, 270]);
export type Turn = z.infer<typeof Turn>;
const FirstField = z.enum(['tff', 'bff']);
/** See Combed of interlace.ts. */
const Combed = z.union([
  z.array(z.object({ from: z.number().int(), to: z.number().int(), first: FirstField })).readonly(),
  z.literal('flagged'),
]);
/** Set where the container counts no samples of a track. */
const MayBeEmpty = z.literal(true).exactOptional();

export const VideoTrack = z.object({
  /** FFmpeg's stream index. */
  index: z.number().int(),
  codec: z.string(),
  coded: Size,
  /** As a viewer sees it. */
  displayed: Size,
  /** Set where FFmpeg does not crop as the container says: what is shown of the coded picture. */
  crop: Size.extend({ left: z.number().int(), top: z.number().int(), aspect: Fraction }).exactOptional(),
  /** By how much a player turns the coded picture clockwise, if by right angles. */
  turn: Turn.exactOptional(),
  pixelFormat: z.string().optional(),
  /** See ColorTags of color.ts. */
  color: z.object({
    primaries: z.string().optional(),
    transfer: z.string().optional(),
    matrix: z.string().optional(),
  }),
  /** Of HDR only; absent where the first picture has no value. See LightLevels of color.ts. */
  light: z.object({ brightestPixel: z.number().optional(), masteringPeak: z.number().optional() }).exactOptional(),
  /** Set where the pictures have an alpha channel. */
  alpha: z.literal(true).exactOptional(),
  /** Whether the pictures may carry CEA-608 or CEA-708 captions: the file has something that looks like them. */
  captions: z.boolean().exactOptional(),
  /** Average; undefined where the container has no value. */
  frameRate: Fraction.optional(),
  /** The slowest constant rate on which all frames fall. */
  baseRate: Fraction.optional(),
  /** Whether all frames are equally long, as far as the header shows. */
  constantRate: z.boolean(),
  /** What the track says of itself. */
  interlaced: z.boolean(),
  /** What its pictures show; absent until they were looked at. */
  combed: Combed.exactOptional(),
  /** Start of the track in seconds after the file's start. */
  startSeconds: z.number(),
  /** End of the track in seconds after the file's start, as the container says. */
  endSeconds: z.number().optional(),
  mayBeEmpty: MayBeEmpty,
});
export type VideoTrack = z.infer<typeof VideoTrack>;

export const AudioTrack = z.object({
  index: z.number().int(),
  /** Index of the track that is the right side of a recording, of which this one is the left. */
  right: z.number().int().exactOptional(),
  codec: z.string(),
  /** Of both sides together. */
  channels: z.number().int(),
  /** FFmpeg's name of what the channels are; absent where it is not known. */
  layout: z.string().exactOptional(),
  /** Hz */
  sampleRate: z.number(),
  /** BCP 47, such as `de`. */
  language: z.string().exactOptional(),
  endSeconds: z.number().optional(),
  /** Set where the checksums of its frames are wrong throughout. */
  wrongChecksums: z.literal(true).exactOptional(),
  /** Set where its times are a guess, by bytes of a rate that varies. */
  roughTimes: z.literal(true).exactOptional(),
  mayBeEmpty: MayBeEmpty,
});
export type AudioTrack = z.infer<typeof AudioTrack>;

export const MediaProbe = z.object({
  /** FFmpeg's name of the demuxer: `mov,mp4,m4a,3gp,3g2,mj2`. */
  format: z.string(),
  /** When the file begins on its own clock. */
  startSeconds: z.number(),
  /** From the container; undefined where it has no value. */
  durationSeconds: z.number().optional(),
  video: VideoTrack.exactOptional(),
  audio: AudioTrack.exactOptional(),
  /** Tracks that are not taken, with the reason. */
  skipped: z.array(z.object({ what: z.string(), why: z.string() })),
});
export type MediaProbe = z.infer<typeof MediaProbe>;

/** Where the chosen tracks end, in seconds after the file's start, as measured or as the container says. */
export const TrackEnds = z.object({
  video: z.number().exactOptional(),
  /** How long the last frame of the video stays; absent where the frame rate gives it. */
  lastFrame: z.number().exactOptional(),
  audio: z.number().exactOptional(),
  /** When the first frame is shown; absent where the container's value is correct. */
  videoStart: z.number().exactOptional(),
  /** Whether the file is joined from several files whose clocks restart. */
  joined: z.literal(true).exactOptional(),
  /** Whether these ends are those of an MP4's index. */
  indexed: z.boolean().exactOptional(),
  /** The longest time in which one of its tracks stands still, where FFmpeg could take that for a new clock. */
  pause: z.number().exactOptional(),
});
export type TrackEnds = z.infer<typeof TrackEnds>;
