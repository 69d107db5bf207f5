import { jobIdFor } from '../contracts/ids.ts';
import type { Job } from '../contracts/job.ts';
import { tmpPrefix } from '../contracts/keys.ts';
import { CHORE, type JobRow, type MediaRow, rowKeys, type Source } from '../contracts/rows.ts';
import type { Preset } from '../media/presets.ts';
import type { Outcome, Put } from './change.ts';
import { after, changeMedia, jobKey, jobTodo, STALE_AFTER_MS } from './rows.ts';

export interface Start {
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
export function startAgain(media: MediaRow, start: Omit<Start, 'purpose'>): Outcome<{ job: JobRow }> {
  if (media.state !== 'ready' && media.state !== 'failed') return { none: `the media is ${media.state}` };
  const { row, put } = newJob(media, { ...start, purpose: media.current ? 'retranscode' : 'ingest' });
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

/** What to encode again: what viewers see now was made from it, or, with nothing to see yet, what was uploaded. */
export function sourceToEncode(media: MediaRow): Source {
  return media.current?.source ?? media.source;
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

/** Flags a media: the next sweep encodes it again as soon as no job of it runs. */
export function flagMedia(media: MediaRow, now: string, flaggedFor?: string): Outcome {
  if (media.scheduleRetranscode) return { none: 'already flagged' };
  if (flaggedFor !== undefined && media.flaggedFor === flaggedFor) return { none: 'flagged by this flag before' };
  if (media.state === 'deleting' || media.state === 'uploading') return { none: `the media is ${media.state}` };
  return {
    change: [
      {
        op: 'update',
        key: rowKeys.media(media.mediaId),
        expect: { state: media.state, todo: null, ...(flaggedFor && { flaggedFor: media.flaggedFor ?? null }) },
        set: { scheduleRetranscode: true, todo: CHORE.retranscode, todoAt: now, flaggedFor, updatedAt: now },
      },
    ],
  };
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
