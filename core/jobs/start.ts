import { jobIdFor } from '../contracts/ids.ts';
import type { Job } from '../contracts/job.ts';
import { mediaKeys, tmpPrefix } from '../contracts/keys.ts';
import { CHORE, type JobRow, type MediaRow, rowKeys, type Source } from '../contracts/rows.ts';
import type { Preset } from '../media/presets.ts';
import type { Outcome, Put } from './change.ts';
import { ERRORS } from './errors.ts';
import { after, changeMedia, jobKey, jobTodo, STALE_AFTER_MS } from './rows.ts';

export interface Start {
  /** Decides the engine's queue: re-transcodes wait behind uploads, and count against the cap. */
  purpose: JobRow['purpose'];
  source: Source;
  preset: Preset;
  now: string;
}

/** The row of a media's next job. */
export function newJob(media: Pick<MediaRow, 'mediaId' | 'creatorId' | 'collectionId' | 'jobCount'>, start: Start) {
  const n = media.jobCount + 1;
  const row: JobRow = {
    type: 'job',
    jobId: jobIdFor(media.mediaId, n),
    mediaId: media.mediaId,
    creatorId: media.creatorId,
    collectionId: media.collectionId,
    n,
    purpose: start.purpose,
    engine: 'batch-cpu',
    state: 'queued',
    source: start.source,
    preset: { name: start.preset.name, version: start.preset.version },
    steps: [],
    progress: 0,
    attempt: 0,
    heartbeatAt: start.now,
    createdAt: start.now,
    todo: jobTodo(start.purpose),
    todoAt: after(start.now, STALE_AFTER_MS),
  };
  return { row, put: { op: 'put', key: jobKey(row), row } satisfies Put };
}

/** With something to play it stays playable while the job runs. */
export function stateDuring(media: Pick<MediaRow, 'current'>): 'retranscoding' | 'transcoding' {
  return media.current ? 'retranscoding' : 'transcoding';
}

/**
 * Another job for what was uploaded before: a retry of a failed media, or a re-transcode of a ready one. It takes the flag
 * away in the same change. A media that has a job under way, or none of its bytes yet, is left alone.
 */
export function startAgain(media: MediaRow, start: Start): Outcome<{ job: JobRow }> {
  if (media.state !== 'ready' && media.state !== 'failed') return { none: `the media is ${media.state}` };
  const { row, put } = newJob(media, start);
  const update = changeMedia(
    media,
    start.now,
    {
      state: stateDuring(media),
      jobId: row.jobId,
      jobCount: row.n,
      attempts: media.attempts + 1,
      scheduleRetranscode: false,
    },
    ['error', 'todo', 'todoAt'],
  );
  // The flag is part of what it leaves: a flag set meanwhile asks for one more job.
  const expect = { ...update.expect, todo: media.todo ?? null };
  return { change: [{ ...update, expect }, put], job: row };
}

/**
 * What to encode again, the first that is still there: what viewers see now was made from, for a later upload may have been
 * a bad file. But one whose job, the last, failed for a cause that passes is still meant.
 */
export function sourcesToEncode(media: MediaRow, lastJob: JobRow | null): Source[] {
  const shown = media.current?.source ?? media.source;
  const { source, state, error } = lastJob ?? {};
  const passing = state === 'failed' && error !== undefined && ERRORS[error.code].transient;
  return source && passing && source.bucket === media.source.bucket ? [source, shown] : [shown];
}

/**
 * What may take the place of an original that is gone: the MP4 or, of sound, the playlist of the best rendition, with the
 * bytes of all its files.
 */
export function outputToEncode(media: MediaRow): { key: string; bytes?: number } | null {
  const { creatorId, mediaId, current } = media;
  if (!current) return null;
  if (current.outputs.mp4 !== undefined) return { key: current.outputs.mp4 };
  const [best] = current.renditions;
  // A picture's rendition is without its sound.
  if (!best || best.width !== undefined) return null;
  const { hls } = mediaKeys(creatorId, mediaId, current.access).version(current.version);
  return { key: `${hls}${best.name}.m3u8`, bytes: best.bytes };
}

/** The engine took the job. Null for `media` when another job decides by now. */
export function engineAccepted(job: JobRow, media: MediaRow | null, engineJobId: string, now: string): Outcome {
  if (job.engineJobId !== undefined) return { none: 'the engine job is known' };
  const change = [
    { op: 'update' as const, key: jobKey(job), expect: { state: job.state, engineJobId: null }, set: { engineJobId } },
  ];
  return { change: [...change, ...toTranscoding(job, media, now)] };
}

/** A media whose upload was accepted becomes `transcoding` with the first sign that the engine has its job. */
export function toTranscoding(job: JobRow, media: MediaRow | null, now: string) {
  const waits = media?.state === 'uploaded' && media.jobId === job.jobId;
  return media && waits ? [changeMedia(media, now, { state: 'transcoding' })] : [];
}

/** What an engine is given. */
export function jobFor(row: JobRow, preset: Preset, mediaBucket: string): Job {
  return {
    jobId: row.jobId,
    mediaId: row.mediaId,
    creatorId: row.creatorId,
    source: row.source,
    output: { bucket: mediaBucket, prefix: tmpPrefix(row.jobId) },
    preset,
  };
}

/** Whether it failed before it had any job: its upload never came, or is no media. */
export function wasRefused(media: MediaRow): boolean {
  return media.state === 'failed' && media.jobId === undefined;
}

/**
 * Flags a media: the next sweep encodes it again as soon as no job of it runs.
 * @param flaggedFor the flag of its collection for which this is done, noted so that it is done once for it.
 */
export function flagMedia(media: MediaRow, now: string, flaggedFor?: string): Outcome {
  if (media.state === 'deleting' || media.state === 'uploading') return { none: `the media is ${media.state}` };
  if (wasRefused(media)) return { none: 'its upload was refused' };
  if (flaggedFor !== undefined && media.flaggedFor === flaggedFor) return { none: 'flagged by this flag before' };
  if (flaggedFor === undefined && media.scheduleRetranscode) return { none: 'already flagged' };
  const key = rowKeys.media(media.mediaId);
  const leaves = { state: media.state, ...(flaggedFor && { flaggedFor: media.flaggedFor ?? null }) };
  if (media.scheduleRetranscode) {
    // One job does for both flags: after it, this one must not bring another.
    const expect = { ...leaves, scheduleRetranscode: true };
    return { change: [{ op: 'update', key, expect, set: { flaggedFor } }] };
  }
  const set = { scheduleRetranscode: true, todo: CHORE.retranscode, todoAt: now, flaggedFor, updatedAt: now };
  return { change: [{ op: 'update', key, expect: { ...leaves, todo: null }, set }] };
}

/** Takes the flag of a media away, with the reason for which it could not be encoded again, if there is one. */
export function unflagMedia(media: MediaRow, now: string, error?: MediaRow['error']): Outcome {
  if (media.todo !== CHORE.retranscode && !media.scheduleRetranscode) return { none: 'not flagged' };
  return {
    change: [
      {
        op: 'update',
        key: rowKeys.media(media.mediaId),
        expect: { state: media.state, seq: media.seq, todo: media.todo ?? null },
        set: { scheduleRetranscode: false, error, updatedAt: now },
        remove: media.todo === CHORE.retranscode ? ['todo', 'todoAt'] : [],
      },
    ],
  };
}
