import type { OutputFile, Succeeded } from '../contracts/job.ts';
import { mediaKeys, tmpPrefix, versionPlaces } from '../contracts/keys.ts';
import { FILE_NAMES, PLAYLIST_TYPE, some } from '../contracts/outputs.ts';
import type { JobRow } from '../contracts/table/jobs.ts';
import type { MediaRow, Outputs, PublishedVersion } from '../contracts/table/media.ts';
import { bounded } from '../contracts/warnings.ts';

/** Objects of a version never change: a year is the longest that caches are asked to keep anything. */
export const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Pointers change with each version; viewers get a rollback or a new version within seconds. */
export const BRIEF = 'public, max-age=5';

export interface Copy {
  from: string;
  to: string;
  size: number;
  crc64nvme: string;
  contentType: string;
  cacheControl: string;
}

/** A text that is written as it was checked. */
export interface TextObject {
  key: string;
  body: string;
  contentType: string;
}

export interface PublishPlan {
  /** From tmp/ into the version's folders, always in the same order. */
  copies: Copy[];
  /** The playlists that the result contains. */
  playlists: TextObject[];
  /** The prefixes of all copies, for listing; an MP4's has those of other versions, too. */
  prefixes: string[];
  outputs: Outputs;
  bytes: number;
}

type Place = Pick<JobRow, 'creatorId' | 'mediaId' | 'jobId' | 'n' | 'access'>;

/** What to copy for a job's result. It contains no object that an earlier version's playlists name. */
export function publishPlan(job: Place, result: Succeeded): PublishPlan {
  const keys = mediaKeys(job.creatorId, job.mediaId, job.access);
  const { streams, files } = versionPlaces(job.creatorId, job.mediaId, job.n, job.access);
  const previewFiles = new Set([...(result.preview?.playlists ?? []), ...(result.preview?.shared ?? [])]);
  const shared = new Set(result.preview?.shared ?? []);
  const singles = new Map(FILE_NAMES.map((name) => [result[name], files[name]]));
  const placesOf = (path: string): string[] => {
    const [main, preview] = [`${streams.master}${path}`, `${streams.preview}${path.replace(/^preview\//, '')}`];
    if (!previewFiles.has(path)) return [main];
    return shared.has(path) ? [main, preview] : [preview];
  };
  const texts = result.playlists ?? {};
  const copies = result.files.flatMap((file) => {
    const single = singles.get(file.path);
    if (single === undefined && Object.hasOwn(texts, file.path)) return [];
    const places = single === undefined ? placesOf(file.path) : [single];
    return places.map((to) => copyOf(job, file, to));
  });
  const playlists = Object.entries(texts).flatMap(([path, body]) =>
    placesOf(path).map((key) => ({ key, body, contentType: PLAYLIST_TYPE })),
  );
  // Of results of earlier releases, whose renditions are not one file each, no manifest is made.
  const hasManifest = [...result.renditions, ...result.audio].every(({ file }) => file !== undefined);
  const published = some(FILE_NAMES, (name) => (result[name] === undefined ? undefined : files[name]));
  return {
    copies,
    playlists,
    prefixes: [
      streams.master,
      ...(result.preview ? [streams.preview] : []),
      ...new Set(Object.values(published).map((key) => key.slice(0, key.lastIndexOf('/') + 1))),
    ],
    // Streams are recorded by their pointers; files by their keys under the version, so that they change with the row.
    outputs: {
      master: keys.master,
      ...(hasManifest && { dash: keys.dash }),
      ...(result.preview && { preview: keys.preview }),
      ...published,
    },
    // Playlists are ASCII.
    bytes: [...copies.map(({ size }) => size), ...playlists.map(({ body }) => body.length)].reduce((a, b) => a + b, 0),
  };
}

function copyOf(job: Place, file: OutputFile, to: string): Copy {
  const { size, crc64nvme, contentType } = file;
  return { from: `${tmpPrefix(job.jobId)}${file.path}`, to, size, crc64nvme, contentType, cacheControl: IMMUTABLE };
}

/** The row's record of what a plan publishes. */
export function versionOf(
  job: JobRow,
  media: MediaRow,
  { result, plan, now }: { result: Succeeded; plan: PublishPlan; now: string },
): PublishedVersion {
  // A version made from its own MP4 still records the upload as its source.
  const fromUpload = job.source.bucket === media.source.bucket;
  // What that MP4 lacks, its new version lacks too.
  const inherited = fromUpload ? [] : (media.current?.warnings ?? []);
  const warnings = bounded([...inherited, ...(result.warnings ?? [])]);
  return {
    version: job.n,
    jobId: job.jobId,
    publishedAt: now,
    outputs: plan.outputs,
    renditions: result.renditions.map(({ playlist: _, audio: __, file: ___, keyframes: ____, ...summary }) => summary),
    preset: result.preset,
    bytes: plan.bytes,
    ...(job.access && { access: job.access }),
    redirects: true,
    source: fromUpload ? job.source : (media.current?.source ?? media.source),
    ...(warnings.length > 0 && { warnings }),
    ...(result.ssim !== undefined && { ssim: result.ssim }),
  };
}
