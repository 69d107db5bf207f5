import { DropreelError } from '../contracts/errors.ts';
import { defaultOf, hasDecoder, type Known, nothingToTake, unsupportedCodec, whyNotTaken } from './choose.ts';
import type { FfprobeOutput, Stream } from './ffprobe.ts';
import { LIMITS } from './limits.ts';
import { FOR_SOME, leftAndRight } from './sides.ts';
import { displayedSize, type Size } from './size.ts';
import type { AudioTrack, Fraction, MediaProbe, Turn, VideoTrack } from './tracks.ts';

export type { AudioTrack, Fraction, MediaProbe, Turn, VideoTrack } from './tracks.ts';

/**
 * Chooses the tracks and applies the limits. Of the tracks that can be decoded, the video that is marked as default is taken, else the
 * first, never a cover picture; and of the audio in its programme that which mainSound prefers; with it its other side. Sound that nothing
 * decodes leaves a mute video.
 * @throws DropreelError for a file that is not to be encoded
 */
export function interpretProbe(output: FfprobeOutput, known: Known): MediaProbe {
  const { streams, format } = output;
  // Films carry fonts and pictures as attachments, dozens of them.
  const tracks = streams.filter((stream) => isVideo(stream) || stream.codec_type === 'audio').length;
  if (tracks > LIMITS.tracks) {
    throw new DropreelError('limit_tracks', `The file has ${tracks} tracks; at most ${LIMITS.tracks} are allowed.`);
  }
  // A cover picture is not encoded, and is not a reason to refuse the file.
  const videos = streams.filter(isVideo);
  const audios = streams.filter(({ codec_type }) => codec_type === 'audio');
  const isUsable = (stream: Stream) => whyNotTaken(stream, known) === undefined;
  const video = defaultOf(videos.filter(isUsable));
  const offered = ofProgramme(output, video ?? mainSound(audios.filter(isUsable)), audios);
  const sound = offered.filter(isUsable);
  const audio = mainSound(sound);
  for (const stream of [video ?? videos[0], audio ?? offered[0]]) if (stream) refuseEncrypted(stream);
  const unreadable = video ? undefined : videos.find((stream) => !hasDecoder(stream, known.isDecodable));
  if (unreadable && !known.empty?.has(unreadable.index)) {
    throw unsupportedCodec(unreadable.codec_name, unreadable.codec_tag_string);
  }
  if (video === undefined && audio === undefined) throw nothingToTake([...videos, ...audios], known);
  if (video) refuseDolbyVision(video);
  const sides = leftAndRight(sound, format.format_name);
  const [left, right] = audio && sides?.includes(audio) ? sides : [audio];
  const start = startOf(
    format,
    [video, left, right].filter((stream) => stream !== undefined),
  );
  const isLeft = (stream: Stream) => stream !== video && stream !== left && stream !== right;
  const whyLeft = (stream: Stream) =>
    whyNotTaken(stream, known) ??
    (audios.includes(stream) && !offered.includes(stream)
      ? 'It belongs to another programme than the picture.'
      : `Of several ${stream.codec_type} tracks one is taken.`);
  const probe: MediaProbe = {
    format: format.format_name,
    startSeconds: start,
    durationSeconds: hasTrueLengths(output) ? format.duration : undefined,
    ...(video ? { video: videoTrack(video, start) } : {}),
    ...(left
      ? { audio: { ...audioTrack(left, start), ...(right && { right: right.index, channels: 2, layout: 'stereo' }) } }
      : {}),
    skipped: [...videos, ...audios]
      .filter(isLeft)
      .map((stream) => ({ what: `${stream.codec_type} track ${stream.index}`, why: whyLeft(stream) })),
  };
  // Where clocks may restart, the last time minus the first is not a duration.
  // An AVI that was not finished has none at all.
  if (!hasJoints(probe.format) && probe.format !== 'avi') checkDuration(probe.durationSeconds);
  if (!hasTrueLengths(output)) for (const track of [probe.video, probe.audio]) if (track) track.endSeconds = undefined;
  return probe;
}

/**
 * When the file begins on its own clock: with the first of its tracks. Where clocks may restart, FFmpeg counts only the tracks that it reads
 * (fftools/ffmpeg_demux.c, correct_input_start_times; the same in 5.1, ffmpeg.c).
 */
function startOf({ format_name, start_time = 0 }: FfprobeOutput['format'], taken: readonly Stream[]): number {
  const starts = hasJoints(format_name) ? taken.flatMap((stream) => stream.start_time ?? []) : [];
  return starts.length > 0 ? Math.min(...starts) : start_time;
}

/** The audio of the programme that a picture belongs to. All of it where there is no such programme, or no audio in it. */
function ofProgramme({ programs }: FfprobeOutput, main: Stream | undefined, audios: Stream[]): Stream[] {
  const own = programs.find(({ streams }) => streams.some(({ index }) => index === main?.index));
  const inside = audios.filter(({ index }) => own?.streams.some((stream) => stream.index === index));
  return inside.length > 0 ? inside : audios;
}

