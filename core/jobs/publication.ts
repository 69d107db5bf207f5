import type { Succeeded } from '../contracts/job.ts';
import type { Access } from '../contracts/keys.ts';
import type { Refused } from '../contracts/refused.ts';
import type { CollectionRow } from '../contracts/table/collections.ts';
import type { JobRow } from '../contracts/table/jobs.ts';
import { DUE_WORK, rowKeys } from '../contracts/table/keys.ts';
import type { Failure, MediaRow, OldVersionRow, PublishedVersion } from '../contracts/table/media.ts';
import { archiveAnew } from './archive.ts';
import type { Outcome, Update, Write } from './change.ts';
import { jobOfPending } from './next.ts';
import { changeJob, changeMedia, endJobRow, hasEnded, isUploadOf } from './rows.ts';
import { sourceKept } from './sources.ts';
import type { Encoding } from './start.ts';

/** Which version viewers see, and which one they saw before. */

/** Whether this job's output may still be published. */
export function mayPublish(job: JobRow, media: MediaRow | null): 'allowed' | Refused {
  if (job.state !== 'succeeded') return { refused: `the job is ${job.state}` };
  if (!media || media.state === 'deleting') return { refused: 'the media item is deleted' };
  if (media.jobId !== job.jobId) return { refused: `${media.jobId ?? 'another upload'} has replaced it` };
  return 'allowed';
}

/**
 * Where the version of a job goes, decided before its first copy: if the collection changes meanwhile, the whole version still
 * lies in one place. A media item without a collection stays where viewers have it; one that has not been published is private,
 * since public access was never granted.
 */
export function decideAccess(
  job: JobRow,
  collection: CollectionRow | null,
  current: PublishedVersion | undefined,
): Outcome<{ access: Access }> {
  if (job.access) return { refused: 'decided before' };
  if (hasEnded(job)) return { refused: `the job is ${job.state}` };
  const access = collection?.playback ?? (current ? (current.access ?? 'public') : 'private');
  return { change: [changeJob(job, { access }, [], { access: null })], access };
}

export interface Publication {
  version: PublishedVersion;
  result: Succeeded;
  now: string;
  /** Until when the version that it replaces is kept. */
  graceUntil: string;
  /** For the job of an upload that waits for this one; absent where none waits. */
  encoding: Encoding | undefined;
  /** Cost of the job, where it is known. */
  cost: JobRow['cost'];
}

/**
 * The manifest names this job's version, and the row records that. If another job began between the check of the manifest and its
 * PUT, viewers still see this version, so it is recorded as the current one, and the media item continues with that job.
 */
export function published(job: JobRow, media: MediaRow | null, publication: Publication): Outcome<{ next?: JobRow }> {
  if (job.state === 'published') return { refused: 'published before' };
  if (!media || media.state === 'deleting') return { refused: 'the media item is deleted' };
  const { result, now, graceUntil, cost } = publication;
  const { source } = publication.version;
  // The archive may have replaced its source while its job waited.
  const version = { ...publication.version, ...(source && { source: sourceKept(source, media) }) };
  const decides = media.jobId === job.jobId;
  // An output that replaces its original, or an older upload, says nothing about the present upload.
  const ofUpload = isUploadOf(job, media);
  if (!decides && media.current && media.current.version > version.version)
    return { refused: 'a newer version is published' };
  const { current } = media;
  // An error recorded since the job was created belongs to a later upload that was refused.
  const mended = decides && !(media.error && media.error.at > job.createdAt);
  const { encoding } = publication;
  if (media.pending && !encoding)
    throw new Error(`${media.mediaId} has an upload that waits: its encoding has to be known.`);
  const next = decides && encoding ? jobOfPending(media, encoding, now) : null;
  const anew = decides && ofUpload && !next ? archiveAnew(media, job.source, now) : null;
  const change: Write[] = [
    changeMedia(
      media,
      now,
      {
        state: next ? 'retranscoding' : decides ? 'ready' : stateBeside(media),
        kind: result.kind,
        current: version,
        ...(!current && { playableAt: media.playableAt ?? now }),
        ...(current && { previous: { ...current, expiresAt: graceUntil } }),
        ...(decides && { attempts: 0 }),
        // What is known of the upload itself says more than its copy does.
        ...(decides &&
          ofUpload &&
          !media.source.archivedFrom && { sourceInfo: { ...media.sourceInfo, ...result.source } }),
        ...(anew && { archive: anew.archive }),
        ...next?.set,
      },
      [
        ...(mended ? (['error'] as const) : []),
        ...(current ? [] : (['previous'] as const)),
        ...(next ? next.remove : []),
      ],
    ),
    ...endJobRow(job, now, { state: 'published', progress: 100, ...(cost && { cost }) }),
    ...(anew?.writes ?? []),
  ];
  if (current) change.push(expireVersion(media, current.version, graceUntil, current.access));
  if (job.growing) change.push(expireGrown(job, graceUntil));
  if (!next) return { change };
  return { change: [...change, next.put], next: next.job };
}

/** Another job runs or has failed since; the media item can be played now. */
function stateBeside(media: MediaRow): MediaRow['state'] {
  if (media.state === 'uploaded' || media.state === 'transcoding') return 'retranscoding';
  return media.state === 'failed' ? 'ready' : media.state;
}

