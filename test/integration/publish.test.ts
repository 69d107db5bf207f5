import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hold, send } from '../../aws/queue.ts';
import { head, remove } from '../../aws/s3.ts';
import { apply, getJob, getMedia, getRow } from '../../aws/table.ts';
import { PublishMessage } from '../../core/contracts/events.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { OldVersionRow } from '../../core/contracts/table/media.ts';
import { publishJob } from '../../functions/publish-output/publish.ts';
import { rollBack } from '../../functions/publish-output/rollback.ts';
import type { GatewayCall } from '../../local/gateway/hooks.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { MEDIA_ID } from '../support/factories.ts';
import {
  jobIdOf,
  KEYS,
  leaveOutput,
  mediaObjects,
  nextJob,
  pointerJob,
  publishServices,
  SMALL,
  startPublished,
  watch,
} from '../support/published.ts';
import { MEDIA, QUEUES, type Services, UPLOADS } from '../support/services.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

/** Of 75 points of death to S3, those tried; 1 for all of them. Odd, so that both kinds are among them. */
const STEP = Number(process.env.DEATH_STEP ?? 7);
/** Of the long video that takes more than one call of the function; 20000 for the longest that the design names. */
const SEGMENTS = Number(process.env.DROPREEL_SEGMENTS ?? 60);

let services: Services;
const FOREVER = () => 900_000;
const publish = (n: number) => publishJob(publishServices(services), { jobId: jobIdOf(n) }, FOREVER);

/** The publisher dies at its `at`th call of that service: this call and all after it fail. */
function dieAt(at: number, moment: 'before' | 'after', service = 's3'): { calls: string[] } {
  const calls: string[] = [];
  services.onCall = (when: 'before' | 'after', call: GatewayCall) => {
    if (call.service !== service) return;
    if (when === 'before') calls.push(call.operation);
    const dead = calls.length > at || (calls.length === at && when === moment);
    if (dead) throw new AwsError('ServiceUnavailable', 503, 'The publisher is dead.');
  };
  return { calls };
}

// Version 1 of a media is published, anew for each test.
beforeEach(async () => {
  services = await startPublished();
});
afterEach(() => services[Symbol.asyncDispose]());

/** A re-transcode that is published: its number. */
async function publishNext(): Promise<number> {
  const n = await nextJob(services);
  await leaveOutput(services, n);
  await publish(n);
  return n;
}

describe('a first publish', () => {
  it('makes the media item ready with a complete stream and preview, and leaves only claim and result under tmp/', async () => {
    expect(await watch(services)).toMatchObject({ version: 1, rungs: ['360p'] });
    expect(await getMedia(services.table, MEDIA_ID)).toMatchObject({
      state: 'ready',
      seq: 3,
      current: { version: 1, outputs: { master: KEYS.master, mp4: KEYS.version(1).mp4 } },
    });
    expect(await getJob(services.table, MEDIA_ID, 1)).toMatchObject({ state: 'published', progress: 100 });
    expect(await mediaObjects(services, 'tmp/')).toEqual([`tmp/${jobIdOf(1)}/result.json`]);
  });

  it('lets caches keep versioned objects for a year, and pointers for seconds', async () => {
    const cacheOf = async (Key: string) =>
      (await services.s3.send(new GetObjectCommand({ Bucket: MEDIA, Key }))).CacheControl;
    expect(await cacheOf(`${KEYS.version(1).hls}360p_000.m4s`)).toBe('public, max-age=31536000, immutable');
    expect(await cacheOf(KEYS.version(1).mp4)).toBe('public, max-age=31536000, immutable');
    expect(await cacheOf(KEYS.master)).toBe('public, max-age=5');
    expect(await cacheOf(KEYS.poster)).toBe('public, max-age=5');
  });

  it('that is repeated changes nothing', async () => {
    const before = await getMedia(services.table, MEDIA_ID);
    await publish(1);
    expect(await getMedia(services.table, MEDIA_ID)).toEqual(before);
  });
});

it('an hour in four rungs, with all that comes with them, takes fewer than 60 requests', async () => {
  const n = await nextJob(services);
  const rungs = ['1080p', '720p', '480p', '360p'];
  await leaveOutput(services, n, { ...SMALL, rungs, segments: 600, oneFile: true });
  const requests: Record<string, number> = {};
  services.onCall = (when, { operation }) => {
    if (when === 'before') requests[operation] = (requests[operation] ?? 0) + 1;
  };
  await publish(n);
  services.onCall = () => {};
  expect(await watch(services)).toMatchObject({ version: n, rungs });
  // What the new version lacks of the one before, a waveform, is the object that is deleted.
  expect(requests).toEqual({
    ...{ CopyObject: 15, PutObject: 20, HeadObject: 10, GetObject: 1, ListObjectsV2: 1 },
    ...{ DeleteObject: 1, DeleteObjects: 1, GetItem: 8, UpdateItem: 1, TransactWriteItems: 1 },
  });
  expect(Object.values(requests).reduce((a, b) => a + b)).toBeLessThan(60);
});

