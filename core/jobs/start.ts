import { AUTO } from '../contracts/engines.ts';
import { ERRORS, HELD_BY } from '../contracts/errors.ts';
import { jobIdFor } from '../contracts/ids.ts';
import type { Job } from '../contracts/job.ts';
import { ARCHIVE_PREFIX, mediaKeys, tmpPrefix } from '../contracts/keys.ts';
import { contentOf, type Preset } from '../contracts/presets.ts';
import type { Refused } from '../contracts/refused.ts';
import type { JobRow } from '../contracts/table/jobs.ts';
import { DUE_WORK, rowKeys } from '../contracts/table/keys.ts';
import type { Failure, MediaRow, Source } from '../contracts/table/media.ts';
import { STALE_AFTER_MS } from '../contracts/timing.ts';
import { plus } from '../time.ts';
import { moveLookedAt } from './archive-rows.ts';
import type { Change, Outcome, Put, Write } from './change.ts';
import { type Held, heldByWorkers } from './cost.ts';
import { changeJob, changeMedia, jobKey, jobTodo } from './rows.ts';
import { sourceKept } from './sources.ts';
import type { charge } from './spending.ts';

/** How a media item is encoded: as its upload or its collection says now. */
export interface Encoding {
  preset: Preset;
  /** An EngineChoice: `auto` leaves it to the submission. */
  engine: string;
}

export interface Start extends Encoding {
  /** Decides the engine's queue: re-transcodes wait behind uploads, and count against the cap. */
  purpose: JobRow['purpose'];
  source: Source;
  now: string;
  /** Set where the engine job must not be reclaimed; otherwise its length decides when it is submitted. */
  onDemand?: true;
  /** The engines that the jobs before it moved on from. */
  movedFrom?: string[];
  secondAttempt?: true | undefined;
  /** When its upload came, where that is not now. */
  uploadedAt?: string | undefined;
  /** What a person asked for: the media item's from now on. */
  askedEngine?: string | undefined;
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
    engine: start.engine,
    state: 'queued',
    source: withoutUpload(start.source),
    preset: { name: start.preset.name, version: start.preset.version },
    content: contentOf(start.preset),
    ...(start.onDemand && { onDemand: true }),
    ...(start.movedFrom !== undefined && { movedFrom: start.movedFrom }),
    ...(start.secondAttempt && { secondAttempt: true }),
    ...(start.uploadedAt !== undefined && { uploadedAt: start.uploadedAt }),
    steps: [],
    progress: 0,
    attempt: 0,
    heartbeatAt: start.now,
    createdAt: start.now,
    todo: jobTodo(start.purpose),
    todoAt: plus(start.now, { ms: STALE_AFTER_MS }),
  };
  return { row, put: { op: 'put', key: jobKey(row), row } satisfies Put };
}

/** A job reads the one or the other: what a copy was made from takes room in its message, and nothing asks for it. */
function withoutUpload({ archivedFrom: _, ...source }: Source): Source {
  return source;
}

/** A media item that can be played stays playable while the job runs. */
export function stateDuring(media: Pick<MediaRow, 'current'>): 'retranscoding' | 'transcoding' {
  return media.current ? 'retranscoding' : 'transcoding';
}

/**
 * Another job for an earlier upload: a retry of a failed media item, or a re-transcode of a ready one. The same change clears the
 * flag. A media item that has a job under way, or no uploaded bytes yet, is left unchanged.
 */
export function startAgain(media: MediaRow, start: Start): Outcome<{ job: JobRow }> {
  if (media.state !== 'ready' && media.state !== 'failed') return { refused: `the media item is ${media.state}` };
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
      engine: start.askedEngine,
    },
    ['error', 'todo', 'todoAt', ...itsMark(media)],
  );
  // The condition includes the flag: a flag set meanwhile asks for one more job.
  const expect = { ...update.expect, todo: media.todo ?? null };
  // What is to be moved where no job could read it is not moved now.
  const moves = media.archive?.state === 'moving' ? [moveLookedAt(media, start.now)] : [];
  return { change: [{ ...update, expect }, put, ...moves], job: row };
}

