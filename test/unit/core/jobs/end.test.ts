import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import { takenBy } from '../../../../core/jobs/cost.ts';
import { costKnown, jobFailed, jobSucceeded } from '../../../../core/jobs/transitions.ts';
import {
  changeOf,
  EARLIER,
  job,
  MEDIA_ID,
  media,
  NOW,
  result,
  source,
  updateOf,
  version,
} from '../../../support/factories.ts';

const error = { code: 'encode_failed' as const, message: 'ffmpeg says no.', at: NOW };
const preset = PRESETS.standard ?? expect.fail('no preset');
const how = { preset, engine: 'batch-cpu', reclaimed: false };
const IN_30_DAYS = Date.parse('2026-12-21T12:00:00Z') / 1000;

describe('a job whose result says succeeded', () => {
  it('waits to be published, with every step logged, and stays unfinished', () => {
    const row = job({ steps: [{ name: 'pulled', at: EARLIER }] });
    const update = updateOf(jobSucceeded(row, result(), NOW), 'JOB#000001');
    expect(update.expect).toEqual({ state: 'running', part: null, engineJobId: 'batch-1' });
    expect(update.set).toMatchObject({
      state: 'succeeded',
      progress: 100,
      steps: [
        { name: 'pulled', at: EARLIER },
        { name: 'transcoded', at: NOW },
        { name: 'pushed', at: NOW },
      ],
    });
    expect(update.remove).toEqual(['error']);
  });
  it('has a step whose event is still under way, done by the next one at the latest', () => {
    const row = job({ steps: [{ name: 'pushed', at: EARLIER }] });
    expect(updateOf(jobSucceeded(row, result(), NOW), 'JOB#000001').set.steps).toEqual([
      { name: 'pulled', at: EARLIER },
      { name: 'transcoded', at: EARLIER },
      { name: 'pushed', at: EARLIER },
    ]);
  });
  it('succeeds, though neither its submission nor its start was seen', () => {
    const { startedAt: _, ...row } = job({ state: 'queued' });
    expect(updateOf(jobSucceeded(row, result(), NOW), 'JOB#000001').set).toMatchObject({ startedAt: NOW });
  });
  it.each(['succeeded', 'published', 'failed', 'cancelled'] as const)('changes nothing once it is %s', (state) => {
    expect(jobSucceeded(job({ state }), result(), NOW)).toEqual({ refused: `the job is ${state}` });
  });
});

describe('what a job has cost', () => {
  const cost = { usd: 0.5, vcpuSeconds: 36_459.4 };

  it('is that of its CPU time and of the lost attempts before it', () => {
    const update = updateOf(jobSucceeded(job(), result(), NOW, { vcpus: 4, seconds: [600, 0, 10.5] }), 'JOB#000001');
    expect(update.set).toMatchObject({ heldInVain: 2402 });
    expect(takenBy(job({ heldInVain: 2402 }), result())).toBe(6002);
    const atOnce = updateOf(jobSucceeded(job(), result(), NOW, { vcpus: 4, seconds: [30] }), 'JOB#000001');
    expect(atOnce.set).not.toHaveProperty('heldInVain');
  });
  it('is recorded with its failure, where that includes it', () => {
    expect(updateOf(jobFailed(job(), media(), error, { ...how, cost }), 'JOB#000001').set).toMatchObject({ cost });
    expect(updateOf(jobFailed(job(), media(), error, how), 'JOB#000001').set).not.toHaveProperty('cost');
  });
  it.each(['failed', 'cancelled'] as const)('is recorded once it is %s, when its engine job ended later', (state) => {
    expect(changeOf(costKnown(job({ state }), cost))).toEqual([
      {
        op: 'update',
        key: expect.anything(),
        expect: { state, part: null, engineJobId: 'batch-1', cost: null },
        set: { cost },
        remove: [],
      },
    ]);
    expect(costKnown(job({ state, cost }), cost)).toEqual({ refused: expect.anything() });
  });
  it('is that of a later part too, which its engine billed after its end, but not of one that is published', () => {
    const all = { usd: 0.75, vcpuSeconds: 54_689.1 };
    expect(changeOf(costKnown(job({ state: 'cancelled', cost }), all))).toMatchObject([
      { expect: { state: 'cancelled', 'cost.usd': 0.5 }, set: { cost: all } },
    ]);
    expect(costKnown(job({ state: 'published', cost }), all)).toEqual({ refused: expect.anything() });
  });
  it('is recorded at its end only', () => {
    expect(costKnown(job({ state: 'running' }), cost)).toEqual({ refused: 'the job is running' });
  });
});

