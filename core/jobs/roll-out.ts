import { type ErrorCode, HELD_BY } from '../contracts/errors.ts';
import { MOST_IN_SAMPLE } from '../contracts/presets.ts';
import type { Refused } from '../contracts/refused.ts';
import type { JobRow } from '../contracts/table/jobs.ts';
import { DUE_WORK, rowKeys } from '../contracts/table/keys.ts';
import { type MediaRow, PLAYABLE_STATES, type PublishedVersion } from '../contracts/table/media.ts';
import type { RollOutRow, VersionFacts } from '../contracts/table/presets.ts';
import { plus } from '../time.ts';
import type { Change, Outcome, Write } from './change.ts';
import { isUnderWay } from './end.ts';
import { uploadOf } from './sources.ts';

/** The staged roll-out of a preset: a sample, a pause for people, then the rest. Sweep takes its steps. */

/** Media under way for one roll-out. Re-transcodes have a cap of their own; this bounds what has to be looked at. */
const MOST_AT_ONCE = 100;
/** Fewer places are not filled: the list is read by as many media as there are places. */
export const LEAST_ROOM = 25;
/** Media whose versions are compared in the report, and failures that it names: 1 KB and 200 bytes each. */
const [MOST_COMPARED, MOST_FAILURES] = [20, 10];
/** Between two looks, while media are being encoded. */
const AGAIN_MINUTES = 5;

/** It stops by itself when so many have failed since a person last let it go on, and they are more than this part of those that ended. */
const FAILURES = { least: 3, share: 0.1 };
/** And when, of as many as a step may end, more than this part failed: after thousands that went well, a few hundred would hide above. */
const LATELY = { of: MOST_AT_ONCE, share: 0.2 };

/** What its media are flagged for; with each wave anew, so that those that have failed, or were not begun, get another turn. */
export function flagOf(row: RollOutRow): string {
  return `${flagsOf(row)}${row.wave}`;
}

/** The beginning of all its flags. */
function flagsOf({ name, version, startedAt }: RollOutRow): string {
  return `${flagsFor({ name, version })}${startedAt} `;
}

/** Names have no blanks. */
function flagsFor({ name, version }: PublishedVersion['preset']): string {
  return `roll-out ${name} ${version} `;
}

/**
 * Whether the flag of a media item, which a roll-out alone has set, asks for nothing any more: its version has been made by another job, or
 * what would be encoded now is of another version.
 */
export function hasLapsed(media: MediaRow, present: PublishedVersion['preset']): boolean {
  if (media.flaggedByRollOut !== true || media.flaggedFor === undefined) return false;
  return !media.flaggedFor.startsWith(flagsFor(present)) || isMade(present, media);
}

type Asked = Pick<RollOutRow, 'creatorId' | 'name' | 'version' | 'collectionId' | 'samplePercent'>;

/** @param before the roll-out of this preset before it */
export function startRollOut(before: RollOutRow | null, asked: Asked, now: string): Outcome<{ row: RollOutRow }> {
  const stays = before && (before.state === 'sampling' || before.state === 'going' || before.state === 'putting-back');
  if (stays) return { refused: `that of version ${before.version} is ${before.state}` };
  // Its media would be encoded, and nobody would count them.
  if (before && before.batch.length > 0) {
    return { refused: `that of version ${before.version} has ${before.batch.length} media under way, which end first` };
  }
  // What it has made of the same version can still be put back.
  const again = before?.version === asked.version ? before : null;
  const stage = asked.samplePercent >= 100 ? 'going' : 'sampling';
  const row: RollOutRow = {
    ...{ type: 'roll-out', ...asked, state: stage, stage },
    ...{
      step: (before?.step ?? 0) + 1,
      batch: [],
      listed: false,
      taken: 0,
      done: 0,
      failed: 0,
      skipped: 0,
      putBack: 0,
    },
    ...{ wave: (again?.wave ?? 0) + 1, seen: { ended: 0, failed: 0, taken: 0 }, lately: [], report: [], failures: [] },
    ...{ startedAt: again?.startedAt ?? now, updatedAt: now, todo: DUE_WORK.rollOut, todoAt: now },
  };
  const key = rowKeys.rollOut(asked.creatorId, asked.name);
  // Removed and put in one transaction they would be one row twice, so all attributes are set anew.
  const optional = ['why', 'cursor', ...(asked.collectionId === undefined ? (['collectionId'] as const) : [])] as const;
  const write: Write = before
    ? { op: 'update', key, expect: { step: before.step }, set: row, remove: optional }
    : { op: 'put', key, row };
  return { change: [write], row };
}

