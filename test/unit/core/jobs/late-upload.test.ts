import { describe, expect, it } from 'vitest';
import type { UploadRow } from '../../../../core/contracts/table/media.ts';
import { isLate, rememberLate } from '../../../../core/jobs/late-upload.ts';
import { MEDIA_ID, media } from '../../../support/factories.ts';

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

describe('bytes at the key of an announced upload are late', () => {
  it.each([
    ['where it was given up', null, true],
    ['where its media is being deleted', media({ state: 'deleting' }), true],
    ['where its original was removed', media({ state: 'ready', originalDeletedAt: NOW }), true],
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