describe('a re-transcode whose publisher dies', () => {
  it('at any call to S3 leaves viewers a complete version, and the next publisher completes it', async () => {
    let points = 0;
    let fetched = 0;
    for (let at = 1; ; at += STEP) {
      const n = await nextJob(services);
      await leaveOutput(services, n, { ...SMALL, rungs: n % 2 ? ['360p'] : ['720p', '360p'], oneFile: true });
      // Each call in turn fails before it is done, then, at the next number, after it: an answer that got lost.
      const { calls } = dieAt(Math.ceil(at / 2), at % 2 ? 'before' : 'after');
      const died = await publish(n).then(
        () => false,
        () => true,
      );
      services.onCall = () => {};
      const during = await watch(services);
      expect([n - 1, n]).toContain(during.version);
      await publish(n);
      const after = await watch(services);
      fetched += during.fetched + after.fetched;
      expect(after).toMatchObject({ version: n, rungs: n % 2 ? ['360p'] : ['720p', '360p'] });
      expect(await getMedia(services.table, MEDIA_ID)).toMatchObject({
        state: 'ready',
        current: { version: n },
        previous: { version: n - 1 },
      });
      expect(await pointerJob(services, KEYS.poster)).toBe(jobIdOf(n));
      expect(await pointerJob(services, KEYS.preview)).toBe(jobIdOf(n));
      expect(await mediaObjects(services, `tmp/${jobIdOf(n)}/`)).toEqual([`tmp/${jobIdOf(n)}/result.json`]);
      if (!died) {
        expect(calls.length).toBeLessThan(Math.ceil(at / 2));
        break;
      }
      points++;
    }
    console.info(`publish: ${points} points of death, ${fetched} fetches of viewers`);
    expect(points * STEP).toBeGreaterThan(60);
  });

  it('at any call to DynamoDB leaves viewers a complete version, and the next publisher completes it', async () => {
    let points = 0;
    for (let at = 1; ; at += Math.min(STEP, 3)) {
      const n = await nextJob(services);
      await leaveOutput(services, n);
      dieAt(Math.ceil(at / 2), at % 2 ? 'before' : 'after', 'dynamodb');
      const died = await publish(n).then(
        () => false,
        () => true,
      );
      services.onCall = () => {};
      expect([n - 1, n]).toContain((await watch(services)).version);
      await publish(n);
      expect(await watch(services)).toMatchObject({ version: n });
      expect(await getMedia(services.table, MEDIA_ID)).toMatchObject({ state: 'ready', current: { version: n } });
      expect(await mediaObjects(services, `tmp/${jobIdOf(n)}/`)).toEqual([`tmp/${jobIdOf(n)}/result.json`]);
      if (!died) break;
      points++;
    }
    expect(points).toBeGreaterThan(3);
  });
});

describe('a late publish of an older job', () => {
  it('does not change what viewers see, is cancelled, and leaves its copies for sweep to remove', async () => {
    const older = await nextJob(services);
    await leaveOutput(services, older);
    // It has copied all, and stops before it turns the first pointer.
    services.onCall = (when, call) => {
      if (when === 'before' && call.operation === 'PutObject') throw new AwsError('SlowDown', 503, 'Later.');
    };
    await expect(publish(older)).rejects.toThrow();
    services.onCall = () => {};
    const media = await getMedia(services.table, MEDIA_ID);
    const key = rowKeys.media(MEDIA_ID);
    await apply(services.table, [{ op: 'update', key, expect: { seq: media?.seq ?? 0 }, set: { state: 'ready' } }]);
    const newer = await nextJob(services);
    await leaveOutput(services, newer);
    await publish(newer);
    await publish(older);
    expect(await watch(services)).toMatchObject({ version: newer });
    expect(await getJob(services.table, MEDIA_ID, older)).toMatchObject({ state: 'cancelled' });
    expect((await getMedia(services.table, MEDIA_ID))?.current?.version).toBe(newer);
  });

  it('stops at a newer pointer that was written between its check and its PUT', async () => {
    const older = await nextJob(services);
    await leaveOutput(services, older);
    const media = await getMedia(services.table, MEDIA_ID);
    const key = rowKeys.media(MEDIA_ID);
    let newer = 0;
    let puts = 0;
    const late = publishServices(services);
    const send = late.s3.send.bind(late.s3);
    // The second PUT is the master's; the newer job is made and published just before it.
    const overtaken = new Proxy(late.s3, {
      get: (target, name) => {
        if (name !== 'send') return Reflect.get(target, name);
        return async (command: Parameters<typeof send>[0]) => {
          if (command instanceof PutObjectCommand && command.input.Key === KEYS.master && ++puts === 1) {
            await apply(services.table, [
              { op: 'update', key, expect: { seq: media?.seq ?? 0 }, set: { state: 'ready' } },
            ]);
            newer = await nextJob(services);
            await leaveOutput(services, newer);
            await publish(newer);
          }
          return send(command);
        };
      },
    });
    await publishJob({ ...late, s3: overtaken }, { jobId: jobIdOf(older) }, FOREVER);
    expect(newer).toBe(older + 1);
    expect(await watch(services)).toMatchObject({ version: newer });
    expect(await getJob(services.table, MEDIA_ID, older)).toMatchObject({ state: 'cancelled' });
    const row = await getRow(services.table, rowKeys.oldVersion(MEDIA_ID, older), OldVersionRow);
    expect(row?.todo).toBe('expire');
  });
});

