import { describe, expect, it } from 'vitest';
import { announcementOf } from '../../../../functions/announce-change/announcement.ts';

const ID = 'abcdefghijklmnopqrstuvwxyz';
const image = (state: string, seq: number, more = {}) => ({
  pk: { S: `MEDIA#${ID}` },
  sk: { S: 'MEDIA' },
  type: { S: 'media' },
  mediaId: { S: ID },
  creatorId: { S: 'ann' },
  collectionId: { S: 'talks' },
  title: { S: 'one.mp4' },
  state: { S: state },
  seq: { N: String(seq) },
  updatedAt: { S: '2026-11-21T12:00:00.000Z' },
  jobId: { S: `${ID}-1` },
  ...more,
});
const record = (OldImage?: object, NewImage?: object) =>
  ({ dynamodb: { OldImage, NewImage, ApproximateCreationDateTime: 1_795_262_400 } }) as Parameters<
    typeof announcementOf
  >[0];

describe('an announcement', () => {
  it('is made of a new media', () => {
    expect(announcementOf(record(undefined, image('uploaded', 1)))).toEqual({
      source: 'dropreel',
      'detail-type': 'Media State Changed',
      detail: {
        mediaId: ID,
        creatorId: 'ann',
        collectionId: 'talks',
        title: 'one.mp4',
        from: null,
        to: 'uploaded',
        seq: 1,
        at: '2026-11-21T12:00:00.000Z',
        jobId: `${ID}-1`,
      },
    });
  });
  it('carries the reason of a failure', () => {
    const error = { error: { M: { code: { S: 'no_tracks' }, message: { S: 'Nothing.' }, at: { S: 'x' } } } };
    expect(announcementOf(record(image('transcoding', 2), image('failed', 3, error)))?.detail).toMatchObject({
      from: 'transcoding',
      to: 'failed',
      seq: 3,
      error: { code: 'no_tracks', message: 'Nothing.' },
    });
  });
  it('of a removed media comes after its last change', () => {
    expect(announcementOf(record(image('deleting', 4), undefined))?.detail).toMatchObject({
      from: 'deleting',
      to: null,
      seq: 5,
      at: '2026-11-21T12:00:00.000Z',
    });
  });
  it.each([
    ['a change of the title', image('ready', 3), image('ready', 3, { title: { S: 'two' } })],
    ['another row', undefined, { type: { S: 'job' }, state: { S: 'running' } }],
    ['a row without a type', undefined, { pk: { S: 'x' } }],
  ])('is not made of %s', (_, before, after) => {
    expect(announcementOf(record(before, after))).toBeNull();
  });
});