/**
 * The sources to encode again, of which the first that still exists is read: the source of what viewers see now comes first, because a later
 * upload may have been a bad file. A source whose last job failed for a transient cause still takes precedence. An upload that has a copy in
 * the archive is never read itself, because it is deleted some day, nor is the copy of one that was restored.
 */
export function sourcesToEncode(media: MediaRow, lastJob: JobRow | null): Source[] {
  const shown = media.current?.source ?? media.source;
  const { source, state, error } = lastJob ?? {};
  const passing = state === 'failed' && error !== undefined && ERRORS[error.code].transient;
  const isFirst = source && passing && source.bucket === media.source.bucket && !isRemovedCopy(source, media);
  // The archive knows that one to be good.
  const isArchived = media.source.archivedFrom !== undefined || shown.key.startsWith(ARCHIVE_PREFIX);
  const all = [...(isFirst ? [source] : []), shown, ...(isArchived ? [media.source] : [])];
  const sources = all.map((it) => sourceKept(it, media));
  return sources.filter((it, i) => sources.findIndex((other) => isSameObject(other, it)) === i);
}

/** Of an earlier job: once an original is restored, nothing refers to its copy. */
function isRemovedCopy(source: Source, { source: own, current }: MediaRow): boolean {
  return source.key.startsWith(ARCHIVE_PREFIX) && ![own, current?.source].some((it) => it && isSameObject(it, source));
}

function isSameObject(a: Source, b: Source): boolean {
  return a.key === b.key && a.versionId === b.versionId;
}

/**
 * What may replace an original that is gone: the MP4 or, for audio, the playlist of the best rendition, with the bytes of all its
 * files.
 */
export function outputToEncode(media: MediaRow): { key: string; bytes?: number } | null {
  const { creatorId, mediaId, current } = media;
  if (!current) return null;
  if (current.outputs.mp4 !== undefined) return { key: current.outputs.mp4 };
  const [best] = current.renditions;
  // A video rendition has no audio.
  if (!best || best.width !== undefined) return null;
  const { hls } = mediaKeys(creatorId, mediaId, current.access).version(current.version);
  return { key: `${hls}${best.name}.m3u8`, bytes: best.bytes };
}

/** Longer than the timeout of SubmitJob and than MediaConvert knows a token, and shorter than a failed message stays invisible. */
const SUBMITTING_MS = 2 * 60_000;

/**
 * Takes a lease on submitting the job, so that no other caller submits it for a while. Without it, two callers that find no engine
 * job of that name would submit one each.
 * @param to the engine where the row leaves it open, whether the engine job must not be reclaimed, and what it is expected to take; an
 * earlier decision takes precedence
 * @param media where it shows why the job was held
 * @returns `tried`: an earlier call began to submit it, and the engine may have it; `job` as it is submitted
 */
export function submitting(
  job: JobRow,
  media: MediaRow | null,
  to: {
    engine: string;
    onDemand: boolean;
    estimate?: JobRow['estimate'];
    charge?: ReturnType<typeof charge>;
  },
  now: string,
): Outcome<{ tried: boolean; job: JobRow }> {
  const refused = whyNotToSubmit(job, now);
  if (refused) return refused;
  const { submittingUntil: before } = job;
  const moves = job.engine !== AUTO && to.engine !== job.engine;
  const set = {
    ...(job.engine === AUTO && { auto: true as const }),
    ...(moves && { movedFrom: [...(job.movedFrom ?? []), job.engine] }),
    todo: jobTodo(job.purpose),
    charged: to.charge?.charged ?? job.charged,
    submittingUntil: plus(now, { ms: SUBMITTING_MS }),
    engine: to.engine,
    // What the engine that it leaves did not need, another one may.
    onDemand: moves ? job.onDemand || to.onDemand : (job.onDemand ?? to.onDemand),
    estimate: (moves ? undefined : job.estimate) ?? to.estimate,
    submissions: (job.submissions ?? 0) + 1,
  };
  const expect = { engine: job.engine, submittingUntil: before ?? null };
  const change: Write[] = [changeJob(job, set, job.error ? ['error'] : [], expect), ...(to.charge?.adds ?? [])];
  if (media?.jobId === job.jobId && isHeld(media)) {
    change.push(changeMedia(media, now, {}, ['error', 'restoring']));
  }
  return { change, tried: before !== undefined, job: { ...job, ...set } };
}

