import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import {
  engineAccepted,
  finishDeletion,
  flagMedia,
  jobFor,
  markDeleting,
  notSubmitted,
  outputToEncode,
  partEnded,
  sourcesToEncode,
  startAgain,
  submitting,
  unflagMedia,
} from '../../../../core/jobs/transitions.ts';
import {
  changeOf,
  EARLIER,
  job,
  MEDIA_ID,
  MEDIA_KEY,
  media,
  NOW,
  source,
  updateOf,
  version,
} from '../../../support/factories.ts';

const preset = PRESETS.compact ?? expect.fail('no preset');
const start = { purpose: 'retranscode' as const, source: source(), preset, engine: 'batch-cpu', now: NOW };

describe('a job that is about to be submitted', () => {
  const { engineJobId: _, ...queued } = job({ state: 'queued' });
  const IN_2_MINUTES = '2026-11-21T12:02:00.000Z';
  const to = { engine: 'batch-cpu', onDemand: false };

  it('is leased for two minutes, to one of several readers of the same row', () => {
    expect(submitting(queued, null, to, NOW)).toMatchObject({
      change: [
        {
          op: 'update',
          key: { pk: `MEDIA#${MEDIA_ID}`, sk: 'JOB#000001' },
          expect: { state: 'queued', engineJobId: null, submittingUntil: null },
          set: { submittingUntil: IN_2_MINUTES, onDemand: false },
        },
      ],
      tried: false,
    });
  });
  it('is left to the holder of the lease, and taken over when the lease has ended', () => {
    expect(submitting({ ...queued, submittingUntil: IN_2_MINUTES }, null, to, NOW)).toEqual({
      refused: 'it is being submitted',
    });
    expect(submitting({ ...queued, submittingUntil: EARLIER }, null, to, NOW)).toMatchObject({
      change: [{ expect: { submittingUntil: EARLIER }, set: { submittingUntil: IN_2_MINUTES } }],
      tried: true,
    });
  });
  it.each([
    ['the engine has it', job({ state: 'queued' })],
    ['the job is cancelled', { ...queued, state: 'cancelled' as const }],
  ])('is not submitted when %s', (refused, row) => {
    expect(submitting(row, null, to, NOW)).toEqual({ refused });
  });
  it.each([
    [false, undefined, false],
    [true, undefined, true],
    [false, true, true],
    [true, false, false],
  ] as const)('that needs it: %s, decided before as %s, goes where nothing is reclaimed: %s', (needs, before, onDemand) => {
    const row = { ...queued, ...(before !== undefined && { onDemand: before }) };
    expect(submitting(row, null, { ...to, onDemand: needs }, NOW)).toMatchObject({ job: { onDemand } });
  });
  it('that left its engine open keeps the chosen one, also against a simultaneous choice', () => {
    expect(submitting({ ...queued, engine: 'auto' }, null, to, NOW)).toMatchObject({
      change: [{ expect: { engine: 'auto' }, set: { engine: 'batch-cpu' } }],
      job: { engine: 'batch-cpu' },
    });
  });
  it('gives the lease back when the engine refuses it, if it is still that one', () => {
    expect(notSubmitted({ ...queued, submittingUntil: IN_2_MINUTES })).toEqual([
      {
        op: 'update',
        key: { pk: `MEDIA#${MEDIA_ID}`, sk: 'JOB#000001' },
        expect: { state: 'queued', part: null, engineJobId: null, submittingUntil: IN_2_MINUTES },
        set: {},
        remove: ['submittingUntil'],
      },
    ]);
  });
});

