import { describe, expect, it } from 'vitest';
import { RollOutRow } from '../../../../core/contracts/table/presets.ts';
import {
  flagOf,
  hasLapsed,
  isOutdatedBy,
  isPutBack,
  isSampled,
  isWanted,
  onwards,
  order,
  roomFor,
  shareOf,
  startRollOut,
  whatBecame,
  whatBecameAfterwards,
  whyNotToEnd,
  whyStop,
  withEnded,
} from '../../../../core/jobs/roll-out.ts';
import { EARLIER, job, LATER, MEDIA_ID, media, NOW, source, version } from '../../../support/factories.ts';

const asked = { creatorId: 'ann', name: 'team', version: 2, samplePercent: 1 };
const started = startRollOut(null, asked, NOW);
const begun = 'row' in started ? RollOutRow.parse(started.row) : expect.fail();
const row = (more: Partial<RollOutRow> = {}): RollOutRow => ({ ...begun, ...more });
const made = { preset: { name: 'team', version: 2 } };
const ready = { state: 'ready' as const, current: version(1) };
const NEWER = source({ versionId: 'v-b', etag: '"bb"' });

describe('a media item of a roll-out', () => {
  it.each([
    ['was encoded by the version', { ...ready, current: version(2, made) }, 'done'],
    [
      'was encoded by it, although it is flagged again',
      { ...ready, current: version(2, made), scheduleRetranscode: true },
      'done',
    ],
    ['is not asked for yet', ready, 'to flag'],
    ['is encoded for another reason', { ...ready, state: 'retranscoding' as const }, 'waiting'],
    ['is flagged', { ...ready, scheduleRetranscode: true, flaggedFor: flagOf(begun) }, 'waiting'],
    ['is being encoded', { ...ready, state: 'retranscoding' as const, flaggedFor: flagOf(begun) }, 'waiting'],
    [
      'has failed',
      { ...ready, flaggedFor: flagOf(begun), error: { code: 'corrupt' as const, message: '', at: LATER } },
      'failed',
    ],
    [
      'has ended with an error from before',
      { ...ready, flaggedFor: flagOf(begun), error: { code: 'corrupt' as const, message: '', at: EARLIER } },
      'skipped',
    ],
    [
      'was encoded by another preset meanwhile',
      { ...ready, current: version(2), flaggedFor: flagOf(begun) },
      'skipped',
    ],
    [
      'was uploaded anew, and encoded by the version',
      { ...ready, current: version(2, { ...made, source: NEWER }), previous: { ...version(1), expiresAt: LATER } },
      'skipped',
    ],
    [
      'had no room under a cap when it was stopped',
      { ...ready, flaggedFor: flagOf(begun), error: { code: 'cap_reached' as const, message: '', at: LATER } },
      'skipped',
    ],
    [
      'waited for its source when it was stopped',
      { ...ready, flaggedFor: flagOf(begun), error: { code: 'source_restoring' as const, message: '', at: LATER } },
      'skipped',
    ],
    [
      'was ended by somebody',
      { ...ready, flaggedFor: flagOf(begun), error: { code: 'cancelled' as const, message: '', at: LATER } },
      'skipped',
    ],
    ['is being deleted', { ...ready, state: 'deleting' as const }, 'skipped'],
    ['is of another creator', { ...ready, creatorId: 'eve' }, 'skipped'],
    ['has nothing that plays', { state: 'failed' as const }, 'skipped'],
  ])('that %s', (_, more, became) => {
    expect(whatBecame(begun, media(more))).toBe(became);
  });

  it('that is gone, or has left the collection, is skipped', () => {
    expect(whatBecame(begun, null)).toBe('skipped');
    expect(whatBecame(row({ collectionId: 'films' }), media(ready))).toBe('skipped');
  });
});

describe('a media item of a roll-out that is over', () => {
  const flagged = { ...ready, scheduleRetranscode: true, flaggedFor: flagOf(begun) };
  it.each([
    ['is not asked for yet', ready, 'skipped'],
    ['is flagged by it alone', { ...flagged, flaggedByRollOut: true as const }, 'waiting'],
    ['is flagged by it alone in an earlier wave', { ...flagged, flaggedByRollOut: true as const }, 'waiting', 2],
    ['is flagged by somebody else, too', flagged, 'skipped'],
    ['is being encoded for it', { ...flagged, scheduleRetranscode: false, state: 'retranscoding' as const }, 'waiting'],
    ['is being encoded for another reason', { ...ready, state: 'retranscoding' as const }, 'skipped'],
    ['was made', { ...flagged, current: version(2, made) }, 'done'],
  ] as const)('that %s', (_, more, became, wave: number = 1) => {
    expect(whatBecameAfterwards(row({ state: 'stopped', wave }), media(more))).toBe(became);
  });

  it('has its job ended only if no engine can have it', () => {
    const untouched = job({ purpose: 'retranscode', state: 'queued', engineJobId: undefined });
    expect(whyNotToEnd(untouched)).toBeNull();
    for (const more of [
      { engineJobId: 'batch-1' },
      { submittingUntil: EARLIER },
      { part: 'finish' },
      { state: 'running' as const },
      { purpose: 'ingest' as const },
    ]) {
      expect(whyNotToEnd({ ...untouched, ...more })).toEqual({ refused: 'it may have begun' });
    }
  });
});

