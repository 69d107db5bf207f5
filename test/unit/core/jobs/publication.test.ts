import { describe, expect, it } from 'vitest';
import type { CollectionRow, OldVersionRow } from '../../../../core/contracts/rows.ts';
import {
  decideAccess,
  forgetVersion,
  mayPublish,
  published,
  reserveRollback,
  rollbackFailed,
  rolledBack,
  superseded,
} from '../../../../core/jobs/transitions.ts';
import {
  changeOf,
  EARLIER,
  job,
  LATER,
  MEDIA_ID,
  MEDIA_KEY,
  media,
  NOW,
  result,
  source,
  updateOf,
  version,
} from './factories.ts';

const done = (more = {}) => job({ state: 'succeeded', ...more });
const publication = (n: number) => ({ version: version(n), result: result(), now: NOW, graceUntil: LATER });
const old = (n: number, todoAt = LATER): OldVersionRow => ({
  type: 'old-version',
  mediaId: MEDIA_ID,
  creatorId: 'ann',
  version: n,
  todo: 'expire',
  todoAt,
});

describe('a version may be put before viewers', () => {
  it('by the job that the media names', () => {
    expect(mayPublish(done(), media())).toEqual({ ok: true });
  });
  it.each([
    ['by an older job', done(), media({ jobId: `${MEDIA_ID}-2` })],
    ['by a job that ended otherwise', job({ state: 'failed' }), media()],
    ['of a media that is being deleted', done(), media({ state: 'deleting' })],
    ['of a media that is gone', done(), null],
  ])('not %s', (_, row, of) => {
    expect(mayPublish(row, of).ok).toBe(false);
  });
});

describe('a published version', () => {
  it('makes a new media ready, and ends its job with what it cost', () => {
    const before = media({ error: { code: 'worker_lost', message: 'Before.', at: EARLIER } });
    const outcome = published(done(), before, publication(1));
    expect(updateOf(outcome, 'MEDIA')).toMatchObject({
      expect: { state: 'transcoding', seq: 2, jobId: `${MEDIA_ID}-1` },
      set: {
        state: 'ready',
        seq: 3,
        kind: 'video',
        current: version(1),
        attempts: 0,
        sourceInfo: { durationSeconds: 12, width: 640, height: 360 },
      },
      remove: ['error', 'previous'],
    });
    expect(updateOf(outcome, 'JOB#000001')).toMatchObject({
      expect: { state: 'succeeded' },
      set: { state: 'published', cost: { usd: 0.04937, vcpuSeconds: 3600 }, finishedAt: NOW },
      remove: ['todo', 'todoAt'],
    });
    expect(changeOf(outcome)).toHaveLength(2);
  });

  it('keeps the one before for its grace, and leaves sweep a row to remove it by', () => {
    const before = media({ state: 'retranscoding', current: version(1), jobId: `${MEDIA_ID}-2` });
    const outcome = published(done({ n: 2 }), before, publication(2));
    expect(updateOf(outcome, 'MEDIA').set).toMatchObject({
      state: 'ready',
      current: version(2),
      previous: { ...version(1), expiresAt: LATER },
    });
    expect(updateOf(outcome, 'OLD#000001')).toEqual({
      op: 'update',
      key: { pk: `MEDIA#${MEDIA_ID}`, sk: 'OLD#000001' },
      expect: {},
      set: old(1),
    });
  });

  it.each([
    ['of an output, in place of its original', source({ bucket: 'media', key: 'ann/mp4/one/v1.mp4' })],
    ['of an older upload than the last', source({ versionId: 'v-0' })],
  ])('made %s says nothing of the upload', (_, from) => {
    const before = media({ sourceInfo: { width: 3840, height: 2160 } });
    expect(updateOf(published(done({ source: from }), before, publication(1)), 'MEDIA').set).not.toHaveProperty(
      'sourceInfo',
    );
  });

  it('keeps what was recorded while its job ran, as of a later upload that was refused', () => {
    const error = { code: 'not_media' as const, message: 'It is a letter.', at: NOW };
    const before = media({ state: 'retranscoding', current: version(1), error, jobId: `${MEDIA_ID}-2` });
    expect(updateOf(published(done({ n: 2, createdAt: EARLIER }), before, publication(2)), 'MEDIA').remove).toEqual([]);
  });

  it('twice changes nothing', () => {
    expect(published(job({ state: 'published' }), media(), publication(1))).toEqual({ none: 'published before' });
  });

  it.each([
    ['transcoding', 'retranscoding'],
    ['failed', 'ready'],
  ] as const)('that viewers see although another job began meanwhile is the current one; the media goes from %s to %s', (state, then) => {
    const outcome = published(done(), media({ state, jobId: `${MEDIA_ID}-2`, jobCount: 2 }), publication(1));
    const { set } = updateOf(outcome, 'MEDIA');
    expect(set).toMatchObject({ state: then, current: version(1) });
    expect(set).not.toHaveProperty('attempts');
  });

  it('is none when a newer one was published meanwhile', () => {
    const newer = media({ state: 'ready', jobId: `${MEDIA_ID}-2`, current: version(2) });
    expect(published(done(), newer, publication(1))).toEqual({ none: 'a newer version is published' });
  });

  it('is none when the media is being deleted', () => {
    expect(published(done(), media({ state: 'deleting' }), publication(1))).toEqual({ none: 'the media is deleted' });
  });
});

