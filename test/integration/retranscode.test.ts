import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { eachLimit } from '../../aws/concurrency.ts';
import { apply, getCollection, getJob, getMedia } from '../../aws/table.ts';
import { countTodo, queryMedia, queryTodo } from '../../aws/table-queries.ts';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { CHORE, type MediaRow, rowKeys } from '../../core/contracts/rows.ts';
import { markDeleting } from '../../core/jobs/transitions.ts';
import { ingest } from '../../functions/ingest-upload/ingest.ts';
import { AwsError } from '../../local/service.ts';
import { changeOf, media, source, version } from '../unit/core/jobs/factories.ts';
import { startWorld, type World } from '../unit/local/batch/setup.ts';
import { MEDIA, type Services, startServices, UPLOADS } from './services.ts';
import { addCollection, addJob, addMedia, CAP, dropObject, engineOf, LONG_AGO, sweepOnce } from './swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

let services: Services;
let world: World;

beforeAll(async () => {
  services = await startServices();
  world = await startWorld({ slots: 4 });
});
afterAll(async () => {
  await services[Symbol.asyncDispose]();
  await world.close();
});
/** Nothing is left for sweep to do, and there is room under the cap. */
afterEach(async () => {
  services.onCall = () => {};
  for (const todo of [CHORE.collection, CHORE.retranscode, CHORE.retranscodeJob, CHORE.job]) {
    for (;;) {
      const { items } = await queryTodo(services.table, todo, { until: '9999', limit: 1000 });
      if (items.length === 0) break;
      await eachLimit(items, 40, async ({ pk, sk }) => {
        await apply(services.table, [
          { op: 'update', key: { pk, sk }, expect: {}, set: {}, remove: ['todo', 'todoAt'] },
        ]);
      });
    }
  }
});

const run = (timeIsUp?: () => boolean) => sweepOnce(services, world, 0, timeIsUp);
const rowOf = ({ mediaId }: Pick<MediaRow, 'mediaId'>) => getMedia(services.table, mediaId);
const flagOf = (at: string) => ({ scheduleRetranscode: true, todo: CHORE.collection, todoAt: at });
const FLAGGED = { scheduleRetranscode: true, todo: CHORE.retranscode, todoAt: LONG_AGO };
const change = (row: MediaRow, set: Partial<MediaRow>) =>
  apply(services.table, [{ op: 'update', key: rowKeys.media(row.mediaId), expect: {}, set }]);

