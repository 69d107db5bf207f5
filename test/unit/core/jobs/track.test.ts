import { describe, expect, it } from 'vitest';
import type { JobProgress } from '../../../../core/contracts/events.ts';
import type { JobRow } from '../../../../core/contracts/table/jobs.ts';
import { jobProgressed, jobRunning, stillWaiting } from '../../../../core/jobs/transitions.ts';
import { changeOf, EARLIER, job, MEDIA_ID, media, NOW, updateOf } from '../../../support/factories.ts';

const seen = { engineJobId: 'batch-1', startedAt: NOW, now: NOW };
const report = (more: Partial<JobProgress['detail']> = {}): JobProgress['detail'] => ({
  jobId: `${MEDIA_ID}-1`,
  engineJobId: 'batch-1',
  attempt: 1,
  at: NOW,
  phase: 'transcoding',
  percent: 40,
  ...more,
});

describe('the engine reports that a job runs', () => {
  it('and a queued job becomes running, and an uploaded media item transcoding', () => {
    const outcome = jobRunning(job({ state: 'queued' }), media({ state: 'uploaded' }), seen);
    expect(updateOf(outcome, 'JOB#000001')).toMatchObject({
      expect: { state: 'queued' },
      set: { state: 'running', startedAt: NOW, heartbeatAt: NOW },
    });
    expect(updateOf(outcome, 'MEDIA').set).toMatchObject({ state: 'transcoding', seq: 3 });
  });
  it('of one part while the next one begins, and does not name its engine job there', () => {
    const encoding = job({ state: 'queued', part: 'encode', engineJobId: undefined });
    const outcome = jobRunning(encoding, media(), { ...seen, part: 'encode' });
    expect(updateOf(outcome, 'JOB#000001').expect).toEqual({ state: 'queued', part: 'encode', engineJobId: null });
  });
  it('before the submitter recorded its id, and the id is recorded', () => {
    const { engineJobId: _, ...row } = job({ state: 'queued' });
    expect(updateOf(jobRunning(row, media(), seen), 'JOB#000001').set).toMatchObject({ engineJobId: 'batch-1' });
  });
  it.each([
    'running',
    'succeeded',
    'published',
    'failed',
    'cancelled',
  ] as const)('which changes nothing once it is %s', (state) => {
    expect(jobRunning(job({ state }), media(), seen)).toEqual({ refused: `the job is ${state}` });
  });
  it('of a duplicate, which changes nothing', () => {
    const outcome = jobRunning(job({ state: 'queued' }), media(), { ...seen, engineJobId: 'batch-2' });
    expect(outcome).toEqual({ refused: 'of another engine job' });
  });
  it('of an older job, which does not change the media item', () => {
    const current = media({ state: 'uploaded', jobId: `${MEDIA_ID}-2` });
    expect(changeOf(jobRunning(job({ state: 'queued' }), current, seen))).toHaveLength(1);
  });
});