export type Order = 'go-on' | 'stop' | 'put-back';

/** What a person orders. */
export function order(row: RollOutRow, what: Order, now: string): Outcome<{ row: RollOutRow }> {
  const { state } = row;
  const due = { todo: DUE_WORK.rollOut, todoAt: now };
  const from: Readonly<Record<Order, readonly RollOutRow['state'][]>> = {
    'go-on': ['waiting', 'stopped'],
    stop: ['sampling', 'going'],
    'put-back': ['waiting', 'stopped', 'done'],
  };
  if (!from[what].includes(state)) return { refused: `it is ${state}` };
  if (what === 'stop') return next(row, { ...stopped('Somebody has stopped it.'), ...due }, now);
  const again = { cursor: undefined, listed: false, why: undefined };
  if (what === 'put-back') return next(row, { state: 'putting-back', ...again, ...due }, now);
  // A sample that was stopped is not one that was looked at: it is made whole first.
  const stage = state === 'waiting' ? 'going' : row.stage;
  const lost = row.taken - row.done - row.batch.length;
  const seen = { ended: row.done + row.failed, failed: row.failed, taken: lost };
  return next(row, { state: stage, stage, ...again, wave: row.wave + 1, seen, lately: [], ...due }, now);
}

/** One step: what it writes, on the condition of the step before. */
export function next(row: RollOutRow, set: Partial<RollOutRow>, now: string): { change: Change; row: RollOutRow } {
  const given = { ...set, step: row.step + 1, updatedAt: now };
  const remove = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [name as keyof RollOutRow] : [],
  );
  const key = rowKeys.rollOut(row.creatorId, row.name);
  return {
    change: [{ op: 'update', key, expect: { step: row.step }, set: given, ...(remove.length > 0 && { remove }) }],
    row: { ...row, ...given },
  };
}

function stopped(why: string): Pick<RollOutRow, 'state' | 'why'> {
  return { state: 'stopped', why };
}

/** What has become of a media item of the batch. `to flag`: it is not yet asked for. */
export type Became = 'to flag' | 'waiting' | 'done' | 'failed' | 'skipped';

export function whatBecame(row: RollOutRow, media: MediaRow | null): Became {
  if (!media || media.state === 'deleting' || !inScope(row, media)) return 'skipped';
  // Of an upload that came meanwhile, its own job has made the version.
  if (isMade(row, media)) return isOfLaterUpload(media) ? 'skipped' : 'done';
  if (isUnderWay(media)) return 'waiting';
  if (media.flaggedFor !== flagOf(row)) return isPlaying(media) ? 'to flag' : 'skipped';
  if (media.scheduleRetranscode) return 'waiting';
  const { error } = media;
  return error && error.at >= row.startedAt && !NOT_BEGUN.has(error.code) ? 'failed' : 'skipped';
}

/** It waited for room under a cap, or for its source, or somebody has ended it: that says nothing of the preset. */
const NOT_BEGUN = new Set<ErrorCode>([...HELD_BY, 'cancelled']);

/** The same of a roll-out that is over, which waits for nothing but its own encodes. */
export function whatBecameAfterwards(row: RollOutRow, media: MediaRow | null): Became {
  const became = whatBecame(row, media);
  if (!media || (became !== 'to flag' && became !== 'waiting')) return became;
  const isItsOwn = media.flaggedFor?.startsWith(flagsOf(row)) === true;
  // A flag that somebody else has set, too, stays.
  const isToEnd = isUnderWay(media) || (media.scheduleRetranscode && media.flaggedByRollOut === true);
  return isItsOwn && isToEnd ? 'waiting' : 'skipped';
}