describe('a flagged collection', () => {
  /** Time for one page of 200: it is asked for before the collections, before each of them, and before each page of media. */
  const onePage = () => {
    let asked = 0;
    return () => ++asked > 3;
  };
  const flaggedIn = async (collectionId: string) => {
    const flagged: MediaRow[] = [];
    for (let after: Record<string, unknown> | undefined; ; ) {
      const page = await queryMedia(services.table, { creatorId: 'ann', collectionId }, { limit: 1000, after });
      flagged.push(...page.items.filter(({ scheduleRetranscode }) => scheduleRetranscode));
      if (!page.next) return flagged.map(({ mediaId }) => mediaId);
      after = page.next;
    }
  };
  /** Media of one source; those later in the list are younger. */
  async function fill(collectionId: string, count: number): Promise<MediaRow[]> {
    const [first, last] = [await addMedia(services, collectionId, '0', { createdAt: LONG_AGO }), count - 1];
    const others = await Promise.all(
      Array.from({ length: last }, async (_, i) => {
        const mediaId = await mediaIdFor(collectionId, String(i));
        const createdAt = new Date(Date.parse(LONG_AGO) + (i + 1) * 1000).toISOString();
        return { ...first, mediaId, createdAt, jobId: `${mediaId}-1` };
      }),
    );
    await eachLimit(others, 40, async (row) => {
      await apply(services.table, [{ op: 'put', key: rowKeys.media(row.mediaId), row }]);
    });
    return [first, ...others];
  }

  it('of several pages is taken up where a run had to stop; what came meanwhile is flagged, what went is not', async () => {
    await addCollection(services, 'library', flagOf(LONG_AGO));
    const rows = await fill('library', 230);
    expect(await run(onePage())).toMatchObject({ mediaFlagged: 200, collectionsExpanded: 0, retranscodesStarted: 0 });
    expect(await getCollection(services.table, 'ann', 'library')).toMatchObject({ scheduleRetranscode: true });

    const [gone] = rows.slice(-1);
    if (!gone) throw new Error('There is no last one.');
    await apply(services.table, changeOf(markDeleting(gone, '2999-01-01T00:00:00.000Z')));
    const came = await addMedia(services, 'library', 'came.mp4', { createdAt: new Date().toISOString() });
    expect(await run(onePage())).toMatchObject({ mediaFlagged: 30, collectionsExpanded: 0 });
    expect(await run()).toMatchObject({ mediaFlagged: 0, collectionsExpanded: 1, retranscodesStarted: CAP });
    expect(await flaggedIn('library')).toHaveLength(230 - CAP);
    expect(await rowOf(gone)).toMatchObject({ state: 'deleting', scheduleRetranscode: false });
    expect(await rowOf(came)).toMatchObject({ scheduleRetranscode: true });
    expect(await getCollection(services.table, 'ann', 'library')).not.toHaveProperty('flagCursor');
  });

  it('flagged anew while it is expanded begins anew, and each media is flagged once', async () => {
    const key = await addCollection(services, 'anew', flagOf(LONG_AGO));
    const [first] = await fill('anew', 210);
    if (!first) throw new Error('There is none.');
    expect(await run(onePage())).toMatchObject({ mediaFlagged: 200 });
    // Encoded again by now, for the first flag.
    const unflagged = { scheduleRetranscode: false };
    const todo = ['todo', 'todoAt'];
    const row = rowKeys.media(first.mediaId);
    await apply(services.table, [{ op: 'update', key: row, expect: {}, set: unflagged, remove: todo }]);
    await apply(services.table, [{ op: 'update', key, expect: {}, set: flagOf('2026-01-02T00:00:00.000Z') }]);
    expect(await run()).toMatchObject({ collectionsExpanded: 1, retranscodesStarted: CAP });
    expect(await flaggedIn('anew')).toHaveLength(210 - CAP);
    expect(await rowOf(first)).toMatchObject({ scheduleRetranscode: true });
  });

  it('encodes a media that had a flag of its own once, though the run dies before the flag is cleared', async () => {
    const key = await addCollection(services, 'twice', flagOf(LONG_AGO));
    const row = await addMedia(services, 'twice', 'one.mp4', FLAGGED);
    expect(await run()).toMatchObject({ retranscodesStarted: 1 });
    // As if the run had died before it cleared the flag, and the job had ended by now.
    await apply(services.table, [{ op: 'update', key, expect: {}, set: flagOf(LONG_AGO) }]);
    await change(row, { state: 'ready' });
    await run();
    expect(await getCollection(services.table, 'ann', 'twice')).toMatchObject({ scheduleRetranscode: false });
    expect(await rowOf(row)).toMatchObject({ jobCount: 2, scheduleRetranscode: false });
  });

  it('leaves a media alone whose upload never came, or was refused', async () => {
    await addCollection(services, 'refused', flagOf(LONG_AGO));
    const bare = { state: 'failed' as const, current: undefined, jobId: undefined, jobCount: 0, attempts: 0 };
    const expired = await addMedia(services, 'refused', 'expired.mp4', {
      ...bare,
      source: source({ bucket: UPLOADS, key: 'drop/ann/refused/never', versionId: undefined, etag: '' }),
      error: { code: 'upload_expired', message: 'The upload was not finished in time.', at: LONG_AGO },
    });
    const large = await addMedia(services, 'refused', 'large.mp4', {
      ...bare,
      error: { code: 'too_large', message: 'The file has 2 bytes; the limit is 1.', at: LONG_AGO },
    });
    expect(await run()).toMatchObject({ collectionsExpanded: 1, mediaFlagged: 0, retranscodesStarted: 0 });
    expect(await rowOf(expired)).toMatchObject({ state: 'failed', error: { code: 'upload_expired' }, jobCount: 0 });
    expect(await rowOf(large)).toMatchObject({ state: 'failed', error: { code: 'too_large' }, jobCount: 0 });
  });
});

