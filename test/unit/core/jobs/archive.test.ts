import { describe, expect, it } from 'vitest';
import { type ArchiveReason, CollectionArchivePolicy } from '../../../../core/contracts/archive.ts';
import type { ArchivePolicyRow, ArchiveRow } from '../../../../core/contracts/table/archive.ts';
import type { MediaRow } from '../../../../core/contracts/table/media.ts';
import {
  archiveAnew,
  archiveCopying,
  archiveDueNow,
  archiveRefused,
  archiveReplaced,
  archiveStarted,
  whyNotArchived,
} from '../../../../core/jobs/archive.ts';
import {
  archiveCopyRemoved,
  archiveLater,
  archiveLeft,
  archivePurging,
  archiveRestored,
  dayOfPurge,
  whyNotPurged,
} from '../../../../core/jobs/archive-purge.ts';
import type { Write } from '../../../../core/jobs/change.ts';
import { uploadOf } from '../../../../core/jobs/sources.ts';
import { lastVersionOf, newestUpload, whyIgnored } from '../../../../core/jobs/transitions.ts';
import { EARLIER, LATER, MEDIA_ID, media, NOW, source, version } from '../../../support/factories.ts';

const HASHES = { sha256: 'aa', crc64nvme: 'bb' };
const COPY_KEY = `archive/ann/${MEDIA_ID}/2/archive.mp4`;
const POLICY = '{}';

const ready = (more: Partial<MediaRow> = {}) => media({ state: 'ready', current: version(1), ...more });
const row = (more: Partial<ArchiveRow> = {}): ArchiveRow => ({
  ...{ type: 'archive', mediaId: MEDIA_ID, creatorId: 'ann', collectionId: 'talks', state: 'due', at: NOW },
  ...{ source: source(), policy: POLICY },
  ...more,
});
const replaced = {
  ...{ original: { bytes: 1000, ...HASHES }, copy: { bytes: 400, ...HASHES, key: COPY_KEY, versionId: 'v-copy' } },
  ...{
    quality: { mean: 1, worstSecond: 1, worstAt: 0, worstPicture: 1, median: 1, psnr: 50 },
    encoder: 'libx265',
    ffmpeg: '7',
  },
};
const COPY = {
  ...source({ key: COPY_KEY, versionId: 'v-copy', size: 400, etag: '"cc"' }),
  archivedFrom: { key: source().key, versionId: 'v-a', size: 1000, etag: '"aa"' },
};
const { archivedFrom: _, ...COPY_ALONE } = COPY;
const archived = (more: Partial<MediaRow> = {}) =>
  ready({
    ...{ source: COPY, current: version(1, { source: COPY_ALONE }) },
    archive: {
      ...{ state: 'archived', versionId: 'v-a', collectionId: 'talks', bytes: { original: 1000, copy: 400 } },
      deleteAfter: NOW,
    },
    ...more,
  });
const policy = (days: number, more: Partial<ArchivePolicyRow> = {}): ArchivePolicyRow => ({
  ...{ type: 'archive-policy', creatorId: 'ann', collectionId: 'talks', enabled: true, rev: 7, updatedAt: NOW },
  policy: CollectionArchivePolicy.parse({ keepOriginalDays: days }),
  ...more,
});
const archivedRow = row({
  state: 'archived',
  archivedAt: EARLIER,
  jobId: `${MEDIA_ID}-2`,
  replaced,
  deleteAfter: NOW,
  todo: 'archive-purge',
  todoAt: NOW,
});

const writesOf = (outcome: { change: readonly Write[] } | { refused: string }) =>
  'change' in outcome ? outcome.change : expect.fail(outcome.refused);
const setOf = (writes: readonly Write[], sk: string) => {
  const found = writes.find(({ key }) => key.sk === sk);
  return found && 'set' in found ? found.set : undefined;
};

describe('the upload of a copy', () => {
  it('is the one that was accepted last: its event that comes again is known, and a deletion goes through it', () => {
    expect(uploadOf(COPY)).toEqual(source());
    expect(newestUpload(archived())).toEqual(source());
    expect(whyIgnored(archived(), source({ sequencer: 'FF' }))).toEqual({ refused: 'known' });
    expect(whyIgnored(archived(), source({ versionId: 'v-b', etag: '"bb"', sequencer: 'FF' }))).toBeNull();
    expect(lastVersionOf(archived())).toBe('v-a');
  });
});

