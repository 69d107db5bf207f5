import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { head, remove } from '../../aws/s3.ts';
import { apply, getJob, getMedia, getRow } from '../../aws/table.ts';
import { tmpPrefix } from '../../core/contracts/keys.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { type MediaRow, OldVersionRow } from '../../core/contracts/table/media.ts';
import { publishJob } from '../../functions/publish-output/publish.ts';
import { rollBack } from '../../functions/publish-output/rollback.ts';
import type { PublishServices } from '../../functions/publish-output/services.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { MEDIA_ID } from '../support/factories.ts';
import { jobIdOf, KEYS, leaveOutput, nextJob, publishServices, startPublished, watch } from '../support/published.ts';
import { MEDIA, type Services, UPLOADS } from '../support/services.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const HOUR = 3_600_000;
let services: Services;
const publish = (n: number, by: PublishServices = publishServices(services)) =>
  publishJob(by, { jobId: jobIdOf(n) }, () => 900_000);
const rollback = (n: number) => rollBack(publishServices(services), jobIdOf(n));
const media = async (): Promise<MediaRow> => (await getMedia(services.table, MEDIA_ID)) ?? expect.fail('It is gone.');
const expiry = (n: number) => getRow(services.table, rowKeys.oldVersion(MEDIA_ID, n), OldVersionRow);
const changeMedia = (set: Partial<MediaRow>) =>
  apply(services.table, [{ op: 'update', key: rowKeys.media(MEDIA_ID), expect: {}, set }]);

/** The next job, its output left under tmp/. */
async function nextOutput(): Promise<number> {
  const n = await nextJob(services);
  await leaveOutput(services, n);
  return n;
}

beforeAll(async () => {
  services = await startPublished();
});
afterAll(() => services[Symbol.asyncDispose]());
beforeEach(() => {
  services.onCall = () => {};
});

describe('the copies of a failed publish', () => {
  it('are left for sweep in the same change that fails its job', async () => {
    const n = await nextOutput();
    await remove(services.s3, { bucket: MEDIA, key: `${tmpPrefix(jobIdOf(n))}360p_001.m4s` });
    let failed = false;
    services.onCall = (when, { operation }) => {
      if (when === 'before' && failed) throw new AwsError('InternalServerError', 500, 'The publisher is dead.');
      if (when === 'after' && operation === 'TransactWriteItems') failed = true;
    };
    await publish(n).catch(() => {});
    services.onCall = () => {};
    await publish(n);
    expect(await getJob(services.table, MEDIA_ID, n)).toMatchObject({ state: 'failed' });
    expect(await expiry(n)).toMatchObject({ todo: 'expire' });
  });
});

describe('a second publisher of one job', () => {
  it('that finds tmp/ cleared by the first does not change the version that viewers see', async () => {
    const n = await nextOutput();
    const late = publishServices(services);
    const send = late.s3.send.bind(late.s3);
    let overtaken = false;
    const s3 = new Proxy(late.s3, {
      get: (target, name) => {
        if (name !== 'send') return Reflect.get(target, name);
        return async (command: Parameters<typeof send>[0]) => {
          if (!overtaken && command instanceof GetObjectCommand && command.input.Key?.endsWith('.m3u8')) {
            overtaken = true;
            await publish(n);
          }
          return send(command);
        };
      },
    });
    await publish(n, { ...late, s3 });
    expect(overtaken).toBe(true);
    expect(await media()).toMatchObject({ state: 'ready', current: { version: n } });
    expect(await media()).not.toHaveProperty('error');
    expect(await expiry(n)).toBeNull();
  });
});

