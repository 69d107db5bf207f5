import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { apply, applyWithRetry, getMedia, getRow, type Table } from '../../aws/table.ts';
import { countTodo, getRows, queryJobs, queryKeys, queryMedia, queryTodo } from '../../aws/table-queries.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { MediaRow } from '../../core/contracts/table/media.ts';
import type { Change, Outcome } from '../../core/jobs/change.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { job, MEDIA_ID, media, NOW } from '../support/factories.ts';
import { emptyServices, startServices } from '../support/services.ts';

const services = await startServices();
const { table } = services;
afterAll(() => services[Symbol.asyncDispose]());
beforeEach(() => emptyServices(services));

const Loose = z.looseObject({});
let n = 0;
/** A key of its own for each test. */
const fresh = () => ({ pk: `TEST#${++n}`, sk: 'ROW' });
const read = (key: { pk: string; sk: string }) => getRow(table, key, Loose);
const update = (key: { pk: string; sk: string }, more: object): Change => [
  { op: 'update', key, expect: {}, set: {}, ...more } as Change[number],
];

describe('a change of one row', () => {
  it('creates the row only where there is none', async () => {
    const key = fresh();
    expect(await apply(table, [{ op: 'put', key, row: { attempts: 1 } }])).toBe('applied');
    expect(await apply(table, [{ op: 'put', key, row: { attempts: 2 } }])).toBe('lost');
    expect(await read(key)).toEqual({ ...key, attempts: 1 });
  });

  it('is lost when an attribute has another value, is missing, or is present though it must not be', async () => {
    const key = fresh();
    await apply(table, [{ op: 'put', key, row: { state: 'ready', seq: 3, in: { side: 'x' } } }]);
    expect(await apply(table, update(key, { expect: { state: 'failed' }, set: { b: 1 } }))).toBe('lost');
    expect(await apply(table, update(key, { expect: { other: 1 }, set: { b: 1 } }))).toBe('lost');
    expect(await apply(table, update(key, { expect: { seq: null }, set: { b: 1 } }))).toBe('lost');
    expect(await apply(table, update(key, { expect: { 'in.side': 'y' }, set: { b: 1 } }))).toBe('lost');
    expect(await read(key)).not.toHaveProperty('b');
  });

  it('is applied when all attributes are as expected, inside a map too, and removes the named attributes', async () => {
    const key = fresh();
    await apply(table, [{ op: 'put', key, row: { state: 'ready', size: 3, in: { side: 'x' }, old: true } }]);
    const expect_ = { state: 'ready', size: 3, 'in.side': 'x', none: null };
    const change = update(key, { expect: expect_, set: { state: 'next', left: undefined }, remove: ['old'] });
    expect(await apply(table, change)).toBe('applied');
    expect(await read(key)).toEqual({ ...key, state: 'next', size: 3, in: { side: 'x' } });
  });

  it('without expectations creates the row, and the removal of a missing row succeeds', async () => {
    const key = fresh();
    expect(await apply(table, update(key, { set: { attempts: 1 } }))).toBe('applied');
    expect(await apply(table, [{ op: 'remove', key, expect: { attempts: 2 } }])).toBe('lost');
    expect(await apply(table, [{ op: 'remove', key, expect: { attempts: 1 } }])).toBe('applied');
    expect(await apply(table, [{ op: 'remove', key, expect: {} }])).toBe('applied');
    expect(await read(key)).toBeNull();
  });
});

describe('a change of one row that meets a transaction on it', () => {
  const conflict = () => new AwsError('TransactionConflictException', 400, 'Transaction is ongoing for the item');

  it.each(['put', 'update', 'remove'] as const)('is repeated: %s', async (op) => {
    const key = fresh();
    if (op !== 'put') await apply(table, [{ op: 'put', key, row: { attempts: 1 } }]);
    const write =
      op === 'put' ? { op, key, row: { attempts: 2 } } : { op, key, expect: { attempts: 1 }, set: { attempts: 2 } };
    let met = 0;
    services.onCall = (moment) => {
      if (moment === 'before' && ++met <= 2) throw conflict();
    };
    expect(await apply(services.breakable.table, [write])).toBe('applied');
    services.onCall = () => {};
    expect(met).toBe(3);
    expect(await read(key)).toEqual(op === 'remove' ? null : { ...key, attempts: 2 });
  });

  it('fails, and is not reported as lost, when every attempt meets one', async () => {
    services.onCall = (moment) => {
      if (moment === 'before') throw conflict();
    };
    const change = update(fresh(), { set: { attempts: 1 } });
    await expect(apply(services.breakable.table, change)).rejects.toMatchObject({
      name: 'TransactionConflictException',
    });
    services.onCall = () => {};
  });
});

