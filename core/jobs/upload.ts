import type { DropLocation } from '../contracts/keys.ts';
import type { Refused } from '../contracts/refused.ts';
import type { JobRow } from '../contracts/table/jobs.ts';
import { DUE_WORK, rowKeys } from '../contracts/table/keys.ts';
import type { Failure, MediaRow, Source, SourceInfo, TombstoneRow } from '../contracts/table/media.ts';
import { titleFrom } from '../contracts/text.ts';
import type { Outcome, Put, Write } from './change.ts';
import { isUnderWay } from './end.ts';
import { newMedia } from './new-rows.ts';
import { changeMedia, endJobRow, hasEnded } from './rows.ts';
import { compareSources, uploadOf } from './sources.ts';
import { type Encoding, newJob } from './start.ts';

/** What happens to a media item when an object lands under drop/. */

export interface ReceivedUpload {
  mediaId: string;
  location: DropLocation;
  source: Source;
  now: string;
  /** Time before S3 was asked: a later upload is not taken into account. */
  seenAt: string;
  /** From a deleted media item with the same key. */
  tombstone?: Pick<TombstoneRow, 'jobCount' | 'seq'> | null;
}

/** The refusal of an upload that changes nothing for a media item; null when it changes something. */
export function whyIgnored(media: MediaRow | null, source: Source): Refused | null {
  if (!media || media.state === 'uploading') return null;
  if (media.state === 'deleting') return { refused: 'the media item is being deleted' };
  if (media.refused && media.refused.versionId === source.versionId && media.refused.etag === source.etag)
    return { refused: 'known' };
  const order = compareSources(newestUpload(media), source);
  return order === 'newer' ? null : { refused: order === 'same' ? 'known' : 'a newer upload is known' };
}

/** The last upload that was accepted, or that waits to be, under its own key. */
export function newestUpload<S extends Pick<Source, 'etag' | 'archivedFrom'>>(media: {
  source: S;
  pending?: { source: S } | undefined;
}): Omit<S, 'archivedFrom'> {
  return uploadOf(media.pending?.source ?? media.source);
}

/**
 * A good upload: the media item, which is created where there is none, and its next job. While the job of another upload is under
 * way, it waits for that job to end and replaces an upload that already waits: a media item encodes one upload at a time. A
 * re-transcode gives way.
 * @param underWay the media's current job
 */
export function acceptUpload(
  media: MediaRow | null,
  upload: ReceivedUpload,
  found: Encoding & { info: SourceInfo; kind?: 'video' | 'audio' },
  underWay: JobRow | null,
): Outcome<{ job?: JobRow }> {
  const ignored = whyIgnored(media, upload.source);
  if (ignored) return ignored;
  const { source, now } = upload;
  const { info, kind, preset, engine } = found;
  if (media && underWay && isUnderWay(media) && waitsFor(underWay)) {
    const pending = { source, info, ...(kind && { kind }) };
    return { change: [changeMedia(media, now, { pending, sourceSeenAt: upload.seenAt })] };
  }
  const before = media ?? droppedMedia(upload);
  const { row, put } = newJob(before, { purpose: 'ingest', source, preset, engine, now });
  const fields: Partial<MediaRow> = {
    state: stateAfterUpload(media),
    source,
    sourceSeenAt: upload.seenAt,
    sourceInfo: info,
    ...(kind && { kind }),
    jobId: row.jobId,
    jobCount: row.n,
    attempts: 1,
  };
  if (!media) return { change: [putMedia({ ...before, ...fields }), put], job: row };
  const remove = ['error', 'originalDeletedAt', ...uploadTodo(media)] as const;
  return { change: [changeMedia(media, now, fields, remove), put, ...givingWay(underWay, now)], job: row };
}

/** A re-transcode is worth waiting for only when only its publication is left; a job whose source is still in an archive never is. */
function waitsFor(job: JobRow): boolean {
  if (job.todo === DUE_WORK.restoringJob) return false;
  return !hasEnded(job) && (job.purpose === 'ingest' || job.state === 'succeeded');
}

function givingWay(job: JobRow | null, now: string): Write[] {
  if (!job || hasEnded(job)) return [];
  const error: Failure = { code: 'source_changed', message: 'A new upload took its place.', at: now };
  return endJobRow(job, now, { state: 'cancelled', error });
}

/**
 * A bad upload counts as seen. A media item that can be played, or is about to be, keeps its state: the reason is recorded.
 * @param sourceInfo of a good upload that is refused for a quota
 */
export function rejectUpload(
  media: MediaRow | null,
  upload: ReceivedUpload,
  error: Failure,
  sourceInfo?: SourceInfo,
): Outcome {
  const ignored = whyIgnored(media, upload.source);
  if (ignored) return ignored;
  const sourceSeenAt = upload.seenAt;
  if (!media) {
    const known = sourceInfo && { sourceInfo };
    return { change: [putMedia({ ...droppedMedia(upload), sourceSeenAt, state: 'failed', error, ...known })] };
  }
  if (media.current || isUnderWay(media)) {
    const { pending } = media;
    const { sequencer, versionId, etag } = upload.source;
    const refused = { ...(versionId !== undefined && { versionId }), etag };
    const seen = pending
      ? { pending: { ...pending, source: { ...pending.source, sequencer } } }
      : { source: { ...media.source, sequencer } };
    return { change: [changeMedia(media, upload.now, { ...seen, sourceSeenAt, refused, error })] };
  }
  const set: Partial<MediaRow> = {
    state: 'failed',
    source: upload.source,
    sourceSeenAt,
    sourceInfo,
    error,
    attempts: 0,
  };
  return { change: [changeMedia(media, upload.now, set, ['jobId', ...uploadTodo(media)])] };
}

/** An announced upload that never arrived. */
export function expireUpload(media: MediaRow, error: Failure): Outcome {
  if (media.state !== 'uploading') return { refused: `the media item is ${media.state}` };
  return { change: [changeMedia(media, error.at, { state: 'failed', error }, ['todo', 'todoAt'])] };
}

function stateAfterUpload(media: MediaRow | null): MediaRow['state'] {
  if (media?.current) return 'retranscoding';
  return media?.state === 'transcoding' ? 'transcoding' : 'uploaded';
}

function uploadTodo(media: MediaRow): (keyof MediaRow)[] {
  return media.todo === DUE_WORK.upload ? ['todo', 'todoAt'] : [];
}

function droppedMedia({ mediaId, location, source, now, tombstone }: ReceivedUpload): MediaRow {
  const title = titleFrom(location.path.split('/').at(-1) ?? '');
  const { jobCount = 0, seq = 0 } = tombstone ?? {};
  return newMedia({ mediaId, location, title, source, now }, { state: 'uploaded', seq: seq + 1, jobCount });
}

function putMedia(row: MediaRow): Put {
  return { op: 'put', key: rowKeys.media(row.mediaId), row };
}
