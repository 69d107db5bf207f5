import { PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import { apply, getCollection, getJob, getMedia } from '../../aws/table.ts';
import { queryTodo } from '../../aws/table-queries.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { newCollection } from '../../core/jobs/transitions.ts';
import { source, version } from '../support/factories.ts';
import { MEDIA, UPLOADS } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import { addMedia as add, CAP, LONG_AGO, sweepOnce } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

// Jobs that the code submits end at once.
const { services, world } = await startStand({ slots: 4 });

const run = (minutes = 0) => sweepOnce(services, world, minutes);
const addMedia = (collectionId: string, name: string, more: Partial<MediaRow> = {}) =>
  add(services, collectionId, name, more);
const rowOf = (row: MediaRow) => getMedia(services.table, row.mediaId);

describe('a flagged collection', () => {
  it('has each media item encoded again, once, and never more at a time than the cap', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const ready = await Promise.all(names.map((name) => addMedia('lectures', `${name}.mp4`)));
    const busy = await addMedia('lectures', 'busy.mp4', { state: 'retranscoding' });
    const gone = await addMedia('lectures', 'gone.mp4', {
      state: 'deleting',
      todo: 'delete',
      todoAt: '2999-01-01T00:00:00.000Z',
    });
    const flag = { scheduleRetranscode: true, todo: DUE_WORK.collection, todoAt: LONG_AGO, preset: 'compact' };
    const made = newCollection({ creatorId: 'ann', collectionId: 'lectures' }, LONG_AGO);
    await apply(services.table, [{ ...made, row: { ...made.row, ...flag } }]);

    expect(await run()).toMatchObject({ collectionsExpanded: 1, mediaFlagged: 6, retranscodesStarted: CAP });
    expect(await getCollection(services.table, 'ann', 'lectures')).toMatchObject({ scheduleRetranscode: false });
    expect(await rowOf(gone)).toMatchObject({ state: 'deleting', scheduleRetranscode: false });
    expect(await rowOf(busy)).toMatchObject({ state: 'retranscoding', scheduleRetranscode: true });
    const states = async () => (await Promise.all(ready.map(rowOf))).map((row) => row?.state);
    expect((await states()).filter((state) => state === 'retranscoding')).toHaveLength(CAP);

    expect(await run()).toMatchObject({ collectionsExpanded: 0, retranscodesStarted: 0 });
    const started = (await Promise.all(ready.map(rowOf))).find((row) => row?.state === 'retranscoding');
    expect(await getJob(services.table, started?.mediaId ?? '', 2)).toMatchObject({
      purpose: 'retranscode',
      preset: { name: 'compact' },
      engineJobId: expect.any(String),
    });

    // Those that run end; the rest gets its turn.
    for (const row of await Promise.all(ready.map(rowOf))) {
      if (row?.state !== 'retranscoding') continue;
      const end = { remove: ['todo', 'todoAt'] as const, set: { state: 'published' } };
      await apply(services.table, [{ op: 'update', key: rowKeys.job(row.mediaId, 2), expect: {}, ...end }]);
      await apply(services.table, [
        { op: 'update', key: rowKeys.media(row.mediaId), expect: {}, set: { state: 'ready' } },
      ]);
    }
    expect(await run()).toMatchObject({ retranscodesStarted: 2 });
    // The flag comes back with the same wave, as after a crash before it was cleared: nobody is encoded twice.
    await apply(services.table, [
      {
        op: 'update',
        key: made.key,
        expect: {},
        set: { scheduleRetranscode: true, todo: 'collection', todoAt: LONG_AGO },
      },
    ]);
    expect(await run()).toMatchObject({ collectionsExpanded: 1, mediaFlagged: 0, retranscodesStarted: 0 });
    expect((await Promise.all(ready.map(rowOf))).map((row) => row?.jobCount)).toEqual([2, 2, 2, 2, 2]);
    await apply(services.table, [
      { op: 'update', key: rowKeys.media(busy.mediaId), expect: {}, set: {}, remove: ['todo', 'todoAt'] },
    ]);
  });
});

it('a re-transcode without its original fails with the reason, or is made from its MP4 where that is allowed', async () => {
  const flagged = { scheduleRetranscode: true, todo: DUE_WORK.retranscode, todoAt: LONG_AGO };
  const lost = source({ bucket: UPLOADS, key: 'drop/ann/films/never.mp4', versionId: undefined });
  const mp4 = version(1, { source: lost });
  const refused = await addMedia('films', 'one.mp4', { source: lost, current: mp4, ...flagged });
  const allowed = await addMedia('shorts', 'one.mp4', { source: lost, current: mp4, ...flagged });
  const shorts = newCollection({ creatorId: 'ann', collectionId: 'shorts' }, LONG_AGO);
  await apply(services.table, [{ ...shorts, row: { ...shorts.row, retranscodeFromOutput: true } }]);
  await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: mp4.outputs.mp4, Body: 'an mp4' }));
  // Room under the cap.
  const { table } = services;
  const { items } = await queryTodo(table, DUE_WORK.retranscodeJob, { until: '9999', limit: 100 });
  for (const { pk, sk } of items) await apply(table, [{ op: 'remove', key: { pk, sk }, expect: {} }]);
  expect(await run()).toMatchObject({ originalsGone: 1 });
  expect(await rowOf(refused)).toMatchObject({
    state: 'ready',
    scheduleRetranscode: false,
    error: { code: 'original_gone' },
  });
  expect(await rowOf(allowed)).toMatchObject({ state: 'retranscoding' });
  expect(await getJob(table, allowed.mediaId, 2)).toMatchObject({
    source: { bucket: MEDIA, key: mp4.outputs.mp4, size: 6 },
  });
});