describe('a change of several rows', () => {
  it('is applied as a whole or not at all', async () => {
    const [one, two] = [fresh(), fresh()];
    await apply(table, [{ op: 'put', key: one, row: { attempts: 1 } }]);
    const both = (expected: number): Change => [
      ...update(one, { expect: { attempts: expected }, set: { attempts: 9 } }),
      { op: 'put', key: two, row: { b: 1 } },
    ];
    expect(await apply(table, both(2))).toBe('lost');
    expect([await read(one), await read(two)]).toEqual([{ ...one, attempts: 1 }, null]);
    expect(await apply(table, both(1))).toBe('applied');
    expect([await read(one), await read(two)]).toEqual([
      { ...one, attempts: 9 },
      { ...two, b: 1 },
    ]);
    expect(await apply(table, both(1))).toBe('lost');
  });

  it('depends on a row that it only checks', async () => {
    const [one, two] = [fresh(), fresh()];
    await apply(table, [{ op: 'put', key: two, row: { todoAt: 'later' } }]);
    const change = (due: string): Change => [
      ...update(one, { set: { attempts: 1 } }),
      { op: 'check', key: two, expect: { todoAt: due } },
    ];
    expect(await apply(table, change('now'))).toBe('lost');
    expect(await apply(table, change('later'))).toBe('applied');
  });
});

it('each of twenty simultaneous increments counts exactly once', async () => {
  const key = fresh();
  const Counter = z.object({ count: z.number() });
  await apply(table, [{ op: 'put', key, row: { count: 0 } }]);
  const one = () =>
    applyWithRetry(table, async (): Promise<Outcome> => {
      const row = await getRow(table, key, Counter);
      if (!row) return { refused: 'gone' };
      return { change: update(key, { expect: { count: row.count }, set: { count: row.count + 1 } }) };
    });
  // At most eight rounds are lost to seven others.
  for (let i = 0; i < 4; i++) await Promise.all(Array.from({ length: 5 }, one));
  expect(await read(key)).toMatchObject({ count: 20 });
});

describe('the rows that sweep and the API query', () => {
  const id = (i: number) => MEDIA_ID.replace('a', 'bcdefgh'[i] ?? 'a');
  const rows = [0, 1, 2, 3].map((i) =>
    media({
      mediaId: id(i),
      createdAt: `2026-11-21T10:0${i}:00.000Z`,
      ...(i < 3 && { todo: 'retranscode', todoAt: `2026-11-21T11:0${i}:00.000Z` }),
    }),
  );
  beforeEach(async () => {
    for (const row of rows) await apply(table, [{ op: 'put', key: rowKeys.media(row.mediaId), row }]);
    for (const number of [1, 2, 10]) {
      const row: JobRow = job({ n: number, mediaId: id(0) });
      await apply(table, [{ op: 'put', key: rowKeys.job(id(0), number), row }]);
    }
  });

  it('are those that are due, the longest due first, page by page', async () => {
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

  it('are media items of a collection, without jobs that have the same attributes', async () => {
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

  it('are media items as they are now, without those that were removed or moved since the index was read', async () => {
    const [stays, moves, goes] = [4, 5, 6].map((i) =>
      media({ mediaId: id(i), collectionId: 'old', collection: 'ann#old', createdAt: `2026-11-21T10:0${i}:00.000Z` }),
    ) as [MediaRow, MediaRow, MediaRow];
    for (const row of [stays, moves, goes]) await apply(table, [{ op: 'put', key: rowKeys.media(row.mediaId), row }]);
    const moved = { collectionId: 'new', collection: 'ann#new' };
    const afterTheIndex: Table = {
      ...table,
      client: Object.assign(Object.create(table.client), {
        send: async (command: Parameters<typeof table.client.send>[0]) => {
          const answer = await table.client.send(command);
          if (command instanceof QueryCommand) {
            await apply(table, update(rowKeys.media(stays.mediaId), { set: { title: 'Renamed' } }));
            await apply(table, update(rowKeys.media(moves.mediaId), { set: moved }));
            await apply(table, [{ op: 'remove', key: rowKeys.media(goes.mediaId), expect: {} }]);
          }
          return answer;
        },
      }),
    };
    const { items } = await queryMedia(afterTheIndex, { creatorId: 'ann', collectionId: 'old' }, { limit: 10 });
    expect(items.map(({ mediaId, title }) => ({ mediaId, title }))).toEqual([
      { mediaId: stays.mediaId, title: 'Renamed' },
    ]);
  });

  it('are the jobs of a media item, the newest first, and all keys under it', async () => {
    expect((await queryJobs(table, id(0), 2)).map((row) => row.n)).toEqual([10, 2]);
    expect((await queryKeys(table, `MEDIA#${id(0)}`)).map(({ sk }) => sk)).toEqual([
      'JOB#000001',
      'JOB#000002',
      'JOB#000010',
      'MEDIA',
    ]);
  });

  it('are many at once, and missing ones are left out', async () => {
    const keys = [...rows.map((row) => rowKeys.media(row.mediaId)), rowKeys.media('nobody')];
    expect(await getRows(table, keys, MediaRow, true)).toHaveLength(4);
    expect(await getMedia(table, 'nobody')).toBeNull();
  });
});
