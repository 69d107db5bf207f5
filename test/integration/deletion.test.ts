import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, it, vi } from 'vitest';
import { head, listVersions } from '../../aws/s3.ts';
import { apply, applyWithRetry, getMedia, getRow } from '../../aws/table.ts';
import { apiKeys } from '../../core/contracts/table/keys.ts';
import { type MediaRow, UploadRow } from '../../core/contracts/table/media.ts';
import { markDeleting, undoDeletion } from '../../core/jobs/transitions.ts';
import { ingest } from '../../functions/ingest-upload/ingest.ts';
import { MEDIA, QUEUES, UPLOADS } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import { addMedia, dropObject, enginesOf, QUOTAS, received, sweepOnce } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, world } = await startStand();

/** As the API does. */
async function markForDeletion({ mediaId, source }: MediaRow): Promise<void> {
  await applyWithRetry(services.table, async () => {
    const media = await getMedia(services.table, mediaId);
    if (!media) return { refused: 'the media item is gone' };
    return markDeleting(media, new Date().toISOString(), (await listVersions(services.s3, source)).versions[0]);
  });
}

/** As the API writes it, a minute ago. */
function announced({ mediaId, source }: MediaRow): UploadRow {
  const at = Date.now() - 60_000;
  return {
    type: 'upload',
    mediaId,
    key: source.key,
    fileName: 'announced.mp4',
    size: source.size,
    contentType: 'video/mp4',
    announcedAt: new Date(at).toISOString(),
    deadline: new Date(at + 86_400_000).toISOString(),
    expiresAt: Math.floor(at / 1000) + 30 * 86_400,
  };
}

const run = () => sweepOnce(services, world, 1);

async function eventArrives(key: string): Promise<void> {
  const { table, s3 } = services.breakable;
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
    { bucket: { name: UPLOADS }, object: { key, size: 1, etag: 'x', sequencer: '0B' } },
    new Date().toISOString(),
  );
}

it('a file put right after its key was deleted stays, and becomes a new media item when the old one is removed', async () => {
  const row = await addMedia(services, 'talks', 'replaced.mp4');
  await dropObject(services, row.source.key, 'an older version, in front of the known one');
  await markForDeletion(row);
  const again = await dropObject(services, row.source.key, 'Dear all, this is no video.');
  await eventArrives(row.source.key);
  expect(await run()).toMatchObject({ mediaDeleted: 1 });
  expect(await getMedia(services.table, row.mediaId)).toBeNull();
  expect((await listVersions(services.s3, row.source)).versions).toEqual([again.source.versionId]);
  const announced = { 'detail-type': 'Object Created', detail: { object: { key: row.source.key } } };
  expect(await receivedLater()).toMatchObject([announced]);
  await eventArrives(row.source.key);
  expect(await getMedia(services.table, row.mediaId)).toMatchObject({
    source: { versionId: again.source.versionId },
    jobCount: 1,
  });
});

it('a multipart upload that began before the deletion of its media item, and ended after it, stays', async () => {
  const row = await addMedia(services, 'talks', 'long.mp4');
  const target = { Bucket: UPLOADS, Key: row.source.key };
  const { UploadId } = await services.s3.send(new CreateMultipartUploadCommand(target));
  await markForDeletion(row);
  const { ETag } = await services.s3.send(
    new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'the new one' }),
  );
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  const { VersionId } = await services.s3.send(
    new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }),
  );
  expect(await run()).toMatchObject({ mediaDeleted: 1 });
  expect(await head(services.s3, { bucket: UPLOADS, key: row.source.key })).toMatchObject({ versionId: VersionId });
  expect((await listVersions(services.s3, row.source)).versions).toEqual([VersionId]);
});

it('all versions and delete markers of an upload are removed with its media item, even where a marker hid the newest', async () => {
  const row = await addMedia(services, 'talks', 'hidden.mp4');
  await services.s3.send(new DeleteObjectCommand({ Bucket: UPLOADS, Key: row.source.key }));
  await dropObject(services, row.source.key, 'never seen');
  await services.s3.send(new DeleteObjectCommand({ Bucket: UPLOADS, Key: row.source.key }));
  await markForDeletion(row);
  expect(await run()).toMatchObject({ mediaDeleted: 1 });
  expect(await listVersions(services.s3, row.source)).toEqual({ versions: [], deleteMarkers: [] });
});

it('an announced upload whose event comes again, while its media item is marked for deletion, is there after that is taken back', async () => {
  const row = await addMedia(services, 'talks', 'announced.mp4');
  const upload = announced(row);
  await apply(services.table, [{ op: 'put', key: apiKeys.upload(row.mediaId), row: upload }]);
  await markForDeletion(row);
  await eventArrives(row.source.key);
  await applyWithRetry(services.table, async () => {
    const media = await getMedia(services.table, row.mediaId);
    return media ? undoDeletion(media, new Date().toISOString()) : { refused: 'the media item is gone' };
  });
  await run();
  expect(await getRow(services.table, apiKeys.upload(row.mediaId), UploadRow)).toEqual(upload);
  expect((await listVersions(services.s3, row.source)).versions).toEqual([row.source.versionId]);
});

/** The event is under way for as long as a run of sweep may take. */
async function receivedLater(): Promise<unknown[]> {
  services.clock.advance(300_000);
  return received(services, QUEUES.ingest);
}