describe('a flagged media', () => {
  it('that failed is tried again behind the uploads, and counts among those under the cap', async () => {
    const failed = await addMedia(services, 'failed', 'one.mp4', { state: 'failed', current: undefined, ...FLAGGED });
    expect(await run()).toMatchObject({ retranscodesStarted: 1 });
    expect(await rowOf(failed)).toMatchObject({ state: 'transcoding', scheduleRetranscode: false });
    expect(await getJob(services.table, failed.mediaId, 2)).toMatchObject({ purpose: 'retranscode' });
    expect(await countTodo(services.table, CHORE.retranscodeJob, 10)).toBe(1);
  });

  it('is one of as many as the cap allows, though two runs of sweep meet, or one stopped half-way', async () => {
    const names = Array.from({ length: 2 * CAP + 1 }, (_, i) => `${i}.mp4`);
    const rows = await Promise.all(names.map((name) => addMedia(services, 'met', name, FLAGGED)));
    const started = async () =>
      (await Promise.all(rows.map(rowOf))).filter((row) => row?.state === 'retranscoding').length;
    const [one, other] = await Promise.all([run(), run()]);
    expect(one.retranscodesStarted + other.retranscodesStarted).toBe(CAP);
    expect(await started()).toBe(CAP);
  });

  it('waits for no run that has died: its turn is over with the longest that a run may take', async () => {
    const row = await addMedia(services, 'died', 'one.mp4', FLAGGED);
    let dead = false;
    services.onCall = (when, { operation }) => {
      dead ||= when === 'before' && operation === 'TransactWriteItems';
      if (dead) throw new AwsError('InternalServerError', 500, 'Dead.');
    };
    await expect(run()).rejects.toThrow();
    services.onCall = () => {};
    expect(await sweepOnce(services, world, 4)).toMatchObject({ retranscodesStarted: 0 });
    expect(await sweepOnce(services, world, 5)).toMatchObject({ retranscodesStarted: 1 });
    expect(await rowOf(row)).toMatchObject({ state: 'retranscoding' });
  });

  it('is encoded with the default preset where its collection names one that there is no more', async () => {
    await addCollection(services, 'bygone', { preset: 'bygone' });
    const row = await addMedia(services, 'bygone', 'one.mp4', FLAGGED);
    await run();
    expect(await getJob(services.table, row.mediaId, 2)).toMatchObject({ preset: { name: 'standard', version: 1 } });
  });

  it('is made of its last upload when only a lost worker kept that from viewers, and of what they see once it is gone', async () => {
    const row = await addMedia(services, 'replaced', 'one.mp4', { jobCount: 2, ...FLAGGED });
    const { source: newer } = await dropObject(services, row.source.key, 'a newer one');
    await change(row, { source: newer, jobId: `${row.mediaId}-2` });
    const error = { code: 'worker_lost' as const, message: 'Gone.', at: LONG_AGO };
    const failed = await addJob(services, row, { n: 2, state: 'failed', source: newer, error });
    await run();
    expect(await getJob(services.table, row.mediaId, 3)).toMatchObject({ source: newer });
    await change(row, { state: 'ready', jobId: failed.jobId, ...FLAGGED });
    await services.s3.send(new DeleteObjectCommand({ Bucket: UPLOADS, Key: newer.key, VersionId: newer.versionId }));
    await run();
    expect(await getJob(services.table, row.mediaId, 4)).toMatchObject({ source: row.source });
  });

  it('whose source cannot be looked at keeps its flag, and does not keep the others from their turn', async () => {
    const locked = await addMedia(services, 'locked', 'locked.mp4', FLAGGED);
    const later = { ...FLAGGED, todoAt: '2026-01-02T00:00:00.000Z' };
    const other = await addMedia(services, 'locked', 'other.mp4', later);
    services.onCall = (when, { operation, request }) => {
      if (when === 'before' && operation === 'HeadObject' && request?.path.endsWith('locked.mp4')) {
        throw new AwsError('KMS.DisabledException', 400, 'The key is disabled.');
      }
    };
    await expect(run()).rejects.toThrow();
    expect(await rowOf(locked)).toMatchObject({ state: 'ready', scheduleRetranscode: true });
    expect(await rowOf(other)).toMatchObject({ state: 'retranscoding' });
  });
});

describe('a media that is deleted while its job', () => {
  const RUNS = { HOLD: '/nowhere', ON_TERM: '143' };
  const deleting = () => ({ state: 'deleting' as const, todo: CHORE.delete, todoAt: LONG_AGO });
  const leftOf = async (row: MediaRow) => {
    const { Contents = [] } = await services.s3.send(new ListObjectsV2Command({ Bucket: MEDIA, Prefix: 'tmp/' }));
    return Contents.filter(({ Key }) => Key?.includes(row.mediaId)).length;
  };
  const push = (row: MediaRow) =>
    services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: `tmp/${row.mediaId}-1/result.json`, Body: '{}' }));

  it('runs leaves nothing behind, whatever its worker still puts before it is ended', async () => {
    const row = await addMedia(services, 'gone', 'runs.mp4', deleting());
    const engineJobId = await world.submit(RUNS, { jobName: `${row.mediaId}-1` });
    await addJob(services, row, { engineJobId });
    await run();
    await push(row);
    // The id of the media, and of its next job, may be taken again from here on.
    expect(await rowOf(row)).toMatchObject({ state: 'deleting' });
    await world.until(engineJobId, 'FAILED');
    expect(await sweepOnce(services, world, 17)).toMatchObject({ mediaDeleted: 1 });
    expect([await rowOf(row), await leftOf(row)]).toEqual([null, 0]);
  });

  it('is just being submitted has it ended, too', async () => {
    const row = await addMedia(services, 'gone', 'submitted.mp4', deleting());
    const { engineJobId: _, ...unsent } = await addJob(services, row, { state: 'queued', engineJobId: undefined });
    await run();
    const engineJobId = await world.submit(RUNS, { jobName: unsent.jobId });
    const key = rowKeys.job(row.mediaId, 1);
    await apply(services.table, [{ op: 'update', key, expect: { state: 'cancelled' }, set: { engineJobId } }]);
    expect(await sweepOnce(services, world, 17)).toMatchObject({ mediaDeleted: 1 });
    await world.until(engineJobId, 'FAILED');
  });
});

