import { ListJobsCommand } from '@aws-sdk/client-batch';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { apply, getCollection, getJob, getMedia, getRow } from '../../aws/table.ts';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { BadKeyRow } from '../../core/contracts/table/health.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { ingest } from '../../functions/ingest-upload/ingest.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { arns } from '../../local/test/support/batch-world.ts';
import { builtParser } from '../support/parser.ts';
import { MEDIA, QUEUES, UPLOADS } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import {
  addCollection,
  addJob,
  addMedia,
  dropObject,
  enginesOf,
  LONG_AGO,
  QUOTAS,
  received as receivedFrom,
  sweepOnce,
} from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

// Jobs that the code submits end at once.
const { services, world } = await startStand({ slots: 4 });
const parser = await builtParser();
afterAll(() => parser[Symbol.asyncDispose]());

const run = (minutes = 0) => sweepOnce(services, world, minutes);
const drop = (key: string, body: string | Uint8Array) => dropObject(services, key, body);
const received = (queue: string) => receivedFrom(services, queue);

describe('an upload', () => {
  const WAV = Buffer.from(
    `RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\x08\0\0${'\0'.repeat(2048)}`,
    'latin1',
  );
  const take = (key: string, sequencer = '0A', landedAt = new Date().toISOString()) =>
    ingest(
      {
        table: services.breakable.table,
        s3: services.breakable.s3,
        engines: enginesOf(world),
        mediaBucket: MEDIA,
        maxUploadBytes: 1e9,
        scratchBytes: 1e11,
        parser: parser.path,
        quotas: QUOTAS,
      },
      { bucket: { name: UPLOADS }, object: { key, size: 1, etag: 'x', sequencer } },
      landedAt,
    );
  const jobsNamed = async (name: string) => {
    const filters = [{ name: 'JOB_NAME', values: [name] }];
    return (await world.client.send(new ListJobsCommand({ jobQueue: arns.fair, filters }))).jobSummaryList ?? [];
  };

  it('under a key that is no drop makes no media item, and is noted for health; a folder is not', async () => {
    const noted = () => getRow(services.table, rowKeys.latestBadKey(), BadKeyRow);
    await take('drop/ann/');
    expect(await noted()).toBeNull();
    await take('drop/x.wav', '0A', '2026-11-21T12:00:00Z');
    await take('drop/x.wav', '0A', '2026-11-21T12:00:00Z');
    expect(await noted()).toEqual({ key: 'drop/x.wav', at: '2026-11-21T12:00:00.000Z' });
    await take('drop/y.wav', '0A', '2026-11-21T12:01:00Z');
    await take('drop/x.wav', '0A', '2026-11-21T12:00:30Z');
    expect(await noted()).toEqual({ key: 'drop/y.wav', at: '2026-11-21T12:01:00.000Z' });
    expect(await getMedia(services.table, await mediaIdFor(UPLOADS, 'drop/x.wav'))).toBeNull();
  });

  /** Some minutes go by. */
  const leaseIsOver = (mediaId: string) =>
    apply(services.table, [
      {
        op: 'update',
        key: rowKeys.job(mediaId, 1),
        expect: { state: 'queued', engineJobId: null },
        set: { submittingUntil: LONG_AGO },
      },
    ]);

  it('whose function dies at each of its calls has one media item, one job and one engine job in the end', async () => {
    for (let at = 1; ; at++) {
      const { key, mediaId } = await drop(`drop/ann/sounds/a b+${at}.wav`, WAV);
      let calls = 0;
      services.onCall = () => {
        // Before and after each call in turn.
        if (++calls >= at) throw new AwsError('ServiceUnavailable', 503, 'Dead.');
      };
      const died = await take(key).then(
        () => false,
        () => true,
      );
      services.onCall = () => {};
      await leaseIsOver(mediaId);
      await take(key);
      await take(key, '0B');
      expect(await getMedia(services.table, mediaId)).toMatchObject({
        state: 'transcoding',
        jobCount: 1,
        kind: 'audio',
        sourceInfo: { audioCodec: 'pcm-s16' },
      });
      const known = await jobsNamed(`${mediaId}-1`);
      expect(known).toHaveLength(1);
      expect((await getJob(services.table, mediaId, 1))?.engineJobId).toBe(known[0]?.jobId);
      if (!died) break;
    }
    expect(await getCollection(services.table, 'ann', 'sounds')).toMatchObject({ preset: 'standard' });
  });

  it('that is not media fails before a job is created', async () => {
    const { key, mediaId } = await drop('drop/ann/sounds/letter.mp4', 'Dear all, this is no video.');
    await take(key);
    expect(await getMedia(services.table, mediaId)).toMatchObject({ state: 'failed', error: { code: 'not_media' } });
    expect(await getJob(services.table, mediaId, 1)).toBeNull();
  });

  it('into a collection of an engine that the deployment lacks fails at once, and names it', async () => {
    await addCollection(services, 'papers', { engine: 'paper' });
    const { key, mediaId } = await drop('drop/ann/papers/one.wav', WAV);
    await take(key);
    const message =
      'This deployment has no engine paper; it has batch-cpu. Change the collection, or retry with another engine.';
    expect(await getMedia(services.table, mediaId)).toMatchObject({
      state: 'failed',
      error: { code: 'engine_refused', message },
      jobCount: 0,
    });
  });

  it('into a collection that leaves the engine open is the job of one that the deployment has', async () => {
    const { key, mediaId } = await drop('drop/ann/open/one.wav', WAV);
    await take(key);
    expect(await getJob(services.table, mediaId, 1)).toMatchObject({ engine: 'batch-cpu' });
  });

  it('that is archived fails with a reason, and sweep sends no event for it', async () => {
    const object = { Bucket: UPLOADS, Key: 'drop/ann/sounds/cold.wav' };
    await services.s3.send(new PutObjectCommand({ ...object, Body: WAV, StorageClass: 'DEEP_ARCHIVE' }));
    await take(object.Key);
    const media = await getMedia(services.table, await mediaIdFor(UPLOADS, object.Key));
    expect(media).toMatchObject({ state: 'failed', error: { code: 'source_unreadable' }, jobCount: 0 });
    await received(QUEUES.ingest);
    await run(30);
    const sent = (await received(QUEUES.ingest)).map((body) => JSON.stringify(body));
    expect(sent.filter((body) => body.includes('cold.wav'))).toEqual([]);
  });

  it('that replaces a re-transcode ends its engine job at once', async () => {
    const media = await addMedia(services, 'sounds', 'again.wav', { state: 'retranscoding' });
    const engineJobId = await world.submit({ HOLD: '/nowhere', ON_TERM: '143' }, { jobName: `${media.mediaId}-1` });
    await world.until(engineJobId, 'RUNNING');
    await addJob(services, media, { purpose: 'retranscode', engineJobId });
    await drop(media.source.key, WAV);
    await take(media.source.key, '0C');
    await world.until(engineJobId, 'FAILED');
    expect(await getJob(services.table, media.mediaId, 1)).toMatchObject({ state: 'cancelled' });
    expect(await getJob(services.table, media.mediaId, 2)).toMatchObject({ purpose: 'ingest' });
  });

  it('that replaces a re-transcode whose encode is done at MediaConvert notes what that was expected to cost', async () => {
    const media = await addMedia(services, 'sounds', 'paid.wav', { state: 'retranscoding' });
    const estimate = { seconds: 1, usd: 0.04, of: 'sound', assumed: { seconds: 1, usd: 0.04 } };
    const at = { engine: 'mediaconvert', part: 'finish-1', state: 'queued', engineJobId: undefined } as const;
    await addJob(services, media, { purpose: 'retranscode', estimate, ...at });
    await drop(media.source.key, WAV);
    await take(media.source.key, '0C');
    const cost = { usd: 0.04, vcpuSeconds: 0 };
    expect(await getJob(services.table, media.mediaId, 1)).toMatchObject({ state: 'cancelled', cost });
  });

  it('that replaces one under encoding waits, and a late event of the older one changes nothing', async () => {
    const { key, mediaId } = await drop('drop/ann/sounds/twice.wav', WAV);
    await take(key, '0A');
    await drop(key, Buffer.concat([WAV, Buffer.alloc(2)]));
    await take(key, '0C');
    const row = await getMedia(services.table, mediaId);
    expect(row).toMatchObject({ state: 'transcoding', jobCount: 1, pending: { source: { size: WAV.length + 2 } } });
    await take(key, '0A');
    await take(key, '0C');
    expect(await getMedia(services.table, mediaId)).toEqual(row);
  });
});