describe('the access of a version', () => {
  const films: CollectionRow = {
    type: 'collection',
    creatorId: 'ann',
    collectionId: 'talks',
    title: 'talks',
    preset: 'standard',
    deleteOriginal: false,
    retranscodeFromOutput: false,
    playback: 'private',
    scheduleRetranscode: false,
    createdAt: NOW,
    updatedAt: NOW,
  };

  it("is the collection's, once", () => {
    const [update] = changeOf(decideAccess(done(), films));
    expect(update).toMatchObject({ set: { access: 'private' }, expect: { state: 'succeeded', access: null } });
    expect(decideAccess(done({ access: 'public' }), films)).toEqual({ none: 'decided before' });
    expect(decideAccess(job({ state: 'cancelled' }), films)).toEqual({ none: 'the job is cancelled' });
  });
  it('goes with it when it is replaced, rolled back or found late', () => {
    const current = version(1, { access: 'private' });
    const replaced = published(done({ n: 2 }), media({ jobId: `${MEDIA_ID}-2`, current }), publication(2));
    expect(updateOf(replaced, 'OLD#000001').set).toMatchObject({ version: 1, access: 'private' });
    const previous = { ...version(2), expiresAt: LATER };
    const back = rolledBack(`${MEDIA_ID}-1`, media({ current, previous }), LATER, NOW);
    expect(updateOf(back, 'OLD#000001').set).toMatchObject({ version: 1, access: 'private' });
    const late = superseded(done({ access: 'private' }), media(), 'x', NOW, LATER);
    expect(updateOf(late, 'OLD#000001').set).toMatchObject({ version: 1, access: 'private' });
  });
});

describe('a job that came too late', () => {
  it('is cancelled with the reason, and what it copied goes after its grace, for viewers may have seen it', () => {
    const row = done({ access: 'public' });
    const outcome = superseded(row, media({ jobId: `${MEDIA_ID}-2` }), 'another decides', NOW, LATER);
    expect(updateOf(outcome, 'JOB#000001').set).toMatchObject({
      state: 'cancelled',
      error: { code: 'source_changed', message: 'Not published: another decides.' },
    });
    expect(updateOf(outcome, 'OLD#000001').set).toEqual({ ...old(1, LATER), access: 'public' });
  });
  it('leaves no word for sweep when it has copied nothing', () => {
    expect(changeOf(superseded(done(), media(), 'x', NOW, LATER))).toHaveLength(1);
  });
  it('is left as it is once it was published after all', () => {
    const row = job({ state: 'published' });
    expect(superseded(row, media(), 'x', NOW, LATER)).toEqual({ none: 'the job is published' });
  });
});

