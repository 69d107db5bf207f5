import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queryAll } from '../../aws/pages.ts';
import { within } from '../../aws/table-expressions.ts';
import { randomId } from '../../core/api/random-id.ts';
import type { ErrorCode } from '../../core/contracts/errors.ts';
import { type ChangeMessage, DETAIL, type MediaStateChanged, SOURCE } from '../../core/contracts/events.ts';
import { jobIdFor } from '../../core/contracts/ids.ts';
import { CostRow } from '../../core/contracts/table/costs.ts';
import { ExperienceRow } from '../../core/contracts/table/engines.ts';
import { apiKeys, engineKeys, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { plus } from '../../core/time.ts';
import { countChanges } from '../../functions/fan-out-change/count.ts';
import { job, media } from '../support/factories.ts';
import { type Services, startServices } from '../support/services.ts';

let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services[Symbol.asyncDispose]());

const NOW = '2026-11-21T12:00:00.000Z';
const HOUR = apiKeys.hour('2026-11-21T12');

async function put(key: { pk: string; sk: string }, row: object): Promise<void> {
  await services.table.client.send(new PutCommand({ TableName: services.table.name, Item: { ...key, ...row } }));
}

async function read(Key: { pk: string; sk: string }): Promise<Record<string, unknown>> {
  const { Item } = await services.table.client.send(
    new GetCommand({ TableName: services.table.name, Key, ConsistentRead: true }),
  );
  return Item ?? {};
}

async function isNow(
  creatorId: string,
  mediaId: string,
  state: MediaRow['state'],
  seq: number,
): Promise<MediaStateChanged> {
  await put(rowKeys.media(mediaId), media({ mediaId, creatorId, owner: creatorId, state, seq }));
  return changed(creatorId, mediaId, state, seq);
}

function changed(
  creatorId: string,
  mediaId: string,
  to: MediaStateChanged['detail']['to'],
  seq: number,
): MediaStateChanged {
  const detail = { mediaId, creatorId, collectionId: 'default', title: 'Clip', from: null, to, seq, at: NOW };
  return { source: SOURCE.pipeline, 'detail-type': DETAIL.mediaChanged, detail };
}

const creator = () => `c${randomId(8)}`;