describe('one of several workers reports', () => {
  const part = 'chunks-3';
  const began = (seconds: number) => new Date(Date.parse(NOW) - 1000 * seconds).toISOString();
  const of = (index: number, percent: number, seconds = 60, more: Partial<JobProgress['detail']> = {}) =>
    report({ part, child: { index, of: 4, startedAt: began(seconds) }, percent, at: NOW, ...more });
  const row = (more: Partial<JobRow> = {}) => job({ part, progress: 9, ...more });
  const setBy = (before: JobRow, detail: JobProgress['detail']) =>
    updateOf(jobProgressed(before, null, detail), 'JOB#000001').set;

  it('and the job is as far as all of them are on average', () => {
    const outcome = jobProgressed(row(), null, of(1, 84.6));
    expect(updateOf(outcome, 'JOB#000001')).toMatchObject({
      ...{ set: { progress: 21, children: '00840000' }, expect: { children: null } },
    });
    const before = row({ progress: 21, children: '00840000' });
    expect(setBy(before, of(2, 30))).toMatchObject({ progress: 28.5, children: '00843000' });
  });
  it('of a new attempt, and the job does not fall behind', () => {
    const before = row({ progress: 56, children: '84848400' });
    expect(setBy(before, of(0, 0))).toMatchObject({ progress: 56, children: '00848400' });
  });
  it('that it has ended, which is kept though another one has reported a moment ago', () => {
    const before = row({ children: '84000000', heartbeatAt: NOW, slowestSeconds: 100 });
    expect(setBy(before, of(1, 85, 140, { phase: 'verifying' }))).toMatchObject({ slowestSeconds: 140 });
    expect(setBy(before, of(1, 85, 60, { phase: 'verifying' }))).toMatchObject({ slowestSeconds: 100 });
    expect(jobProgressed(before, null, of(1, 30))).toEqual({ refused: 'too soon' });
  });
  it('of a second array, which is not the one that the row names', () => {
    const outcome = jobProgressed(row(), null, of(0, 50, 60, { engineJobId: 'batch-2' }));
    expect(outcome).toEqual({ refused: 'of another engine job' });
  });
  it('when the part is over', () => {
    expect(jobProgressed(row({ part: 'join-3' }), null, of(0, 85))).toEqual({ refused: 'of another part' });
  });

  const late = { children: '85858500', slowestSeconds: 100 };
  it.each([
    ['has run for twice as long as the slowest of the others, and has most before it', late, of(3, 30, 201), true],
    ['does not say how far it is', late, of(3, 0, 201), true],
    ['has not run for so long', late, of(3, 30, 199), false],
    ['will end before another one would', late, of(3, 55, 201), false],
    ['has ended', late, of(3, 85, 900, { phase: 'verifying' }), false],
    ['is not the only one left', { ...late, children: '85850000' }, of(3, 30, 201), false],
    ['was started a second time', { ...late, twins: [3] }, of(3, 30, 201), false],
    ['is the first of all', {}, of(3, 30, 900), false],
    [
      'is itself a second one',
      late,
      of(3, 30, 201, { child: { index: 3, of: 4, startedAt: began(201), twin: 'batch-2' } }),
      false,
    ],
  ])('and is slow if it %s', (_, before, detail, isSlow) => {
    const outcome = jobProgressed(row(before), null, detail);
    expect('refused' in outcome ? outcome : outcome.slow?.index).toBe(isSlow ? 3 : undefined);
    expect(setBy(row(before), detail).twins).toEqual(isSlow ? [3] : undefined);
  });
});

