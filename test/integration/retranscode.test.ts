import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import { eachLimit } from '../../aws/concurrency.ts';
import { apply, getCollection, getJob, getMedia } from '../../aws/table.ts';
import { countTodo, queryMedia } from '../../aws/table-queries.ts';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { markDeleting } from '../../core/jobs/transitions.ts';
import { ingest } from '../../functions/ingest-upload/ingest.ts';
import { renewMedia } from '../../functions/sweep/retranscodes.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { changeOf, media, source, version } from '../support/factories.ts';
import { MEDIA, UPLOADS } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import {
  addCollection,
  addJob,
  addMedia,
  CAP,
  dropObject,
  enginesOf,
  LONG_AGO,
  QUOTAS,
  sweepOnce,
  sweepWith,
} from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, world } = await startStand({ slots: 4 });

const run = () => sweepOnce(services, world);
const rowOf = ({ mediaId }: Pick<MediaRow, 'mediaId'>) => getMedia(services.table, mediaId);
const flagOf = (at: string) => ({ scheduleRetranscode: true, todo: DUE_WORK.collection, todoAt: at });
const FLAGGED = { scheduleRetranscode: true, todo: DUE_WORK.retranscode, todoAt: LONG_AGO };
const change = (row: MediaRow, set: Partial<MediaRow>) =>
  apply(services.table, [{ op: 'update', key: rowKeys.media(row.mediaId), expect: {}, set }]);