/** Why nobody may submit the job now; null when one may. */
export function whyNotToSubmit(job: JobRow, now: string): Refused | null {
  if (job.engineJobId !== undefined) return { refused: 'the engine has it' };
  if (job.state !== 'queued') return { refused: `the job is ${job.state}` };
  const { submittingUntil: until } = job;
  return until !== undefined && until > now ? { refused: 'it is being submitted' } : null;
}

/** Sweep looks this often whether there is room again for a job that is held. */
const HELD_MINUTES = 15;

/** There is no room for the job under a cap: it stays queued, and its media item shows why. */
export function holdJob(job: JobRow, media: MediaRow | null, error: Failure): Outcome {
  const refused = whyNotToSubmit(job, error.at);
  if (refused) return refused;
  const expect = { submittingUntil: job.submittingUntil ?? null };
  const set = { error, todo: DUE_WORK.heldJob, todoAt: plus(error.at, { minutes: HELD_MINUTES }) };
  const isNew = media?.jobId === job.jobId && media.error?.code !== error.code;
  return { change: [changeJob(job, set, [], expect), ...(isNew ? [changeMedia(media, error.at, { error })] : [])] };
}

/** Its engine takes no jobs until then: it stays queued. */
export function waitForEngine(job: JobRow, error: Failure, until: string): Outcome {
  const refused = whyNotToSubmit(job, error.at);
  if (refused) return refused;
  const expect = { submittingUntil: job.submittingUntil ?? null };
  return { change: [changeJob(job, { error, todoAt: until }, [], expect)] };
}

/** There is no room for a re-transcode under a cap: the media item keeps its flag until `todoAt`. */
export function holdRetranscode(media: MediaRow, error: Failure, todoAt: string): Outcome {
  const { expect, ...update } = changeMedia(media, error.at, { todoAt, ...(!isHeld(media) && { error }) });
  return { change: [{ ...update, expect: { ...expect, todo: DUE_WORK.retranscode } }] };
}

function isHeld({ error }: MediaRow): boolean {
  return error !== undefined && HELD_BY.includes(error.code);
}

/** The engine refused the job and does not have it: the next caller need not wait. */
export function notSubmitted(job: JobRow): Change {
  return [changeJob(job, {}, ['submittingUntil'], { submittingUntil: job.submittingUntil ?? null })];
}

/** The engine accepted the job. Null for `media` when another job decides by now. */
export function engineAccepted(
  job: JobRow,
  media: MediaRow | null,
  submitted: { engineJobId: string; part: string | undefined },
  now: string,
): Outcome {
  const { engineJobId, part } = submitted;
  if (job.part !== part) return { refused: 'of an earlier part' };
  if (job.engineJobId !== undefined) return { refused: 'the engine job is known' };
  const taken = changeJob(job, { engineJobId }, ['submittingUntil']);
  return { change: [taken, ...toTranscoding(job, media, now)] };
}

/** What a row says of the part that has ended alone. */
const PART_ENDS = ['engineJobId', 'submittingUntil', 'error', 'children', 'slowestSeconds', 'twins'] as const;

/**
 * A part of the job is done: the next one waits to be submitted.
 * @param ended of which engine job, and which part it was; `held` by its workers, where that is known
 */
