import type { ArchivePolicy, ArchiveRecord, EncodePolicy } from '../contracts/archive.ts';

/** The part of a policy on which it depends whether a file can be archived: a refusal holds until one of these changes. */
export function policyKey({ codec, quality, preset, minSavingsPercent, floors }: EncodePolicy): string {
  return JSON.stringify({ codec, quality, preset, minSavingsPercent, floors });
}

/** A file that changed this recently may still be written. Recorders flush at least once a segment. */
const SETTLED_MS = 10 * 60_000;
const DAY_MS = 24 * 3_600_000;

export interface CandidateFile {
  /** Milliseconds since the epoch. */
  changedAt: number;
  bytes: number;
  /** Size and time of the last change. */
  version: string;
  /** Whether a process has it open for writing. */
  isOpen: boolean;
  record: ArchiveRecord | undefined;
}

/** Why nothing is done for a file now; `due`: it is a candidate. */
export type Standing = 'due' | 'young' | 'being-written' | 'under-way' | 'archived' | 'refused';

/** @param isAsked Whether a person names this file: then its age and an earlier refusal do not count. */
export function standingOf(
  file: CandidateFile,
  policy: ArchivePolicy,
  { now, isAsked }: { now: number; isAsked: boolean },
): Standing {
  // A name may be used again after the original's day.
  const record = isOfAnother(file) ? undefined : file.record;
  if (record?.state === 'encoding' || record?.state === 'replacing') return 'under-way';
  if (record?.state === 'archived' || record?.state === 'purged') return 'archived';
  if (record?.state === 'refused' && !isAsked && holds(record, file, policy)) return 'refused';
  if (file.isOpen || now - file.changedAt < SETTLED_MS) return 'being-written';
  return isAsked || now - file.changedAt >= policy.minAgeDays * DAY_MS ? 'due' : 'young';
}

function isOfAnother({ record, bytes }: CandidateFile): boolean {
  return record?.state === 'purged' && record.archived.bytes !== bytes;
}

/** A person's own decision does not depend on the policy. */
function holds(
  { source, policy: key, refusals }: Extract<ArchiveRecord, { state: 'refused' }>,
  { version }: CandidateFile,
  policy: ArchivePolicy,
): boolean {
  const isPersons = refusals.some(({ reason }) => reason === 'restored');
  return source === version && (isPersons || key === policyKey(policy));
}

/**
 * Whether a file's encode ends within the time that is left. One of unknown speed may start: that is how the speed is learned.
 * @param bytesPerSecond of originals, as learned from those before
 */
export function fits(bytes: number, millisecondsLeft: number, bytesPerSecond: number | undefined): boolean {
  return bytesPerSecond === undefined || (bytes / bytesPerSecond) * 1000 <= millisecondsLeft;
}

/** The last encodes count most: the speed changes with what is recorded and with the load. */
const NEWEST = 0.3;

export function learned(before: number | undefined, bytes: number, milliseconds: number): number {
  const now = bytes / (Math.max(1, milliseconds) / 1000);
  return before === undefined ? now : before + NEWEST * (now - before);
}