/** What is marked as default, else what is not made for some listeners only, else the first. */
function mainSound(sound: readonly Stream[]): Stream | undefined {
  const rank = ({ disposition }: Stream) =>
    (disposition.default === 1 ? 0 : 2) + (FOR_SOME.some((name) => disposition[name] === 1) ? 1 : 0);
  return [...sound].sort((a, b) => rank(a) - rank(b))[0];
}

/** The duration of an MP4's track that is not known: all bits are ones (ISO/IEC 14496-12, 8.3.2, 8.4.2). */
const UNKNOWN_DURATION = 0xffffffff;
/** A start of fewer seconds is that of reordered pictures or of the coder's delay. */
const FROM_THE_START = 0.5;

/** Of an MP4's fragments that begin later than their stream did, FFmpeg counts the length from the stream's beginning. */
function hasTrueLengths({ streams, format }: FfprobeOutput): boolean {
  if (!format.format_name.startsWith('mov,')) return true;
  const isUnknown = streams.some(({ duration_ts }) => duration_ts === UNKNOWN_DURATION);
  return !isUnknown && (format.start_time ?? 0) < FROM_THE_START;
}

/** Sample entries of ISO files whose bytes are encrypted: Common Encryption (ISO/IEC 23001-7), FairPlay, Audible. */
const ENCRYPTED_TAGS = /^(?:enc[avts]|drm[smit]|p608|aavd)$/;

function refuseEncrypted({ codec_tag_string = '', tags }: Stream): void {
  if (ENCRYPTED_TAGS.test(codec_tag_string) || tags.enc_key_id !== undefined) throw encrypted();
}

/**
 * Of Dolby Vision, only a base layer that is HDR10, HLG or SDR has colours that FFmpeg decodes. Compatibility 0 means none of them: profile
 * 5, whose colours are IPT (Dolby Vision Profiles and Levels, 2.2). They would come out purple and green.
 */
function refuseDolbyVision({ side_data_list }: Stream): void {
  const dolby = side_data_list.find(({ dv_profile }) => dv_profile !== undefined);
  if (dolby === undefined || dolby.dv_bl_signal_compatibility_id !== 0) return;
  const message = `The picture is Dolby Vision profile ${dolby.dv_profile}, which other decoders cannot show.`;
  throw new DropreelError('unsupported_codec', message);
}

export function encrypted(): DropreelError {
  return new DropreelError('encrypted', 'The media is encrypted (DRM). Upload it without its protection.');
}

/** Containers that are often joined end to end. FFmpeg closes the gaps between their clocks (AVFMT_TS_DISCONT). */
export function hasJoints(format: string): boolean {
  return /^(?:mpegts|mpeg|ogg)$/.test(format);
}

/** @throws DropreelError when the video begins too long after the audio */
export function checkLateness(seconds: number): void {
  if (seconds <= LIMITS.lateSeconds) return;
  const [late, most] = [(seconds / 3600).toFixed(1), LIMITS.lateSeconds / 3600];
  const message = `The picture begins ${late} hours after the file does; at most ${most} are filled with its first frame.`;
  throw new DropreelError('limit_duration', message);
}

/** @throws DropreelError when decoding would cost more than any file is worth, though the file is not longer than the limit */
export function checkWork({ coded, frameRate }: VideoTrack, seconds: number): void {
  const rate = frameRate ? frameRate.num / frameRate.den : 30;
  const allowed = LIMITS.decodedPixels / (coded.width * coded.height * rate);
  if (seconds <= allowed) return;
  const [hours, most] = [seconds / 3600, allowed / 3600].map((value) => value.toFixed(1));
  const what = `${coded.width}x${coded.height} at ${Math.round(rate)} frames a second`;
  throw new DropreelError('limit_duration', `The video lasts ${hours} hours; of ${what} at most ${most} are allowed.`);
}

/** @throws DropreelError when more pictures are decoded than the limit allows, whatever rate the file has said */
export function checkPictures(count: number, { mostPictures }: { mostPictures: number }): void {
  if (count <= mostPictures) return;
  throw new DropreelError('limit_duration', `The video has more than ${mostPictures} pictures of its size.`);
}

/** @throws DropreelError when a media item is longer than the limit */
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

function isTooLarge({ width, height }: Size): boolean {
  return Math.max(width, height) > LIMITS.side || width * height > LIMITS.pixels;
}

/** Whether a file has pictures beside its video, for example covers, which are not examined. */
export function hasCovers({ streams }: FfprobeOutput): boolean {
  return streams.some((stream) => stream.codec_type === 'video' && !isVideo(stream));
}

function isVideo(stream: Stream): boolean {
  const { disposition } = stream;
  return stream.codec_type === 'video' && disposition.attached_pic !== 1 && disposition.timed_thumbnails !== 1;
}