describe('a candidate', () => {
  it.each([
    [
      'was refused under this policy',
      row({ state: 'refused', refusals: [{ reason: 'savings', detail: '' }] }),
      {},
      'it is refused',
    ],
    ['is archived', archivedRow, archived(), 'it is archived'],
    ['is being encoded', row({ state: 'encoding' }), {}, 'it is encoding'],
    ['is deleted', null, { state: 'deleting' as const }, 'the media item is deleting'],
    ['is due in its collection', row(), {}, 'it is due'],
  ])('is none that %s', (_, known, more, refused) => {
    expect(archiveDueNow(ready(more), known, { policy: POLICY, now: NOW })).toEqual({ refused });
  });

  it.each([
    ['the copy of a restored one', 'archive-remove', 'refused', 'removed first, 24 hours after'],
    ['the tag of one that was to be moved', 'archive-move', 'moving', 'seen to first'],
  ] as const)('is none before sweep has removed %s, though another upload is known', (_, todo, state, refused) => {
    const known = row({ state, todo, todoAt: NOW });
    const another = { source: source({ versionId: 'v-b' }) };
    for (const asked of [{}, { asked: true as const }]) {
      expect(archiveDueNow(ready(another), known, { policy: POLICY, now: NOW, ...asked })).toEqual({
        refused: expect.stringContaining(refused),
      });
    }
  });

  it('is one that was due in the collection that it was moved from', () => {
    const writes = writesOf(archiveDueNow(ready({ collectionId: 'films' }), row(), { policy: POLICY, now: NOW }));
    expect(setOf(writes, 'ARCHIVE')).toMatchObject({ collectionId: 'films', todo: 'archive-due#ann#films' });
  });

  it('is one that was refused under another policy, but not one that a person has restored', () => {
    const refused = (reason: 'savings' | 'restored') => row({ state: 'refused', refusals: [{ reason, detail: '' }] });
    const due = { policy: 'another', now: NOW };
    expect(setOf(writesOf(archiveDueNow(ready(), refused('savings'), due)), 'ARCHIVE')).toMatchObject({ state: 'due' });
    expect(archiveDueNow(ready(), refused('restored'), due)).toEqual({ refused: 'it is refused' });
    expect(writesOf(archiveDueNow(ready(), refused('restored'), { ...due, asked: true }))).toHaveLength(2);
  });

  it.each([
    ['is encoded', { state: 'retranscoding' as const }],
    ['has a newer upload that waits', { pending: { source: source(), info: {} } }],
    ['is flagged for a re-transcode', { scheduleRetranscode: true }],
    ['shows an earlier upload', { source: source({ versionId: 'v-b' }) }],
    ['has lost its original', { originalDeletedAt: NOW }],
    ['has a copy already', { source: COPY }],
  ])('is not begun while its media item %s', (_, more) => {
    expect(whyNotArchived(ready(more))).not.toBeNull();
  });
});

it('a job of the archive has the next number of its media item', () => {
  const how = { policy: POLICY, now: NOW, submittingUntil: LATER, keepOriginalDays: 9, charge: null };
  const writes = writesOf(archiveStarted(row(), ready(), how));
  expect(setOf(writes, 'MEDIA')).toMatchObject({ jobCount: 2, archive: { state: 'encoding' } });
  expect(setOf(writes, 'ARCHIVE')).toMatchObject({ jobId: `${MEDIA_ID}-2`, todo: 'archive-job', todoAt: LATER });
  expect(setOf(writes, 'ARCHIVE')).toMatchObject({ keepOriginalDays: 9 });
});

it('a copy takes the place of the source, and of the versions that were made of it, on the condition that nothing has changed', () => {
  const { versionId: __, ...copy } = replaced.copy;
  const replacing = row({ state: 'replacing', jobId: `${MEDIA_ID}-2`, replaced: { ...replaced, copy } });
  const how = { versionId: 'v-copy', etag: '"cc"', deleteAfter: LATER, isGone: false, now: NOW };
  const before = ready({ previous: { ...version(0 as never), expiresAt: LATER } });
  const writes = writesOf(archiveReplaced(replacing, before, how));
  expect(setOf(writes, 'MEDIA')).toMatchObject({
    ...{ source: COPY, current: { source: COPY_ALONE }, previous: { source: COPY_ALONE } },
    archive: { state: 'archived', bytes: { original: 1000, copy: 400 }, deleteAfter: LATER },
  });
  expect(writes[0]).toMatchObject({ expect: { state: 'ready', seq: 2, jobId: `${MEDIA_ID}-1` } });
  expect(writes.at(-1)).toMatchObject({
    op: 'add',
    amounts: { archived: 1, originalBytes: 1000, archivedBytes: 400, keptBytes: 1000 },
  });
  const other = { source: source({ versionId: 'v-b' }), current: version(1, { source: source({ versionId: 'v-b' }) }) };
  expect(archiveReplaced(replacing, ready(other), how)).toEqual({ refused: 'another upload is known' });
  expect(archiveReplaced(replacing, ready({ state: 'retranscoding' }), how)).toEqual({
    refused: 'the media item is retranscoding',
  });
});

