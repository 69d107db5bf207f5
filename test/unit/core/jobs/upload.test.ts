import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import type { MediaRow } from '../../../../core/contracts/table/media.ts';
import { acceptUpload, expireUpload, newCollection, rejectUpload } from '../../../../core/jobs/transitions.ts';
import {
  changeOf,
  job,
  LATER,
  MEDIA_ID,
  MEDIA_KEY,
  media,
  NOW,
  source,
  updateOf,
  version,
} from '../../../support/factories.ts';

const preset = PRESETS.standard ?? expect.fail('no preset');
const location = { creatorId: 'ann', collectionId: 'talks', path: 'day 1/one.mp4' };
const SEEN = '2026-11-21T11:59:50.000Z';
const upload = (more = {}) => ({ mediaId: MEDIA_ID, location, source: source(more), now: NOW, seenAt: SEEN });
const found = { info: { durationSeconds: 12 }, kind: 'video' as const, preset, engine: 'paper' };
const failure = { code: 'no_tracks' as const, message: 'Nothing to see.', at: NOW };
const newer = { versionId: 'v-b', sequencer: '0B', etag: '"bb"', size: 2000 };

describe('an accepted upload', () => {
  it('creates the media item as uploaded, with its first job, where there is none', () => {
    expect(acceptUpload(null, upload(), found, null)).toMatchObject({
      job: { jobId: `${MEDIA_ID}-1`, n: 1 },
      change: [
        {
          op: 'put',
          key: MEDIA_KEY,
          row: {
            state: 'uploaded',
            seq: 1,
            title: 'one',
            owner: 'ann',
            collection: 'ann#talks',
            jobId: `${MEDIA_ID}-1`,
            jobCount: 1,
            attempts: 1,
            sourceSeenAt: SEEN,
            sourceInfo: { durationSeconds: 12 },
            kind: 'video',
          },
        },
        {
          op: 'put',
          key: { pk: `MEDIA#${MEDIA_ID}`, sk: 'JOB#000001' },
          row: {
            state: 'queued',
            purpose: 'ingest',
            progress: 0,
            attempt: 0,
            source: { versionId: 'v-a' },
            preset: { name: 'standard', version: 3 },
            engine: 'paper',
            todo: 'job',
            todoAt: '2026-11-21T12:15:00.000Z',
          },
        },
      ],
    });
  });

  it.each([
    ['talks/x\u001b]0;PWNED\u0007\u202egpj.mp4', 'x]0;PWNEDgpj'],
    ['\u200b', 'untitled'],
  ])('makes a title of the visible characters of the path %j', (path, title) => {
    const { location, ...rest } = upload();
    const [put] = changeOf(acceptUpload(null, { ...rest, location: { ...location, path } }, found, null));
    expect(put).toMatchObject({ row: { title } });
  });

  it('continues the numbers of a deleted media item of the same key', () => {
    const again = { ...upload(), tombstone: { jobCount: 4, seq: 10 } };
    const [put, job] = changeOf(acceptUpload(null, again, found, null));
    expect(put).toMatchObject({ row: { seq: 11, jobCount: 5, jobId: `${MEDIA_ID}-5` } });
    expect(job).toMatchObject({ key: { sk: 'JOB#000005' } });
    const [refused] = changeOf(rejectUpload(null, again, failure));
    expect(refused).toMatchObject({ row: { seq: 11, jobCount: 4 } });
  });

  it('moves an announced upload from uploading to uploaded, and removes its deadline', () => {
    const announced = media({ state: 'uploading', seq: 1, jobCount: 0, todo: 'upload', todoAt: LATER });
    const { jobId: _, ...row } = announced;
    expect(updateOf(acceptUpload(row, upload(), found, null), 'MEDIA')).toMatchObject({
      expect: { state: 'uploading', seq: 1, jobId: null },
      set: { state: 'uploaded', seq: 2, jobId: `${MEDIA_ID}-1` },
      remove: ['error', 'originalDeletedAt', 'todo', 'todoAt'],
    });
  });

  it.each([
    ['ready', version(1), 'retranscoding'],
    ['failed', undefined, 'uploaded'],
  ] as const)('of a newer version of a media that is %s starts the next job', (state, current, then) => {
    const before = media({ state, ...(current && { current }), attempts: 2 });
    const outcome = acceptUpload(before, upload(newer), found, job({ state: 'failed' }));
    expect(updateOf(outcome, 'MEDIA')).toMatchObject({
      expect: { state, seq: 2, jobId: `${MEDIA_ID}-1` },
      set: { state: then, seq: 3, jobId: `${MEDIA_ID}-2`, jobCount: 2, attempts: 1, source: newer },
    });
    expect(changeOf(outcome)[1]).toMatchObject({ op: 'put', key: { sk: 'JOB#000002' } });
    expect(changeOf(outcome)).toHaveLength(2);
  });

  it.each([
    ['uploaded', 'queued', 'ingest', undefined],
    ['transcoding', 'running', 'ingest', undefined],
    ['retranscoding', 'running', 'ingest', version(1)],
    ['retranscoding', 'succeeded', 'retranscode', version(1)],
  ] as const)('of a newer version of a media that is %s waits for its job (%s, %s)', (state, at, purpose, current) => {
    const before = media({ state, ...(current && { current }) });
    const outcome = acceptUpload(before, upload(newer), found, job({ state: at, purpose }));
    expect(changeOf(outcome)).toEqual([
      {
        op: 'update',
        key: MEDIA_KEY,
        expect: { state, seq: 2, jobId: `${MEDIA_ID}-1` },
        set: {
          pending: { source: source(newer), info: { durationSeconds: 12 }, kind: 'video' },
          sourceSeenAt: SEEN,
          seq: 3,
          updatedAt: NOW,
        },
        remove: [],
      },
    ]);
    expect(outcome).not.toHaveProperty('job');
  });

  it('replaces the one that waited before it, and the same again changes nothing', () => {
    const waiting = media({ pending: { source: source(newer), info: {} } });
    expect(acceptUpload(waiting, upload(newer), found, job())).toEqual({ refused: 'known' });
    const newest = { versionId: 'v-c', sequencer: '0C', etag: '"cc"' };
    const { pending } = updateOf(acceptUpload(waiting, upload(newest), found, job()), 'MEDIA').set as Partial<MediaRow>;
    expect(pending?.source).toMatchObject(newest);
    expect(acceptUpload(waiting, upload({ versionId: 'v-0', sequencer: '0A' }), found, job())).toEqual({
      refused: 'a newer upload is known',
    });
  });

  it.each([
    'queued',
    'running',
  ] as const)('takes the place of a re-transcode that is %s, which ends in the same change', (state) => {
    const before = media({ state: 'retranscoding', current: version(1) });
    const outcome = acceptUpload(before, upload(newer), found, job({ state, purpose: 'retranscode' }));
    expect(outcome).toMatchObject({ job: { n: 2, purpose: 'ingest' } });
    expect(updateOf(outcome, 'JOB#000001')).toMatchObject({
      expect: { state },
      set: { state: 'cancelled', error: { code: 'source_changed' } },
      remove: ['todo', 'todoAt'],
    });
  });

  it.each([
    ['the same version again', {}, 'known'],
    ['the same version, whatever sequencer it comes with', { sequencer: 'FF' }, 'known'],
    ['the same sequencer', { versionId: 'v-x' }, 'known'],
    ['an older version that comes late', { versionId: 'v-0', sequencer: '09' }, 'a newer upload is known'],
  ])('%s changes nothing', (_, more, refused) => {
    expect(acceptUpload(media(), upload(more), found, null)).toEqual({ refused });
  });

  it('does not change a media item that is being deleted', () => {
    const outcome = acceptUpload(media({ state: 'deleting' }), upload(newer), found, null);
    expect(outcome).toEqual({ refused: 'the media item is being deleted' });
  });
});