it.each([
  ['what is encoded would be of its version', {}, { name: 'team', version: 2 }, false],
  ['its collection has another preset', {}, { name: 'standard', version: 2 }, true],
  ['its preset has another version', {}, { name: 'team', version: 3 }, true],
  ['another version begins with the same figure', {}, { name: 'team', version: 20 }, true],
  ['a new upload was encoded by its version', { current: version(2, made) }, { name: 'team', version: 2 }, true],
  ['somebody else has flagged it, too', { flaggedByRollOut: undefined }, { name: 'team', version: 3 }, false],
] as const)('the flag of a roll-out that has lapsed or not: %s', (_, more, present, lapsed) => {
  const flagged = { ...ready, scheduleRetranscode: true, flaggedFor: flagOf(begun), flaggedByRollOut: true as const };
  expect(hasLapsed(media({ ...flagged, ...more }), present)).toBe(lapsed);
});

describe('a sample', () => {
  it.each([
    ['aaaa', 0.0001, true],
    ['aaac', 0.0001, false],
    ['7777', 99.9, false],
    ['7777', 100, true],
    ['qaaa', 50, false],
    ['p777', 50, true],
  ])('of the media %s… at %d per cent: %s', (begins, percent, isOne) => {
    expect(isSampled(begins.padEnd(26, 'a'), percent)).toBe(isOne);
  });

  it('has at least the first that is wanted', () => {
    const last = media({ ...ready, mediaId: '7'.repeat(26) });
    expect([isWanted(begun, last), isWanted(row({ taken: 1 }), last)]).toEqual([true, false]);
    // The first one was lost to it before a person let it go on.
    const seen = { ended: 1, failed: 1, taken: 1 };
    expect(isWanted(row({ taken: 1, seen }), last)).toBe(true);
  });

  it.each([
    ['made by the version already', { current: version(2, made) }],
    ['without anything that plays', { state: 'transcoding' as const }],
    ['that failed in this wave', { flaggedFor: flagOf(begun) }],
  ])('has none %s', (_, more) => {
    expect(isWanted(begun, media({ ...ready, ...more }))).toBe(false);
  });

  it('has of each collection its share, and what follows has none', () => {
    expect([1, 3, 0, 400].map((collections) => shareOf(begun, collections))).toEqual([100, 34, 100, 1]);
    expect(shareOf(row({ state: 'going' }), 3)).toBe(Number.POSITIVE_INFINITY);
  });

  it('has 100 media at most, as a batch has', () => {
    expect([roomFor(row({ taken: 90 })), roomFor(row({ batch: Array(30).fill(MEDIA_ID) }))]).toEqual([10, 70]);
  });
});

const LATE = '21 of the last 100 have failed: that is more than one in 5.';
const last = (failed: number) => Array.from({ length: 100 }, (_, i) => i < failed);

it.each([
  ['none failed of many', { done: 500, failed: 0 }, undefined],
  ['two failed of two', { done: 0, failed: 2 }, undefined],
  ['three failed of thirty', { done: 27, failed: 3 }, undefined],
  ['three failed of 29', { done: 26, failed: 3 }, '3 of 29 have failed: that is more than one in 10.'],
  ['three failed of three', { done: 0, failed: 3 }, '3 of 3 have failed: that is more than one in 10.'],
  [
    'those of before a person let it go on',
    { done: 10, failed: 5, seen: { ended: 10, failed: 4, taken: 0 } },
    undefined,
  ],
  ['many failed of the last hundred', { done: 10_079, failed: 21, lately: last(21) }, LATE],
  ['some failed of the last hundred', { done: 10_080, failed: 20, lately: last(20) }, undefined],
])('it stops by itself: %s', (_, counts, why) => {
  expect(whyStop({ seen: { ended: 0, failed: 0, taken: 0 }, lately: [], ...counts })).toBe(why);
});

