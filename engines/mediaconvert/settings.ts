import type { Warning } from '../../core/contracts/warnings.ts';
import { type EncodePlan, streamed, type VideoPlan } from '../../core/media/encode-plan.ts';
import { GOP_SECONDS } from '../../core/media/plan.ts';
import type { MediaProbe } from '../../core/media/probe.ts';
import { APP } from './names.ts';
import { type OutputRate, outputRate } from './rate.ts';
import { aac, audioSelectors } from './sound-settings.ts';
import { box, h264, preprocessors, videoSelector } from './video-settings.ts';

/** What is known of a source when its job is made. */
export interface ProbedSource {
  probe: MediaProbe;
  /** FFmpeg's indices of all its audio tracks, in their order. */
  audioTracks: readonly number[];
}

/** Where a job runs, and which attempt of which job it is. */
export interface JobPlace {
  jobId: string;
  /** From 1. */
  attempt: number;
  purpose: 'ingest' | 'retranscode';
  /** ARNs. */
  role: string;
  queue: string;
  source: { bucket: string; key: string };
  /** Of this attempt alone: MediaConvert overwrites what it finds. Ends in a slash. */
  output: { bucket: string; prefix: string };
}

/** What a job of MediaConvert leaves where. Keys are relative to its output prefix. */
export interface JobObjects {
  /** The object of each rendition, by the rendition's file name without extension; `mp4` for an MP4 that is encoded by itself. */
  renditions: Record<string, string>;
  /** The captures of which one becomes the picture: the last of `thumbnail` that is there, and the best of `poster`. */
  captures: { thumbnail?: string[]; poster?: string[] };
}

/** Base names of the objects of the three output groups. */
const STREAM = 'stream';
const MP4 = 'mp4';
const FRAME = 'frame';

export interface PlannedJob extends JobObjects {
  request: ReturnType<typeof createJobRequest>;
  warnings: Warning[];
}

/**
 * The job for a plan. https://docs.aws.amazon.com/mediaconvert/latest/apireference/jobs.html
 * @throws Error where the plan does not fit the source
 */
export function planJob(plan: EncodePlan, source: ProbedSource, place: JobPlace): PlannedJob {
  const rate = plan.video && source.probe.video ? outputRate(plan.video, source.probe.video) : undefined;
  const request = createJobRequest(plan, source, { place, rate });
  return { request, ...objectsOf(plan), warnings: rate?.warnings ?? [] };
}

/** MediaConvert reports the names of few of its files, so all of them follow from the settings. */
export function objectsOf(plan: EncodePlan): JobObjects {
  const sounds = plan.audio?.renditions.map(({ file }) => [file, `${STREAM}_${file}.cmfa`]) ?? [];
  const rungs = plan.video?.rungs.map(({ name }) => [name, `${STREAM}_${name}.cmfv`]) ?? [];
  return {
    renditions: Object.fromEntries([...rungs, ...sounds, ...(plan.mp4?.encode ? [[MP4, `${MP4}.mp4`]] : [])]),
    captures: {
      ...(plan.thumbnail && {
        thumbnail: captureNames('thumbnail', captured(plan.thumbnail.atSeconds, 2).MaxCaptures),
      }),
      ...(plan.poster && { poster: captureNames('poster', plan.poster.candidates) }),
    },
  };
}

/** Frames of one output are numbered from 0, with seven digits. */
function captureNames(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${FRAME}_${name}.${String(i).padStart(7, '0')}.jpg`);
}

/** Re-transcodes give way to uploads. */
const PRIORITY: Record<JobPlace['purpose'], number> = { ingest: 0, retranscode: -10 };

interface Made {
  place: JobPlace;
  /** Of plans with pictures. */
  rate: OutputRate | undefined;
}

function createJobRequest(plan: EncodePlan, source: ProbedSource, made: Made) {
  const { jobId, attempt, purpose, role, queue } = made.place;
  return {
    Role: role,
    Queue: queue,
    Priority: PRIORITY[purpose],
    // Refused in jobs with outputs of sound alone, and billed at another tier: error 1041.
    AccelerationSettings: { Mode: 'DISABLED' as const },
    StatusUpdateInterval: 'SECONDS_60' as const,
    // One job for a call that is repeated within a minute. https://docs.aws.amazon.com/mediaconvert/latest/ug/idempotency.html
    ClientRequestToken: `${jobId}-${attempt}`,
    UserMetadata: { app: APP, jobId, attempt: String(attempt) },
    Settings: {
      // A timecode of the source would exclude more than it helps: https://docs.aws.amazon.com/mediaconvert/latest/ug/timecode-jobconfig.html
      TimecodeConfig: { Source: 'ZEROBASED' as const },
      FollowSource: 1,
      Inputs: [input(plan, source, made.place)],
      OutputGroups: [streams(plan, made), ...ownMp4(plan, made), ...frames(plan, made.place)],
    },
  };
}

function input(plan: EncodePlan, { probe, audioTracks }: ProbedSource, { source }: JobPlace) {
  return {
    FileInput: `s3://${source.bucket}/${source.key}`,
    TimecodeSource: 'ZEROBASED' as const,
    InputScanType: 'AUTO' as const,
    ...(plan.video && { VideoSelector: videoSelector(plan.video, probe) }),
    ...audioSelectors(plan.audio, probe, audioTracks),
  };
}

