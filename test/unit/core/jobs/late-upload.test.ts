import { describe, expect, it } from 'vitest';
import type { UploadRow } from '../../../../core/contracts/table/media.ts';
import { isLate, rememberLate } from '../../../../core/jobs/late-upload.ts';
import { MEDIA_ID, media, source } from '../../../support/factories.ts';

const upload: UploadRow = {
  type: 'upload',
  mediaId: MEDIA_ID,
  key: 'drop/ann/default/k3v9/clip.mp4',
  fileName: 'clip.mp4',
  size: 4,
  contentType: 'video/mp4',
  announcedAt: '2026-11-20T10:00:00.000Z',
  deadline: '2026-11-21T10:00:00.000Z',
  expiresAt: 1_796_000_000,
};
const NOW = '2026-11-20T12:00:00.000Z';

const archived = (state: 'archived' | 'purging' | 'purged') =>
  media({
    state: 'ready',
    source: { ...source(), archivedFrom: { key: source().key, versionId: 'v-a', size: 1000, etag: '"aa"' } },
    archive: { state, versionId: 'v-a', collectionId: 'talks' },
  });

describe('bytes at the key of an announced upload are late', () => {
  it.each([
    ['where it was given up', null, true],
    ['where its media is being deleted', media({ state: 'deleting' }), true],
    ['where its original was removed', media({ state: 'ready', originalDeletedAt: NOW }), true],
    ['where its original was deleted after its day', archived('purged'), true],
    ['where its original is being deleted', archived('purging'), true],
    ['not where a copy has replaced it', archived('archived'), false],
    ['not where another upload came since', { ...archived('purged'), source: source() }, false],
    ['not where it waits for them', media({ state: 'uploading' }), false],
    ['not where a media item with its original exists', media({ state: 'ready' }), false],
  ])('%s', (_, row, late) => {
    expect(isLate(upload, row, NOW)).toBe(late);
  });
  it('not after its URLs have expired, a day after its deadline', () => {
    expect(isLate(upload, null, '2026-11-22T10:00:00.000Z')).toBe(true);
    expect(isLate(upload, null, '2026-11-22T10:00:00.001Z')).toBe(false);
  });
  it('never where nothing was announced', () => {
    expect(isLate(null, null, NOW)).toBe(false);
  });
});

it('a late version is recorded once, for sweep', () => {
  const key = { pk: `MEDIA#${MEDIA_ID}`, sk: 'UPLOAD' };
  const set = { late: 'v7', todo: 'late-upload', todoAt: NOW };
  expect(rememberLate(upload, 'v7', NOW)).toEqual({
    change: [{ op: 'update', key, expect: { type: 'upload' }, set }],
  });
  expect(rememberLate({ ...upload, late: 'v7' }, 'v7', NOW)).toEqual({ refused: expect.any(String) });
});