describe('a job that fails', () => {
  it.each([
    ['transcoding', undefined, 'failed'],
    ['uploaded', undefined, 'failed'],
    ['retranscoding', version(1), 'ready'],
  ] as const)('takes its media from %s with the reason', (state, current, then) => {
    const outcome = jobFailed(job(), media({ state, ...(current && { current }) }), error, how);
    expect(updateOf(outcome, 'MEDIA')).toMatchObject({
      expect: { state, seq: 2, jobId: `${MEDIA_ID}-1` },
      set: { state: then, seq: 3, error },
    });
    expect(updateOf(outcome, 'JOB#000001')).toMatchObject({
      set: { state: 'failed', error, finishedAt: NOW, expiresAt: IN_30_DAYS },
      remove: ['todo', 'todoAt'],
    });
  });
  it('that is submitted or charged at the same moment is decided again', () => {
    const charged = { usd: 0.3, month: '2026-11', under: ['creator' as const] };
    const ending = (more: object) => updateOf(jobFailed(job(more), media(), error, how), 'JOB#000001').expect;
    expect(ending({ charged, engineJobId: undefined, submittingUntil: EARLIER })).toEqual({
      ...{ state: 'running', part: null, engineJobId: null, submittingUntil: EARLIER, 'charged.usd': 0.3 },
    });
    expect(ending({})).toEqual({
      ...{ state: 'running', part: null, engineJobId: 'batch-1', submittingUntil: null, 'charged.usd': null },
    });
  });
  it('tells what its worker had learnt of the source, but for a length that nobody decoded', () => {
    const found = { durationSeconds: 1e-300, width: 640, height: 360, videoCodec: 'h264' };
    const { kind: _, ...unread } = media({ sourceInfo: { durationSeconds: 8 } });
    expect(updateOf(jobFailed(job(), unread, error, { ...how, found }), 'MEDIA').set).toMatchObject({
      kind: 'video',
      sourceInfo: { durationSeconds: 8, width: 640, height: 360, videoCodec: 'h264' },
    });
    const sound = { ...how, found: { audioCodec: 'mp3' } };
    expect(updateOf(jobFailed(job(), unread, error, sound), 'MEDIA').set).toMatchObject({ kind: 'audio' });
  });
  it('tells nothing of a source that is not the upload, or beside a version that can be played', () => {
    const found = { width: 640, height: 360 };
    const rendition = job({ source: source({ bucket: 'media' }) });
    expect(updateOf(jobFailed(rendition, media(), error, { ...how, found }), 'MEDIA').set).not.toHaveProperty(
      'sourceInfo',
    );
    const played = media({ state: 'retranscoding', current: version(1) });
    expect(updateOf(jobFailed(job(), played, error, { ...how, found }), 'MEDIA').set).not.toHaveProperty('sourceInfo');
  });
  it('after it began to copy leaves its copies for sweep, in the same change, until no publisher can be copying', () => {
    const outcome = jobFailed(job({ state: 'succeeded', access: 'private' }), media(), error, how);
    const todoAt = '2026-11-21T12:16:00.000Z';
    expect(updateOf(outcome, 'OLD#000001').set).toMatchObject({ version: 1, access: 'private', todoAt });
  });
  it('after a newer job began is recorded on itself only', () => {
    const outcome = jobFailed(job(), media({ jobId: `${MEDIA_ID}-2` }), error, how);
    expect(changeOf(outcome)).toHaveLength(1);
    expect(updateOf(outcome, 'JOB#000001').set).toMatchObject({ state: 'failed' });
  });
  it('is followed by the waiting upload, in the same change, and the media item does not fail', () => {
    const pending = { source: source({ versionId: 'v-b' }), info: {}, kind: 'audio' as const };
    const outcome = jobFailed(job(), media({ pending }), error, how);
    const update = updateOf(outcome, 'MEDIA');
    expect(update).toMatchObject({
      set: { jobId: `${MEDIA_ID}-2`, jobCount: 2, attempts: 1, source: { versionId: 'v-b' }, kind: 'audio' },
      remove: ['pending', 'originalDeletedAt'],
    });
    expect(update.set).not.toHaveProperty('state');
    expect(outcome).toMatchObject({ next: { n: 2, purpose: 'ingest', preset: { name: 'standard' } } });
  });

  it('because AWS reclaimed its machine is followed by another one on demand, in the same change', () => {
    const lost = { code: 'worker_lost' as const, message: 'Your Spot Task was interrupted.', at: NOW };
    const reclaimed = { ...how, reclaimed: true };
    const outcome = jobFailed(job({ purpose: 'retranscode' }), media(), lost, reclaimed);
    expect(outcome).toMatchObject({ next: { n: 2, purpose: 'retranscode', onDemand: true, source: source() } });
    expect(updateOf(outcome, 'MEDIA').set).toMatchObject({ state: 'transcoding', jobId: `${MEDIA_ID}-2`, attempts: 2 });
    for (const [row, how_] of [
      [job({ onDemand: true }), reclaimed],
      [job(), how],
    ] as const) {
      expect(updateOf(jobFailed(row, media(), lost, how_), 'MEDIA').set).toMatchObject({ state: 'failed' });
    }
  });

  it('is followed by another one of the same engine, and a waiting upload by one of the present engine', () => {
    const lost = { code: 'engine_lost' as const, message: 'Unknown.', at: NOW };
    const asked = { ...how, engine: 'paper' };
    expect(jobFailed(job({ engine: 'tape' }), media(), lost, asked)).toMatchObject({ next: { engine: 'tape' } });
    const pending = { source: source({ versionId: 'v-b' }), info: {} };
    expect(jobFailed(job({ engine: 'tape' }), media({ pending }), lost, asked)).toMatchObject({
      next: { engine: 'paper' },
    });
  });

  it('by an engine that makes no attempts of its own is followed by another one where that may help', () => {
    const lost = { code: 'worker_lost' as const, message: 'Error 1999.', at: NOW };
    const once = { ...how, onlyAttempt: true };
    expect(jobFailed(job(), media(), lost, once)).toMatchObject({ next: { n: 2, engine: 'batch-cpu' } });
    for (const [failed, row] of [
      [lost, job({ secondAttempt: true })],
      [{ ...lost, code: 'corrupt' as const }, job()],
    ] as const) {
      expect(updateOf(jobFailed(row, media(), failed, once), 'MEDIA').set).toMatchObject({ state: 'failed' });
    }
  });

  it('by an engine that is not fit for the source is followed by another one if dropreel had chosen it', () => {
    const unfit = { code: 'engine_unfit' as const, message: 'Too small.', at: NOW };
    const row = job({ engine: 'mediaconvert' });
    const chosen = jobFailed({ ...row, auto: true }, media(), unfit, how);
    expect(chosen).toMatchObject({ next: { n: 2, engine: 'auto', movedFrom: ['mediaconvert'] } });
    const movedFrom = ['mediaconvert'];
    expect(jobFailed({ ...row, auto: true, engine: 'tape', movedFrom }, media(), unfit, how)).toMatchObject({
      next: { engine: 'auto', movedFrom: ['mediaconvert', 'tape'] },
    });
    const back = jobFailed({ ...row, auto: true, movedFrom }, media(), unfit, how);
    expect(updateOf(back, 'MEDIA').set).toMatchObject({ state: 'failed', error: unfit });
    const named = jobFailed(row, media(), unfit, how);
    expect(updateOf(named, 'MEDIA').set).toMatchObject({ state: 'failed', error: unfit });
  });

  it('because the engine lost it is followed by another one, in the same change', () => {
    const lost = { code: 'engine_lost' as const, message: 'Unknown.', at: NOW };
    const outcome = jobFailed(job(), media({ state: 'retranscoding', current: version(1) }), lost, how);
    expect(outcome).toMatchObject({ next: { n: 2, secondAttempt: true } });
    expect(updateOf(outcome, 'MEDIA').set).toMatchObject({ state: 'retranscoding', attempts: 2 });
    const again = jobFailed(job({ secondAttempt: true }), media({ attempts: 2 }), lost, how);
    expect(updateOf(again, 'MEDIA').set).toMatchObject({ state: 'failed', error: lost });
  });

  it('that a person has tried again, or that has moved, is followed by another one when the engine loses it', () => {
    const lost = { code: 'engine_lost' as const, message: 'Unknown.', at: NOW };
    expect(jobFailed(job(), media({ attempts: 2 }), lost, how)).toMatchObject({ next: { secondAttempt: true } });
    const down = { code: 'engine_down' as const, message: 'Throttled.', at: NOW };
    const moved = jobFailed(job({ auto: true, secondAttempt: true }), media({ attempts: 2 }), down, how);
    expect(moved).toMatchObject({ next: { engine: 'auto' } });
    expect('next' in moved && moved.next).not.toHaveProperty('secondAttempt');
    const reclaimed = { code: 'worker_lost' as const, message: 'Reclaimed.', at: NOW };
    const onDemand = jobFailed(job({ secondAttempt: true }), media(), reclaimed, { ...how, reclaimed: true });
    expect(onDemand).toMatchObject({ next: { onDemand: true, secondAttempt: true } });
  });

  it('hands the time of the upload on to the next job, also to that of a waiting upload', () => {
    const lost = { code: 'engine_lost' as const, message: 'Unknown.', at: NOW };
    const uploadedAt = '2026-11-21T10:00:00.000Z';
    expect(jobFailed(job(), media(), lost, how)).toMatchObject({ next: { createdAt: NOW, uploadedAt: EARLIER } });
    expect(jobFailed(job({ uploadedAt }), media(), lost, how)).toMatchObject({ next: { uploadedAt } });
    const pending = { source: source({ versionId: 'v-b' }), info: {} };
    const waiting = media({ pending, sourceSeenAt: uploadedAt });
    expect(jobFailed(job(), waiting, lost, how)).toMatchObject({ next: { uploadedAt } });
  });

  it.each(['published', 'failed', 'cancelled'] as const)('twice, or late, changes nothing once it is %s', (state) => {
    expect(jobFailed(job({ state }), media(), error, how)).toEqual({ refused: `the job is ${state}` });
  });
  it('while its media item is being deleted does not change the media item', () => {
    expect(changeOf(jobFailed(job(), media({ state: 'deleting' }), error, how))).toHaveLength(1);
  });
  it('because it was cancelled has the state cancelled', () => {
    const cancelled = { code: 'cancelled' as const, message: 'Enough.', at: NOW };
    expect(updateOf(jobFailed(job(), null, cancelled, how), 'JOB#000001').set.state).toBe('cancelled');
  });
});
