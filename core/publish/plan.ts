import type { OutputFile, Succeeded } from '../contracts/job.ts';
import { mediaKeys, tmpPrefix } from '../contracts/keys.ts';
import type { JobRow, MediaRow, Outputs, PublishedVersion } from '../contracts/rows.ts';

/** Objects of a version never change: a year is the longest that caches are asked to keep. */
export const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Pointers change with each version; a rollback or a new one is seen within seconds. */
export const BRIEF = 'public, max-age=5';
export const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';

export interface Copy {
  from: string;
  to: string;
  size: number;
  crc64nvme: string;
  contentType: string;
  cacheControl: string;
}

export interface PublishPlan {
  /** From tmp/ into the version's folders, always in the same order. */
  copies: Copy[];
  /** Where they all go, for listing. */
  prefixes: string[];
  outputs: Outputs;
  bytes: number;
}

type Place = Pick<JobRow, 'creatorId' | 'mediaId' | 'jobId' | 'n' | 'access'>;

/** What to copy for a job's result. Nothing in it is an object that an earlier version's playlists name. */
export function publishPlan(job: Place, result: Succeeded): PublishPlan {
  const keys = mediaKeys(job.creatorId, job.mediaId, job.access);
  const version = keys.version(job.n);
  const previewFiles = new Set([...(result.preview?.playlists ?? []), ...(result.preview?.shared ?? [])]);
  const shared = new Set(result.preview?.shared ?? []);
  const singles = new Map(
    (['mp4', 'thumbnail', 'poster', 'waveform'] as const).flatMap((name) => {
      const path = result[name];
      return path === undefined ? [] : [[path, version[name]] as const];
    }),
  );
  const copies = result.files.flatMap((file) => {
    const single = singles.get(file.path);
    if (single !== undefined) return [copyOf(job, file, single)];
    const preview = `${version.preview}${file.path.replace(/^preview\//, '')}`;
    if (!previewFiles.has(file.path)) return [copyOf(job, file, `${version.hls}${file.path}`)];
    if (!shared.has(file.path)) return [copyOf(job, file, preview)];
    return [copyOf(job, file, `${version.hls}${file.path}`), copyOf(job, file, preview)];
  });
  return {
    copies,
    prefixes: [version.hls, ...(result.preview ? [version.preview] : []), ...singles.values()],
    outputs: outputsOf(keys, version, result),
    bytes: copies.reduce((sum, { size }) => sum + size, 0),
  };
}

/** The master and the preview are at their pointers; the others under the version, so that they change with the row. */
function outputsOf(
  keys: ReturnType<typeof mediaKeys>,
  version: ReturnType<ReturnType<typeof mediaKeys>['version']>,
  result: Succeeded,
): Outputs {
  return {
    master: keys.master,
    ...(result.preview && { preview: keys.preview }),
    ...(result.mp4 !== undefined && { mp4: version.mp4 }),
    ...(result.thumbnail !== undefined && { thumbnail: version.thumbnail }),
    ...(result.poster !== undefined && { poster: version.poster }),
    ...(result.waveform !== undefined && { waveform: version.waveform }),
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
  result: Succeeded,
  plan: PublishPlan,
  now: string,
): PublishedVersion {
  // Made from its own MP4, it still goes back to what was uploaded.
  const fromUpload = job.source.bucket === media.source.bucket;
  return {
    version: job.n,
    jobId: job.jobId,
    publishedAt: now,
    outputs: plan.outputs,
    renditions: result.renditions.map(({ playlist: _, audio: __, ...summary }) => summary),
    preset: result.preset,
    bytes: plan.bytes,
    ...(job.access && { access: job.access }),
    source: fromUpload ? job.source : (media.current?.source ?? media.source),
  };
}