describe('a step ends', () => {
  const listed = { listed: true, batch: [] };
  it.each([
    [
      'with a look later, while media are under way',
      { ...listed, batch: [MEDIA_ID] },
      { todo: 'roll-out', todoAt: '2026-11-21T12:05:00.000Z' },
    ],
    ['with a look later, while not all are listed', {}, { todo: 'roll-out', todoAt: '2026-11-21T12:05:00.000Z' }],
    ['with a pause after the sample', listed, { state: 'waiting', todo: undefined, todoAt: undefined }],
    ['with the end', { ...listed, state: 'going' as const }, { state: 'done', todo: undefined, todoAt: undefined }],
    [
      'with the end of putting back',
      { ...listed, state: 'putting-back' as const },
      { state: 'put-back', todo: undefined, todoAt: undefined },
    ],
    [
      'with the stop, once nothing is under way',
      { state: 'stopped' as const },
      { state: 'stopped', todo: undefined, todoAt: undefined },
    ],
    [
      'with the stop that failures cause',
      { failed: 3 },
      { state: 'stopped', why: '3 of 3 have failed: that is more than one in 10.', todo: 'roll-out', todoAt: NOW },
    ],
  ])('%s', (_, more, set) => {
    expect(onwards(row(more), NOW)).toEqual(set);
  });
});

describe('a person', () => {
  it.each([
    ['go-on', 'waiting', 'going'],
    ['go-on', 'stopped', 'sampling'],
    ['stop', 'going', 'stopped'],
    ['put-back', 'done', 'putting-back'],
    ['go-on', 'sampling', 'it is sampling'],
    ['put-back', 'going', 'it is going'],
    ['stop', 'done', 'it is done'],
  ] as const)('orders %s: %s → %s', (what, state, after) => {
    const outcome = order(row({ state }), what, LATER);
    expect('refused' in outcome ? outcome.refused : outcome.row.state).toBe(after);
  });

  it('lets it go on: what failed gets another turn, and counts anew', () => {
    const before = { done: 2, failed: 3, taken: 5, lately: [false, true], why: 'failures', listed: true };
    const outcome = order(row({ state: 'stopped', ...before }), 'go-on', LATER);
    const again = 'row' in outcome ? outcome.row : expect.fail();
    expect(again).toMatchObject({
      ...{ state: 'sampling', wave: 2, seen: { ended: 5, failed: 3, taken: 3 }, lately: [] },
      ...{ listed: false, step: begun.step + 1 },
    });
    expect(isWanted(again, media({ ...ready, flaggedFor: flagOf(begun) }))).toBe(true);
  });

  it('lets the rest go on only after a whole sample, and after that whenever it was stopped', () => {
    const seen = order(row({ state: 'waiting' }), 'go-on', LATER);
    const going = 'row' in seen ? seen.row : expect.fail();
    expect(going).toMatchObject({ state: 'going', stage: 'going' });
    const stop = order(going, 'stop', LATER);
    expect(order('row' in stop ? stop.row : expect.fail(), 'go-on', LATER)).toHaveProperty('row.state', 'going');
  });

  it('begins anew only when nothing of the one before is under way', () => {
    expect(startRollOut(row({ state: 'stopped', batch: [MEDIA_ID] }), asked, LATER)).toEqual({
      refused: 'that of version 2 has 1 media under way, which end first',
    });
  });

  it('begins anew with the same version as one that can put back what the one before has made', () => {
    const anew = startRollOut(row({ state: 'waiting', wave: 2 }), asked, LATER);
    const again = 'row' in anew ? anew.row : expect.fail();
    expect(again).toMatchObject({ wave: 3, startedAt: NOW, done: 0 });
    const previous = { ...version(1), expiresAt: LATER };
    const of = media({ ...ready, current: version(2, made), previous, flaggedFor: flagOf(begun) });
    expect(isPutBack(again, of, NOW)).toBe(true);
    const other = startRollOut(row({ state: 'waiting', wave: 2 }), { ...asked, version: 3 }, LATER);
    expect(other).toMatchObject({ row: { wave: 1, startedAt: LATER } });
  });

  it('begins one at a time of each preset', () => {
    expect(startRollOut(row({ state: 'going' }), asked, LATER)).toEqual({ refused: 'that of version 2 is going' });
    expect(startRollOut(row({ state: 'waiting' }), asked, LATER)).toHaveProperty('row.step', begun.step + 1);
  });
});

