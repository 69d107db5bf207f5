import { describe, expect, it } from 'vitest';
import type { JobProgress } from '../../../../core/contracts/events.ts';
import type { JobRow } from '../../../../core/contracts/table/jobs.ts';
import type { MediaRow } from '../../../../core/contracts/table/media.ts';
import { grown, isTakenBack, mayGrow, mayHaveGrown, needsMore } from '../../../../core/jobs/growing.ts';
import { changeMedia } from '../../../../core/jobs/rows.ts';
import { EARLIER, job, MEDIA_ID, media, NOW, updateOf, version } from '../../../support/factories.ts';

const part = 'chunks-3';
const shown = (seconds: number) => ({ growing: { since: EARLIER, seconds, step: 2 } });

describe('what there is of a first version may be shown', () => {
  it('while its job is under way', () => {
    expect(mayGrow(job(), media())).toBe('allowed');
    expect(mayGrow(job({ state: 'queued' }), media())).toBe('allowed');
  });
  it.each<[string, Partial<JobRow>, Partial<MediaRow> | null]>([
    ['of a re-transcode', { purpose: 'retranscode' }, {}],
    ['of a job that has ended', { state: 'succeeded' }, {}],
    ['of a media item that is gone', {}, null],
    ['of a media item that has failed', {}, { state: 'failed' }],
    ['where another job has replaced it', {}, { jobId: `${MEDIA_ID}-2` }],
    ['where something plays', {}, { current: version(3) }],
  ])('and not %s', (_, ofJob, ofMedia) => {
    expect(mayGrow(job(ofJob), ofMedia && media(ofMedia))).toHaveProperty('refused');
  });
});

describe('a step of it', () => {
  it('makes the media item playable the first time, as a change of its own', () => {
    const outcome = grown(job({ access: 'public' }), media(), { step: 1, seconds: 18, now: NOW });
    expect(updateOf(outcome, 'JOB#000001')).toMatchObject({
      ...{ set: { growing: { since: NOW, seconds: 18, step: 1 } }, expect: { 'growing.step': null } },
    });
    expect(updateOf(outcome, 'MEDIA').set).toEqual({
      ...{ playableAt: NOW, growing: { jobId: `${MEDIA_ID}-1`, access: 'public' } },
      ...{ seq: 3, updatedAt: NOW },
    });
  });
  it('changes the job alone afterwards, and nothing when it comes again', () => {
    const growing = { jobId: `${MEDIA_ID}-1`, access: 'public' } as const;
    const row = job({ access: 'public', ...shown(18) });
    const outcome = grown(row, media({ growing }), { step: 3, seconds: 36, now: NOW });
    expect('change' in outcome && outcome.change).toHaveLength(1);
    expect(updateOf(outcome, 'JOB#000001').set).toEqual({ growing: { since: EARLIER, seconds: 36, step: 3 } });
    expect(grown(row, media({ growing }), { step: 2, seconds: 18, now: NOW })).toEqual({ refused: 'recorded before' });
  });
});

it('ends with the state of its media item, or with another job', () => {
  const row = media({ playableAt: EARLIER, growing: { jobId: `${MEDIA_ID}-1`, access: 'public' } });
  expect(changeMedia(row, NOW, { state: 'failed' }).remove).toEqual(['growing', 'playableAt']);
  expect(changeMedia(row, NOW, { jobId: `${MEDIA_ID}-2` }).remove).toEqual(['growing', 'playableAt']);
  expect(changeMedia(row, NOW, { state: 'ready', current: version(1) }).remove).toEqual(['growing']);
  expect(changeMedia(row, NOW, { title: 'New' }).remove).toEqual([]);
});

it('is taken back of a job that failed, or without which its media item has gone on, and not of one that is published', () => {
  expect(isTakenBack(job({ state: 'failed' }), media())).toBe(true);
  expect(isTakenBack(job({ state: 'succeeded' }), media())).toBe(false);
  expect(isTakenBack(job({ state: 'succeeded' }), media({ jobId: `${MEDIA_ID}-2` }))).toBe(true);
  expect(isTakenBack(job(), media({ state: 'deleting' }))).toBe(true);
  expect(isTakenBack(job({ state: 'published' }), media({ jobId: `${MEDIA_ID}-2` }))).toBe(false);
});

it('whole chunks are added where a player that began at once is less than ten minutes before its end', () => {
  expect(needsMore({}, NOW)).toBe(true);
  // It was shown an hour ago.
  expect(needsMore(shown(3600 + 599), NOW)).toBe(true);
  expect(needsMore(shown(3600 + 601), NOW)).toBe(false);
});

describe('a report tells of something to be shown', () => {
  const report = (index: number, more: Partial<JobProgress['detail']> = {}, piece = false): JobProgress['detail'] => ({
    ...{ jobId: `${MEDIA_ID}-1`, engineJobId: 'batch-1', attempt: 1, part, at: NOW, phase: 'transcoding', percent: 30 },
    child: { index, of: 4, startedAt: EARLIER, ...(piece && { piece: true }) },
    ...more,
  });
  it.each<[string, Partial<JobRow>, JobProgress['detail'], boolean]>([
    ['a piece of the first chunk', shown(18), report(0, {}, true), true],
    ['a piece of the sound, where nothing is shown yet', {}, report(3, {}, true), true],
    ['a piece of the sound later', shown(18), report(3, {}, true), false],
    ['progress alone', {}, report(0), false],
    ['the end of a chunk', {}, report(1, { phase: 'verifying' }), true],
    ['the end of a chunk that is not needed yet', shown(9999), report(1, { phase: 'verifying' }), false],
    ['a piece of a re-transcode', { purpose: 'retranscode' }, report(0, {}, true), false],
    ['a piece of a part that is over', { part: 'join-3' }, report(0, {}, true), false],
    ['a piece of a job that has failed', { state: 'failed' }, report(0, {}, true), false],
  ])('%s: %#', (_, row, detail, expected) => {
    expect(mayHaveGrown(job({ part, ...row }), detail, NOW)).toBe(expected);
  });
});
