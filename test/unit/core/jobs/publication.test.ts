import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import type { CollectionRow } from '../../../../core/contracts/table/collections.ts';
import type { OldVersionRow } from '../../../../core/contracts/table/media.ts';
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
} from '../../../support/factories.ts';

const done = (more = {}) => job({ state: 'succeeded', ...more });
const preset = PRESETS.standard ?? expect.fail('no preset');
const encoding = { preset, engine: 'batch-cpu' };
const cost = { usd: 0.04937, vcpuSeconds: 3600 };
const publication = (n: number) => ({
  version: version(n),
  result: result(),
  now: NOW,
  graceUntil: LATER,
  encoding,
  cost,
});
const old = (n: number, todoAt = LATER): OldVersionRow => ({
  type: 'old-version',
  mediaId: MEDIA_ID,
  creatorId: 'ann',
  version: n,
  todo: 'expire',
  todoAt,
});

/** Of a job that came too late. */
const LATE = { why: 'x', now: NOW, graceUntil: LATER, cost };

describe('a version may be published', () => {
  it('by the job that the media item names', () => {
    expect(mayPublish(done(), media())).toBe('allowed');
  });
  it.each([
    ['by an older job', done(), media({ jobId: `${MEDIA_ID}-2` })],
    ['by a job that ended otherwise', job({ state: 'failed' }), media()],
    ['of a media item that is being deleted', done(), media({ state: 'deleting' })],
    ['of a removed media item', done(), null],
  ])('not %s', (_, row, of) => {
    expect(mayPublish(row, of)).toEqual({ refused: expect.any(String) });
  });
});