/** Why a job of a roll-out that is over goes on; null: it has never been submitted, and is ended instead. */
export function whyNotToEnd(job: JobRow): Refused | null {
  const { purpose, state, engineJobId, submittingUntil, part } = job;
  const isUntouched = engineJobId === undefined && submittingUntil === undefined && part === undefined;
  if (purpose === 'retranscode' && state === 'queued' && isUntouched) return null;
  return { refused: 'it may have begun' };
}

function inScope(row: RollOutRow, media: MediaRow): boolean {
  return (
    media.creatorId === row.creatorId && (row.collectionId === undefined || media.collectionId === row.collectionId)
  );
}

/** Only what has a version is compared, and put back. */
function isPlaying({ state, current }: MediaRow): boolean {
  return PLAYABLE_STATES.includes(state) && current !== undefined;
}

function isMade({ name, version }: PublishedVersion['preset'], { current }: Pick<MediaRow, 'current'>): boolean {
  return current?.preset.name === name && current.preset.version === version;
}

/** Whether both versions show the same film; undefined: versions of earlier releases do not say what they were made of. */
function isOfOneUpload({ current, previous }: Pick<MediaRow, 'current' | 'previous'>): boolean | undefined {
  if (!current?.source || !previous?.source) return undefined;
  const [now, then] = [uploadOf(current.source), uploadOf(previous.source)];
  return now.versionId === then.versionId && now.etag === then.etag;
}

function isOfLaterUpload(media: MediaRow): boolean {
  return isOfOneUpload(media) === false;
}

/** Whether the version before is what the roll-out has replaced: of the same upload, by another version of the preset. */
function hasReplaced(row: RollOutRow, { current, previous }: Pick<MediaRow, 'current' | 'previous'>): boolean {
  return (
    isMade(row, { current }) && !isMade(row, { current: previous }) && isOfOneUpload({ current, previous }) === true
  );
}

/** Whether a roll-out of this version has something to do with a media item: it plays, and by another version. */
export function isOutdatedBy(preset: PublishedVersion['preset'], media: MediaRow): boolean {
  return isPlaying(media) && !isMade(preset, media);
}

/** Whether the roll-out is to encode this media item, which its list names. */
export function isWanted(row: RollOutRow, media: MediaRow): boolean {
  if (!isOutdatedBy(row, media) || row.batch.includes(media.mediaId)) return false;
  // It has failed in this very wave.
  if (media.flaggedFor === flagOf(row)) return false;
  return row.state !== 'sampling' || sampleSize(row) === 0 || isSampled(media.mediaId, row.samplePercent);
}

/** Ids are digests: their first 20 bits choose the same media whenever they are asked. */
export function isSampled(mediaId: string, percent: number): boolean {
  const bits = [...mediaId.slice(0, 4)].reduce(
    (sum, char) => sum * 32 + 'abcdefghijklmnopqrstuvwxyz234567'.indexOf(char),
    0,
  );
  return bits < (2 ** 20 * percent) / 100;
}

/** Without those that were lost to it before a person let it go on. */
function sampleSize({ taken, seen }: RollOutRow): number {
  return taken - seen.taken;
}

/** How many more media the batch may have. */
export function roomFor(row: RollOutRow): number {
  const room = MOST_AT_ONCE - row.batch.length;
  return row.state === 'sampling' ? Math.min(room, MOST_IN_SAMPLE - sampleSize(row)) : room;
}

/** Places of a sample for each of so many collections: without a share, the first of them would have all. */
export function shareOf({ state }: RollOutRow, collections: number): number {
  return state === 'sampling' ? Math.ceil(MOST_IN_SAMPLE / Math.max(1, collections)) : Number.POSITIVE_INFINITY;
}

/** A sample that is as large as samples may be is listed, whatever its share of the media. */
export function isFull(row: RollOutRow): boolean {
  return row.state === 'sampling' && MOST_IN_SAMPLE - sampleSize(row) < LEAST_ROOM;
}