it('a copy whose original is gone is all that is left, and becomes the source with nothing more to delete', () => {
  const { versionId: __, ...copy } = replaced.copy;
  const replacing = row({
    ...{ state: 'replacing', jobId: `${MEDIA_ID}-2`, replaced: { ...replaced, copy } },
    ...{ todo: 'archive-job', todoAt: NOW },
  });
  const how = { versionId: 'v-copy', etag: '"cc"', deleteAfter: LATER, isGone: true, now: NOW };
  const writes = writesOf(archiveReplaced(replacing, ready(), how));
  expect(setOf(writes, 'MEDIA')).toMatchObject({ source: COPY, archive: { state: 'purged' } });
  expect(setOf(writes, 'ARCHIVE')).toMatchObject({ state: 'purged', deletedAt: NOW, replaced });
  expect(writes.find(({ key }) => key.sk === 'ARCHIVE')).toMatchObject({ remove: ['todo', 'todoAt'] });
  expect(writes.at(-1)).toMatchObject({ amounts: { archived: 1, originalBytes: 1000, archivedBytes: 400 } });
});

describe('an original', () => {
  it('is put back as it was, and so are the versions', () => {
    const writes = writesOf(archiveRestored(archivedRow, archived(), NOW));
    expect(setOf(writes, 'MEDIA')).toMatchObject({ source: source(), current: { source: source() } });
    expect(setOf(writes, 'MEDIA')).not.toHaveProperty('source.archivedFrom');
    expect(setOf(writes, 'ARCHIVE')).toMatchObject({ state: 'refused', todo: 'archive-remove', todoAt: LATER });
    expect(writes.at(-1)).toMatchObject({ amounts: { archived: -1, keptBytes: -1000, 'refused restored': 1 } });
  });

  it('is not put back once its deletion has begun', () => {
    expect(archiveRestored({ ...archivedRow, state: 'purging' }, archived(), NOW)).toEqual({
      refused: 'it is purging',
    });
  });

  const ORIGINAL = version(1);
  it.each([
    ['its day has not come', { ...archivedRow, deleteAfter: LATER }, archived(), policy(0)],
    ['its day by the policy of today has not come', archivedRow, archived(), policy(1)],
    ["another upload has the copy's place", archivedRow, ready({ source: source({ versionId: 'v-b' }) }), policy(0)],
    ['the original is the source', archivedRow, ready(), policy(0)],
    ['its media item is being deleted', archivedRow, archived({ state: 'deleting' }), policy(0)],
    ['the archive is off', archivedRow, archived(), policy(0, { enabled: false })],
    ['its collection has no archive', archivedRow, archived(), null],
    ['an encode is under way', archivedRow, archived({ state: 'retranscoding' }), policy(0)],
    ['a version names it', archivedRow, archived({ current: ORIGINAL }), policy(0)],
    [
      'a version that may come back names it',
      archivedRow,
      archived({ previous: { ...ORIGINAL, expiresAt: LATER } }),
      policy(0),
    ],
  ])('is not deleted while %s, even if that was decided before', (_, of, now, by) => {
    expect(archivePurging(of, now, by, NOW)).toHaveProperty('refused');
    expect(archivePurging({ ...of, state: 'purging' }, now, by, NOW)).toHaveProperty('refused');
  });

  it.each([
    'archived',
    'purging',
  ] as const)('is deleted on the condition that the policy is as it was read (%s)', (state) => {
    expect(whyNotPurged(archivedRow, archived())).toBeNull();
    const writes = writesOf(archivePurging({ ...archivedRow, state }, archived(), policy(0), NOW));
    expect(setOf(writes, 'ARCHIVE')).toMatchObject({ state: 'purging', todoAt: NOW });
    const key = { pk: 'CREATOR#ann', sk: 'ARCHIVE#talks' };
    expect(writes.at(-1)).toEqual({ op: 'check', key, expect: { rev: 7, enabled: true } });
  });

  it('is kept for the longer time, which people are shown', () => {
    expect(dayOfPurge(archivedRow, policy(0))).toBe(NOW);
    expect(dayOfPurge(archivedRow, policy(1))).toBe('2026-11-22T11:00:00.000Z');
    const writes = writesOf(archiveLater({ ...archivedRow, state: 'purging' }, archived(), LATER, NOW));
    expect(setOf(writes, 'MEDIA')).toMatchObject({ archive: { state: 'archived', deleteAfter: LATER } });
    expect(setOf(writes, 'ARCHIVE')).toMatchObject({ state: 'archived', deleteAfter: LATER, todoAt: LATER });
  });

  it('stays where another upload came while it was being deleted, and that upload is a candidate', () => {
    const newer = archived({ source: source({ versionId: 'v-b' }) });
    const writes = writesOf(archiveLeft({ ...archivedRow, state: 'purging' }, newer, NOW));
    expect(setOf(writes, 'ARCHIVE')).toMatchObject({ state: 'due', source: { versionId: 'v-b' } });
  });
});