it('a media dropped again after it was deleted takes no number again: caches and receivers know the old ones', async () => {
  const key = 'drop/ann/again/one.wav';
  const { mediaId } = await dropObject(services, key, 'first');
  const updatedAt = new Date(Date.now() + 5000).toISOString();
  const todo = { todo: CHORE.delete, todoAt: LONG_AGO };
  const row = media({ mediaId, source: source({ bucket: UPLOADS, key }), state: 'deleting', seq: 9, jobCount: 4 });
  await apply(services.table, [{ op: 'put', key: rowKeys.media(mediaId), row: { ...row, ...todo, updatedAt } }]);
  expect(await run()).toMatchObject({ mediaDeleted: 1 });
  expect(await getMedia(services.table, mediaId)).toBeNull();

  await dropObject(services, key, 'RIFF\x24\0\0\0WAVEfmt ');
  const { table, s3 } = services.breakable;
  const event = { bucket: { name: UPLOADS }, object: { key, size: 1, etag: 'x', sequencer: '01' } };
  await ingest({ table, s3, engine: engineOf(services, world), maxUploadBytes: 1e9 }, event);
  // The tenth was the announcement that it is gone.
  expect(await getMedia(services.table, mediaId)).toMatchObject({ jobId: `${mediaId}-5`, jobCount: 5 });
  expect((await getMedia(services.table, mediaId))?.seq).toBeGreaterThan(10);
});

describe('a job that the engine has lost', () => {
  const LOST = '00000000-0000-0000-0000-000000000000';

  it('of a new upload over a version that plays is made again of that upload, among the uploads', async () => {
    const row = await addMedia(services, 'lost', 'replaced.mp4', { state: 'retranscoding', jobCount: 2 });
    const newer = source({ ...row.source, versionId: 'v-newer', sequencer: '0B', etag: '"newer"' });
    await change(row, { source: newer, jobId: `${row.mediaId}-2` });
    await addJob(services, row, { n: 2, source: newer, engineJobId: LOST });
    await run();
    expect(await rowOf(row)).toMatchObject({ state: 'retranscoding', jobId: `${row.mediaId}-3` });
    expect(await getJob(services.table, row.mediaId, 3)).toMatchObject({ purpose: 'ingest', source: newer });
  });

  it('of an MP4 in place of its original is made again of the MP4', async () => {
    const gone = source({ bucket: UPLOADS, key: 'drop/ann/lost/never.mp4', versionId: undefined });
    const row = await addMedia(services, 'lost', 'output.mp4', {
      state: 'retranscoding',
      source: gone,
      current: version(1, { source: gone }),
    });
    const mp4 = { bucket: MEDIA, key: `ann/mp4/${row.mediaId}/v1.mp4`, sequencer: '0A', size: 6, etag: '"mp4"' };
    await addJob(services, row, { purpose: 'retranscode', source: mp4, engineJobId: LOST });
    await run();
    expect(await getJob(services.table, row.mediaId, 2)).toMatchObject({ purpose: 'retranscode', source: mp4 });
  });
});

it('sound whose original is gone is encoded from its best rendition, where its collection allows that', async () => {
  await addCollection(services, 'podcasts', { retranscodeFromOutput: true });
  const gone = source({ bucket: UPLOADS, key: 'drop/ann/podcasts/never.wav', versionId: undefined });
  const rendition = (name: string, bytes: number) => ({
    ...{ name, codecs: 'mp4a.40.2', bandwidth: bytes, averageBandwidth: bytes },
    ...{ durationSeconds: 1, bytes },
  });
  const row = await addMedia(services, 'podcasts', 'one.wav', {
    ...FLAGGED,
    source: gone,
    current: version(1, {
      outputs: { master: 'x' },
      access: 'private',
      renditions: [rendition('128k', 1600), rendition('64k', 800)],
      source: gone,
    }),
  });
  const Key = `private/ann/hls/${row.mediaId}/v1/128k.m3u8`;
  const { ETag } = await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body: '#EXTM3U' }));
  expect(await run()).toMatchObject({ retranscodesStarted: 1, originalsGone: 0 });
  expect(await getJob(services.table, row.mediaId, 2)).toMatchObject({
    source: { bucket: MEDIA, key: Key, size: 1600, etag: ETag },
  });
});