describe('a rejected upload', () => {
  it('creates the media item as failed, with the reason and no job', () => {
    const [write] = changeOf(rejectUpload(null, upload(), failure));
    expect(write).toMatchObject({ op: 'put', row: { state: 'failed', seq: 1, error: failure, jobCount: 0 } });
    expect(changeOf(rejectUpload(null, upload(), failure))).toHaveLength(1);
  });

  it('does not change source and state of a playable media item, and records the reason once', () => {
    const before = media({ state: 'ready', current: version(1) });
    const update = updateOf(rejectUpload(before, upload(newer), failure), 'MEDIA');
    const seen = {
      source: source({ sequencer: '0B' }),
      sourceSeenAt: SEEN,
      refused: { versionId: 'v-b', etag: '"bb"' },
    };
    expect(update.set).toEqual({ ...seen, error: failure, seq: 3, updatedAt: NOW });
    const after = media({ ...before, source: source({ sequencer: '0B' }) });
    expect(rejectUpload(after, upload(newer), failure)).toEqual({ refused: 'known' });
  });

  it('does not change a media item whose first job is under way, and records the reason once', () => {
    const update = updateOf(rejectUpload(media(), upload(newer), failure), 'MEDIA');
    const seen = {
      source: source({ sequencer: '0B' }),
      sourceSeenAt: SEEN,
      refused: { versionId: 'v-b', etag: '"bb"' },
    };
    expect(update).toMatchObject({ expect: { jobId: `${MEDIA_ID}-1` }, remove: [] });
    expect(update.set).toEqual({ ...seen, error: failure, seq: 3, updatedAt: NOW });
  });

  it('does not replace an accepted upload that waits, and counts as seen after it', () => {
    const before = media({ pending: { source: source({ versionId: 'v-p', sequencer: '0A' }), info: {} } });
    const { set } = updateOf(rejectUpload(before, upload(newer), failure), 'MEDIA');
    expect(set).toMatchObject({ pending: { source: { versionId: 'v-p', sequencer: '0B' } }, error: failure });
    expect(set).not.toHaveProperty('source');
  });

  it('fails a media item that is neither published nor under encoding', () => {
    expect(updateOf(rejectUpload(media({ state: 'failed' }), upload(newer), failure), 'MEDIA')).toMatchObject({
      set: { state: 'failed', error: failure, source: newer },
      remove: ['jobId'],
    });
  });
});

describe('an announced upload without bytes', () => {
  const error = { code: 'upload_expired' as const, message: 'Too late.', at: NOW };
  it('fails', () => {
    expect(updateOf(expireUpload(media({ state: 'uploading' }), error), 'MEDIA')).toMatchObject({
      expect: { state: 'uploading' },
      set: { state: 'failed', error },
      remove: ['todo', 'todoAt'],
    });
  });
  it('does not change once its bytes have arrived', () => {
    expect(expireUpload(media({ state: 'uploaded' }), error)).toEqual({ refused: 'the media item is uploaded' });
  });
});

it('a collection that a drop creates is public, keeps originals and has the standard preset', () => {
  expect(newCollection(location, NOW)).toMatchObject({
    op: 'put',
    key: { pk: 'CREATOR#ann', sk: 'COLLECTION#talks' },
    row: { preset: 'standard', playback: 'public', deleteOriginal: false, retranscodeFromOutput: false },
  });
});

it('a collection that a drop creates again is private when the deleted one was', () => {
  expect(newCollection(location, NOW, { playback: 'private' }).row).toMatchObject({ playback: 'private' });
});
