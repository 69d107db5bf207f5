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
  it('is made of a new media item', () => {
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
  it('contains the reason of a failure', () => {
    const error = { error: { M: { code: { S: 'no_tracks' }, message: { S: 'Nothing.' }, at: { S: 'x' } } } };
    expect(announcementOf(record(image('transcoding', 2), image('failed', 3, error)))?.detail).toMatchObject({
      from: 'transcoding',
      to: 'failed',
      seq: 3,
      error: { code: 'no_tracks', message: 'Nothing.' },
    });
  });
  it('says that the beginning of an encode can be played, though the state is the same, and only when that begins', () => {
    const growing = { growing: { M: { jobId: { S: `${ID}-1` }, access: { S: 'public' } } } };
    const [before, after] = [image('transcoding', 2), image('transcoding', 3, growing)];
    expect(announcementOf(record(before, after))?.detail).toMatchObject({ to: 'transcoding', seq: 3, playable: true });
    expect(announcementOf(record(after, after))).toBeNull();
    expect(announcementOf(record(after, image('ready', 4)))?.detail).not.toHaveProperty('playable');
  });
  it('says that a copy has become the original, or that it is in another class, and that it is back, though the state is the same', () => {
    const archive = (state: string, reason?: string, bytes?: object) => ({
      archive: { M: { state: { S: state }, ...(reason && { reason: { S: reason } }), ...(bytes && { bytes }) } },
    });
    const of = (before: object, after: object) =>
      announcementOf(record(image('ready', 4, before), image('ready', 5, after)))?.detail;
    expect(of(archive('replacing'), archive('archived'))).toMatchObject({ to: 'ready', seq: 5, archive: 'archived' });
    expect(of(archive('archived'), archive('refused', 'restored'))).toMatchObject({ archive: 'restored' });
    expect(of(archive('moving'), archive('moved'))).toMatchObject({ archive: 'archived' });
    const copy = { M: { copy: { N: '1' } } };
    expect(of(archive('moving', undefined, copy), archive('moved', undefined, copy))).toBeUndefined();
    for (const [from, to] of [
      ['due', 'moving'],
      ['moving', 'refused'],
      ['due', 'encoding'],
      ['purging', 'archived'],
      ['encoding', 'refused'],
      ['archived', 'purging'],
    ] as const) {
      expect([from, to, of(archive(from), archive(to))]).toEqual([from, to, undefined]);
    }
  });
  it('says that an encode waits for its source, also where a cap has held it before', () => {
    const held = (code: string) => ({ error: { M: { code: { S: code }, message: { S: code }, at: { S: 'x' } } } });
    const capped = image('retranscoding', 2, held('cap_reached'));
    const restoring = image('retranscoding', 3, held('source_restoring'));
    expect(announcementOf(record(capped, restoring))?.detail).toMatchObject({
      held: true,
      error: { code: 'source_restoring' },
    });
    expect(announcementOf(record(restoring, { ...restoring, seq: { N: '4' } }))).toBeNull();
  });
  it('says once that a cap holds the encode back, though the state is the same', () => {
    const error = { error: { M: { code: { S: 'cap_reached' }, message: { S: 'Full.' }, at: { S: 'x' } } } };
    const held = announcementOf(record(image('uploaded', 2), image('uploaded', 3, error)));
    expect(held?.detail).toMatchObject({
      from: 'uploaded',
      to: 'uploaded',
      seq: 3,
      held: true,
      error: { message: 'Full.' },
    });
    expect(announcementOf(record(image('uploaded', 3, error), image('uploaded', 4, error)))).toBeNull();
    expect(announcementOf(record(image('uploaded', 3, error), image('uploaded', 4)))).toBeNull();
  });
  it('of a removed media item has the next sequence number', () => {
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

  const current = (n: number) => ({ current: { M: { version: { N: String(n) } } } });
  const jobRow = (more = {}) => ({
    type: { S: 'job' },
    jobId: { S: `${ID}-1` },
    mediaId: { S: ID },
    creatorId: { S: 'ann' },
    ...more,
  });

  it('requests new stats when another version is the current one', () => {
    const rolledBack = record(image('ready', 3, current(2)), image('ready', 4, current(1)));
    expect(announcementOf(rolledBack)).toEqual({
      source: 'dropreel',
      'detail-type': 'Media Counts Changed',
      detail: { mediaId: ID, creatorId: 'ann' },
    });
  });

  it('of a version that was published reports its source, of a failure what failed, and of other changes nothing', () => {
    const track = { M: { index: { N: '0' }, type: { S: 'audio' }, codec: { S: 'aac' }, taken: { BOOL: true } } };
    const sourceInfo = { M: { container: { S: 'ogg' }, durationSeconds: { N: '2.5' }, tracks: { L: [track] } } };
    const source = {
      container: 'ogg',
      durationSeconds: 2.5,
      tracks: [{ index: 0, type: 'audio', codec: 'aac', taken: true }],
    };
    const current = { M: { version: { N: '1' } } };
    const of = (from: object, to: object) => announcementOf(record(from, to))?.detail;
    const begun = image('transcoding', 3, { sourceInfo });
    expect(of(begun, image('ready', 4, { sourceInfo, current }))).toMatchObject({ source });
    expect(of(begun, image('failed', 4, { sourceInfo }))).toMatchObject({ source });
    expect(of(image('uploaded', 2, { sourceInfo }), begun)).not.toHaveProperty('source');
    const again = [
      image('ready', 4, { sourceInfo, current }),
      image('retranscoding', 5, { sourceInfo, current }),
    ] as const;
    expect(of(...again)).not.toHaveProperty('source');
    // Of the preflight alone, before any worker.
    const guessed = { sourceInfo: { M: { durationSeconds: { N: '2.5' } } } };
    expect(of(image('uploaded', 2, guessed), image('failed', 3, guessed))).not.toHaveProperty('source');
  });
  it('of a version that was published names its warnings, and of one that stays does not', () => {
    const warnings = { L: [{ M: { code: { S: 'track_skipped' }, at: { N: '1.5' }, message: { S: 'Why.' } } }] };
    const flawed = { current: { M: { version: { N: '2' }, warnings } } };
    const published = record(image('retranscoding', 3, current(1)), image('ready', 4, flawed));
    const stayed = record(image('retranscoding', 5, flawed), image('ready', 6, flawed));
    const warningsOf = (of: typeof published) => announcementOf(of)?.detail;
    expect(warningsOf(published)).toMatchObject({
      to: 'ready',
      warnings: [{ code: 'track_skipped', at: 1.5, message: 'Why.' }],
    });
    expect(warningsOf(stayed)).not.toHaveProperty('warnings');
  });

  it('requests them once, when the cost of a job is known', () => {
    const cost = { cost: { M: { usd: { N: '0.1' } } } };
    expect(announcementOf(record(jobRow(), jobRow(cost)))).toEqual({
      source: 'dropreel',
      'detail-type': 'Media Counts Changed',
      detail: { mediaId: ID, creatorId: 'ann', jobId: `${ID}-1` },
    });
    expect(announcementOf(record(jobRow(cost), jobRow({ ...cost, expiresAt: { N: '1' } })))).toBeNull();
  });
});
