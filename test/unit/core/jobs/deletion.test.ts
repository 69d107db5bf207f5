import { describe, expect, it } from 'vitest';
import {
  beginRemoval,
  finishDeletion,
  isOwn,
  markDeleting,
  newestLeft,
  originalDeleted,
  undoDeletion,
  uploadWaits,
  versionsOf,
} from '../../../../core/jobs/transitions.ts';
import { changeOf, EARLIER, MEDIA_KEY, media, NOW, source, updateOf } from '../../../support/factories.ts';

const deleting = media({ state: 'deleting', deleteThrough: 'v-b' });

it('a media item marked for deletion names the newest version of its upload, or none where there is none', () => {
  const setOf = (newest?: string) => updateOf(markDeleting(media({ state: 'ready' }), NOW, newest), 'MEDIA').set;
  expect(setOf('v-b')).toMatchObject({ state: 'deleting', deleteThrough: 'v-b' });
  expect(setOf()).not.toHaveProperty('deleteThrough');
});

it('a version that sweep is deleting for the archive marks no deletion, and goes with its media item if it is still there', () => {
  const archivedFrom = { key: source().key, versionId: 'v-b', size: 1000, etag: '"aa"' };
  const copy = source({ key: 'archive/ann/x/2/archive.mp4', versionId: 'v-copy', archivedFrom });
  const of = (state: 'archived' | 'purging') =>
    media({ state: 'ready', source: copy, archive: { state, versionId: 'v-b', collectionId: 'talks' } });
  expect(newestLeft(of('archived'), ['v-b', 'v-a'])).toBe('v-b');
  expect(newestLeft(of('purging'), ['v-b', 'v-a'])).toBe('v-a');
  expect(newestLeft(of('purging'), ['v-b'])).toBeUndefined();
  const marked = { ...of('purging'), deleteThrough: 'v-a' };
  expect(versionsOf(marked, ['v-c', 'v-b', 'v-a'])).toEqual(['v-b', 'v-a']);
  expect(versionsOf(marked, ['v-c', 'v-a', 'v-0'])).toEqual(['v-a', 'v-0']);
  expect(versionsOf(media({ deleteThrough: 'v-a' }), ['v-b'])).toEqual([]);
});

it('an upload of a media item that is being deleted waits, unless it is the version that is deleted with it', () => {
  const waits = {
    op: 'update',
    key: MEDIA_KEY,
    expect: { state: 'deleting', seq: 2 },
    set: { uploadedAgain: true },
  };
  expect(changeOf(uploadWaits(deleting, source({ versionId: 'v-c' })))).toEqual([waits]);
  expect(uploadWaits(deleting, source({ versionId: 'v-b' }))).toEqual({ refused: 'the media item is being deleted' });
  expect(uploadWaits({ ...deleting, uploadedAgain: true }, source({ versionId: 'v-d' }))).toEqual({
    refused: 'it waits already',
  });
  // A row of the last release names no version: its source is the last one that it knew.
  const { deleteThrough: _, ...older } = deleting;
  expect(uploadWaits(older, source({ versionId: 'v-a' }))).toEqual({ refused: 'the media item is being deleted' });
  expect(changeOf(uploadWaits(older, source({ versionId: 'v-c' })))).toEqual([waits]);
});

it('the version that a media item was made from is its own, and so is the last that is removed with it', () => {
  expect(['v-a', 'v-b', 'v-c'].map((versionId) => isOwn(deleting, { versionId }))).toEqual([true, true, false]);
});

it('a media item is not removed over an upload that was recorded after its row was read', () => {
  expect(changeOf(finishDeletion(deleting, NOW))[0]).toEqual({
    op: 'remove',
    key: MEDIA_KEY,
    expect: { state: 'deleting', seq: 2, uploadedAgain: null },
  });
  expect(changeOf(finishDeletion({ ...deleting, uploadedAgain: true }, NOW))[0]).toMatchObject({
    expect: { uploadedAgain: true },
  });
});

it('the deletion of an original is recorded, but not on a media item marked for deletion or with another upload', () => {
  expect(changeOf(originalDeleted(media({ state: 'ready' }), 'v-a', NOW))).toEqual([
    {
      op: 'update',
      key: MEDIA_KEY,
      expect: { state: 'ready', seq: 2, 'source.versionId': 'v-a', originalDeletedAt: null },
      set: { originalDeletedAt: NOW, updatedAt: NOW },
    },
  ]);
  expect(originalDeleted(deleting, 'v-a', NOW)).toEqual({ refused: 'the media item is being deleted' });
  expect(originalDeleted(media(), 'v-b', NOW)).toEqual({ refused: 'another upload is known' });
  expect(originalDeleted(media({ originalDeletedAt: EARLIER }), 'v-a', NOW)).toEqual({ refused: 'noted before' });
});

describe('a deletion that is taken back', () => {
  const marked = (change: Parameters<typeof media>[0] = {}) =>
    media({ state: 'deleting', deletion: { from: 'ready', flagged: false }, ...change });

  it('puts the state back that was left, as long as sweep has not begun and no upload has come', () => {
    expect(updateOf(undoDeletion(marked(), NOW), 'MEDIA')).toMatchObject({
      set: { state: 'ready', seq: 3 },
      remove: ['deletion', 'deleteThrough', 'todo', 'todoAt'],
      expect: { state: 'deleting', seq: 2, removing: null, uploadedAgain: null },
    });
  });

  it('puts the flag for a new encode back', () => {
    const flagged = marked({ deletion: { from: 'ready', flagged: true } });
    const { set, remove } = updateOf(undoDeletion(flagged, NOW), 'MEDIA');
    expect(set).toMatchObject({ scheduleRetranscode: true, todo: 'retranscode', todoAt: NOW });
    expect(remove).toEqual(['deletion', 'deleteThrough']);
  });

  it.each([
    ['an encode was under way', marked({ deletion: undefined })],
    ['sweep has begun', marked({ removing: true })],
    ['its key was uploaded again', marked({ uploadedAgain: true })],
    ['it is not being deleted', media({ state: 'ready' })],
  ])('is refused where %s', (_, row) => {
    expect(undoDeletion(row, NOW)).toHaveProperty('refused');
  });

  it('is noted only where nothing is under way', () => {
    const noted = (state: 'ready' | 'failed' | 'transcoding' | 'retranscoding') =>
      updateOf(markDeleting(media({ state }), NOW), 'MEDIA').set?.deletion;
    expect(['ready', 'failed', 'transcoding', 'retranscoding'].map((state) => noted(state as 'ready'))).toEqual([
      { from: 'ready', flagged: false },
      { from: 'failed', flagged: false },
      undefined,
      undefined,
    ]);
  });

  it('loses against a removal that has begun at the same moment', () => {
    expect(updateOf(beginRemoval(marked()), 'MEDIA')).toMatchObject({
      expect: { state: 'deleting', seq: 2 },
      set: { removing: true },
    });
  });
});