describe('another job', () => {
  it('of a ready, flagged media item sets the state retranscoding and removes the flag in the same change', () => {
    const before = media({
      state: 'ready',
      current: version(1),
      attempts: 0,
      scheduleRetranscode: true,
      todo: 'retranscode',
    });
    const outcome = startAgain(before, start);
    expect(updateOf(outcome, 'MEDIA')).toMatchObject({
      expect: { state: 'ready', seq: 2, jobId: `${MEDIA_ID}-1`, todo: 'retranscode' },
      set: { state: 'retranscoding', seq: 3, jobId: `${MEDIA_ID}-2`, jobCount: 2, scheduleRetranscode: false },
      remove: ['error', 'todo', 'todoAt'],
    });
    expect(changeOf(outcome)[1]).toMatchObject({
      op: 'put',
      row: { purpose: 'retranscode', preset: { name: 'compact', version: 3 }, todo: 'retranscode-job' },
    });
  });

  it('lets sweep look at an original that is to be moved where the job could not read it', () => {
    const archive = { state: 'moving', versionId: 'v-a', collectionId: 'talks' } as const;
    const outcome = startAgain(media({ state: 'ready', current: version(1), archive }), start);
    expect(updateOf(outcome, 'ARCHIVE')).toMatchObject({
      ...{ expect: { type: 'archive', state: 'moving' }, set: { todoAt: start.now } },
    });
  });

  it('is created for the named engine', () => {
    const failed = media({ state: 'failed' });
    expect(changeOf(startAgain(failed, { ...start, engine: 'paper' }))[1]).toMatchObject({ row: { engine: 'paper' } });
  });

  it.each([
    ['ingest', 'job'],
    ['retranscode', 'retranscode-job'],
  ] as const)('of a failed media makes it transcoding, counts the attempt, and is what it was asked for: %s', (purpose, todo) => {
    const outcome = startAgain(media({ state: 'failed', attempts: 1 }), { ...start, purpose });
    expect(updateOf(outcome, 'MEDIA').set).toMatchObject({ state: 'transcoding', attempts: 2 });
    expect(changeOf(outcome)[1]).toMatchObject({ op: 'put', row: { purpose, todo } });
  });

  it.each([
    'uploading',
    'uploaded',
    'transcoding',
    'retranscoding',
    'deleting',
  ] as const)('is not started while the media is %s', (state) => {
    expect(startAgain(media({ state }), start)).toEqual({ refused: `the media item is ${state}` });
  });

  describe('reads', () => {
    const [shown, newer] = [source(), source({ versionId: 'v-b', sequencer: '0B' })];
    const replaced = media({ state: 'ready', source: newer, current: version(1, { source: shown }) });
    const failedWith = (code: 'worker_lost' | 'corrupt', from = newer) =>
      job({ n: 2, state: 'failed', source: from, error: { code, message: 'No.', at: NOW } });

    const archivedFrom = { key: source().key, versionId: 'v-a', size: 1000, etag: '"aa"' };
    const copy = source({ key: `archive/ann/${MEDIA_ID}/2/archive.mp4`, versionId: 'v-copy', etag: '"cc"' });

    it('the upload, when nothing is published yet', () => {
      expect(sourcesToEncode(media({ state: 'failed' }), null)).toEqual([shown]);
    });
    it('the source of the current version, not a later upload that is a bad file', () => {
      expect(sourcesToEncode(replaced, failedWith('corrupt'))).toEqual([shown]);
      expect(sourcesToEncode(replaced, null)).toEqual([shown]);
    });
    it('a later upload that failed for a temporary reason, while it exists', () => {
      expect(sourcesToEncode(replaced, failedWith('worker_lost'))).toEqual([newer, shown]);
    });
    it('the copy in the archive, not the upload that it has replaced, whatever names that', () => {
      const archived = (of: typeof copy) =>
        media({ state: 'ready', source: { ...copy, archivedFrom }, current: version(1, { source: of }) });
      expect(sourcesToEncode(archived(copy), failedWith('worker_lost', source()))).toEqual([copy]);
      expect(sourcesToEncode(archived(source()), null)).toEqual([copy]);
      const gone = source({ versionId: 'v-0' });
      expect(sourcesToEncode(archived(gone), null)).toEqual([gone, copy]);
    });
    it('a restored original, not its copy, which is removed', () => {
      const restored = media({ state: 'ready', current: version(1) });
      expect(sourcesToEncode(restored, failedWith('worker_lost', copy))).toEqual([source()]);
    });
    it('the original, though the last job was to encode an output of it', () => {
      const output = source({ bucket: 'media', key: 'ann/mp4/one/v1.mp4' });
      expect(sourcesToEncode(replaced, failedWith('worker_lost', output))).toEqual([shown]);
    });
  });

  describe('where the original is gone, reads', () => {
    const rendition = (name: string, more: object = {}) => ({
      ...{ name, codecs: 'mp4a.40.2', bandwidth: 1, averageBandwidth: 1, durationSeconds: 1, bytes: 900 },
      ...more,
    });
    it.each([
      ['the MP4', version(3), { key: `ann/mp4/${MEDIA_ID}/v3.mp4` }],
      [
        'the best audio rendition',
        version(3, { outputs: { master: 'm' }, renditions: [rendition('128k'), rendition('64k')] }),
        { key: `ann/hls/${MEDIA_ID}/v3/128k.m3u8`, bytes: 900 },
      ],
      [
        'that of a private version in its place',
        version(3, { outputs: { master: 'm' }, renditions: [rendition('128k')], access: 'private' }),
        { key: `private/ann/${MEDIA_ID}/hls/v3/128k.m3u8`, bytes: 900 },
      ],
      [
        'nothing of a video without an MP4, for its renditions are silent',
        version(3, { outputs: { master: 'm' }, renditions: [rendition('720p', { width: 1280, height: 720 })] }),
        null,
      ],
      ['nothing of a version without renditions', version(3, { outputs: { master: 'm' } }), null],
    ])('%s', (_, current, expected) => {
      expect(outputToEncode(media({ current }))).toEqual(expected);
    });
    it('nothing while there is no version', () => {
      expect(outputToEncode(media())).toBeNull();
    });
  });

  it('is passed to the engine with its own folder under tmp/', () => {
    expect(jobFor(job({ n: 3 }), preset, 'media-bucket')).toMatchObject({
      jobId: `${MEDIA_ID}-3`,
      output: { bucket: 'media-bucket', prefix: `tmp/${MEDIA_ID}-3/` },
    });
  });
});

