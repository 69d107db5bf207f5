import { z } from 'zod';
import { EngineChoice } from '../engines.ts';
import { GpuUse } from '../gpu.ts';
import { CollectionId, CreatorId, JobId, MediaId } from '../ids.ts';
import { each, OPTIONAL_NAMES } from '../outputs.ts';
import { JobState, JobStep } from '../table/jobs.ts';
import { Failure, MediaState, RenditionSummary, Restoring, SourceInfo } from '../table/media.ts';
import { Warning } from '../warnings.ts';
import { MediaArchiveView } from './archive.ts';
import { Tags, Title } from './fields.ts';

const Time = z.iso.datetime();
const Url = z.string();

export const JobView = z
  .object({
    id: JobId,
    n: z.number().int(),
    purpose: z.string(),
    engine: z.string(),
    state: JobState,
    progress: z.number(),
    /** Times real time. */
    speed: z.number().optional(),
    attempt: z.number().int(),
    steps: z.array(JobStep),
    preset: z.object({ name: z.string(), version: z.number().int() }),
    error: Failure.optional(),
    /** What it was expected to take when it was submitted: seconds from its start to its last upload, and USD. */
    estimate: z.object({ seconds: z.number(), usd: z.number() }).optional(),
    cost: z.object({ usd: z.number(), vcpuSeconds: z.number() }).optional(),
    /** What the GPU of its worker did, where that has one. */
    gpu: GpuUse.optional(),
    /** For operators, on AWS: the page of CloudWatch with its worker's log lines. */
    logUrl: Url.optional(),
    createdAt: Time,
    startedAt: Time.optional(),
    finishedAt: Time.optional(),
  })
  .meta({ id: 'Job' });
export type JobView = z.infer<typeof JobView>;

export const MediaView = z
  .object({
    id: MediaId,
    creatorId: CreatorId,
    collectionId: CollectionId,
    title: z.string(),
    /** An API of an earlier release does not say. */
    tags: z.array(z.string()).default([]),
    kind: z.enum(['video', 'audio']).optional(),
    state: MediaState,
    /** Whether `playback` can be played now; while it is `transcoding`: its beginning, with more of it by the minute. */
    playable: z.boolean(),
    /** When it could be played first; absent of media that an earlier release published. */
    playableAt: Time.optional(),
    seq: z.number().int(),
    attempts: z.number().int(),
    maxAttempts: z.number().int(),
    error: Failure.optional(),
    /** Its upload is brought back from an archive class before it is encoded. */
    restoring: Restoring.optional(),
    source: SourceInfo.extend({ fileName: z.string(), size: z.number().int() }),
    originalDeletedAt: Time.optional(),
    /** Absent where the archive has nothing to do with it. */
    archive: MediaArchiveView.optional(),
    scheduleRetranscode: z.boolean(),
    /** While it is being deleted: whether that can be undone. */
    undeletable: z.boolean().default(false),
    /** The version that viewers get. */
    version: z
      .object({
        n: z.number().int(),
        publishedAt: Time,
        bytes: z.number().int(),
        preset: z.object({ name: z.string(), version: z.number().int() }),
        renditions: z.array(RenditionSummary),
        /** What of the source it lacks, or has otherwise. An API of release 0.1 does not say. */
        warnings: z.array(Warning).default([]),
      })
      .optional(),
    /** The version that a rollback puts back. */
    previous: z.object({ n: z.number().int(), publishedAt: Time, expiresAt: Time }).optional(),
    /** `private`: needs the cookies of POST /media/{id}/playback-session, the preview, poster and thumbnail excepted. */
    access: z.enum(['public', 'private']).optional(),
    playback: z.object({ hls: Url, dash: Url.optional(), ...each(OPTIONAL_NAMES, () => Url.optional()) }).optional(),
    /** The page that other sites may frame, by the rules of the collection. */
    embedUrl: Url.optional(),
    /** The current job; only with a single media. */
    job: JobView.optional(),
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'Media' });
export type MediaView = z.infer<typeof MediaView>;

export const MediaPage = z.object({ items: z.array(MediaView), next: z.string().nullable() }).meta({ id: 'MediaPage' });
export type MediaPage = z.infer<typeof MediaPage>;

export const JobList = z.object({ items: z.array(JobView) }).meta({ id: 'JobList' });

export const MediaPatchRequest = z
  .strictObject({ title: Title, tags: Tags, collectionId: CollectionId, scheduleRetranscode: z.boolean() })
  .partial()
  .meta({ id: 'MediaPatchRequest', minProperties: 1 });
export type MediaPatchRequest = z.infer<typeof MediaPatchRequest>;

export const RetryRequest = z
  .strictObject({
    /** What encodes it from now on; absent: what did before. */
    engine: EngineChoice.optional(),
  })
  .meta({ id: 'RetryRequest' });

export const ListMediaQuery = z.object({
  collectionId: CollectionId.optional(),
  creatorId: CreatorId.optional(),
  state: MediaState.optional(),
  /** Words that are in the title, in the file's name or in a tag. */
  q: z.string().trim().min(1).max(100).optional(),
  /** Created at or after. */
  from: Time.optional(),
  /** Created before. */
  to: Time.optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().max(1000).optional(),
});
export type ListMediaQuery = z.infer<typeof ListMediaQuery>;

export const PlaybackSession = z
  .object({
    /** What the cookies open: a URL prefix and `*`. */
    resource: z.string(),
    expiresAt: Time,
    /** CloudFront's three signed cookies; also sent as Set-Cookie where the deployment has a `cookieDomain`. Empty for public media. */
    cookies: z.record(z.string(), z.string()),
  })
  .meta({ id: 'PlaybackSession' });

export const MediaLinkRequest = z
  .strictObject({
    /** `embed`: the page that other sites may frame; of a private media item with what opens all of it, behind the number sign. */
    output: z.enum([...OPTIONAL_NAMES, 'embed']).default('mp4'),
    /** How long it is valid: at most a week. */
    hours: z.number().positive().max(168).default(1),
  })
  .meta({ id: 'MediaLinkRequest' });

export const MediaLink = z
  .object({
    url: Url,
    /** Null for what anyone may see: its address does not expire. */
    expiresAt: Time.nullable(),
  })
  .meta({ id: 'MediaLink' });

/** https://oembed.com, section 2.2 */
export const OembedQuery = z.object({
  /** An `embedUrl`. */
  url: z.string().max(2000),
  maxwidth: z.coerce.number().int().positive().optional(),
  maxheight: z.coerce.number().int().positive().optional(),
  /** `json` is the only one that is there. */
  format: z.string().optional(),
});

/** https://oembed.com, section 2.3 */
export const Oembed = z
  .object({
    version: z.literal('1.0'),
    type: z.enum(['video', 'rich']),
    title: z.string(),
    provider_name: z.string(),
    html: z.string(),
    /** Pixels. */
    width: z.number().int(),
    height: z.number().int(),
    thumbnail_url: Url.optional(),
    thumbnail_width: z.number().int().optional(),
    thumbnail_height: z.number().int().optional(),
  })
  .meta({ id: 'Oembed' });
