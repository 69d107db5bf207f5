import { expect, test } from 'vitest';
import { type CandidateFile, fits, learned, policyKey, standingOf } from '../../../../core/archive/candidates.ts';
import { ArchivePolicy, type ArchiveReason, type ArchiveRecord } from '../../../../core/contracts/archive.ts';

const NOW = Date.parse('2026-11-29T02:00:00Z');
const DAY = 24 * 3_600_000;
const policy = ArchivePolicy.parse({});

const file = (more: Partial<CandidateFile> = {}): CandidateFile => ({
  ...{ changedAt: NOW - 8 * DAY, bytes: 100, version: '100-1', isOpen: false, record: undefined },
  ...more,
});
const refused = (more: { source?: string; policy?: string; reason?: ArchiveReason }): ArchiveRecord => ({
  ...{ state: 'refused', at: '2026-11-01T02:00:00.000Z', source: more.source ?? '100-1' },
  policy: more.policy ?? policyKey(policy),
  refusals: [{ reason: more.reason ?? 'savings', detail: '' }],
});
const replaced = (state: 'replacing' | 'archived' | 'purged'): ArchiveRecord => ({
  ...{ state, at: '2026-11-01T02:00:00.000Z', temporary: 'a.transcoding.mp4', encoder: 'libx265', ffmpeg: '7.1.5' },
  original: { name: 'a.mp4.original', bytes: 100, sha256: 'a' },
  archived: { bytes: 50, sha256: 'b' },
  quality: { mean: 0.98, worstSecond: 0.97, worstAt: 0, worstPicture: 0.96, median: 0.98, psnr: 38 },
  deleteAfter: '2026-11-02T02:00:00.000Z',
});

test.each<[string, CandidateFile, string]>([
  ['eight days old', file(), 'due'],
  ['exactly seven days old', file({ changedAt: NOW - 7 * DAY }), 'due'],
  ['a second younger', file({ changedAt: NOW - 7 * DAY + 1000 }), 'young'],
  ['changed nine minutes ago', file({ changedAt: NOW - 9 * 60_000 }), 'being-written'],
  ['of the future', file({ changedAt: NOW + DAY }), 'being-written'],
  ['open for writing', file({ isOpen: true }), 'being-written'],
  ['refused, the same', file({ record: refused({}) }), 'refused'],
  ['refused, of another version', file({ record: refused({ source: '99-1' }) }), 'due'],
  ['refused by another policy', file({ record: refused({ policy: 'other' }) }), 'due'],
  ['restored under another policy', file({ record: refused({ policy: 'other', reason: 'restored' }) }), 'refused'],
  ['restored, and changed since', file({ record: refused({ source: '99-1', reason: 'restored' }) }), 'due'],
  ['left by a crash', file({ record: replaced('replacing') }), 'under-way'],
  ['archived', file({ record: replaced('archived') }), 'archived'],
  ['archived, without the original', file({ bytes: 50, record: replaced('purged') }), 'archived'],
  ['another than the one that was archived', file({ record: replaced('purged') }), 'due'],
])('a recording that is %s', (_, recording, standing) => {
  expect(standingOf(recording, policy, { now: NOW, isAsked: false })).toBe(standing);
});

test.each<[string, CandidateFile, string]>([
  ['young', file({ changedAt: NOW - DAY }), 'due'],
  ['refused before', file({ record: refused({}) }), 'due'],
  ['archived', file({ record: replaced('archived') }), 'archived'],
  ['open for writing', file({ isOpen: true }), 'being-written'],
])('a recording that a person names and that is %s', (_, recording, standing) => {
  expect(standingOf(recording, policy, { now: NOW, isAsked: true })).toBe(standing);
});

test('a refusal holds when what changes in the policy has no part in it', () => {
  const other = ArchivePolicy.parse({ window: '01:00-02:00', minAgeDays: 3, keepOriginalDays: 9, maxCpuPercent: 50 });
  expect(standingOf(file({ record: refused({}) }), other, { now: NOW, isAsked: false })).toBe('refused');
  const better = ArchivePolicy.parse({ quality: 20 });
  expect(standingOf(file({ record: refused({}) }), better, { now: NOW, isAsked: false })).toBe('due');
});

test('an encode starts if it ends in the time that is left, and if nothing is known of the speed', () => {
  expect(fits(1000, 10_000, 100)).toBe(true);
  expect(fits(1001, 10_000, 100)).toBe(false);
  expect(fits(1_000_000, 1, undefined)).toBe(true);
});

test('the speed follows the last encodes', () => {
  expect(learned(undefined, 1000, 10_000)).toBe(100);
  expect(learned(100, 2000, 10_000)).toBeCloseTo(130);
});
