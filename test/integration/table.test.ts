import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { apply, getMedia, getRow, settle, type Table } from '../../aws/table.ts';
import { countTodo, getRows, queryJobs, queryKeys, queryMedia, queryTodo } from '../../aws/table-queries.ts';
import { type JobRow, MediaRow, rowKeys } from '../../core/contracts/rows.ts';
import type { Change, Outcome } from '../../core/jobs/change.ts';
import { job, MEDIA_ID, media, NOW } from '../unit/core/jobs/factories.ts';
import { type Services, startServices } from './services.ts';

let services: Services;
let table: Table;
beforeAll(async () => {
  services = await startServices();
  table = services.table;
});
afterAll(() => services[Symbol.asyncDispose]());

const Loose = z.looseObject({});
let n = 0;
/** A key of its own for each test. */
const fresh = () => ({ pk: `TEST#${++n}`, sk: 'ROW' });
const read = (key: { pk: string; sk: string }) => getRow(table, key, Loose);
const update = (key: { pk: string; sk: string }, more: object): Change => [
  { op: 'update', key, expect: {}, set: {}, ...more } as Change[number],
];

describe('a change of one row', () => {
  it('puts it only where there is none', async () => {
    const key = fresh();
    expect(await apply(table, [{ op: 'put', key, row: { a: 1 } }])).toBe('applied');
    expect(await apply(table, [{ op: 'put', key, row: { a: 2 } }])).toBe('lost');
    expect(await read(key)).toEqual({ ...key, a: 1 });
  });

  it('is lost when an attribute has another value, is missing, or is there though it must not be', async () => {
    const key = fresh();
    await apply(table, [{ op: 'put', key, row: { state: 'ready', seq: 3, in: { side: 'x' } } }]);
    expect(await apply(table, update(key, { expect: { state: 'failed' }, set: { b: 1 } }))).toBe('lost');
    expect(await apply(table, update(key, { expect: { other: 1 }, set: { b: 1 } }))).toBe('lost');
    expect(await apply(table, update(key, { expect: { seq: null }, set: { b: 1 } }))).toBe('lost');
    expect(await apply(table, update(key, { expect: { 'in.side': 'y' }, set: { b: 1 } }))).toBe('lost');
    expect(await read(key)).not.toHaveProperty('b');
  });

  it('holds when all is as expected, inside a map too, and removes what it says', async () => {
    const key = fresh();
    await apply(table, [{ op: 'put', key, row: { state: 'ready', size: 3, in: { side: 'x' }, old: true } }]);
    const expect_ = { state: 'ready', size: 3, 'in.side': 'x', none: null };
    const change = update(key, { expect: expect_, set: { state: 'next', left: undefined }, remove: ['old'] });
    expect(await apply(table, change)).toBe('applied');
    expect(await read(key)).toEqual({ ...key, state: 'next', size: 3, in: { side: 'x' } });
  });

  it('without expectations makes the row, and removing a row that is gone is no error', async () => {
    const key = fresh();
    expect(await apply(table, update(key, { set: { a: 1 } }))).toBe('applied');
    expect(await apply(table, [{ op: 'remove', key, expect: { a: 2 } }])).toBe('lost');
    expect(await apply(table, [{ op: 'remove', key, expect: { a: 1 } }])).toBe('applied');
    expect(await apply(table, [{ op: 'remove', key, expect: {} }])).toBe('applied');
    expect(await read(key)).toBeNull();
  });
});

describe('a change of several rows', () => {
  it('is made whole or not at all', async () => {
    const [one, two] = [fresh(), fresh()];
    await apply(table, [{ op: 'put', key: one, row: { a: 1 } }]);
    const both = (expected: number): Change => [
      ...update(one, { expect: { a: expected }, set: { a: 9 } }),
      { op: 'put', key: two, row: { b: 1 } },
    ];
    expect(await apply(table, both(2))).toBe('lost');
    expect([await read(one), await read(two)]).toEqual([{ ...one, a: 1 }, null]);
    expect(await apply(table, both(1))).toBe('applied');
    expect([await read(one), await read(two)]).toEqual([
      { ...one, a: 9 },
      { ...two, b: 1 },
    ]);
    expect(await apply(table, both(1))).toBe('lost');
  });

  it('is held by a row that it only looks at', async () => {
    const [one, two] = [fresh(), fresh()];
    await apply(table, [{ op: 'put', key: two, row: { due: 'later' } }]);
    const change = (due: string): Change => [
      ...update(one, { set: { a: 1 } }),
      { op: 'check', key: two, expect: { due } },
    ];
    expect(await apply(table, change('now'))).toBe('lost');
    expect(await apply(table, change('later'))).toBe('applied');
  });
});