it('a job that another engine takes is submitted under a number of its own', () => {
  const { engineJobId: _, ...row } = job({ state: 'queued', engine: 'tape', submissions: 2 });
  expect(submitting(row, null, { onDemand: false, engine: 'paper' }, NOW)).toMatchObject({
    change: [{ set: { engine: 'paper', movedFrom: ['tape'], submissions: 3 } }],
  });
});

it.each([
  [false, true, true],
  [false, false, false],
  [true, false, true],
])('a job that leaves an engine on demand: %s, for one that needs that: %s, has it: %s', (before, needs, onDemand) => {
  const { engineJobId: _, ...row } = job({ state: 'queued', engine: 'tape', onDemand: before });
  expect(submitting(row, null, { onDemand: needs, engine: 'paper' }, NOW)).toMatchObject({ job: { onDemand } });
});

it('a job whose part ended goes on with the next one', () => {
  const { engineJobId: _, ...row } = job({ state: 'queued', part: 'encode', submissions: 2 });
  expect(submitting(row, null, { onDemand: false, engine: 'batch-cpu' }, NOW)).toMatchObject({
    change: [{ remove: [] }],
    job: { part: 'encode', submissions: 3 },
  });
});

describe('the engine takes a job', () => {
  const { engineJobId: _, ...row } = job({ state: 'queued' });
  const batch9 = { engineJobId: 'batch-9', part: undefined };
  it('and its id is recorded once, and the media item becomes transcoding', () => {
    const outcome = engineAccepted(row, media({ state: 'uploaded' }), batch9, NOW);
    expect(changeOf(outcome)).toEqual([
      {
        op: 'update',
        key: { pk: `MEDIA#${MEDIA_ID}`, sk: 'JOB#000001' },
        expect: { state: 'queued', part: null, engineJobId: null },
        set: { engineJobId: 'batch-9' },
        remove: ['submittingUntil'],
      },
      {
        op: 'update',
        key: MEDIA_KEY,
        expect: { state: 'uploaded', seq: 2, jobId: `${MEDIA_ID}-1` },
        set: { state: 'transcoding', seq: 3, updatedAt: NOW },
        remove: [],
      },
    ]);
  });
  it('and a second answer changes nothing', () => {
    expect(engineAccepted(job(), media(), batch9, NOW)).toEqual({ refused: 'the engine job is known' });
  });
  it('and a late answer of an earlier part changes nothing', () => {
    expect(engineAccepted({ ...row, part: 'encode' }, media(), batch9, NOW)).toEqual({ refused: 'of an earlier part' });
  });
  it('of an older number, and the media item does not change', () => {
    const current = media({ state: 'uploaded', jobId: `${MEDIA_ID}-2` });
    expect(changeOf(engineAccepted(row, current, batch9, NOW))).toHaveLength(1);
  });
});