describe('a rollback', () => {
  const before = media({
    state: 'ready',
    jobId: `${MEDIA_ID}-2`,
    current: version(2),
    previous: { ...version(1), expiresAt: '2026-11-21T13:00:00.000Z' },
  });

  it('first keeps the previous version from sweep', () => {
    expect(changeOf(reserveRollback(`${MEDIA_ID}-2`, before, LATER, NOW))).toEqual([
      {
        op: 'update',
        key: MEDIA_KEY,
        expect: { seq: 2, 'current.version': 2, 'previous.expiresAt': '2026-11-21T13:00:00.000Z' },
        set: { previous: { ...version(1), expiresAt: LATER }, updatedAt: NOW },
      },
      { op: 'update', key: { pk: `MEDIA#${MEDIA_ID}`, sk: 'OLD#000001' }, expect: {}, set: old(1) },
    ]);
  });

  it.each([
    ['asked for before the last one was done: its message came late, or twice', '2026-11-21T11:30:00.000Z', 'none'],
    ['asked for since', '2026-11-21T11:30:00.001Z', 'change'],
  ])('%s', (_, askedAt, outcome) => {
    const row = { ...before, rolledBackAt: '2026-11-21T11:30:00.000Z' };
    expect(reserveRollback(`${MEDIA_ID}-2`, row, LATER, NOW, askedAt)).toHaveProperty(outcome);
  });

  it('then lets the two versions change places', () => {
    const outcome = rolledBack(`${MEDIA_ID}-2`, before, LATER, NOW);
    expect(updateOf(outcome, 'MEDIA').set).toEqual({
      current: version(1),
      previous: { ...version(2), expiresAt: LATER },
      rolledBackAt: NOW,
      seq: 3,
      updatedAt: NOW,
    });
    expect(updateOf(outcome, 'OLD#000002').set).toEqual(old(2));
    expect(changeOf(outcome)[2]).toEqual({
      op: 'remove',
      key: { pk: `MEDIA#${MEDIA_ID}`, sk: 'OLD#000001' },
      expect: {},
    });
  });

  it('to a version of the other kind changes the kind', () => {
    const sound = { name: 'x', codecs: 'a', bandwidth: 1, averageBandwidth: 1, durationSeconds: 1, bytes: 1 };
    const back = (renditions: (typeof sound & { width?: number })[]) => {
      const previous = { ...version(1, { renditions }), expiresAt: LATER };
      return updateOf(rolledBack(`${MEDIA_ID}-2`, { ...before, previous }, LATER, NOW), 'MEDIA').set.kind;
    };
    expect([back([sound]), back([{ ...sound, width: 640 }]), back([])]).toEqual(['audio', 'video', undefined]);
  });

  it('of which something is missing is recorded, and changes nothing else', () => {
    const error = { code: 'publish_failed' as const, message: 'A segment is missing.', at: NOW };
    expect(changeOf(rollbackFailed(`${MEDIA_ID}-2`, before, error))).toEqual([
      { op: 'update', key: MEDIA_KEY, expect: { seq: 2, state: 'ready' }, set: { error, updatedAt: NOW } },
    ]);
    expect(rollbackFailed(`${MEDIA_ID}-1`, before, error)).toHaveProperty('none');
  });

  it.each([
    ['that came twice', media({ current: version(1), previous: { ...version(2), expiresAt: LATER } })],
    ['with nothing to go back to', media({ current: version(2) })],
    ['after the grace', media({ current: version(2), previous: { ...version(1), expiresAt: NOW } })],
  ])('%s does nothing', (_, row) => {
    expect(reserveRollback(`${MEDIA_ID}-2`, row, LATER, NOW)).toHaveProperty('none');
  });
});

describe('a version whose grace is over', () => {
  it('is forgotten before its objects go, unless a rollback moved it', () => {
    const row = media({ current: version(2), previous: { ...version(1), expiresAt: NOW } });
    expect(changeOf(forgetVersion(old(1, NOW), row))).toEqual([
      {
        op: 'update',
        key: MEDIA_KEY,
        expect: { seq: 2, 'previous.version': 1, 'previous.expiresAt': NOW },
        set: {},
        remove: ['previous'],
      },
      { op: 'check', key: { pk: `MEDIA#${MEDIA_ID}`, sk: 'OLD#000001' }, expect: { todoAt: NOW } },
    ]);
  });
  it('stays when viewers see it', () => {
    expect(forgetVersion(old(2, NOW), media({ current: version(2) }))).toMatchObject({
      inUse: true,
      change: [{ op: 'remove' }],
    });
  });
  it.each([
    ['older than the previous one', media({ current: version(3), previous: { ...version(2), expiresAt: LATER } })],
    ['of a media that is gone', null],
  ])('%s goes without a change of the media', (_, row) => {
    expect(forgetVersion(old(1, NOW), row)).toEqual({ none: 'nothing refers to it' });
  });
});
