import {
  type ArchivePolicy,
  type ArchiveRecord,
  type ArchiveRefusal,
  type CollectionArchivePolicy,
  EncodePolicy,
} from '../contracts/archive.ts';
import type { MediaRow } from '../contracts/table/media.ts';

/** The part of a policy on which it depends whether a file can be archived: a refusal holds until one of these changes. */
export function policyKey({ codec, quality, preset, minSavingsPercent, floors }: EncodePolicy): string {
  return JSON.stringify({ codec, quality, preset, minSavingsPercent, floors });
}

/** The same of a collection, where the method counts as well. */
export function collectionPolicyKey(policy: CollectionArchivePolicy): string {
  const encode = policyKey(EncodePolicy.strip().parse(policy));
  const { method, storageClass } = policy;
  return method === 'reencode' ? encode : JSON.stringify({ ...JSON.parse(encode), method, storageClass });
}

/** What its encode and its verification depend on, of such a key. */
export function encodePolicyOf(key: string): EncodePolicy {
  return EncodePolicy.strip().parse(JSON.parse(key));
}

/** Why no dense copy can be made of an upload, as far as the table knows: a worker finds the rest. Null where one may be. */
export function whyNotEncoded({ kind, sourceInfo = {} }: Pick<MediaRow, 'kind' | 'sourceInfo'>): ArchiveRefusal | null {
  const { videoCodec, container } = sourceInfo;
  if (kind === 'audio') return { reason: 'not_readable', detail: 'It has no track of moving pictures.' };
  if (container !== undefined && !container.startsWith('mov,'))
    return { reason: 'container', detail: `It is ${container}.` };
  if (videoCodec !== undefined && videoCodec !== 'h264')
    return { reason: 'codec', detail: `The picture is ${videoCodec}.` };
  return null;
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