describe('a flagged collection', () => {
  /** A run whose time is up when it has flagged so many. */
  const runFor = (flags: number) => {
    let flagged = 0;
    services.onCall = (when, { operation }) => {
      if (when === 'after' && operation === 'UpdateItem') flagged++;
    };
    const now = new Date().toISOString();
    return sweepWith(services, world, now, () => (flagged < flags ? 265_000 : 0), [renewMedia]);
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

  it('of several pages is continued where a run had to stop; new media items are flagged, and deleted ones are not', async () => {
    await addCollection(services, 'library', flagOf(LONG_AGO));
    const rows = await fill('library', 230);
    expect(await runFor(200)).toMatchObject({ mediaFlagged: 200, collectionsExpanded: 0, retranscodesStarted: 0 });
    expect(await getCollection(services.table, 'ann', 'library')).toMatchObject({ scheduleRetranscode: true });

    const [gone] = rows.slice(-1);
    if (!gone) throw new Error('There is no last one.');
    await apply(services.table, changeOf(markDeleting(gone, '2999-01-01T00:00:00.000Z')));
    const came = await addMedia(services, 'library', 'came.mp4', { createdAt: new Date().toISOString() });
    expect(await runFor(30)).toMatchObject({ mediaFlagged: 30, collectionsExpanded: 0 });
    expect(await run()).toMatchObject({ mediaFlagged: 0, collectionsExpanded: 1, retranscodesStarted: CAP });
    expect(await flaggedIn('library')).toHaveLength(230 - CAP);
    expect(await rowOf(gone)).toMatchObject({ state: 'deleting', scheduleRetranscode: false });
    expect(await rowOf(came)).toMatchObject({ scheduleRetranscode: true });
    expect(await getCollection(services.table, 'ann', 'library')).not.toHaveProperty('flagCursor');
  });

  it('that is flagged again during its expansion is expanded again, and each media item is flagged once', async () => {
    const key = await addCollection(services, 'anew', flagOf(LONG_AGO));
    const [first] = await fill('anew', 210);
    if (!first) throw new Error('There is none.');
    expect(await runFor(200)).toMatchObject({ mediaFlagged: 200 });
    // Encoded again by now, for the first flag.
    const unflagged = { scheduleRetranscode: false };
    const todo = ['todo', 'todoAt'] as const;
    const row = rowKeys.media(first.mediaId);
    await apply(services.table, [{ op: 'update', key: row, expect: {}, set: unflagged, remove: todo }]);
    await apply(services.table, [{ op: 'update', key, expect: {}, set: flagOf('2026-01-02T00:00:00.000Z') }]);
    expect(await run()).toMatchObject({ collectionsExpanded: 1, retranscodesStarted: CAP });
    expect(await flaggedIn('anew')).toHaveLength(210 - CAP);
    expect(await rowOf(first)).toMatchObject({ scheduleRetranscode: true });
  });

  it("has a media item with a flag of its own encoded once, though the run dies before it clears the collection's flag", async () => {
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

  it('does not flag a media item whose upload never came, or was refused', async () => {
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

describe('a flagged media item', () => {
  it('that failed is encoded again with the priority of a re-transcode, and counts towards the cap', async () => {
    const failed = await addMedia(services, 'failed', 'one.mp4', { state: 'failed', current: undefined, ...FLAGGED });
    expect(await run()).toMatchObject({ retranscodesStarted: 1 });
    expect(await rowOf(failed)).toMatchObject({ state: 'transcoding', scheduleRetranscode: false });
    expect(await getJob(services.table, failed.mediaId, 2)).toMatchObject({ purpose: 'retranscode' });
    expect(await countTodo(services.table, DUE_WORK.retranscodeJob, 10)).toBe(1);
  });

  it('is started within the cap by two simultaneous runs of sweep', async () => {
    const names = Array.from({ length: 2 * CAP + 1 }, (_, i) => `${i}.mp4`);
    const rows = await Promise.all(names.map((name) => addMedia(services, 'met', name, FLAGGED)));
    const started = async () =>
      (await Promise.all(rows.map(rowOf))).filter((row) => row?.state === 'retranscoding').length;
    const [one, other] = await Promise.all([run(), run()]);
    expect(one.retranscodesStarted + other.retranscodesStarted).toBe(CAP);
    expect(await started()).toBe(CAP);
  });

  it('is started after the lease of a dead run has ended', async () => {
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

  it('is encoded with the default preset where its collection names a removed one', async () => {
    await addCollection(services, 'bygone', { preset: 'bygone' });
    const row = await addMedia(services, 'bygone', 'one.mp4', FLAGGED);
    await run();
    expect(await getJob(services.table, row.mediaId, 2)).toMatchObject({ preset: { name: 'standard', version: 3 } });
  });

  it("is encoded from its last upload when that failed for a lost worker only, and from the current version's source once that upload is gone", async () => {
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

  it('whose source cannot be read keeps its flag, and does not delay the others', async () => {
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

describe('a media item that is deleted while its job', () => {
  const RUNS = { HOLD: '/nowhere', ON_TERM: '143' };
  const deleting = () => ({ state: 'deleting' as const, todo: DUE_WORK.delete, todoAt: LONG_AGO });
  const leftOf = async (row: MediaRow) => {
    const { Contents = [] } = await services.s3.send(new ListObjectsV2Command({ Bucket: MEDIA, Prefix: 'tmp/' }));
    return Contents.filter(({ Key }) => Key?.includes(row.mediaId)).length;
  };
  const push = (row: MediaRow) =>
    services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: `tmp/${row.mediaId}-1/result.json`, Body: '{}' }));

  it('runs leaves nothing behind, whatever its worker still uploads before it is ended', async () => {
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

  it('is being submitted has that job ended, too', async () => {
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

it('a media item that is dropped again after its deletion reuses no job number and no sequence number', async () => {
  const key = 'drop/ann/again/one.wav';
  const { mediaId } = await dropObject(services, key, 'first');
  const updatedAt = new Date(Date.now() + 5000).toISOString();
  const todo = { todo: DUE_WORK.delete, todoAt: LONG_AGO };
  const row = media({ mediaId, source: source({ bucket: UPLOADS, key }), state: 'deleting', seq: 9, jobCount: 4 });
  await apply(services.table, [{ op: 'put', key: rowKeys.media(mediaId), row: { ...row, ...todo, updatedAt } }]);
  expect(await run()).toMatchObject({ mediaDeleted: 1 });
  expect(await getMedia(services.table, mediaId)).toBeNull();

  await dropObject(services, key, 'RIFF\x24\0\0\0WAVEfmt ');
  const { table, s3 } = services.breakable;
  const event = { bucket: { name: UPLOADS }, object: { key, size: 1, etag: 'x', sequencer: '01' } };
  await ingest(
    {
      table,
      s3,
      engines: enginesOf(world),
      mediaBucket: MEDIA,
      maxUploadBytes: 1e9,
      scratchBytes: 1e11,
      quotas: QUOTAS,
    },
    event,
    new Date().toISOString(),
  );
  // The tenth was the announcement that it is gone.
  expect(await getMedia(services.table, mediaId)).toMatchObject({ jobId: `${mediaId}-5`, jobCount: 5 });
  expect((await getMedia(services.table, mediaId))?.seq).toBeGreaterThan(10);
});

describe('a job that the engine has lost', () => {
  const LOST = '00000000-0000-0000-0000-000000000000';

  it('of a new upload over a published version is followed by one of that upload, with the priority of uploads', async () => {
    const row = await addMedia(services, 'lost', 'replaced.mp4', { state: 'retranscoding', jobCount: 2 });
    const newer = source({ ...row.source, versionId: 'v-newer', sequencer: '0B', etag: '"newer"' });
    await change(row, { source: newer, jobId: `${row.mediaId}-2` });
    await addJob(services, row, { n: 2, source: newer, engineJobId: LOST });
    await run();
    expect(await rowOf(row)).toMatchObject({ state: 'retranscoding', jobId: `${row.mediaId}-3` });
    expect(await getJob(services.table, row.mediaId, 3)).toMatchObject({ purpose: 'ingest', source: newer });
  });

  it('of an MP4 in place of its original is followed by one of the MP4', async () => {
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

it('an audio file whose original is gone is encoded from its best rendition, where its collection allows that', async () => {
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
  const Key = `private/ann/${row.mediaId}/hls/v1/128k.m3u8`;
  const { ETag } = await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body: '#EXTM3U' }));
  expect(await run()).toMatchObject({ retranscodesStarted: 1, originalsGone: 0 });
  expect(await getJob(services.table, row.mediaId, 2)).toMatchObject({
    source: { bucket: MEDIA, key: Key, size: 1600, etag: ETag },
  });
});