/** One file for each rendition; dropreel writes the playlists itself. */
function streams(plan: EncodePlan, { place, rate }: Made) {
  const { output } = place;
  return {
    Name: 'CMAF',
    CustomName: 'streams',
    OutputGroupSettings: {
      Type: 'CMAF_GROUP_SETTINGS' as const,
      CmafGroupSettings: {
        Destination: `s3://${output.bucket}/${output.prefix}${STREAM}`,
        SegmentControl: 'SINGLE_FILE' as const,
        SegmentLength: plan.segmentSeconds,
        FragmentLength: GOP_SECONDS,
        SegmentLengthControl: 'GOP_MULTIPLE' as const,
        WriteHlsManifest: 'ENABLED' as const,
        WriteDashManifest: 'DISABLED' as const,
        CodecSpecification: 'RFC_6381' as const,
        ManifestDurationFormat: 'FLOATING_POINT' as const,
        ManifestCompression: 'NONE' as const,
        StreamInfResolution: 'INCLUDE' as const,
        TargetDurationCompatibilityMode: 'SPEC_COMPLIANT' as const,
        ClientCache: 'ENABLED' as const,
        // The first picture is shown at 0.
        VideoCompositionOffsets: 'SIGNED' as const,
        ImageBasedTrickPlay: 'NONE' as const,
      },
    },
    Outputs: [...(plan.video && rate ? rungs(plan, plan.video, rate) : []), ...sounds(plan)],
  };
}

function rungs(plan: EncodePlan, video: VideoPlan, rate: OutputRate) {
  const names = new Set(streamed(plan));
  return video.rungs.map((rung) => {
    const sound = plan.audio?.renditions.find(({ name, file }) => name === rung.audio && names.has(file));
    return {
      NameModifier: `_${rung.name}`,
      ContainerSettings: {
        Container: 'CMFC' as const,
        CmfcSettings: {
          ...(sound && { AudioRenditionSets: sound.file }),
          IFrameOnlyManifest: 'EXCLUDE' as const,
        },
      },
      VideoDescription: h264(plan, video, {
        size: rung,
        rate,
        maxBitrate: rung.maxBitrate,
        profile: profileOf(plan, rung),
      }),
    };
  });
}

/** As of the worker: the MP4 is Main, and so is the rung whose packets it shares. */
const profileOf = ({ mp4 }: EncodePlan, { name }: { name: string }) => (mp4?.rung === name ? 'MAIN' : 'HIGH');

/** Only one rendition of sound may be the default: https://docs.aws.amazon.com/mediaconvert/latest/ug/alternate-audio.html */
function sounds({ audio, kind }: EncodePlan) {
  if (!audio) return [];
  return audio.renditions.map((rendition, i) => ({
    NameModifier: `_${rendition.file}`,
    ContainerSettings: {
      Container: 'CMFC' as const,
      CmfcSettings: { AudioGroupId: rendition.file, AudioTrackType: trackType(kind, i) },
    },
    AudioDescriptions: [aac(audio, rendition)],
  }));
}

function trackType(kind: EncodePlan['kind'], i: number) {
  if (kind === 'audio') return 'AUDIO_ONLY_VARIANT_STREAM' as const;
  return i === 0 ? ('ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT' as const) : ('ALTERNATE_AUDIO_AUTO_SELECT' as const);
}

/** The picture of an MP4 that no rung can share. Its sound is that of a rendition. */
function ownMp4(plan: EncodePlan, { place, rate }: Made) {
  const size = plan.mp4?.encode;
  if (!size || !plan.video || !rate) return [];
  return [
    fileGroup(MP4, place, [
      {
        Extension: 'mp4',
        ContainerSettings: {
          Container: 'MP4' as const,
          Mp4Settings: { MoovPlacement: 'PROGRESSIVE_DOWNLOAD' as const, CslgAtom: 'INCLUDE' as const, CttsVersion: 1 },
        },
        VideoDescription: h264(plan, plan.video, { size, rate, maxBitrate: size.maxBitrate, profile: 'MAIN' }),
      },
    ]),
  ];
}

/** A grid of pictures from the first one on: the thumbnail is its second, the poster the best of them. */
function frames({ video, thumbnail, poster }: EncodePlan, place: JobPlace) {
  if (!video) return [];
  const outputs = [
    ...(thumbnail ? [capture('thumbnail', video, { size: thumbnail, frames: captured(thumbnail.atSeconds, 2) })] : []),
    ...(poster
      ? [capture('poster', video, { size: poster, frames: captured(poster.everySeconds, poster.candidates) })]
      : []),
  ];
  return outputs.length > 0 ? [fileGroup(FRAME, place, outputs)] : [];
}

/** 1 to 100, of JPEG. */
const QUALITY = 80;

function capture(
  name: string,
  video: VideoPlan,
  { size, frames }: { size: { width: number; height: number }; frames: ReturnType<typeof captured> },
) {
  return {
    NameModifier: `_${name}`,
    Extension: 'jpg',
    ContainerSettings: { Container: 'RAW' as const },
    VideoDescription: {
      ...box(size),
      VideoPreprocessors: preprocessors(video),
      CodecSettings: { Codec: 'FRAME_CAPTURE' as const, FrameCaptureSettings: { ...frames, Quality: QUALITY } },
    },
  };
}

/** Pictures at 0 and every so many seconds after it; of an interval below a millisecond, the first alone. */
function captured(everySeconds: number, count: number) {
  const milliseconds = Math.round(everySeconds * 1000);
  if (milliseconds < 1) return { FramerateNumerator: 1, FramerateDenominator: 1, MaxCaptures: 1 };
  return { FramerateNumerator: 1000, FramerateDenominator: milliseconds, MaxCaptures: count };
}

function fileGroup<Output>(name: string, { output }: JobPlace, outputs: Output[]) {
  return {
    Name: 'File Group',
    CustomName: name,
    OutputGroupSettings: {
      Type: 'FILE_GROUP_SETTINGS' as const,
      FileGroupSettings: { Destination: `s3://${output.bucket}/${output.prefix}${name}` },
    },
    Outputs: outputs,
  };
}