describe('the worker reports', () => {
  it('progress, and the heartbeat is renewed', () => {
    const { expect: expected, set } = updateOf(jobProgressed(job(), null, report({ speed: 2.5 })), 'JOB#000001');
    expect(expected).toEqual({
      ...{ state: 'running', part: null, engineJobId: 'batch-1' },
      ...{ attempt: 1, progress: 10, heartbeatAt: EARLIER },
    });
    expect(set).toEqual({
      state: 'running',
      engineJobId: 'batch-1',
      attempt: 1,
      progress: 40,
      speed: 2.5,
      heartbeatAt: NOW,
      todoAt: '2026-11-21T12:15:00.000Z',
    });
  });
  it('not more than once in 2 s', () => {
    const row = job({ heartbeatAt: '2026-11-21T11:59:58.001Z' });
    expect(jobProgressed(row, null, report())).toEqual({ refused: 'too soon' });
    expect(jobProgressed(job({ heartbeatAt: '2026-11-21T11:59:58.000Z' }), null, report())).toHaveProperty('change');
  });
  it('a finished step at once, with its time', () => {
    const row = job({ heartbeatAt: '2026-11-21T11:59:59.500Z', steps: [{ name: 'pulled', at: EARLIER }] });
    const { set } = updateOf(jobProgressed(row, null, report({ step: 'transcoded' })), 'JOB#000001');
    expect(set.steps).toEqual([
      { name: 'pulled', at: EARLIER },
      { name: 'transcoded', at: NOW },
    ]);
  });
  it('a step after the next one, and it is logged in its place', () => {
    const row = job({
      heartbeatAt: NOW,
      steps: [
        { name: 'pulled', at: EARLIER },
        { name: 'pushed', at: NOW },
      ],
    });
    const { set } = updateOf(jobProgressed(row, null, report({ step: 'transcoded', at: EARLIER })), 'JOB#000001');
    expect(set.steps).toEqual([
      { name: 'pulled', at: EARLIER },
      { name: 'transcoded', at: EARLIER },
      { name: 'pushed', at: NOW },
    ]);
  });
  it('a step twice, and it is logged once', () => {
    const row = job({ heartbeatAt: NOW, progress: 40, steps: [{ name: 'pulled', at: EARLIER }] });
    expect(jobProgressed(row, null, report({ step: 'pulled' }))).toEqual({ refused: 'nothing new' });
  });
  it('out of order, and progress does not go back', () => {
    const row = job({ progress: 80 });
    expect(updateOf(jobProgressed(row, null, report({ percent: 40 })), 'JOB#000001').set.progress).toBe(80);
  });
  it('an older time, and the heartbeat does not go back', () => {
    const row = job({ heartbeatAt: NOW });
    const late = report({ at: EARLIER, step: 'pulled' });
    expect(updateOf(jobProgressed(row, null, late), 'JOB#000001').set.heartbeatAt).toBe(NOW);
  });
  it('a new attempt, which restarts the progress', () => {
    const row = job({ progress: 80, heartbeatAt: NOW });
    const { set } = updateOf(jobProgressed(row, null, report({ attempt: 2, percent: 3 })), 'JOB#000001');
    expect(set).toMatchObject({ attempt: 2, progress: 3 });
  });
  it('an earlier attempt, which changes nothing', () => {
    expect(jobProgressed(job({ attempt: 2 }), null, report())).toEqual({ refused: 'of an earlier attempt' });
  });
  it.each([
    'succeeded',
    'published',
    'failed',
    'cancelled',
  ] as const)('after the job was %s, which changes nothing', (state) => {
    expect(jobProgressed(job({ state }), null, report({ step: 'pushed' }))).toEqual({ refused: `the job is ${state}` });
  });
  it('after the start event was lost, and the job becomes running, the media item transcoding', () => {
    const { startedAt: _, ...row } = job({ state: 'queued' });
    const outcome = jobProgressed(row, media({ state: 'uploaded' }), report());
    expect(updateOf(outcome, 'JOB#000001').set).toMatchObject({ state: 'running', startedAt: NOW });
    expect(updateOf(outcome, 'MEDIA').set).toMatchObject({ state: 'transcoding' });
  });
  it('as the holder of the claim, and its engine job is recorded', () => {
    const row = job({ engineJobId: 'batch-double', heartbeatAt: NOW });
    expect(updateOf(jobProgressed(row, null, report()), 'JOB#000001').set.engineJobId).toBe('batch-1');
  });
  it('often, and the due time in the index moves only every 5 minutes', () => {
    const row = job({ todoAt: '2026-11-21T12:10:00.001Z' });
    expect(updateOf(jobProgressed(row, null, report()), 'JOB#000001').set).not.toHaveProperty('todoAt');
  });
});

describe('a job that waits', () => {
  it('is examined again later, and keeps the reported reason', () => {
    const error = { code: 'engine_stuck' as const, message: 'Since an hour.', at: NOW };
    expect(updateOf(stillWaiting(job(), NOW, { error }), 'JOB#000001').set).toEqual({ todoAt: NOW, error });
  });
  it('does not change once it has ended', () => {
    expect(stillWaiting(job({ state: 'published' }), NOW)).toEqual({ refused: 'the job is published' });
  });
});