describe('a part of a job ends', () => {
  const ended = { engineJobId: 'batch-1', part: undefined, next: 'encode' };
  it('and the next one waits to be submitted, with attempts of its own', () => {
    expect(changeOf(partEnded(job({ attempt: 2 }), ended, NOW))).toEqual([
      {
        op: 'update',
        key: { pk: `MEDIA#${MEDIA_ID}`, sk: 'JOB#000001' },
        expect: { state: 'running', part: null, engineJobId: 'batch-1' },
        set: {
          state: 'queued',
          part: 'encode',
          attempt: 0,
          heartbeatAt: NOW,
          todoAt: '2026-11-21T12:15:00.000Z',
        },
        remove: ['engineJobId', 'submittingUntil', 'error', 'children', 'slowestSeconds', 'twins'],
      },
    ]);
  });
  it('and what its workers held is kept, and in it what was held in vain', () => {
    const held = [
      { vcpus: 4, seconds: [10] },
      { vcpus: 4, seconds: [3, 20] },
      { vcpus: 4, seconds: [] },
    ];
    expect(updateOf(partEnded(job(), { ...ended, held }, NOW), 'JOB#000001').set).toMatchObject({
      ...{ heldBefore: 132, heldInVain: 12 },
    });
  });
  it('before its submission is noted', () => {
    const { engineJobId: _, ...row } = job({ state: 'queued' });
    expect(changeOf(partEnded(row, ended, NOW))).toMatchObject([{ expect: { state: 'queued', engineJobId: null } }]);
  });
  it.each([
    ['twice', { part: 'encode' }, 'of an earlier part'],
    ['by another engine job', { engineJobId: 'batch-2' }, 'of another engine job'],
    ['when the job is over', { state: 'cancelled' as const }, 'the job is cancelled'],
  ])('%s, and nothing changes', (_, more, refused) => {
    expect(partEnded(job(more), ended, NOW)).toEqual({ refused });
  });
});

