import { z } from 'zod';
import { ErrorCode } from './errors.ts';
import { GpuUse } from './gpu.ts';
import { CreatorId, JobId, MediaId } from './ids.ts';
import { each, FILE_NAMES } from './outputs.ts';
import { JobPreset } from './preset-settings.ts';
import { RenditionSummary, Source, SourceInfo } from './table/media.ts';
import { Warning } from './warnings.ts';

/** How many chunks a film is cut into. */
export const ChunkCount = z.number().int().min(2).max(1000);

/** The engine's input: DROPREEL_JOB of the worker. AWS Batch passes at most 8192 characters of overrides. */
export const Job = z.object({
  jobId: JobId,
  mediaId: MediaId,
  creatorId: CreatorId,
  source: Source,
  output: z.object({ bucket: z.string(), prefix: z.string() }),
  preset: JobPreset,
  /** Of a job that another engine encodes, or several workers do; absent where the worker does all. */
  task: z
    .discriminatedUnion('name', [
      z.object({ name: z.literal('prepare') }),
      z.object({
        name: z.literal('finish'),
        /** As in the job's row. */
        part: z.string(),
        /** Prefix of what was encoded, under that of the job; ends in a slash. */
        encoded: z.string(),
        /** What was lost on the way there. */
        warnings: z.array(Warning),
      }),
      /** Looks at the film, and encodes it whole, unless it is to be encoded in chunks. */
      z.object({
        name: z.literal('cut'),
        /** Of a worker. */
        vcpus: z.number().positive(),
        /** How many workers there may be at once. */
        workers: z.number().int().positive(),
        /** In seconds, as `Starts` of core/media; absent in jobs of earlier releases. */
        starts: z.object({ paid: z.number(), waits: z.number(), least: z.number() }).optional(),
        /** In what time it is to be done; absent: any. */
        deadlineSeconds: z.number().optional(),
      }),
      /** Encodes one chunk, or the sound: which one, the array job's index says, or `beside` of one that is slow. */
      z.object({
        name: z.literal('chunk'),
        part: z.string(),
        count: ChunkCount,
        /** Whether the worker of the first chunk, and that of the sound, leave pieces for a growing version. */
        grows: z.literal(true).optional(),
        beside: z.object({ array: z.string(), index: z.number().int().nonnegative() }).optional(),
      }),
      /** Joins the chunks; encodes the whole where they do not make the film. */
      z.object({ name: z.literal('join'), part: z.string(), count: ChunkCount }),
    ])
    .optional(),
});
export type Job = z.infer<typeof Job>;

/** Exit codes of the worker, matched by the job definition's evaluateOnExit. */
export const EXIT = {
  ok: 0,
  /** The result says failed with a permanent code: do not retry. (EX_DATAERR of sysexits.h) */
  permanent: 65,
  /** Worth another attempt. (EX_TEMPFAIL) */
  transient: 75,
  /** Stopped by SIGTERM after it saved its checkpoint. */
  drained: 143,
} as const;

/** One file that the worker wrote; `path` is relative to the output prefix. */
export const OutputFile = z.object({
  path: z.string(),
  size: z.number().int().positive(),
  /** Base64 CRC64NVME of the whole object, as S3 stores it; also for multipart uploads (full-object checksum). */
  crc64nvme: z.string(),
  contentType: z.string(),
});
export type OutputFile = z.infer<typeof OutputFile>;

/** The file of a rendition, for DASH: its init segment, then its index, then its segments. */
export const RenditionFile = z.object({
  /** `1080p.mp4` */
  uri: z.string(),
  initBytes: z.number().int().positive(),
  indexBytes: z.number().int().positive(),
  /** Of sound: Hz, channels, and BCP 47. */
  sound: z
    .object({ sampleRate: z.number().int(), channels: z.number().int(), language: z.string().optional() })
    .optional(),
});
export type RenditionFile = z.infer<typeof RenditionFile>;

export const AudioGroup = z.object({
  /** GROUP-ID in the master playlist: `audio-128k`. */
  id: z.string(),
  playlist: z.string(),
  codecs: z.string(),
  channels: z.number().int(),
  /** BCP 47, such as `de`; absent where the source names none. */
  language: z.string().optional(),
  bandwidth: z.number().int(),
  averageBandwidth: z.number().int(),
  bytes: z.number().int(),
  durationSeconds: z.number(),
  /** Absent in results from before each rendition was one file, with an index. */
  file: RenditionFile.optional(),
});
export type AudioGroup = z.infer<typeof AudioGroup>;

/** A line EXT-X-STREAM-INF. For video, bandwidths and codecs include the audio group's; for audio only, there is no group. */
export const Rendition = RenditionSummary.extend({
  playlist: z.string(),
  audio: z.string().optional(),
  /** The most pictures a second, where their rate varies; `frameRate` is the average. */
  maxFrameRate: z.number().positive().optional(),
  file: RenditionFile.optional(),
  /** A line EXT-X-I-FRAME-STREAM-INF; absent for sound, and in results from before there were such playlists. */
  keyframes: RenditionSummary.pick({ codecs: true, bandwidth: true, averageBandwidth: true })
    .extend({ playlist: z.string() })
    .optional(),
});
export type Rendition = z.infer<typeof Rendition>;