describe('another upload that is shown', () => {
  it('makes a media item a candidate again', () => {
    const newer = source({ versionId: 'v-b' });
    const anew = archiveAnew(archived({ source: newer }), newer, NOW);
    expect(anew?.archive).toEqual({ state: 'due', versionId: 'v-b', collectionId: 'talks' });
    expect(anew?.writes[0]).toMatchObject({ expect: { state: 'archived' }, set: { state: 'due', source: newer } });
  });

  it('waits for the copy of a restored original to be removed', () => {
    const newer = source({ versionId: 'v-b' });
    const summary = { state: 'refused' as const, versionId: 'v-a', collectionId: 'talks', reason: 'restored' };
    const anew = archiveAnew(ready({ source: newer, archive: summary }), newer, NOW);
    expect(anew?.archive).toEqual(summary);
    expect(anew?.writes).toMatchObject([{ set: { todo: 'archive-remove', todoAt: LATER } }]);
    const refusals = [{ reason: 'restored' as const, detail: '' }];
    const left = row({ state: 'refused', refusals, replaced, todo: 'archive-remove', todoAt: NOW });
    const writes = writesOf(archiveCopyRemoved(left, ready({ source: newer, archive: summary }), NOW));
    expect(setOf(writes, 'ARCHIVE')).toMatchObject({ state: 'due', source: newer });
    expect(writes.find(({ key }) => key.sk === 'ARCHIVE')).toMatchObject({
      remove: expect.arrayContaining(['replaced']),
    });
  });

  it('waits for the version of before to lose the tag of its move', () => {
    const newer = source({ versionId: 'v-b' });
    const summary = { state: 'moving' as const, versionId: 'v-a', collectionId: 'talks' };
    const anew = archiveAnew(ready({ source: newer, archive: summary }), newer, NOW);
    expect(anew?.archive).toEqual(summary);
    expect(anew?.writes).toMatchObject([{ expect: { state: 'moving' }, set: { todoAt: NOW } }]);
    expect(anew?.writes[0]).not.toHaveProperty('set.state');
  });

  it('is not the copy, encoded again', () => {
    expect(archiveAnew(archived(), COPY_ALONE, NOW)).toBeNull();
  });
});

describe('an original that was to be encoded, or to be moved', () => {
  const encoding = row({ state: 'encoding', jobId: `${MEDIA_ID}-2`, storageClass: 'GLACIER' });
  const stateAfter = (...reasons: ArchiveReason[]) => {
    const refusals = reasons.map((reason) => ({ reason, detail: 'why' }));
    return setOf(writesOf(archiveRefused(encoding, ready(), { refusals, now: NOW })), 'ARCHIVE')?.state;
  };

  it('is moved where no copy can be made of it', () => {
    expect(stateAfter('savings', 'interlaced')).toBe('moving');
  });

  it('stays where a worker has failed, or its source has changed', () => {
    expect(stateAfter('encode_failed')).toBe('refused');
    expect(stateAfter('savings', 'source_changed')).toBe('refused');
  });
});

it('a copy in parts is noted only while nobody else has begun, or given up, its upload', () => {
  const replacing = row({ state: 'replacing', jobId: `${MEDIA_ID}-2`, replaced });
  const expected = (more: Partial<ArchiveRow>) =>
    writesOf(archiveCopying({ ...replacing, ...more }, { uploadId: 'new', now: NOW })).map((write) =>
      'expect' in write ? write.expect : {},
    );
  expect(expected({})).toMatchObject([{ uploadId: null }]);
  expect(expected({ uploadId: 'old' })).toMatchObject([{ uploadId: 'old' }]);
});
