import { z } from 'zod';
import { ArchiveRefusal, EncodePolicy, Quality } from './archive.ts';
import { ErrorCode } from './errors.ts';
import { CreatorId, JobId, MediaId } from './ids.ts';
import { UsedSeconds } from './job.ts';
import { Source } from './table/media.ts';

/** DROPREEL_JOB of a worker that makes the dense copy of an original. */
export const ArchiveJob = z.object({
  kind: z.literal('archive'),
  /** From the same numbers as the encodes of its media item: no two jobs write under one prefix. */
  jobId: JobId,
  mediaId: MediaId,
  creatorId: CreatorId,
  source: Source,
  output: z.object({ bucket: z.string(), prefix: z.string() }),
  policy: EncodePolicy,
});
export type ArchiveJob = z.infer<typeof ArchiveJob>;

/** A file as both hashes know it: SHA-256 in hex, CRC64NVME as S3 has it, in base64. */
export const HashedFile = z.object({
  bytes: z.number().int().positive(),
  sha256: z.string().max(100),
  crc64nvme: z.string().max(100),
});
export type HashedFile = z.infer<typeof HashedFile>;

/** Of what a worker tells: far more than it has to say, and far less than a row holds. */
export const MOST_DETAIL = 1000;
export const MOST_REFUSALS = 20;

/** `tmp/{jobId}/result.json` of such a job. */
export const ArchiveResult = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('archived'),
    jobId: JobId,
    original: HashedFile,
    copy: HashedFile,
    quality: Quality,
    encoder: z.string().max(MOST_DETAIL),
    ffmpeg: z.string().max(MOST_DETAIL),
    usage: z.object({ wallSeconds: UsedSeconds, cpuSeconds: UsedSeconds }),
  }),
  z.object({
    status: z.literal('refused'),
    jobId: JobId,
    refusals: z
      .array(ArchiveRefusal.extend({ detail: z.string().max(MOST_DETAIL) }))
      .min(1)
      .max(MOST_REFUSALS),
    usage: z.object({ wallSeconds: UsedSeconds, cpuSeconds: UsedSeconds }),
  }),
  /** The machine or S3 was at fault, or the source is gone: nothing is known of the file. */
  z.object({
    status: z.literal('failed'),
    jobId: JobId,
    error: z.object({ code: ErrorCode, message: z.string(), detail: z.string().optional() }),
  }),
]);
export type ArchiveResult = z.infer<typeof ArchiveResult>;
