import { CompleteMultipartUploadCommand, CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { expect, it, vi } from 'vitest';
import { remove } from '../../aws/s3.ts';
import { getMedia } from '../../aws/table.ts';
import { ingest } from '../../functions/ingest-upload/ingest.ts';
import { MEDIA, QUEUES, UPLOADS } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import { addMedia, dropObject, enginesOf, LONG_AGO, QUOTAS, received, sweepOnce } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, world } = await startStand();
const KEY = 'drop/ann/talks/recording.wav';

const take = (key: string, sequencer: string) => {
  const { table, s3 } = services.breakable;
  const all = {
    table,
    s3,
    engines: enginesOf(world),
    mediaBucket: MEDIA,
    maxUploadBytes: 1e9,
    scratchBytes: 1e11,
    quotas: QUOTAS,
  };
  const event = { bucket: { name: UPLOADS }, object: { key, size: 1, etag: 'x', sequencer } };
  return ingest(all, event, new Date().toISOString());
};
const found = async () => {
  const events = (await received(services, QUEUES.ingest)) as { detail: { object: { key: string } } }[];
  return events.map(({ detail }) => detail.object.key);
};

it('a version put while the one before was examined is found without an event', async () => {
  const first = await dropObject(services, KEY, 'Dear all, this is no video.');
  let again = false;
  services.onCall = (when, { operation }) => {
    // Between HEAD and the rows, as while an upload is probed.
    if (when !== 'after' || operation !== 'GetObject' || again) return;
    again = true;
    put = dropObject(services, KEY, 'The next version, whose event is lost.');
  };
  let put: ReturnType<typeof dropObject> | undefined;
  await take(KEY, '0A');
  services.onCall = () => {};
  await put;
  expect(await getMedia(services.table, first.mediaId)).toMatchObject({
    source: { versionId: first.source.versionId },
  });
  await sweepOnce(services, world, 16);
  expect(await found()).toContain(KEY);
});

it('a multipart upload that began before the known version was seen is found, and a refused one is not found again', async () => {
  const row = await addMedia(services, 'talks', 'long.mp4');
  const target = { Bucket: UPLOADS, Key: row.source.key };
  const { UploadId } = await services.s3.send(new CreateMultipartUploadCommand(target));
  const { ETag } = await services.s3.send(
    new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'Dear all, this is no video either.' }),
  );
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await services.s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }));
  await sweepOnce(services, world, 16);
  expect(await found()).toContain(row.source.key);
  await take(row.source.key, '0A1');
  expect(await getMedia(services.table, row.mediaId)).toMatchObject({
    state: 'ready',
    error: { code: 'not_media' },
    source: { versionId: row.source.versionId },
  });
  const refused = await getMedia(services.table, row.mediaId);
  await take(row.source.key, '0F');
  expect(await getMedia(services.table, row.mediaId)).toEqual(refused);
  await sweepOnce(services, world, 32);
  expect(await found()).not.toContain(row.source.key);
});

it('an older version that becomes the newest when the known one is removed is not ingested', async () => {
  const older = await dropObject(services, 'drop/ann/talks/shown.mp4', 'the older one');
  const row = await addMedia(services, 'talks', 'shown.mp4', {
    sourceSeenAt: new Date(Date.now() + 2000).toISOString(),
  });
  await remove(services.s3, row.source);
  await take(older.key, row.source.sequencer);
  await sweepOnce(services, world, 16);
  expect(await found()).not.toContain(older.key);
  expect(await getMedia(services.table, row.mediaId)).toEqual(row);
});

it('an upload over a known one is ingested, though its event has an earlier sequencer', async () => {
  const row = await addMedia(services, 'talks', 'order.mp4', { sourceSeenAt: LONG_AGO });
  const newer = await dropObject(services, row.source.key, 'Dear all, again no video.');
  await take(newer.key, '09');
  expect(await getMedia(services.table, row.mediaId)).toMatchObject({
    refused: { versionId: newer.source.versionId, etag: newer.source.etag },
    error: { code: 'not_media' },
  });
});