it('of twenty that count at once, each counts exactly once', async () => {
  const key = fresh();
  const Counter = z.object({ count: z.number() });
  await apply(table, [{ op: 'put', key, row: { count: 0 } }]);
  const one = () =>
    settle(table, async (): Promise<Outcome> => {
      const row = await getRow(table, key, Counter);
      if (!row) return { none: 'gone' };
      return { change: update(key, { expect: { count: row.count }, set: { count: row.count + 1 } }) };
    });
  // At most eight rounds are lost to seven others.
  for (let i = 0; i < 4; i++) await Promise.all(Array.from({ length: 5 }, one));
  expect(await read(key)).toMatchObject({ count: 20 });
});

describe('what sweep and the API look for', () => {
  const id = (i: number) => MEDIA_ID.replace('a', 'bcdefgh'[i] ?? 'a');
  const rows = [0, 1, 2, 3].map((i) =>
    media({
      mediaId: id(i),
      createdAt: `2026-11-21T10:0${i}:00.000Z`,
      ...(i < 3 && { todo: 'retranscode', todoAt: `2026-11-21T11:0${i}:00.000Z` }),
    }),
  );
  beforeAll(async () => {
    for (const row of rows) await apply(table, [{ op: 'put', key: rowKeys.media(row.mediaId), row }]);
    for (const number of [1, 2, 10]) {
      const row: JobRow = job({ n: number, mediaId: id(0) });
      await apply(table, [{ op: 'put', key: rowKeys.job(id(0), number), row }]);
    }
  });

  it('are rows that are due, the longest due first, page by page', async () => {
    const first = await queryTodo(table, 'retranscode', { until: '2026-11-21T11:01:00.000Z', limit: 1 });
    expect(first.items.map(({ pk }) => pk)).toEqual([`MEDIA#${id(0)}`]);
    const second = await queryTodo(table, 'retranscode', {
      until: '2026-11-21T11:01:00.000Z',
      limit: 5,
      after: first.next,
    });
    expect(second.items.map(({ pk }) => pk)).toEqual([`MEDIA#${id(1)}`]);
    expect(await countTodo(table, 'retranscode', 100)).toBe(3);
  });

  it('are media of a collection, without the jobs that carry the same attributes', async () => {
    const { items } = await queryMedia(
      table,
      { creatorId: 'ann', collectionId: 'talks' },
      { limit: 10, newestFirst: true },
    );
    expect(items.map(({ mediaId }) => mediaId)).toEqual([id(3), id(2), id(1), id(0)]);
    const ofCreator = await queryMedia(
      table,
      { creatorId: 'ann' },
      { limit: 10, from: '2026-11-21T10:02:00.000Z', to: NOW },
    );
    expect(ofCreator.items.map(({ mediaId }) => mediaId)).toEqual([id(2), id(3)]);
  });

  it('are the jobs of a media, the newest first, and all keys under it', async () => {
    expect((await queryJobs(table, id(0), 2)).map((row) => row.n)).toEqual([10, 2]);
    expect((await queryKeys(table, `MEDIA#${id(0)}`)).map(({ sk }) => sk)).toEqual([
      'JOB#000001',
      'JOB#000002',
      'JOB#000010',
      'MEDIA',
    ]);
  });

  it('are many rows at once, those missing left out', async () => {
    const keys = [...rows.map((row) => rowKeys.media(row.mediaId)), rowKeys.media('nobody')];
    expect(await getRows(table, keys, MediaRow, true)).toHaveLength(4);
    expect(await getMedia(table, 'nobody')).toBeNull();
  });
});
