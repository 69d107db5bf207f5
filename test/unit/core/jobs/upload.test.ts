import { describe, expect, it } from 'vitest';
import { acceptUpload, expireUpload, newCollection, rejectUpload } from '../../../../core/jobs/transitions.ts';
import { PRESETS } from '../../../../core/media/presets.ts';
import { changeOf, LATER, MEDIA_ID, MEDIA_KEY, media, NOW, source, updateOf, version } from './factories.ts';

const preset = PRESETS.standard ?? expect.fail('no preset');
const location = { creatorId: 'ann', collectionId: 'talks', path: 'day 1/one.mp4' };
const upload = (more = {}) => ({ mediaId: MEDIA_ID, location, source: source(more), now: NOW });
const found = { info: { durationSeconds: 12 }, kind: 'video' as const, preset };
const failure = { code: 'no_tracks' as const, message: 'Nothing to see.', at: NOW };
const newer = { versionId: 'v-b', sequencer: '0B', etag: '"bb"', size: 2000 };

describe('an accepted upload', () => {
  it('makes the media as uploaded, with its first job, where there is none', () => {
    expect(acceptUpload(null, upload(), found)).toMatchObject({
      job: { jobId: `${MEDIA_ID}-1`, n: 1 },
      change: [
        {
          op: 'put',
          key: MEDIA_KEY,
          row: {
            state: 'uploaded',
            seq: 1,
            title: 'one.mp4',
            owner: 'ann',
            collection: 'ann#talks',
            jobId: `${MEDIA_ID}-1`,
            jobCount: 1,
            attempts: 1,
            sourceSeenAt: NOW,
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
            preset: { name: 'standard', version: 1 },
            todo: 'job',
            todoAt: '2026-11-21T12:15:00.000Z',
          },
        },
      ],
    });
  });

  it('goes on counting where a media of the same key was deleted', () => {
    const again = { ...upload(), tombstone: { jobCount: 4, seq: 10 } };
    const [put, job] = changeOf(acceptUpload(null, again, found));
    expect(put).toMatchObject({ row: { seq: 11, jobCount: 5, jobId: `${MEDIA_ID}-5` } });
    expect(job).toMatchObject({ key: { sk: 'JOB#000005' } });
    const [refused] = changeOf(rejectUpload(null, again, failure));
    expect(refused).toMatchObject({ row: { seq: 11, jobCount: 4 } });
  });

  it('takes an announced upload from uploading to uploaded, and its deadline away', () => {
    const announced = media({ state: 'uploading', seq: 1, jobCount: 0, todo: 'upload', todoAt: LATER });
    const { jobId: _, ...row } = announced;
    expect(updateOf(acceptUpload(row, upload(), found), 'MEDIA')).toMatchObject({
      expect: { state: 'uploading', seq: 1, jobId: null },
      set: { state: 'uploaded', seq: 2, jobId: `${MEDIA_ID}-1` },
      remove: ['error', 'originalDeletedAt', 'todo', 'todoAt'],
    });
  });

  it.each([
    ['ready', version(1), 'retranscoding'],
    ['retranscoding', version(1), 'retranscoding'],
    ['failed', undefined, 'uploaded'],
    ['uploaded', undefined, 'uploaded'],
    ['transcoding', undefined, 'transcoding'],
  ] as const)('of a newer version of a media that is %s starts the next job', (state, current, then) => {
    const before = media({ state, ...(current && { current }), attempts: 2 });
    const outcome = acceptUpload(before, upload(newer), found);
    expect(updateOf(outcome, 'MEDIA')).toMatchObject({
      expect: { state, seq: 2, jobId: `${MEDIA_ID}-1` },
      set: { state: then, seq: 3, jobId: `${MEDIA_ID}-2`, jobCount: 2, attempts: 1, source: newer },
    });
    expect(changeOf(outcome)[1]).toMatchObject({ op: 'put', key: { sk: 'JOB#000002' } });
  });

  it.each([
    ['the same version again', {}, 'known'],
    ['the same version, whatever sequencer it comes with', { sequencer: 'FF' }, 'known'],
    ['the same sequencer', { versionId: 'v-x' }, 'known'],
    ['an older version that comes late', { versionId: 'v-0', sequencer: '09' }, 'a newer upload is known'],
  ])('%s changes nothing', (_, more, none) => {
    expect(acceptUpload(media(), upload(more), found)).toEqual({ none });
  });

  it('changes nothing of a media that is being deleted', () => {
    const outcome = acceptUpload(media({ state: 'deleting' }), upload(newer), found);
    expect(outcome).toEqual({ none: 'the media is being deleted' });
  });
});

describe('a rejected upload', () => {
  it('makes the media as failed, with the reason and no job', () => {
    const [write] = changeOf(rejectUpload(null, upload(), failure));
    expect(write).toMatchObject({ op: 'put', row: { state: 'failed', seq: 1, error: failure, jobCount: 0 } });
    expect(changeOf(rejectUpload(null, upload(), failure))).toHaveLength(1);
  });

  it('leaves a media that can be played as it is, source and state, and records the reason once', () => {
    const before = media({ state: 'ready', current: version(1) });
    const update = updateOf(rejectUpload(before, upload(newer), failure), 'MEDIA');
    const seen = { source: source({ sequencer: '0B' }), sourceSeenAt: NOW };
    expect(update.set).toEqual({ ...seen, error: failure, seq: 3, updatedAt: NOW });
    const after = media({ ...before, source: source({ sequencer: '0B' }) });
    expect(rejectUpload(after, upload(newer), failure)).toEqual({ none: 'known' });
  });

  it('fails a media with nothing to play, and takes the decision from its old job', () => {
    expect(updateOf(rejectUpload(media(), upload(newer), failure), 'MEDIA')).toMatchObject({
      set: { state: 'failed', error: failure, source: newer },
      remove: ['jobId'],
    });
  });
});

describe('an announced upload of which nothing came', () => {
  const error = { code: 'upload_expired' as const, message: 'Too late.', at: NOW };
  it('fails', () => {
    expect(updateOf(expireUpload(media({ state: 'uploading' }), error), 'MEDIA')).toMatchObject({
      expect: { state: 'uploading' },
      set: { state: 'failed', error },
      remove: ['todo', 'todoAt'],
    });
  });
  it('is left alone once its bytes came', () => {
    expect(expireUpload(media({ state: 'uploaded' }), error)).toEqual({ none: 'the media is uploaded' });
  });
});

it('a collection that nobody made is public, keeps originals and takes the standard preset', () => {
  expect(newCollection(location, NOW)).toMatchObject({
    op: 'put',
    key: { pk: 'CREATOR#ann', sk: 'COLLECTION#talks' },
    row: { preset: 'standard', playback: 'public', deleteOriginal: false, retranscodeFromOutput: false },
  });
});