describe('a published version', () => {
  it('makes a new media item ready, and ends its job with its cost', () => {
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

  it('keeps the previous one for its grace period, and leaves sweep a row to remove it by', () => {
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
  ])('that is made %s does not change the record of the upload', (_, from) => {
    const before = media({ sourceInfo: { width: 3840, height: 2160 } });
    expect(updateOf(published(done({ source: from }), before, publication(1)), 'MEDIA').set).not.toHaveProperty(
      'sourceInfo',
    );
  });

  it('that is made of the copy in the archive does not change the record of the upload', () => {
    const archivedFrom = { key: source().key, versionId: 'v-a', size: 1000, etag: '"aa"' };
    const copy = source({ key: 'archive/a.mp4', versionId: 'v-copy' });
    const before = media({ source: { ...copy, archivedFrom }, sourceInfo: { videoCodec: 'h264' } });
    const outcome = published(done({ source: copy }), before, publication(1));
    expect(updateOf(outcome, 'MEDIA').set).not.toHaveProperty('sourceInfo');
  });

  it('that is made of an upload which the archive has replaced since names the copy', () => {
    const archivedFrom = { key: source().key, versionId: 'v-a', size: 1000, etag: '"aa"' };
    const copy = source({ key: 'archive/a.mp4', versionId: 'v-copy' });
    const outcome = published(done(), media({ source: { ...copy, archivedFrom } }), publication(1));
    expect(updateOf(outcome, 'MEDIA').set).toMatchObject({ current: { version: 1, source: copy } });
  });

  it('keeps an error that was recorded while its job ran, as of a later upload that was refused', () => {
    const error = { code: 'not_media' as const, message: 'It is a letter.', at: NOW };
    const before = media({ state: 'retranscoding', current: version(1), error, jobId: `${MEDIA_ID}-2` });
    expect(updateOf(published(done({ n: 2, createdAt: EARLIER }), before, publication(2)), 'MEDIA').remove).toEqual([]);
  });

  it('removes an error that was recorded at the moment in which its job was created', () => {
    const error = { code: 'worker_lost' as const, message: 'The worker was lost.', at: EARLIER };
    const before = media({ state: 'retranscoding', current: version(1), error, jobId: `${MEDIA_ID}-2` });
    const outcome = published(done({ n: 2, createdAt: EARLIER }), before, publication(2));
    expect(updateOf(outcome, 'MEDIA').remove).toEqual(['error']);
  });

  it('is the current one while the upload that waited for it is encoded, whose job begins in the same change', () => {
    const pending = { source: source({ versionId: 'v-b' }), info: { durationSeconds: 99 } };
    const outcome = published(done(), media({ pending, originalDeletedAt: EARLIER }), publication(1));
    expect(updateOf(outcome, 'MEDIA')).toMatchObject({
      expect: { state: 'transcoding', seq: 2, jobId: `${MEDIA_ID}-1` },
      set: {
        state: 'retranscoding',
        current: version(1),
        jobId: `${MEDIA_ID}-2`,
        jobCount: 2,
        attempts: 1,
        source: { versionId: 'v-b' },
        sourceInfo: { durationSeconds: 99 },
      },
      remove: expect.arrayContaining(['pending', 'originalDeletedAt']),
    });
    expect(outcome).toMatchObject({ next: { n: 2, state: 'queued', purpose: 'ingest', source: { versionId: 'v-b' } } });
    expect(changeOf(outcome)).toContainEqual(
      expect.objectContaining({ op: 'put', key: { pk: MEDIA_KEY.pk, sk: 'JOB#000002' } }),
    );
  });

  it('that was recorded before changes nothing', () => {
    expect(published(job({ state: 'published' }), media(), publication(1))).toEqual({ refused: 'published before' });
  });

  it.each([
    ['transcoding', 'retranscoding'],
    ['failed', 'ready'],
  ] as const)('that viewers see although another job began meanwhile is the current one; the media item goes from %s to %s', (state, then) => {
    const outcome = published(done(), media({ state, jobId: `${MEDIA_ID}-2`, jobCount: 2 }), publication(1));
    const { set } = updateOf(outcome, 'MEDIA');
    expect(set).toMatchObject({ state: then, current: version(1) });
    expect(set).not.toHaveProperty('attempts');
  });

  it('that viewers see already ends its job, although another job began meanwhile', () => {
    const seen = media({ state: 'retranscoding', jobId: `${MEDIA_ID}-2`, jobCount: 2, current: version(1) });
    const outcome = published(done(), seen, publication(1));
    expect(updateOf(outcome, 'MEDIA').set).toMatchObject({ state: 'retranscoding', current: version(1) });
    expect(updateOf(outcome, 'JOB#000001').set).toMatchObject({ state: 'published' });
  });

  it('is not recorded when a newer one was published meanwhile', () => {
    const newer = media({ state: 'ready', jobId: `${MEDIA_ID}-2`, current: version(2) });
    expect(published(done(), newer, publication(1))).toEqual({ refused: 'a newer version is published' });
  });

  it('is not recorded when the media item is being deleted', () => {
    expect(published(done(), media({ state: 'deleting' }), publication(1))).toEqual({
      refused: 'the media item is deleted',
    });
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

  it("is the collection's, and is decided once", () => {
    const [update] = changeOf(decideAccess(done(), films, version(1)));
    expect(update).toMatchObject({ set: { access: 'private' }, expect: { state: 'succeeded', access: null } });
    expect(decideAccess(done({ access: 'public' }), films, undefined)).toEqual({ refused: 'decided before' });
    expect(decideAccess(job({ state: 'cancelled' }), films, undefined)).toEqual({ refused: 'the job is cancelled' });
  });
  it.each([
    ['an unpublished media item is private', undefined, 'private'],
    ['one that is public stays so', version(1, { access: 'public' }), 'public'],
    ['one of the time before private media stays public', version(1), 'public'],
    ['one that is private stays so', version(1, { access: 'private' }), 'private'],
  ] as const)('without its collection, %s', (_, current, access) => {
    expect(decideAccess(done(), null, current)).toMatchObject({ access });
  });
  it('stays with it when it is replaced, rolled back or superseded', () => {
    const current = version(1, { access: 'private' });
    const replaced = published(done({ n: 2 }), media({ jobId: `${MEDIA_ID}-2`, current }), publication(2));
    expect(updateOf(replaced, 'OLD#000001').set).toMatchObject({ version: 1, access: 'private' });
    const previous = { ...version(2), expiresAt: LATER };
    const back = rolledBack(`${MEDIA_ID}-1`, media({ current, previous }), LATER, NOW);
    expect(updateOf(back, 'OLD#000001').set).toMatchObject({ version: 1, access: 'private' });
    const late = superseded(done({ access: 'private' }), media(), LATE);
    expect(updateOf(late, 'OLD#000001').set).toMatchObject({ version: 1, access: 'private' });
  });
});

describe('a job that came too late', () => {
  it('is cancelled with the reason, and its copies are removed after the grace period, because viewers may have seen them', () => {
    const row = done({ access: 'public' });
    const outcome = superseded(row, media({ jobId: `${MEDIA_ID}-2` }), {
      ...LATE,
      why: 'another decides',
    });
    expect(updateOf(outcome, 'JOB#000001').set).toMatchObject({
      state: 'cancelled',
      error: { code: 'source_changed', message: 'Not published: another decides.' },
      cost: { usd: 0.04937, vcpuSeconds: 3600 },
    });
    expect(updateOf(outcome, 'OLD#000001').set).toEqual({ ...old(1, LATER), access: 'public' });
  });
  it('leaves sweep no row when it has copied nothing', () => {
    expect(changeOf(superseded(done(), media(), LATE))).toHaveLength(1);
  });
  it('does not change once it is published', () => {
    const row = job({ state: 'published' });
    expect(superseded(row, media(), LATE)).toEqual({ refused: 'the job is published' });
  });
});

describe('a rollback', () => {
  const before = media({
    state: 'ready',
    jobId: `${MEDIA_ID}-2`,
    current: version(2),
    previous: { ...version(1), expiresAt: '2026-11-21T13:00:00.000Z' },
  });

  it('first prevents sweep from removing the previous version', () => {
    expect(changeOf(reserveRollback(`${MEDIA_ID}-2`, before, { graceUntil: LATER, now: NOW }))).toEqual([
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
    ['requested before the last one was done, by a late or repeated message', '2026-11-21T11:30:00.000Z', 'refused'],
    ['asked for since', '2026-11-21T11:30:00.001Z', 'change'],
  ])('%s', (_, askedAt, outcome) => {
    const row = { ...before, rolledBackAt: '2026-11-21T11:30:00.000Z' };
    expect(reserveRollback(`${MEDIA_ID}-2`, row, { graceUntil: LATER, now: NOW, askedAt })).toHaveProperty(outcome);
  });

  it('then swaps the two versions', () => {
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

  it('to a version with a missing object is recorded, and changes nothing else', () => {
    const error = { code: 'publish_failed' as const, message: 'A segment is missing.', at: NOW };
    expect(changeOf(rollbackFailed(`${MEDIA_ID}-2`, before, error))).toEqual([
      { op: 'update', key: MEDIA_KEY, expect: { seq: 2, state: 'ready' }, set: { error, updatedAt: NOW } },
    ]);
    expect(rollbackFailed(`${MEDIA_ID}-1`, before, error)).toHaveProperty('refused');
  });

  it.each([
    ['that came twice', media({ current: version(1), previous: { ...version(2), expiresAt: LATER } })],
    ['with nothing to go back to', media({ current: version(2) })],
    ['after the grace', media({ current: version(2), previous: { ...version(1), expiresAt: NOW } })],
  ])('%s does nothing', (_, row) => {
    expect(reserveRollback(`${MEDIA_ID}-2`, row, { graceUntil: LATER, now: NOW })).toHaveProperty('refused');
  });
});

describe('a version after its grace period', () => {
  it('is removed from the row before its objects are, unless a rollback moved it', () => {
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
  it('stays when it is the current one', () => {
    expect(forgetVersion(old(2, NOW), media({ current: version(2) }))).toMatchObject({
      inUse: true,
      change: [{ op: 'remove' }],
    });
  });
  it.each([
    ['older than the previous one', media({ current: version(3), previous: { ...version(2), expiresAt: LATER } })],
    ['of a removed media item', null],
  ])('%s is removed without a change of the media item', (_, row) => {
    expect(forgetVersion(old(1, NOW), row)).toEqual({ refused: 'nothing refers to it' });
  });
});