describe('counting', () => {
  it('is the sum of the rows, whatever the order of the changes and however often they arrive', async () => {
    const creatorId = creator();
    const mediaId = randomId(26);
    const uploaded = await isNow(creatorId, mediaId, 'uploaded', 1);
    const ready = await isNow(creatorId, mediaId, 'ready', 3);
    for (const change of [ready, uploaded, ready]) await countChanges(services.table, [change], NOW);
    expect(await read(apiKeys.counts(creatorId))).toMatchObject({ state_ready: 1 });
    expect(await read(apiKeys.counts(creatorId))).not.toHaveProperty('state_uploaded');
  });

  it('counts a hundred media items of a creator with two writes of the count row', async () => {
    const creatorId = creator();
    const messages = await Promise.all(
      Array.from({ length: 100 }, () => isNow(creatorId, randomId(26), 'uploaded', 1)),
    );
    const { table } = services.breakable;
    let transactions = 0;
    services.onCall = (moment, call) => {
      if (moment === 'before' && call.operation === 'TransactWriteItems') transactions += 1;
    };
    await countChanges(table, messages, NOW);
    services.onCall = () => {};
    expect(transactions).toBe(2);
    expect(await read(apiKeys.counts(creatorId))).toMatchObject({ state_uploaded: 100 });
  });

  it('counts each once in two simultaneous batches', async () => {
    const creatorId = creator();
    const messages = await Promise.all(Array.from({ length: 20 }, () => isNow(creatorId, randomId(26), 'ready', 2)));
    const before = Number((await read(HOUR)).ready ?? 0);
    await Promise.all([0, 1].map(() => countChanges(services.table, messages, NOW)));
    expect(await read(apiKeys.counts(creatorId))).toMatchObject({ state_ready: 20 });
    expect(Number((await read(HOUR)).ready) - before).toBe(20);
  });

  it('counts a refused upload as such, and notes the other failure as the latest, though it is earlier', async () => {
    const creatorId = creator();
    const failed = async (code: ErrorCode, at: string) => {
      const message = await isNow(creatorId, randomId(26), 'failed', 2);
      return { ...message, detail: { ...message.detail, at, error: { code, message: code } } };
    };
    const before = await read(HOUR);
    const corrupt = await failed('corrupt', NOW);
    await countChanges(services.table, [await failed('not_media', plus(NOW, { seconds: 1 })), corrupt], NOW);
    const after = await read(HOUR);
    expect(Number(after.refused) - Number(before.refused ?? 0)).toBe(1);
    expect(Number(after.failed) - Number(before.failed ?? 0)).toBe(1);
    expect(await read(apiKeys.latestFailure)).toMatchObject({ mediaId: corrupt.detail.mediaId, code: 'corrupt' });
  });

  it('counts nothing by the hour of an encode that somebody has ended', async () => {
    const creatorId = creator();
    const message = await isNow(creatorId, randomId(26), 'failed', 2);
    const error = { code: 'cancelled' as const, message: 'Somebody has ended it.' };
    const before = await read(HOUR);
    await countChanges(services.table, [{ ...message, detail: { ...message.detail, error } } as ChangeMessage], NOW);
    expect(await read(HOUR)).toEqual(before);
    expect(await read(apiKeys.counts(creatorId))).toMatchObject({ state_failed: 1 });
  });

  it('counts the cost of a failed job when its row contains it', async () => {
    const creatorId = creator();
    const mediaId = randomId(26);
    await isNow(creatorId, mediaId, 'failed', 3);
    const jobId = jobIdFor(mediaId, 1);
    const cost = { usd: 0.25, vcpuSeconds: 18 };
    const row = job({ jobId, mediaId, creatorId, n: 1, state: 'failed', finishedAt: NOW, cost });
    await put(rowKeys.job(mediaId, 1), row);
    const message: ChangeMessage = {
      source: SOURCE.pipeline,
      'detail-type': DETAIL.countsChanged,
      detail: { mediaId, creatorId, jobId },
    };
    await countChanges(services.table, [message, message], NOW);
    await countChanges(services.table, [message], NOW);
    const day = apiKeys.cost(NOW.slice(0, 10), { creatorId, collectionId: 'talks', engine: 'batch-cpu' });
    expect(await read(day)).toMatchObject({ creatorId, collectionId: 'talks', jobs: 1, usd: 0.25 });
    expect(await read(apiKeys.counts(creatorId))).toMatchObject({ [`cost_batch-cpu_${NOW.slice(0, 7)}_usd`]: 0.25 });
  });

  it('counts in several transactions what one of DynamoDB does not take', async () => {
    const creatorId = creator();
    const messages: ChangeMessage[] = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const mediaId = randomId(26);
        const jobId = jobIdFor(mediaId, 1);
        await isNow(creatorId, mediaId, 'failed', 3);
        const of = { jobId, mediaId, creatorId, collectionId: `c${i}`, n: 1 };
        await put(rowKeys.job(mediaId, 1), job({ ...of, state: 'failed', cost: { usd: 0.5, vcpuSeconds: 1 } }));
        const detail = { mediaId, creatorId, jobId };
        return { source: SOURCE.pipeline, 'detail-type': DETAIL.countsChanged, detail };
      }),
    );
    await countChanges(services.table, messages, NOW);
    const day = job().createdAt.slice(0, 10);
    const counts = await read(apiKeys.counts(creatorId));
    expect(counts).toMatchObject({ [`cost_batch-cpu_${day.slice(0, 7)}_usd`]: 30 });
    expect(await queryAll(services.table, CostRow, within(apiKeys.costs(day, creatorId)))).toHaveLength(60);
  });

  it('learns from each published job once, also from two batches at the same moment', async () => {
    const of = `usual ${randomId(4)}`;
    const batches = await Promise.all(
      [10, 20].map(async (seconds) => {
        const [creatorId, mediaId] = [creator(), randomId(26)];
        const message = await isNow(creatorId, mediaId, 'ready', 3);
        const [startedAt, at] = [NOW, plus(NOW, { seconds })];
        const row = job({
          ...{ jobId: jobIdFor(mediaId, 1), mediaId, creatorId, n: 1, state: 'published', startedAt },
          ...{ steps: [{ name: 'pushed', at }], cost: { usd: 0.25, vcpuSeconds: 18 } },
          estimate: { seconds: 8, usd: 0.1, of, assumed: { seconds: 5, usd: 0.1 } },
        });
        await put(rowKeys.job(mediaId, 1), row);
        return [{ ...message, detail: { ...message.detail, jobId: row.jobId } }] as ChangeMessage[];
      }),
    );
    await Promise.all([...batches, ...batches].map((messages) => countChanges(services.table, messages, NOW)));
    const { rev, engines } = ExperienceRow.parse(await read(engineKeys.experience(of)));
    const { jobs, assumedSeconds, seconds } = engines['batch-cpu'] ?? expect.fail('no experience');
    expect([rev, jobs, assumedSeconds]).toEqual([2, 2, 9.75]);
    // In either order, the first of them faded.
    expect([10 * 0.95 + 20, 20 * 0.95 + 10]).toContain(seconds);
  });
});
