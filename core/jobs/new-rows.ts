import type { DropLocation } from '../contracts/keys.ts';
import { DEFAULT_PRESET } from '../contracts/presets.ts';
import type { CollectionRow } from '../contracts/table/collections.ts';
import { collectionOf, DUE_WORK, rowKeys } from '../contracts/table/keys.ts';
import type { MediaRow, Source, UploadRow } from '../contracts/table/media.ts';
import { epochSeconds, plus } from '../time.ts';
import type { Put } from './change.ts';

/** Rows as they are created. */

/** How long an announced upload may take. */
const UPLOAD_HOURS = 24;
/** The row is kept longer than that, so that a late request gets an answer. */
const UPLOAD_ROW_DAYS = 7;

type Place = Pick<DropLocation, 'creatorId' | 'collectionId'>;

interface NewMedia {
  mediaId: string;
  location: Place;
  title: string;
  source: Source;
  now: string;
}

export function newMedia(
  { mediaId, location, title, source, now }: NewMedia,
  begins: Pick<MediaRow, 'state' | 'seq' | 'jobCount'> & Partial<Pick<MediaRow, 'engine' | 'todo' | 'todoAt'>>,
): MediaRow {
  const { creatorId, collectionId } = location;
  return {
    type: 'media',
    mediaId,
    creatorId,
    collectionId,
    owner: creatorId,
    collection: collectionOf(creatorId, collectionId),
    title,
    source,
    attempts: 0,
    scheduleRetranscode: false,
    createdAt: now,
    updatedAt: now,
    ...begins,
  };
}

/** An upload that a client has announced, and its media item, which sweep gives up when nothing arrives in time. */
export function announceUpload(
  upload: Pick<UploadRow, 'mediaId' | 'key' | 'fileName' | 'size' | 'contentType' | 'fingerprint' | 'multipart'>,
  of: { location: Place; bucket: string; title: string; engine?: MediaRow['engine'] | undefined; now: string },
): { row: UploadRow; media: MediaRow } {
  const { location, bucket, title, engine, now } = of;
  const { mediaId, key, size } = upload;
  const deadline = plus(now, { hours: UPLOAD_HOURS });
  const source = { bucket, key, sequencer: '0', size, etag: '' };
  const expiresAt = epochSeconds(now, { days: UPLOAD_ROW_DAYS });
  return {
    row: { type: 'upload', ...upload, announcedAt: now, deadline, expiresAt },
    media: newMedia(
      { mediaId, location, title, source, now },
      { state: 'uploading', ...(engine && { engine }), seq: 1, jobCount: 0, todo: DUE_WORK.upload, todoAt: deadline },
    ),
  };
}

type Setting =
  | 'title'
  | 'preset'
  | 'engine'
  | 'deleteOriginal'
  | 'retranscodeFromOutput'
  | 'playback'
  | 'embedOrigins'
  | 'deadlineMinutes'
  | 'maxUsdPerMonth';
type Settings = { [Name in Setting]?: CollectionRow[Name] | undefined };

/** A collection as a client, or the first drop that names it, creates it. One that was deleted keeps its `playback`. */
export function newCollection({ creatorId, collectionId }: Place, now: string, settings: Settings = {}) {
  const row: CollectionRow = {
    type: 'collection',
    creatorId,
    collectionId,
    title: settings.title ?? collectionId,
    preset: settings.preset ?? DEFAULT_PRESET,
    ...(settings.engine !== undefined && { engine: settings.engine }),
    deleteOriginal: settings.deleteOriginal ?? false,
    retranscodeFromOutput: settings.retranscodeFromOutput ?? false,
    playback: settings.playback ?? 'public',
    ...(settings.embedOrigins !== undefined && { embedOrigins: settings.embedOrigins }),
    ...(settings.deadlineMinutes !== undefined && { deadlineMinutes: settings.deadlineMinutes }),
    ...(settings.maxUsdPerMonth !== undefined && { maxUsdPerMonth: settings.maxUsdPerMonth }),
    scheduleRetranscode: false,
    createdAt: now,
    updatedAt: now,
  };
  return { op: 'put', key: rowKeys.collection(creatorId, collectionId), row } satisfies Put;
}