/**
 * A job that came too late: sweep removes its copies, if there are any. They stay until their grace period is over, because viewers
 * may have seen them: its publisher may have stopped after the PUT of the manifest, and a newer one followed.
 */
export function superseded(
  job: JobRow,
  media: MediaRow | null,
  how: { why: string; now: string; graceUntil: string; cost: JobRow['cost'] },
): Outcome {
  if (hasEnded(job)) return { refused: `the job is ${job.state}` };
  const { why, now, graceUntil, cost } = how;
  const error: Failure = { code: 'source_changed', message: `Not published: ${why}.`, at: now };
  const change = endJobRow(job, now, { state: 'cancelled', error, ...(cost && { cost }) });
  if (media && job.access) change.push(expireVersion(media, job.n, graceUntil, job.access));
  return { change };
}

/**
 * Keeps sweep from removing the previous version while a rollback is under way.
 * @param times `askedAt`: when it was requested; a message that arrives late, or twice, must not undo a later rollback
 */
export function reserveRollback(
  jobId: string,
  media: MediaRow,
  times: { graceUntil: string; now: string; askedAt?: string | undefined },
): Outcome {
  const { graceUntil, now, askedAt } = times;
  const { current, previous, rolledBackAt } = media;
  if (current?.jobId !== jobId) return { refused: 'that version is not the current one' };
  if (askedAt && rolledBackAt && askedAt <= rolledBackAt) return { refused: 'it was rolled back since' };
  if (!previous || previous.expiresAt <= now) return { refused: 'there is no previous version' };
  return {
    change: [
      {
        op: 'update',
        key: rowKeys.media(media.mediaId),
        expect: { seq: media.seq, 'current.version': current.version, 'previous.expiresAt': previous.expiresAt },
        set: { previous: { ...previous, expiresAt: graceUntil }, updatedAt: now },
      },
      expireVersion(media, previous.version, graceUntil, previous.access),
    ],
  };
}

/** The rollback is not done: part of the previous version is missing. */
export function rollbackFailed(jobId: string, media: MediaRow, error: Failure): Outcome {
  if (media.current?.jobId !== jobId) return { refused: 'that version is not the current one' };
  const key = rowKeys.media(media.mediaId);
  const expect = { seq: media.seq, state: media.state };
  return { change: [{ op: 'update', key, expect, set: { error, updatedAt: error.at } }] };
}

/** The manifest names the previous version again: the two versions change places. */
export function rolledBack(jobId: string, media: MediaRow, graceUntil: string, now: string): Outcome {
  const { current, previous } = media;
  if (current?.jobId !== jobId || !previous) return { refused: 'that version is not the current one' };
  const { expiresAt: _, ...version } = previous;
  const [best] = version.renditions;
  const set: Partial<MediaRow> = {
    current: version,
    previous: { ...current, expiresAt: graceUntil },
    rolledBackAt: now,
    ...(best && { kind: best.width === undefined ? 'audio' : 'video' }),
  };
  return {
    change: [
      changeMedia(media, now, set),
      expireVersion(media, current.version, graceUntil, current.access),
      { op: 'remove', key: rowKeys.oldVersion(media.mediaId, version.version), expect: {} },
    ],
  };
}

/**
 * Sweep is about to remove a version whose grace period is over: it can no longer be restored.
 * `in_use` when it is the one that viewers see; then only the row of the old version is removed.
 */
export function forgetVersion(row: OldVersionRow, media: MediaRow | null): Outcome<{ inUse: boolean }> {
  const key = rowKeys.oldVersion(row.mediaId, row.version);
  if (media?.current?.version === row.version) {
    return { change: [{ op: 'remove', key, expect: { todoAt: row.todoAt } }], inUse: true };
  }
  if (media?.previous?.version !== row.version) return { refused: 'nothing refers to it' };
  const { previous, seq } = media;
  const change: Write[] = [
    {
      op: 'update',
      key: rowKeys.media(row.mediaId),
      expect: { seq, 'previous.version': row.version, 'previous.expiresAt': previous.expiresAt },
      set: {},
      remove: ['previous'],
    },
    { op: 'check', key, expect: { todoAt: row.todoAt } },
  ];
  return { change, inUse: false };
}

/** Creates or moves the row by which sweep removes a version. */
export function expireVersion(
  media: Pick<MediaRow, 'mediaId' | 'creatorId'>,
  version: number,
  todoAt: string,
  access?: Access,
): Update {
  const { mediaId, creatorId } = media;
  const row = { type: 'old-version', mediaId, creatorId, version, todo: DUE_WORK.expire, todoAt } as const;
  const set: OldVersionRow = { ...row, ...(access && { access }) };
  return { op: 'update', key: rowKeys.oldVersion(mediaId, version), expect: {}, set: { ...set } };
}

/** The same for what was shown of the version of a job before it was whole: players that began with it go on until then. */
function expireGrown({ mediaId, creatorId, n: version, access }: JobRow, todoAt: string): Update {
  const row = { type: 'old-version', mediaId, creatorId, version, todo: DUE_WORK.expire, todoAt, grown: true } as const;
  const set: OldVersionRow = { ...row, ...(access && { access }) };
  return { op: 'update', key: rowKeys.grown(mediaId, version), expect: {}, set: { ...set } };
}