function videoTrack(stream: Stream, fileStart: number): VideoTrack {
  const coded = { width: stream.width ?? 0, height: stream.height ?? 0 };
  if (isTooLarge(coded)) throw limitPixels(coded.width, coded.height);
  const aspect = fraction(stream.sample_aspect_ratio?.replace(':', '/'));
  const rotation = stream.side_data_list.find((data) => data.rotation !== undefined)?.rotation ?? 0;
  const average = fraction(stream.avg_frame_rate);
  const base = fraction(stream.r_frame_rate);
  const frameRate = average ?? base;
  const found = stream.side_data_list.find(({ crop_top }) => crop_top !== undefined);
  // FFmpeg turns a picture before our filters have it.
  const crop = found?.byUs && rotation !== 0 ? undefined : found;
  const kept = cropped(coded, crop);
  const displayed = displayedSize(kept, aspect ? aspect.num / aspect.den : 1, rotation);
  if (isTooLarge(displayed)) throw limitPixels(displayed.width, displayed.height);
  return {
    index: stream.index,
    codec: stream.codec_name ?? 'unknown',
    coded,
    displayed,
    ...(crop?.byUs && {
      crop: { ...kept, left: crop.crop_left ?? 0, top: crop.crop_top ?? 0, aspect: aspect ?? { num: 1, den: 1 } },
    }),
    ...turnOf(rotation),
    pixelFormat: stream.pix_fmt,
    ...(hasAlpha(stream) && { alpha: true }),
    color: { primaries: stream.color_primaries, transfer: stream.color_transfer, matrix: stream.color_space },
    frameRate,
    baseRate: base,
    constantRate: average !== undefined && base !== undefined && average.num * base.den === base.num * average.den,
    interlaced: stream.field_order !== undefined && /^(?:tt|bb|tb|bt)$/.test(stream.field_order),
    startSeconds: (stream.start_time ?? fileStart) - fileStart,
    endSeconds: endOf(stream, fileStart),
    ...(stream.nb_frames ? {} : { mayBeEmpty: true }),
  };
}

/** What is left of the picture where the container crops it (Matroska's PixelCrop, the clean aperture of MOV), as FFmpeg does from 7.1 on. */
function cropped({ width, height }: Size, crop: Stream['side_data_list'][number] | undefined): Size {
  const { crop_top = 0, crop_bottom = 0, crop_left = 0, crop_right = 0 } = crop ?? {};
  return {
    width: Math.max(1, width - crop_left - crop_right),
    height: Math.max(1, height - crop_top - crop_bottom),
  };
}

/** @param rotation Degrees, against the clock: FFmpeg's display matrix. */
function turnOf(rotation: number): { turn?: Turn } {
  const turn = ((Math.round(-rotation / 90) % 4) + 4) % 4;
  return turn === 0 ? {} : { turn: (turn * 90) as Turn };
}

/** FFmpeg's pixel formats with alpha. Each GIF has one: it is what is left as it was before. */
const ALPHA = /^(?:yuva|rgba|argb|bgra|abgr|gbrap|ya\d)/;

/** Of VP8 and VP9 the container says it (Matroska's AlphaMode), because the alpha channel is a stream beside the pictures. */
function hasAlpha({ codec_name, pix_fmt, tags }: Stream): boolean {
  return tags.alpha_mode === '1' || (codec_name !== 'gif' && ALPHA.test(pix_fmt ?? ''));
}

function audioTrack(stream: Stream, fileStart: number): AudioTrack {
  const { channels = 0, sample_rate: sampleRate = 0 } = stream;
  if (channels > LIMITS.channels) {
    const message = `The audio has ${channels} channels; at most ${LIMITS.channels} are allowed.`;
    throw new DropreelError('limit_tracks', message);
  }
  if (sampleRate < LIMITS.leastSampleRate) {
    const message = `The audio has ${sampleRate} samples a second; at least ${LIMITS.leastSampleRate} are required.`;
    throw new DropreelError('corrupt', message);
  }
  return {
    index: stream.index,
    codec: stream.codec_name ?? 'unknown',
    channels,
    ...(stream.channel_layout !== undefined && { layout: stream.channel_layout }),
    sampleRate,
    ...languageOf(stream.tags.language),
    endSeconds: endOf(stream, fileStart),
    ...(stream.nb_frames ? {} : { mayBeEmpty: true }),
  };
}

/** No tag in use is longer: RFC 5646, 4.4.1. */
const LANGUAGE_LENGTH = 35;

/** Containers name a language by three letters of ISO 639-2 (`ger`, `deu`), HLS and DASH by BCP 47 (`de`). */
export function languageOf(tag: string | undefined): { language?: string } {
  if (tag === undefined || tag.length > LANGUAGE_LENGTH || !/^[a-z]{2,3}(?:-[a-z\d]{2,8})*$/i.test(tag)) return {};
  try {
    const [language] = Intl.getCanonicalLocales(tag);
    return language === undefined || /^(?:und|mul|zxx)\b/.test(language) ? {} : { language };
  } catch {
    return {};
  }
}

function endOf(stream: Stream, fileStart: number): number | undefined {
  if (stream.duration === undefined) return undefined;
  return (stream.start_time ?? fileStart) - fileStart + stream.duration;
}

/** `30000/1001`; undefined for text that is not a positive fraction. */
function fraction(text: string | undefined): Fraction | undefined {
  const [, num, den] = /^(\d+)\/(\d+)$/.exec(text ?? '') ?? [];
  const value = { num: Number(num), den: Number(den) };
  return value.num > 0 && value.den > 0 ? value : undefined;
}