describe('an incomplete output', () => {
  it('of which an object is missing is not published, and viewers keep their version', async () => {
    const before = await watch(services);
    const n = await nextJob(services);
    await leaveOutput(services, n);
    await remove(services.s3, { bucket: MEDIA, key: `tmp/${jobIdOf(n)}/360p_001.m4s` });
    await publish(n);
    expect(await watch(services)).toEqual(before);
    expect(await getMedia(services.table, MEDIA_ID)).toMatchObject({
      state: 'ready',
      error: { code: 'publish_failed' },
      current: { version: before.version },
    });
    expect(await getJob(services.table, MEDIA_ID, n)).toMatchObject({ state: 'failed' });
  });

  it('of which an object differs from what the worker recorded is not published', async () => {
    const n = await nextJob(services);
    await leaveOutput(services, n);
    const Key = `tmp/${jobIdOf(n)}/360p_001.m4s`;
    await services.s3.send(
      new PutObjectCommand({
        Bucket: MEDIA,
        Key,
        Body: `360p_001.m4s of version ${n - 1}`,
        ChecksumAlgorithm: 'CRC64NVME',
      }),
    );
    await publish(n);
    expect(await getJob(services.table, MEDIA_ID, n)).toMatchObject({
      state: 'failed',
      error: { code: 'publish_failed', message: expect.stringContaining('360p_001.m4s') },
    });
  });
});

it(`a publish of ${SEGMENTS} segments that runs out of time continues by its own messages and copies nothing twice`, async () => {
  const n = await nextJob(services);
  await leaveOutput(services, n, { ...SMALL, segments: SEGMENTS });
  const before = await watch(services);
  const copied: string[] = [];
  services.onCall = (when, { operation, request }) => {
    if (when === 'before' && operation === 'CopyObject' && request?.path.includes(`/v${n}/`)) copied.push(request.path);
  };
  const done: number[] = [];
  let message: PublishMessage | undefined = { jobId: jobIdOf(n) };
  while (message) {
    expect(await watch(services)).toEqual(before);
    let asked = 0;
    // Time enough for a third of the copies.
    await publishJob(publishServices(services), message, () => (++asked > SEGMENTS / 3 ? 1000 : 900_000));
    message = await nextMessage();
    if (message) done.push(message.copied ?? 0);
  }
  expect(await watch(services)).toMatchObject({ version: n });
  expect(done).toHaveLength(3);
  expect(done).toEqual(done.toSorted((a, b) => a - b));
  // Two of the stream beside its segments, three of the preview, poster and waveform; the MP4's name is not of this form.
  expect(copied).toHaveLength(SEGMENTS + 7);
  expect(new Set(copied).size).toBe(SEGMENTS + 7);

  async function nextMessage(): Promise<PublishMessage | undefined> {
    const QueueUrl = QUEUES.publish;
    const { Messages: [received] = [] } = await services.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    if (!received) return undefined;
    await services.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: received.ReceiptHandle }));
    return PublishMessage.parse(JSON.parse(received.Body ?? ''));
  }
}, 1_800_000);

