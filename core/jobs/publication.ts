import type { Succeeded } from '../contracts/job.ts';
import type { Access } from '../contracts/keys.ts';
import {
  CHORE,
  type CollectionRow,
  type Failure,
  type JobRow,
  type MediaRow,
  type OldVersionRow,
  type PublishedVersion,
  rowKeys,
} from '../contracts/rows.ts';
import type { Outcome, Update, Write } from './change.ts';
import { priceOf } from './cost.ts';
import { changeJob, changeMedia, endJob, hasEnded } from './rows.ts';

/** Which version viewers see, and which one they saw before. */

/** Whether this job's output may still be put before viewers; otherwise why not. */
export function mayPublish(job: JobRow, media: MediaRow | null): { ok: true } | { ok: false; why: string } {
  if (job.state !== 'succeeded') return { ok: false, why: `the job is ${job.state}` };
  if (!media || media.state === 'deleting') return { ok: false, why: 'the media is deleted' };
  if (media.jobId !== job.jobId) return { ok: false, why: `${media.jobId ?? 'another upload'} decides by now` };
  return { ok: true };
}

/**
 * Where the version of a job goes, decided before its first copy: whatever becomes of the collection meanwhile, all of the
 * version lies in one place.
 */
export function decideAccess(job: JobRow, collection: CollectionRow | null): Outcome<{ access: Access }> {
  if (job.access) return { none: 'decided before' };
  if (job.state !== 'succeeded') return { none: `the job is ${job.state}` };
  const access = collection?.playback ?? 'public';
  return { change: [changeJob(job, { access }, [], { access: null })], access };
}

export interface Publication {
  version: PublishedVersion;
  result: Succeeded;
  now: string;
  /** Until when the version that it replaces stays. */
  graceUntil: string;
}

/**
 * The manifest names this job's version: the row says so too. When another job began between the manifest's check and its
 * PUT, viewers see this version all the same, so it is recorded as the current one, and the media goes on with that job.
 */
export function published(job: JobRow, media: MediaRow | null, publication: Publication): Outcome {
  if (job.state === 'published') return { none: 'published before' };
  if (!media || media.state === 'deleting') return { none: 'the media is deleted' };
  const { version, result, now, graceUntil } = publication;
  const decides = media.jobId === job.jobId;
  // An output in the place of its original, or an older upload, says nothing of the present one.
  const ofUpload = job.source.bucket === media.source.bucket && job.source.versionId === media.source.versionId;
  if (!decides && media.current && media.current.version > version.version)
    return { none: 'a newer version is published' };
  const { current } = media;
  // What was recorded since the job was made is not about it: of a later upload that was refused.
  const mended = decides && !(media.error && media.error.at > job.createdAt);
  const change: Write[] = [
    changeMedia(
      media,
      now,
      {
        state: decides ? 'ready' : stateBeside(media),
        kind: result.kind,
        current: version,
        ...(current && { previous: { ...current, expiresAt: graceUntil } }),
        ...(decides && { attempts: 0 }),
        ...(decides && ofUpload && { sourceInfo: { ...media.sourceInfo, ...result.source } }),
      },
      [...(mended ? (['error'] as const) : []), ...(current ? [] : (['previous'] as const))],
    ),
    endJob(job, now, { state: 'published', progress: 100, cost: priceOf(result.usage) }),
  ];
  if (current) change.push(expireVersion(media, current.version, graceUntil, current.access));
  return { change };
}

/** Another job runs or has failed since; now there is something to play. */
function stateBeside(media: MediaRow): MediaRow['state'] {
  if (media.state === 'uploaded' || media.state === 'transcoding') return 'retranscoding';
  return media.state === 'failed' ? 'ready' : media.state;
}

/**
 * A job that came too late: its copies, if there are any, are removed by sweep. Not before their grace is over, for viewers may
 * have seen them: its publisher may have stopped after the manifest's PUT, and a newer one followed.
 */
export function superseded(job: JobRow, media: MediaRow | null, why: string, now: string, graceUntil: string): Outcome {
  if (hasEnded(job)) return { none: `the job is ${job.state}` };
  const error: Failure = { code: 'source_changed', message: `Not published: ${why}.`, at: now };
  const change: Write[] = [endJob(job, now, { state: 'cancelled', error })];
  if (media && job.access) change.push(expireVersion(media, job.n, graceUntil, job.access));
  return { change };
}

/**
 * Keeps the previous version from sweep while a rollback is under way.
 * @param askedAt when it was asked for: a message that comes late, or twice, must not undo what was put back since.
 */
export function reserveRollback(
  jobId: string,
  media: MediaRow,
  graceUntil: string,
  now: string,
  askedAt?: string,
): Outcome {
  const { current, previous, rolledBackAt } = media;
  if (current?.jobId !== jobId) return { none: 'that version is not the current one' };
  if (askedAt && rolledBackAt && askedAt <= rolledBackAt) return { none: 'it was rolled back since' };
  if (!previous || previous.expiresAt <= now) return { none: 'there is no previous version' };
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

/** Nothing is put back: something of the previous version is missing. */
export function rollbackFailed(jobId: string, media: MediaRow, error: Failure): Outcome {
  if (media.current?.jobId !== jobId) return { none: 'that version is not the current one' };
  const key = rowKeys.media(media.mediaId);
  const expect = { seq: media.seq, state: media.state };
  return { change: [{ op: 'update', key, expect, set: { error, updatedAt: error.at } }] };
}

/** The manifest names the previous version again: the two change places. */
export function rolledBack(jobId: string, media: MediaRow, graceUntil: string, now: string): Outcome {
  const { current, previous } = media;
  if (current?.jobId !== jobId || !previous) return { none: 'that version is not the current one' };
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
 * Sweep is about to remove a version whose grace is over: nobody may go back to it from here on.
 * `in_use` when it is the one that viewers see; then only the row of the old version goes.
 */
export function forgetVersion(row: OldVersionRow, media: MediaRow | null): Outcome<{ inUse: boolean }> {
  const key = rowKeys.oldVersion(row.mediaId, row.version);
  if (media?.current?.version === row.version) {
    return { change: [{ op: 'remove', key, expect: { todoAt: row.todoAt } }], inUse: true };
  }
  if (media?.previous?.version !== row.version) return { none: 'nothing refers to it' };
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

/** Makes or moves the row by which sweep removes a version. */
export function expireVersion(
  media: Pick<MediaRow, 'mediaId' | 'creatorId'>,
  version: number,
  todoAt: string,
  access?: Access,
): Update {
  const { mediaId, creatorId } = media;
  const row = { type: 'old-version', mediaId, creatorId, version, todo: CHORE.expire, todoAt } as const;
  const set: OldVersionRow = { ...row, ...(access && { access }) };
  return { op: 'update', key: rowKeys.oldVersion(mediaId, version), expect: {}, set: { ...set } };
}