export function partEnded(
  job: JobRow,
  ended: { engineJobId: string; part: string | undefined; next: string; held?: readonly Held[] | undefined },
  now: string,
): Outcome {
  const { engineJobId, part, next, held } = ended;
  if (job.state !== 'queued' && job.state !== 'running') return { refused: `the job is ${job.state}` };
  if (job.part !== part) return { refused: 'of an earlier part' };
  // Until its submission is noted, any engine job of this part may be the one.
  if (job.engineJobId !== undefined && job.engineJobId !== engineJobId) return { refused: 'of another engine job' };
  const { all, inVain } = heldByWorkers(held ?? []);
  const set: Partial<JobRow> = {
    ...(held && { heldBefore: (job.heldBefore ?? 0) + all, heldInVain: (job.heldInVain ?? 0) + inVain }),
    state: 'queued',
    part: next,
    attempt: 0,
    heartbeatAt: now,
    todoAt: plus(now, { ms: STALE_AFTER_MS }),
  };
  return { change: [changeJob(job, set, PART_ENDS)] };
}

/** A media item whose upload was accepted becomes `transcoding` with the first sign that the engine has its job. */
export function toTranscoding(job: JobRow, media: MediaRow | null, now: string) {
  const waits = media?.state === 'uploaded' && media.jobId === job.jobId;
  return media && waits ? [changeMedia(media, now, { state: 'transcoding' })] : [];
}

/** What the engine receives. */
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

/** Whether it failed before it had any job: its upload never came, or is not media. */
export function wasRefused(media: MediaRow): boolean {
  return media.state === 'failed' && media.jobId === undefined;
}

/**
 * Flags a media item: the next sweep encodes it again as soon as none of its jobs runs.
 * @param flaggedFor the flag of its collection, or of a roll-out, that causes this, noted so that it is done once for it
 * @param by a roll-out may take back what it alone has flagged
 */
export function flagMedia(media: MediaRow, now: string, flaggedFor?: string, by?: 'roll-out'): Outcome {
  if (media.state === 'deleting' || media.state === 'uploading') return { refused: `the media item is ${media.state}` };
  if (wasRefused(media)) return { refused: 'its upload was refused' };
  if (flaggedFor !== undefined && media.flaggedFor === flaggedFor) return { refused: 'flagged by this flag before' };
  const remove = by === undefined ? itsMark(media) : [];
  const isSaid = flaggedFor === undefined && remove.length === 0;
  if (isSaid && media.scheduleRetranscode) return { refused: 'already flagged' };
  const key = rowKeys.media(media.mediaId);
  const leaves = { state: media.state, ...(flaggedFor && { flaggedFor: media.flaggedFor ?? null }) };
  if (media.scheduleRetranscode) {
    // One job serves both flags: after it, this flag must not cause another.
    const expect = { ...leaves, scheduleRetranscode: true };
    return { change: [{ op: 'update', key, expect, set: { flaggedFor }, ...(remove.length > 0 && { remove }) }] };
  }
  const set = {
    ...{ scheduleRetranscode: true, todo: DUE_WORK.retranscode, todoAt: now, flaggedFor, updatedAt: now },
    ...(by && { flaggedByRollOut: true as const }),
  };
  const expect = { ...leaves, todo: null };
  return { change: [{ op: 'update', key, expect, set, ...(remove.length > 0 && { remove }) }] };
}

function itsMark({ flaggedByRollOut }: MediaRow): 'flaggedByRollOut'[] {
  return flaggedByRollOut ? ['flaggedByRollOut'] : [];
}

/** Clears the flag of a media item, and records why it could not be encoded again, if there is a reason. */
export function unflagMedia(media: MediaRow, now: string, error?: MediaRow['error']): Outcome {
  if (media.todo !== DUE_WORK.retranscode && !media.scheduleRetranscode) return { refused: 'not flagged' };
  return {
    change: [
      {
        op: 'update',
        key: rowKeys.media(media.mediaId),
        expect: {
          ...{ state: media.state, seq: media.seq, todo: media.todo ?? null },
          flaggedByRollOut: media.flaggedByRollOut ?? null,
        },
        set: { scheduleRetranscode: false, error, updatedAt: now },
        remove: [
          ...(media.todo === DUE_WORK.retranscode ? (['todo', 'todoAt'] as const) : []),
          ...itsMark(media),
          // It is held no more.
          ...(isHeld(media) && !error && (media.state === 'ready' || media.state === 'failed')
            ? (['error'] as const)
            : []),
        ],
      },
    ],
  };
}