describe('a rollback', () => {
  it('restores the previous version, however often its message arrives, and a second one reverses it', async () => {
    const to = 1;
    const from = await publishNext();
    await rollBack(publishServices(services), jobIdOf(from));
    await rollBack(publishServices(services), jobIdOf(from));
    expect(await watch(services)).toMatchObject({ version: to });
    expect(await getMedia(services.table, MEDIA_ID)).toMatchObject({
      state: 'ready',
      current: { version: to },
      previous: { version: from },
    });
    expect(await getRow(services.table, rowKeys.oldVersion(MEDIA_ID, to), OldVersionRow)).toBeNull();
    expect(await pointerJob(services, KEYS.poster)).toBe(jobIdOf(to));
    await rollBack(publishServices(services), jobIdOf(to));
    expect(await watch(services)).toMatchObject({ version: from });
  });

  it('that dies at any of its calls is finished by the next', async () => {
    await publishNext();
    for (let at = 1; ; at += Math.min(STEP, 3)) {
      const before = await getMedia(services.table, MEDIA_ID);
      const [from, to] = [before?.current?.version ?? 0, before?.previous?.version ?? 0];
      dieAt(at, 'after');
      const died = await rollBack(publishServices(services), jobIdOf(from)).then(
        () => false,
        () => true,
      );
      services.onCall = () => {};
      // The pointers of the stream and of the preview are two objects: each is whole at any time.
      await watch(services);
      await rollBack(publishServices(services), jobIdOf(from));
      expect(await watch(services)).toMatchObject({ version: to });
      if (!died) break;
    }
  });
});

it('the pointer of an output that a new version lacks is removed', async () => {
  const n = await nextJob(services);
  await leaveOutput(services, n, { ...SMALL, poster: false });
  await publish(n);
  expect(await head(services.s3, { bucket: MEDIA, key: KEYS.poster })).toBeNull();
  expect((await getMedia(services.table, MEDIA_ID))?.current?.outputs).not.toHaveProperty('poster');
});

it('the original is deleted where its collection says so: only that version, permanently', async () => {
  const Key = 'drop/ann/talks/one.mp4';
  const put = await services.s3.send(new PutObjectCommand({ Bucket: UPLOADS, Key, Body: 'original' }));
  const newer = await services.s3.send(new PutObjectCommand({ Bucket: UPLOADS, Key, Body: 'a newer one' }));
  const source = { bucket: UPLOADS, key: Key, versionId: put.VersionId, sequencer: '0A', size: 8, etag: put.ETag };
  const key = rowKeys.media(MEDIA_ID);
  await apply(services.table, [{ op: 'update', key, expect: {}, set: { source } }]);
  await apply(services.table, [
    { op: 'update', key: rowKeys.collection('ann', 'talks'), expect: {}, set: { deleteOriginal: true } },
  ]);
  const n = await nextJob(services);
  await leaveOutput(services, n);
  await publish(n);
  expect(await head(services.s3, { bucket: UPLOADS, key: Key, versionId: put.VersionId })).toBeNull();
  expect(await head(services.s3, { bucket: UPLOADS, key: Key })).toMatchObject({ versionId: newer.VersionId });
  const row = await getMedia(services.table, MEDIA_ID);
  expect(row?.originalDeletedAt).toMatch(/^20/);
  await publish(n);
  expect(await getMedia(services.table, MEDIA_ID)).toEqual(row);
});

it.each([
  ['master playlist', KEYS.master],
  ['redirect to its MP4', KEYS.mp4],
])('a restored version has a %s with an ETag of its own, though what it says is the same', async (_, key) => {
  const pointer = async () => {
    const found = await head(services.s3, { bucket: MEDIA, key });
    return { job: found?.metadata.job, etag: found?.etag };
  };
  const before = await pointer();
  const n = await nextJob(services);
  await leaveOutput(services, n);
  await publishJob(publishServices(services), { jobId: jobIdOf(n) }, () => 900_000);
  expect((await pointer()).job).toBe(jobIdOf(n));
  await rollBack(publishServices(services), jobIdOf(n));
  const after = await pointer();
  expect(after.job).toBe(before.job);
  expect(after.etag).not.toBe(before.etag);
  await watch(services);
});

it('a message of a dead holder is received again three minutes later, and not before', async () => {
  const ask = async () => {
    const answer = await services.sqs.send(new ReceiveMessageCommand({ QueueUrl: QUEUES.publish }));
    return answer.Messages?.[0];
  };
  for (let left = await ask(); left; left = await ask()) {
    const { ReceiptHandle } = left;
    await services.sqs.send(new DeleteMessageCommand({ QueueUrl: QUEUES.publish, ReceiptHandle }));
  }
  await send(services.sqs, QUEUES.publish, { jobId: jobIdOf(1) });
  const received = await ask();
  let held = 0;
  services.onCall = (when, { operation }) => {
    if (when === 'after' && operation === 'ChangeMessageVisibility') held++;
  };
  const stop = hold(services.breakable.sqs, QUEUES.publish, received?.ReceiptHandle ?? '', 50);
  await vi.waitUntil(() => held >= 1, 20_000);
  // The queue's own time-out is 30 s.
  services.clock.advance(100_000);
  const before = held;
  await vi.waitUntil(() => held >= before + 2, 20_000);
  services.clock.advance(100_000);
  expect(await ask()).toBeUndefined();
  stop();
  services.clock.advance(181_000);
  expect((await ask())?.MessageId).toBe(received?.MessageId);
});