/** The row once these of its batch have ended. */
export function withEnded(
  row: RollOutRow,
  ended: readonly { mediaId: string; became: Became; media: MediaRow | null }[],
) {
  const count = (what: Became) => ended.filter(({ became }) => became === what).length;
  const gone = new Set(ended.map(({ mediaId }) => mediaId));
  const report = ended.flatMap(({ mediaId, became, media }) => {
    const { current, previous } = media ?? {};
    return became === 'done' && current && previous && hasReplaced(row, { current, previous })
      ? [{ mediaId, ...compared(factsOf(previous), factsOf(current)) }]
      : [];
  });
  const failures = ended.flatMap(({ mediaId, became, media }) =>
    became === 'failed' && media?.error
      ? [{ mediaId, code: media.error.code, message: media.error.message.slice(0, 200) }]
      : [],
  );
  return {
    batch: row.batch.filter((mediaId) => !gone.has(mediaId)),
    done: row.done + count('done'),
    failed: row.failed + count('failed'),
    skipped: row.skipped + count('skipped'),
    lately: [
      ...row.lately,
      ...ended.flatMap(({ became }) => (became === 'done' || became === 'failed' ? [became === 'failed'] : [])),
    ].slice(-LATELY.of),
    report: [...row.report, ...report].slice(0, MOST_COMPARED),
    failures: [...row.failures, ...failures].slice(-MOST_FAILURES),
  };
}

/** SSIM is that of the largest rendition against pictures of its own size: of two sizes, the smaller may well have the better one. */
function compared(before: VersionFacts, after: VersionFacts): { before: VersionFacts; after: VersionFacts } {
  const isAlike = before.width === after.width && before.height === after.height;
  const without = ({ ssim: _, ...facts }: VersionFacts) => facts;
  return isAlike ? { before, after } : { before: without(before), after: without(after) };
}

function factsOf({ version, preset, bytes, ssim, renditions, outputs }: PublishedVersion): VersionFacts {
  const poster = outputs.posterLarge ?? outputs.poster;
  const { width, height } = renditions[0] ?? {};
  return {
    ...{ version, preset, bytes, renditions: renditions.map(({ name, bytes }) => ({ name, bytes })) },
    ...(ssim !== undefined && { ssim }),
    ...(width !== undefined && height !== undefined && { width, height }),
    ...(poster !== undefined && { poster }),
  };
}

/** Why it stops by itself; undefined: it goes on. */
export function whyStop({
  done,
  failed,
  seen,
  lately,
}: Pick<RollOutRow, 'done' | 'failed' | 'seen' | 'lately'>): string | undefined {
  const [bad, all] = [failed - seen.failed, done + failed - seen.ended];
  if (bad >= FAILURES.least && bad > all * FAILURES.share) {
    return `${bad} of ${all} have failed: that is more than one in ${1 / FAILURES.share}.`;
  }
  const late = lately.filter((isFailure) => isFailure).length;
  if (lately.length < LATELY.of || late <= LATELY.of * LATELY.share) return undefined;
  return `${late} of the last ${LATELY.of} have failed: that is more than one in ${1 / LATELY.share}.`;
}

/** What a step ends with: what remains to be done, or a pause, or the end. */
export function onwards(row: RollOutRow, now: string): Partial<RollOutRow> {
  const isOn = row.state === 'sampling' || row.state === 'going';
  const why = isOn ? whyStop(row) : undefined;
  if (why !== undefined) return { ...stopped(why), todo: DUE_WORK.rollOut, todoAt: now };
  const isMore = row.batch.length > 0 || (row.state !== 'stopped' && !row.listed);
  if (isMore) return { todo: DUE_WORK.rollOut, todoAt: plus(now, { minutes: AGAIN_MINUTES }) };
  return { state: END[row.state] ?? row.state, todo: undefined, todoAt: undefined };
}

const END: { readonly [State in RollOutRow['state']]?: RollOutRow['state'] } = {
  sampling: 'waiting',
  going: 'done',
  'putting-back': 'put-back',
};

/** The preset has changed since: what is encoded from now on would be of another version. */
export function isOutdated(row: RollOutRow, present: number): Partial<RollOutRow> {
  return present === row.version ? {} : stopped(`The preset has version ${present} by now.`);
}

/** Whether this media item is put back: this roll-out has made what viewers see, and the version that it replaced is kept. */
export function isPutBack(row: RollOutRow, media: MediaRow, now: string): boolean {
  const kept = media.previous !== undefined && media.previous.expiresAt > now;
  return media.flaggedFor?.startsWith(flagsOf(row)) === true && hasReplaced(row, media) && kept;
}