/** What the preview is published from. */
export const Preview = z.object({
  /** Paths, relative to the output prefix, of the files made for the preview alone: `preview/preview.m3u8` is the entry. */
  playlists: z.array(z.string()),
  /** Files shared with the full stream, which are published in both places: segments in results of earlier releases, now none. */
  shared: z.array(z.string()),
  durationSeconds: z.number(),
});
export type Preview = z.infer<typeof Preview>;

/** How the worker read the source. */
export const Reading = z.discriminatedUnion('how', [
  /** While it was encoded, by requests of S3 for ranges. */
  z.object({ how: z.literal('in place'), requests: z.number().int(), bytes: z.number().int() }),
  /** Whole, before it was encoded. */
  z.object({ how: z.literal('downloaded'), why: z.string() }),
]);
export type Reading = z.infer<typeof Reading>;

/**
 * Seconds that a worker says it has used. Caps and estimates are made of them, so that one that was taken over must not write any number:
 * 16 vCPUs, the most of Fargate, for `jobTimeoutHours`, 336 at most.
 */
export const UsedSeconds = z
  .number()
  .nonnegative()
  .max(16 * 336 * 3600);

export const Succeeded = z.object({
  status: z.literal('succeeded'),
  jobId: JobId,
  kind: z.enum(['video', 'audio']),
  source: SourceInfo,
  audio: z.array(AudioGroup),
  renditions: z.array(Rendition).min(1),
  /** Whether the picture carries captions; absent for sound, and in results from before it was recorded. */
  captions: z.boolean().optional(),
  /** Which ones: `CC1` to `CC4` of CEA-608, `SERVICE1` to `SERVICE63` of CEA-708. Absent: CC1, in earlier results. */
  captionChannels: z
    .array(z.string().regex(/^(?:CC[1-4]|SERVICE[1-9]\d?)$/))
    .max(67)
    .optional(),
  preview: Preview.optional(),
  /** Paths, relative to the output prefix. */
  ...each(FILE_NAMES, () => z.string().optional()),
  /** The size of an MP4 that is encoded by itself; absent where it shares the top rung's packets, and in earlier results. */
  ownMp4: z.object({ width: z.number().int(), height: z.number().int() }).optional(),
  /** Everything under the prefix, except this file and the claim. */
  files: z.array(OutputFile),
  /**
   * Text of each playlist, by the path that it is to have: published in the place of a file of that path. Absent in results of 0.2.0, and
   * where they are too many for a result: their playlists are files alone. An hour of four rungs has 0.9 MB of them.
   */
  playlists: z.record(z.string(), z.string()).optional(),
  preset: z.object({ name: z.string(), version: z.number().int() }),
  /** Of the largest rendition against the pictures that it was encoded of (SSIM of the brightness, 0 to 1), where x264 made it. */
  ssim: z.number().min(0).max(1).optional(),
  /** Of the preset; absent in results from before it was the preset's. */
  segmentSeconds: z.number().int().positive().optional(),
  /** What was left out of the outputs, with its reason. */
  skipped: z.array(z.object({ what: z.string(), why: z.string() })),
  /** Absent in results from before they were recorded. */
  warnings: z.array(Warning).optional(),
  /** The version of FFmpeg that made it, as FFmpeg reports it; absent in results from before it was recorded. */
  ffmpeg: z.string().optional(),
  /** Absent where no GPU was asked for, and for sound. */
  gpu: GpuUse.optional(),
  /** `besideSeconds`: wall time of the workers before this one, where several have encoded a film; the CPU time is that of all of them. */
  usage: z.object({ wallSeconds: UsedSeconds, cpuSeconds: UsedSeconds, besideSeconds: UsedSeconds.optional() }),
  /** Absent in results of engines of their own, and from before it was recorded. */
  reading: Reading.optional(),
});
export type Succeeded = z.infer<typeof Succeeded>;

export const Failed = z.object({
  status: z.literal('failed'),
  jobId: JobId,
  error: z.object({ code: ErrorCode, message: z.string(), detail: z.string().optional() }),
  source: SourceInfo.optional(),
});
export type Failed = z.infer<typeof Failed>;

/** `tmp/{jobId}/result.json`. A failed result is written for permanent failures, and for transient ones on each attempt. */
export const Result = z.discriminatedUnion('status', [Succeeded, Failed]);
export type Result = z.infer<typeof Result>;

/** `tmp/{jobId}/claim.json`: a second engine job for the same Job finds another engineJobId here, and ends at once. */
export const Claim = z.object({
  jobId: JobId,
  engineJobId: z.string(),
  /** Of an engine that may give one engine job to several machines at once: which of them has it, and how often it has said so. */
  machine: z.string().optional(),
  renewal: z.number().int().optional(),
});
export type Claim = z.infer<typeof Claim>;