it('a version that was replaced at once stays for its grace period like any other', async () => {
  const older = await nextOutput();
  services.onCall = (when, { operation, request }) => {
    const dead = when === 'after' && operation === 'PutObject' && request?.path.endsWith('/master.m3u8');
    if (dead && !request?.path.includes(`/v${older}/`)) throw new AwsError('SlowDown', 503, 'Dead.');
  };
  await expect(publish(older)).rejects.toThrow();
  services.onCall = () => {};
  expect(await watch(services).catch(String)).toMatchObject({ version: older });
  await changeMedia({ state: 'ready' });
  const newer = await nextOutput();
  await publish(newer);
  await publish(older);
  expect(await getJob(services.table, MEDIA_ID, older)).toMatchObject({ state: 'cancelled' });
  const { todoAt } = (await expiry(older)) ?? expect.fail('Sweep does not know of it.');
  expect(Date.parse(todoAt) - Date.now()).toBeGreaterThan(23 * HOUR);
});

describe('a rollback to a version with a missing object', () => {
  it.each([
    ['a segment', (n: number) => `${KEYS.version(n).hls}360p_001.m4s`],
    ['a playlist', (n: number) => `${KEYS.version(n).hls}360p.m3u8`],
    ['its master playlist', (n: number) => `${KEYS.version(n).hls}master.m3u8`],
    ['a segment of the preview', (n: number) => `${KEYS.version(n).preview}360p_000.m4s`],
    ['the poster', (n: number) => KEYS.version(n).poster],
    ['the MP4', (n: number) => KEYS.version(n).mp4],
  ])('(%s) does not change what viewers see, and records the missing object', async (_, keyOf) => {
    const { current } = await media();
    const from = current?.version ?? 0;
    const to = await nextOutput();
    await publish(to);
    const key = keyOf(from);
    await remove(services.s3, { bucket: MEDIA, key });
    await rollback(to);
    expect(await watch(services)).toMatchObject({ version: to });
    expect(await media()).toMatchObject({
      state: 'ready',
      current: { version: to },
      error: { code: 'publish_failed', message: `Version ${from} cannot be put back: ${key} is missing.` },
    });
  });
});

describe("an original that is to be deleted by its collection's setting", () => {
  it('stays while the media item is flagged, and is deleted once that is encoded again', async () => {
    const key = rowKeys.collection('ann', 'talks');
    await apply(services.table, [{ op: 'update', key, expect: {}, set: { deleteOriginal: true } }]);
    const Key = 'drop/ann/talks/one.mp4';
    const put = await services.s3.send(new PutObjectCommand({ Bucket: UPLOADS, Key, Body: 'original' }));
    const versionId = put.VersionId ?? '';
    const source = { bucket: UPLOADS, key: Key, versionId, sequencer: '0A', size: 8, etag: put.ETag ?? '' };
    await changeMedia({ source });
    const there = async () => (await head(services.s3, { bucket: UPLOADS, key: Key, versionId })) !== null;
    const first = await nextOutput();
    await changeMedia({ scheduleRetranscode: true });
    await publish(first);
    expect([await there(), (await media()).originalDeletedAt]).toEqual([true, undefined]);
    const second = await nextOutput();
    await publish(second);
    expect([await there(), (await media()).originalDeletedAt]).toEqual([false, expect.stringMatching(/^20/)]);
  });

  it('stays where a person has put it back from the archive', async () => {
    const key = rowKeys.collection('ann', 'talks');
    await apply(services.table, [{ op: 'update', key, expect: {}, set: { deleteOriginal: true } }]);
    const Key = 'drop/ann/talks/one.mp4';
    const put = await services.s3.send(new PutObjectCommand({ Bucket: UPLOADS, Key, Body: 'original' }));
    const versionId = put.VersionId ?? '';
    const source = { bucket: UPLOADS, key: Key, versionId, sequencer: '0A', size: 8, etag: put.ETag ?? '' };
    const archive = { state: 'refused' as const, versionId, collectionId: 'talks', reason: 'restored' };
    const set = { source, archive };
    await apply(services.table, [
      { op: 'update', key: rowKeys.media(MEDIA_ID), expect: {}, set, remove: ['originalDeletedAt'] },
    ]);
    await publish(await nextOutput());
    expect(await head(services.s3, { bucket: UPLOADS, key: Key, versionId })).not.toBeNull();
  });
});