it('is put back: what this roll-out has made, in whatever wave, as long as the version before is kept', () => {
  const [kept, gone] = [LATER, EARLIER].map((expiresAt) => ({ ...version(1), expiresAt }));
  const current = version(2, made);
  const of = (more: object) =>
    isPutBack(row({ wave: 3 }), media({ ...ready, current, flaggedFor: flagOf(begun), ...more }), NOW);
  expect([of({ previous: kept }), of({ previous: gone }), of({})]).toEqual([true, false, false]);
  expect(of({ previous: kept, flaggedFor: LATER })).toBe(false);
  expect(of({ previous: kept, current: version(3) })).toBe(false);
  // A later upload, which the present version has encoded, stays on the air.
  const later = version(3, { ...made, source: NEWER });
  expect(of({ previous: kept, current: later })).toBe(false);
  expect(of({ previous: { ...kept, source: undefined } })).toBe(false);
  // Encoded once more by hand: what is before it is no other version of the preset.
  expect(of({ current: version(3, made), previous: { ...version(2, made), expiresAt: LATER } })).toBe(false);
  // The archive has put a copy in the place of the upload.
  const { key, versionId = '', size, etag } = source();
  const copy = source({ versionId: 'v-c', etag: '"cc"', archivedFrom: { key, versionId, size, etag } });
  expect(of({ previous: kept, current: version(2, { ...made, source: copy }) })).toBe(true);
});

it('compares no SSIM of two sizes', () => {
  const of = (n: number, height: number, more = {}) => {
    const top = { name: `${height}p`, width: (height / 9) * 16, height, codecs: 'avc1' };
    const rendition = { ...top, bandwidth: 1, averageBandwidth: 1, durationSeconds: 1, bytes: 1 };
    return version(n, { ssim: 0.9, renditions: [rendition], ...more });
  };
  const reported = (after: number) => {
    const rows = media({ current: of(2, after, made), previous: { ...of(1, 720), expiresAt: LATER } });
    return withEnded(begun, [{ mediaId: MEDIA_ID, became: 'done', media: rows }]).report;
  };
  expect(reported(720)).toMatchObject([{ before: { ssim: 0.9, width: 1280, height: 720 }, after: { ssim: 0.9 } }]);
  const [unlike] = reported(1080);
  expect(unlike).toMatchObject({ before: { height: 720 }, after: { height: 1080 } });
  expect([unlike?.before.ssim, unlike?.after.ssim]).toEqual([undefined, undefined]);
});

it('compares what it has replaced alone', () => {
  const later = version(3, { ...made, source: NEWER });
  const rows = media({ current: later, previous: { ...version(1), expiresAt: LATER } });
  expect(withEnded(begun, [{ mediaId: MEDIA_ID, became: 'done', media: rows }]).report).toEqual([]);
});

it.each([
  ['plays by another version', true, ready],
  ['plays by this one', false, { ...ready, current: version(2, made) }],
  ['failed', false, { state: 'failed' as const }],
  ['is being deleted', false, { ...ready, state: 'deleting' as const }],
])('the estimate of a roll-out has what %s: %s', (_, isOne, more) => {
  expect(isOutdatedBy({ name: 'team', version: 2 }, media(more))).toBe(isOne);
});

it('counts what ended, and compares the versions of the first', () => {
  const before = {
    ...version(1, { bytes: 900, ssim: 0.97, outputs: { master: 'm', poster: 'ann/p1.jpg' } }),
    expiresAt: LATER,
  };
  const after = version(2, {
    ...made,
    bytes: 600,
    outputs: { master: 'm', poster: 'ann/p2.jpg', posterLarge: 'ann/l2.jpg' },
  });
  const error = { code: 'corrupt' as const, message: 'It is damaged.', at: LATER };
  const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(26)) as [string, string, string];
  const set = withEnded(row({ batch: [a, b, c, MEDIA_ID] }), [
    { mediaId: a, became: 'done', media: media({ current: after, previous: before }) },
    { mediaId: b, became: 'failed', media: media({ error }) },
    { mediaId: c, became: 'skipped', media: null },
  ]);
  expect(set).toEqual({
    ...{ batch: [MEDIA_ID], done: 1, failed: 1, skipped: 1, lately: [false, true] },
    failures: [{ mediaId: b, code: 'corrupt', message: 'It is damaged.' }],
    report: [
      {
        mediaId: a,
        before: {
          version: 1,
          preset: { name: 'standard', version: 1 },
          bytes: 900,
          ssim: 0.97,
          renditions: [],
          poster: 'ann/p1.jpg',
        },
        after: { version: 2, preset: { name: 'team', version: 2 }, bytes: 600, renditions: [], poster: 'ann/l2.jpg' },
      },
    ],
  });
});