describe('the flag', () => {
  it("is set with the state in which the media item was read, and names the collection's flag", () => {
    expect(changeOf(flagMedia(media({ state: 'ready' }), NOW, 'flag-1'))).toEqual([
      {
        op: 'update',
        key: MEDIA_KEY,
        expect: { state: 'ready', todo: null, flaggedFor: null },
        set: {
          scheduleRetranscode: true,
          todo: 'retranscode',
          todoAt: NOW,
          flaggedFor: 'flag-1',
          updatedAt: NOW,
        },
      },
    ]);
  });
  it("of a media item that has one already records the collection's flag only, because one job serves both", () => {
    const flagged = media({ state: 'ready', scheduleRetranscode: true, todo: 'retranscode', flaggedFor: 'flag-0' });
    expect(flagMedia(flagged, NOW)).toEqual({ refused: 'already flagged' });
    expect(changeOf(flagMedia(flagged, NOW, 'flag-1'))).toEqual([
      {
        op: 'update',
        key: MEDIA_KEY,
        expect: { state: 'ready', flaggedFor: 'flag-0', scheduleRetranscode: true },
        set: { flaggedFor: 'flag-1' },
      },
    ]);
  });
  it('of a roll-out stays when somebody else asks for it, too, and is the only one that is marked as its own', () => {
    const free = media({ state: 'ready' });
    expect(changeOf(flagMedia(free, NOW, 'roll-out', 'roll-out'))).toMatchObject([{ set: { flaggedByRollOut: true } }]);
    const its = { ...free, scheduleRetranscode: true, todo: 'retranscode', flaggedByRollOut: true as const };
    expect(changeOf(flagMedia(its, NOW))).toMatchObject([{ remove: ['flaggedByRollOut'] }]);
    expect(changeOf(flagMedia(its, NOW, 'flag-1'))).toMatchObject([{ remove: ['flaggedByRollOut'] }]);
    expect(changeOf(flagMedia(its, NOW, 'roll-out 2', 'roll-out'))[0]).not.toHaveProperty('remove');
    expect(updateOf(unflagMedia(its, NOW), 'MEDIA')).toMatchObject({
      expect: { flaggedByRollOut: true },
      remove: ['todo', 'todoAt', 'flaggedByRollOut'],
    });
  });

  it('that a cap held takes the reason with it', () => {
    const held = { scheduleRetranscode: true, todo: 'retranscode' };
    const error = { code: 'cap_reached' as const, message: '', at: NOW };
    const of = (state: 'ready' | 'retranscoding') =>
      updateOf(unflagMedia(media({ ...held, state, error }), NOW), 'MEDIA').remove;
    expect(of('ready')).toEqual(['todo', 'todoAt', 'error']);
    expect(of('retranscoding')).toEqual(['todo', 'todoAt']);
  });

  it.each([
    ['by the same collection flag, after its job was started', { flaggedFor: 'flag-1' }, 'flagged by this flag before'],
    ['of one that is being deleted', { state: 'deleting' as const }, 'the media item is deleting'],
    ['of one that has no bytes yet', { state: 'uploading' as const }, 'the media item is uploading'],
    ['of one that never had a job', { state: 'failed' as const, jobId: undefined }, 'its upload was refused'],
  ])('is not set %s', (_, more, refused) => {
    expect(flagMedia(media(more), NOW, 'flag-1')).toEqual({ refused });
  });
  it.each([
    'transcoding',
    'retranscoding',
    'failed',
    'uploaded',
  ] as const)('is set on a media item that is %s', (state) => {
    expect(flagMedia(media({ state }), NOW, 'flag-1')).toHaveProperty('change');
  });
  it('is removed with the reason when the original is gone, without a change of state', () => {
    const before = media({ state: 'ready', scheduleRetranscode: true, todo: 'retranscode' });
    const error = { code: 'original_gone' as const, message: 'Gone.', at: NOW };
    const { set, remove } = updateOf(unflagMedia(before, NOW, error), 'MEDIA');
    expect(set).toEqual({ scheduleRetranscode: false, error, updatedAt: NOW });
    expect(remove).toEqual(['todo', 'todoAt']);
  });
});

it("a deleted media item's numbers are kept for longer than caches keep its objects", () => {
  const gone = media({ state: 'deleting', seq: 9, jobCount: 4 });
  expect(changeOf(finishDeletion(gone, NOW))).toEqual([
    { op: 'remove', key: MEDIA_KEY, expect: { state: 'deleting', seq: 9, uploadedAgain: null } },
    {
      op: 'update',
      key: { pk: `MEDIA#${MEDIA_ID}`, sk: 'TOMBSTONE' },
      expect: {},
      set: { type: 'tombstone', jobCount: 4, seq: 10, expiresAt: Date.parse('2027-12-26T12:00:00Z') / 1000 },
    },
    { op: 'remove', key: { pk: `MEDIA#${MEDIA_ID}`, sk: 'ARCHIVE' }, expect: {} },
  ]);
  expect(finishDeletion(media({ state: 'ready' }), NOW)).toEqual({ refused: 'the media item is ready' });
});

it('a media item is marked for deletion once, and its flag is removed', () => {
  expect(updateOf(markDeleting(media({ state: 'ready', scheduleRetranscode: true }), NOW), 'MEDIA').set).toEqual({
    state: 'deleting',
    deletion: { from: 'ready', flagged: true },
    scheduleRetranscode: false,
    todo: 'delete',
    todoAt: NOW,
    seq: 3,
    updatedAt: NOW,
  });
  expect(markDeleting(media({ state: 'deleting' }), NOW)).toEqual({ refused: 'marked before' });
});
