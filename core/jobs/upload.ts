import type { DropLocation } from '../contracts/keys.ts';
import {
  CHORE,
  type CollectionRow,
  type Failure,
  type JobRow,
  type MediaRow,
  rowKeys,
  type Source,
  type SourceInfo,
  type TombstoneRow,
} from '../contracts/rows.ts';
import { DEFAULT_PRESET, type Preset } from '../media/presets.ts';
import type { Outcome, Put } from './change.ts';
import { changeMedia } from './rows.ts';
import { compareSources } from './sources.ts';
import { newJob } from './start.ts';

/** What happens to a media when an object lands under drop/. */

export interface Upload {
  mediaId: string;
  location: DropLocation;
  source: Source;
  now: string;
  /** Of a media under the same key that was deleted. */
  tombstone?: Pick<TombstoneRow, 'jobCount' | 'seq'> | null;
}

/** Why an upload is no news to a media; null when it is. */
export function noNews(media: MediaRow | null, source: Source): string | null {
  if (!media || media.state === 'uploading') return null;
  if (media.state === 'deleting') return 'the media is being deleted';
  const order = compareSources(media.source, source);
  return order === 'newer' ? null : order === 'same' ? 'known' : 'a newer upload is known';
}

/** A good upload: the media, made where there is none, and its next job. */
export function acceptUpload(
  media: MediaRow | null,
  upload: Upload,
  found: { info: SourceInfo; kind?: 'video' | 'audio'; preset: Preset },
): Outcome<{ job: JobRow }> {
  const stale = noNews(media, upload.source);
  if (stale !== null) return { none: stale };
  const before = media ?? newMedia(upload);
  const { row, put } = newJob(before, {
    purpose: 'ingest',
    source: upload.source,
    preset: found.preset,
    now: upload.now,
  });
  const fields: Partial<MediaRow> = {
    state: stateAfterUpload(media),
    source: upload.source,
    sourceSeenAt: upload.now,
    sourceInfo: found.info,
    ...(found.kind && { kind: found.kind }),
    jobId: row.jobId,
    jobCount: row.n,
    attempts: 1,
  };
  if (!media) return { change: [putMedia({ ...before, ...fields }), put], job: row };
  return {
    change: [changeMedia(media, upload.now, fields, ['error', 'originalDeletedAt', ...uploadTodo(media)]), put],
    job: row,
  };
}

/** A bad upload. A media that can be played stays so: the reason is recorded, and the upload counts as seen. */
export function rejectUpload(media: MediaRow | null, upload: Upload, error: Failure): Outcome {
  const stale = noNews(media, upload.source);
  if (stale !== null) return { none: stale };
  const sourceSeenAt = upload.now;
  if (!media) return { change: [putMedia({ ...newMedia(upload), sourceSeenAt, state: 'failed', error })] };
  if (media.current) {
    const source = { ...media.source, sequencer: upload.source.sequencer };
    return { change: [changeMedia(media, upload.now, { source, sourceSeenAt, error })] };
  }
  const set: Partial<MediaRow> = { state: 'failed', source: upload.source, sourceSeenAt, error, attempts: 0 };
  return { change: [changeMedia(media, upload.now, set, ['jobId', ...uploadTodo(media)])] };
}

/** An announced upload of which nothing came. */
export function expireUpload(media: MediaRow, error: Failure): Outcome {
  if (media.state !== 'uploading') return { none: `the media is ${media.state}` };
  return { change: [changeMedia(media, error.at, { state: 'failed', error }, ['todo', 'todoAt'])] };
}

/** The collection that a drop names, as it is made when nobody has made it yet. */
export function newCollection(location: DropLocation, now: string): Put {
  const row: CollectionRow = {
    type: 'collection',
    creatorId: location.creatorId,
    collectionId: location.collectionId,
    title: location.collectionId,
    preset: DEFAULT_PRESET,
    deleteOriginal: false,
    retranscodeFromOutput: false,
    playback: 'public',
    scheduleRetranscode: false,
    createdAt: now,
    updatedAt: now,
  };
  return { op: 'put', key: rowKeys.collection(location.creatorId, location.collectionId), row };
}

function stateAfterUpload(media: MediaRow | null): MediaRow['state'] {
  if (media?.current) return 'retranscoding';
  return media?.state === 'transcoding' ? 'transcoding' : 'uploaded';
}

function uploadTodo(media: MediaRow): (keyof MediaRow)[] {
  return media.todo === CHORE.upload ? ['todo', 'todoAt'] : [];
}

function newMedia({ mediaId, location, source, now, tombstone }: Upload): MediaRow {
  const { creatorId, collectionId } = location;
  return {
    type: 'media',
    mediaId,
    creatorId,
    collectionId,
    owner: creatorId,
    collection: `${creatorId}#${collectionId}`,
    title: location.path.split('/').at(-1) ?? location.path,
    state: 'uploaded',
    seq: (tombstone?.seq ?? 0) + 1,
    source,
    jobCount: tombstone?.jobCount ?? 0,
    attempts: 0,
    scheduleRetranscode: false,
    createdAt: now,
    updatedAt: now,
  };
}

function putMedia(row: MediaRow): Put {
  return { op: 'put', key: rowKeys.media(row.mediaId), row };
}
