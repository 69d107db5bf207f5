import { PRESETS, type Preset } from '../../../../core/contracts/presets.ts';
import type { EncodePlan, TrackEnds } from '../../../../core/media/encode-plan.ts';
import { planEncode } from '../../../../core/media/plan.ts';
import type { AudioTrack, MediaProbe, VideoTrack } from '../../../../core/media/probe.ts';
import type { JobPlace, ProbedSource } from '../../../../engines/mediaconvert/settings.ts';

/** Sources and the plans of their jobs. */

const STANDARD = PRESETS.standard as Preset;
export const UHD = PRESETS.uhd as Preset;

const FILM: VideoTrack = {
  index: 0,
  codec: 'h264',
  coded: { width: 1920, height: 1080 },
  displayed: { width: 1920, height: 1080 },
  pixelFormat: 'yuv420p',
  color: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' },
  frameRate: { num: 30_000, den: 1001 },
  baseRate: { num: 30_000, den: 1001 },
  constantRate: true,
  interlaced: false,
  startSeconds: 0,
  endSeconds: 60,
};
const SOUND: AudioTrack = { index: 1, codec: 'aac', channels: 2, sampleRate: 48_000, endSeconds: 60 };

export interface Source {
  format?: string;
  /** Null: none. */
  video?: Partial<VideoTrack> | null;
  audio?: Partial<AudioTrack> | null;
  audioTracks?: number[];
  preset?: Preset;
  ends?: TrackEnds;
}

export function planned(source: Source = {}): { plan: EncodePlan; source: ProbedSource } {
  const { video = {}, audio = {}, preset = STANDARD, ends = { video: 60, audio: 60 } } = source;
  const probe: MediaProbe = {
    format: source.format ?? 'mov,mp4,m4a,3gp,3g2,mj2',
    startSeconds: 0,
    durationSeconds: 60,
    ...(video && { video: { ...FILM, ...video } }),
    ...(audio && { audio: { ...SOUND, ...audio } }),
    skipped: [],
  };
  const plan = planEncode(probe, preset, ends);
  return { plan, source: { probe, audioTracks: source.audioTracks ?? (audio ? [1] : []) } };
}

const FILE = '2222222222aaaaaaaaaaaaaaaa';
export const PLACE: JobPlace = {
  jobId: `${FILE}-3`,
  attempt: 1,
  purpose: 'ingest',
  role: 'arn:aws:iam::111122223333:role/dropreel-mediaconvert',
  queue: 'arn:aws:mediaconvert:us-east-1:111122223333:queues/dropreel',
  source: { bucket: 'uploads', key: 'drop/ada/default/film.mov' },
  output: { bucket: 'media', prefix: `tmp/${FILE}-3/mediaconvert/1/` },
};

/** A phone's: upright, HDR, one channel, pictures at times that vary, and an MP4 that no rung can share. Of two rungs, to be short. */
export const PHONE: Source = {
  preset: { ...UHD, rungs: UHD.rungs.filter(({ name }) => name === '1440p' || name === '360p') },
  video: {
    coded: { width: 3840, height: 2160 },
    displayed: { width: 2160, height: 3840 },
    color: { primaries: 'bt2020', transfer: 'arib-std-b67', matrix: 'bt2020nc' },
    frameRate: { num: 2987, den: 100 },
    baseRate: { num: 30, den: 1 },
    constantRate: false,
  },
  audio: { channels: 1, sampleRate: 44_100, language: 'de' },
};

export const PODCAST: Source = { format: 'mp3', video: null, audio: { index: 0, codec: 'mp3' }, audioTracks: [0] };
