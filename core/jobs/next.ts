import { AUTO } from '../contracts/engines.ts';
import { decide } from '../contracts/errors.ts';
import type { JobRow } from '../contracts/table/jobs.ts';
import type { Failure, MediaRow } from '../contracts/table/media.ts';
import type { Put } from './change.ts';
import { type Encoding, newJob, type Start, stateDuring } from './start.ts';

/** What a media item continues with when its job ends. It is in the same change as the end, so that no crash can come between them. */

export interface Next {
  job: JobRow;
  put: Put;
  /** From the media row. */
  set: Partial<MediaRow>;
  remove: (keyof MediaRow)[];
}

/** The job of the upload that waited for this end; null when none waited. */
export function jobOfPending(media: MediaRow, encoding: Encoding, now: string): Next | null {
  const { pending } = media;
  if (!pending) return null;
  const { source, info, kind } = pending;
  const { preset, engine } = encoding;
  const uploadedAt = media.sourceSeenAt;
  const { row, put } = newJob(media, { purpose: 'ingest', source, preset, engine, now, uploadedAt });
  const set = { source, sourceInfo: info, ...(kind && { kind }), jobId: row.jobId, jobCount: row.n, attempts: 1 };
  return { job: row, put, set, remove: ['pending', 'originalDeletedAt'] };
}

/**
 * Attempts in all, at one engine and since a person last asked, for a job that the engine lost, or that was ended for its silence: the engine
 * does not retry such a job itself.
 */
const LOST_ATTEMPTS = 2;

/**
 * Another attempt that needs no person: for a job that the engine lost or attempted only once and, on capacity that AWS does not reclaim,
 * for one whose attempts on Spot were reclaimed. It uses the same engine. One whose engine is down, or is not fit for the source, goes to
 * another, if `auto` chose the first. Null when there is none.
 */
export function jobOfAnotherTry(
  ended: JobRow,
  media: MediaRow,
  { code, at }: Failure,
  how: Encoding & { reclaimed: boolean; onlyAttempt?: boolean; movesFrom?: string | undefined },
): Next | null {
  const mayRetry = decide(code, ended.secondAttempt ? LOST_ATTEMPTS : 1, LOST_ATTEMPTS) === 'retry';
  const lost = (code === 'engine_lost' || code === 'worker_stuck') && mayRetry;
  const reclaimed = code === 'worker_lost' && how.reclaimed && ended.onDemand !== true;
  const again = how.onlyAttempt === true && mayRetry;
  const isElsewhere = code === 'engine_down' || code === 'engine_unfit';
  const { movedFrom = [] } = ended;
  const from = how.movesFrom ?? ended.engine;
  const moved = isElsewhere && ended.auto === true && !movedFrom.includes(from);
  if (!lost && !reclaimed && !again && !moved) return null;
  const { purpose, source } = ended;
  const uploadedAt = purpose === 'ingest' ? (ended.uploadedAt ?? ended.createdAt) : undefined;
  const to = moved ? { engine: AUTO, movedFrom: [...movedFrom, from] } : { engine: ended.engine };
  const secondAttempt = (lost || again || ended.secondAttempt) && !moved ? true : undefined;
  const start: Start = { purpose, source, ...to, preset: how.preset, now: at, secondAttempt, uploadedAt };
  const { row, put } = newJob(media, { ...start, ...((reclaimed || ended.onDemand) && { onDemand: true }) });
  const set = { state: stateDuring(media), jobId: row.jobId, jobCount: row.n, attempts: media.attempts + 1 };
  return { job: row, put, set, remove: [] };
}
