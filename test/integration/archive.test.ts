import {
  DeleteObjectCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3';
import { expect, it, vi } from 'vitest';
import { head, listVersions } from '../../aws/s3.ts';
import { apply, applyWithRetry, getMedia, getRow } from '../../aws/table.ts';
import { archiveCopyKey } from '../../core/contracts/keys.ts';
import { ArchivePolicyRow, ArchiveStatsRow } from '../../core/contracts/table/archive.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { archiveRestored } from '../../core/jobs/archive-purge.ts';
import { markDeleting } from '../../core/jobs/transitions.ts';
import { ingest } from '../../functions/ingest-upload/ingest.ts';
import { deleteMedia } from '../../functions/sweep/deletions.ts';
import { compareDrops } from '../../functions/sweep/drops.ts';
import {
  addPolicy,
  archiveRowOf,
  COPY,
  H264,
  later,
  NIGHT,
  sourceBytes,
  startArchiveStand,
  workerMakes,
  workerSays,
} from '../support/archive.ts';
import { MEDIA, QUEUES, UPLOADS } from '../support/services.ts';
import { addCollection, addMedia, dropObject, enginesOf, QUOTAS, received, sweepWith } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, world, run } = await startArchiveStand();
const { table, s3 } = services;

/** A media item whose copy has become its source. @returns it as it was before */
async function archived(name: string, policy: object = {}) {
  await addPolicy(services, policy);
  const media = await addMedia(services, 'talks', name, H264);
  expect(await run()).toMatchObject({ archivesStarted: 1 });
  await workerMakes(services, media, name);
  expect(await run(later(NIGHT, 0.01))).toMatchObject({ originalsArchived: 1 });
  return media;
}

it('a copy becomes the source of its media item, and the original is deleted after its day, by its version', async () => {
  const media = await archived('a long original.mp4');
  const key = archiveCopyKey('ann', media.mediaId, 2, media.source.key);
  const { versionId, size, etag, key: uploadKey } = media.source;
  expect(await getMedia(table, media.mediaId)).toMatchObject({
    ...{
      state: 'ready',
      jobCount: 2,
      source: { key, size: COPY.length, archivedFrom: { key: uploadKey, versionId, size, etag } },
    },
    ...{ current: { source: { key } }, archive: { state: 'archived' } },
  });
  expect((await head(s3, { bucket: UPLOADS, key: uploadKey }))?.versionId).toBe(versionId);
  expect(await run(later(NIGHT, 0.9))).toMatchObject({ originalsPurged: 0 });
  expect(await run(later(NIGHT, 1.1))).toMatchObject({ originalsPurged: 1 });
  expect(await listVersions(s3, { bucket: UPLOADS, key: uploadKey })).toEqual({ versions: [], deleteMarkers: [] });
  expect(await sourceBytes(services, media.mediaId)).toBe(COPY);
  expect(await getRow(table, rowKeys.archiveStats('ann', 'talks'), ArchiveStatsRow)).toMatchObject({
    ...{ archived: 1, originalBytes: size, archivedBytes: COPY.length, keptBytes: 0 },
  });
});

it('the kept original is no new upload: not for its event that comes again, nor for sweep', async () => {
  const media = await archived('seen again.mp4');
  const before = await getMedia(table, media.mediaId);
  const event = { key: media.source.key, size: 1, etag: 'x', sequencer: 'FFFF' };
  await ingest(
    {
      ...{ table, s3, engines: enginesOf(world), mediaBucket: MEDIA, maxUploadBytes: 1e9, scratchBytes: 1e11 },
      quotas: QUOTAS,
    },
    { bucket: { name: UPLOADS }, object: event },
    new Date().toISOString(),
  );
  await sweepWith(services, world, later(NIGHT, 0.02), () => 265_000, [compareDrops]);
  expect(await received(services, QUEUES.ingest)).toEqual([]);
  expect(await getMedia(table, media.mediaId)).toEqual(before);
});

it('an object under archive/ is no drop, should an event of it come', async () => {
  const key = archiveCopyKey('ann', 'abcdefghijklmnopqrstuvwxyz', 1, 'drop/ann/talks/a.mp4');
  await dropObject(services, key, COPY);
  await ingest(
    {
      ...{ table, s3, engines: enginesOf(world), mediaBucket: MEDIA, maxUploadBytes: 1e9, scratchBytes: 1e11 },
      quotas: QUOTAS,
    },
    { bucket: { name: UPLOADS }, object: { key, size: 1, etag: 'x', sequencer: '0B' } },
    new Date().toISOString(),
  );
  expect(await getMedia(table, (await dropObject(services, key, COPY)).mediaId)).toBeNull();
});

it('a restore puts the original back in one write, and its copy is removed a day later', async () => {
  const media = await archived('put back.mp4');
  const restored = await applyWithRetry(table, async () => {
    const [row, now] = [await archiveRowOf(services, media.mediaId), await getMedia(table, media.mediaId)];
    return row && now ? archiveRestored(row, now, later(NIGHT, 0.1)) : { refused: 'gone' };
  });
  expect(restored).not.toHaveProperty('refused');
  expect((await getMedia(table, media.mediaId))?.source).toEqual(media.source);
  expect((await getMedia(table, media.mediaId))?.current).toEqual(media.current);
  expect(await run(later(NIGHT, 0.5))).toMatchObject({ originalsPurged: 0 });
  await run(later(NIGHT, 2));
  const key = archiveCopyKey('ann', media.mediaId, 2, media.source.key);
  expect((await listVersions(s3, { bucket: UPLOADS, key })).versions).toEqual([]);
  expect(await sourceBytes(services, media.mediaId)).toBe('put back.mp4');
  expect(await archiveRowOf(services, media.mediaId)).toMatchObject({
    state: 'refused',
    refusals: [{ reason: 'restored' }],
  });
  expect(await run(later(NIGHT, 4))).toMatchObject({ archivesStarted: 0 });
});

it('an original is kept while its copy is not what was verified', async () => {
  const media = await archived('copy is lost.mp4');
  const copy = (await getMedia(table, media.mediaId))?.source;
  await s3.send(new DeleteObjectCommand({ Bucket: UPLOADS, Key: copy?.key, VersionId: copy?.versionId }));
  expect(await run(later(NIGHT, 2))).toMatchObject({ originalsPurged: 0, originalsKept: 1 });
  expect(await archiveRowOf(services, media.mediaId)).toMatchObject({ state: 'archived', kept: 'the copy is missing' });
  expect((await head(s3, { bucket: UPLOADS, key: media.source.key }))?.versionId).toBe(media.source.versionId);
});

it('an original under legal hold is kept, says so, and goes when the hold is off', async () => {
  await s3.send(
    new PutObjectLockConfigurationCommand({
      Bucket: UPLOADS,
      ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' },
    }),
  );
  const media = await archived('on hold.mp4');
  const { key: Key, versionId: VersionId } = media.source;
  const hold = (Status: 'ON' | 'OFF') =>
    s3.send(new PutObjectLegalHoldCommand({ Bucket: UPLOADS, Key, VersionId, LegalHold: { Status } }));
  await hold('ON');
  expect(await run(later(NIGHT, 2))).toMatchObject({ originalsPurged: 0, originalsKept: 1 });
  const row = await archiveRowOf(services, media.mediaId);
  expect(row).toMatchObject({ state: 'archived', kept: expect.stringContaining('legal hold') });
  expect((await head(s3, { bucket: UPLOADS, key: Key }))?.versionId).toBe(VersionId);
  await hold('OFF');
  expect(await run(later(NIGHT, 3.1))).toMatchObject({ originalsPurged: 1 });
});

it('no original is deleted while the archive of its collection is off, or sooner than the policy of the day says', async () => {
  const media = await archived('longer.mp4');
  const key = rowKeys.archivePolicy('ann', 'talks');
  const policy = await getRow(table, key, ArchivePolicyRow);
  await apply(table, [{ op: 'update', key, expect: {}, set: { enabled: false } }]);
  expect(await run(later(NIGHT, 2))).toMatchObject({ originalsPurged: 0, originalsKept: 1 });
  const longer = { ...policy?.policy, keepOriginalDays: 10 };
  await apply(table, [{ op: 'update', key, expect: {}, set: { enabled: true, policy: longer } }]);
  expect(await run(later(NIGHT, 4))).toMatchObject({ originalsPurged: 0 });
  expect(await sourceBytes(services, media.mediaId)).toBe(COPY);
  expect(await run(later(NIGHT, 10.5))).toMatchObject({ originalsPurged: 1 });
});

it('a new upload takes the place of the copy: the original of before stays, and the new one is archived in its turn', async () => {
  const media = await archived('uploaded again.mp4');
  const again = await dropObject(services, media.source.key, 'another recording');
  const now = await getMedia(table, media.mediaId);
  if (!now) throw new Error('it is gone');
  const changes = { source: again.source, seq: now.seq + 1, current: { ...now.current, source: again.source } };
  await apply(table, [{ op: 'update', key: rowKeys.media(media.mediaId), expect: {}, set: changes }]);
  expect(await run(later(NIGHT, 2))).toMatchObject({ originalsPurged: 0 });
  const { versions } = await listVersions(s3, { bucket: UPLOADS, key: media.source.key });
  expect(versions).toEqual([again.source.versionId, media.source.versionId]);
});

it('a copy that was swapped under tmp/ does not become the source: the copy is made again', async () => {
  await addPolicy(services);
  const media = await addMedia(services, 'talks', 'swapped.mp4', H264);
  await run();
  await workerMakes(services, media, 'swapped.mp4');
  const { jobId } = (await archiveRowOf(services, media.mediaId)) ?? {};
  await s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: `tmp/${jobId}/archive.mp4`, Body: 'something else' }));
  expect(await run(later(NIGHT, 0.01))).toMatchObject({ originalsArchived: 0 });
  expect(await sourceBytes(services, media.mediaId)).toBe('swapped.mp4');
  await run(later(NIGHT, 0.06));
  expect(await archiveRowOf(services, media.mediaId)).toMatchObject({ jobId: `${media.mediaId}-3` });
});

it('a refusal is recorded with its reason, and not tried again until the policy changes', async () => {
  await addPolicy(services);
  const media = await addMedia(services, 'talks', 'dense.mp4', H264);
  await run();
  const { jobId = '' } = (await archiveRowOf(services, media.mediaId)) ?? {};
  const refusals = [{ reason: 'savings' as const, detail: 'It is larger.' }];
  await workerSays(services, { status: 'refused', jobId, refusals, usage: { wallSeconds: 1, cpuSeconds: 1 } });
  expect(await run(later(NIGHT, 0.01))).toMatchObject({ archivesRefused: 1 });
  expect(await getMedia(table, media.mediaId)).toMatchObject({ source: media.source, archive: { reason: 'savings' } });
  expect(await run(later(NIGHT, 1))).toMatchObject({ archivesStarted: 0 });
  const key = rowKeys.archivePolicy('ann', 'talks');
  const policy = await getRow(table, key, ArchivePolicyRow);
  const set = { policy: { ...policy?.policy, quality: 30 }, rev: 2 };
  await apply(table, [{ op: 'update', key, expect: {}, set, remove: ['cursor'] }]);
  expect(await run(later(NIGHT, 2))).toMatchObject({ archivesStarted: 1 });
});

it('what the table knows to be unfit costs no worker', async () => {
  await addPolicy(services);
  const hevc = await addMedia(services, 'talks', 'hevc.mp4', { ...H264, sourceInfo: { videoCodec: 'hevc' } });
  const sound = await addMedia(services, 'talks', 'sound.wav', { kind: 'audio' });
  expect(await run()).toMatchObject({ archivesStarted: 0 });
  const reasons = [hevc, sound].map(
    async ({ mediaId }) => (await archiveRowOf(services, mediaId))?.refusals?.[0]?.reason,
  );
  expect(await Promise.all(reasons)).toEqual(['codec', 'not_readable']);
});

it('nothing begins outside of the window, for a young recording, or while uploads wait', async () => {
  await addPolicy(services, { minAgeDays: 30 });
  await addMedia(services, 'talks', 'young.mp4', H264);
  expect(await run()).toMatchObject({ archivesStarted: 0, archiveLookedAt: 0 });
  expect(await run(later(NIGHT, 25.5))).toMatchObject({ archivesStarted: 0 });
  expect(await run(later(NIGHT, 26))).toMatchObject({ archivesStarted: 1 });
});

it('an encode that the end of the window finds is stopped, and begins anew where there is more time', async () => {
  await addPolicy(services, { window: '02:00-03:00' });
  const media = await addMedia(services, 'talks', 'slow.mp4', H264);
  expect(await run()).toMatchObject({ archivesStarted: 1 });
  const before = await archiveRowOf(services, media.mediaId);
  expect(before?.stopAt).toBe('2026-12-03T03:00:00.000Z');
  await run('2026-12-03T03:00:30.000Z');
  expect(await archiveRowOf(services, media.mediaId)).toMatchObject({ state: 'due' });
  expect(await sourceBytes(services, media.mediaId)).toBe('slow.mp4');
});

it('three attempts without an answer are enough, and the reason is told', async () => {
  await addPolicy(services);
  const media = await addMedia(services, 'talks', 'crashes.mp4', H264);
  for (const day of [0, 1, 2]) {
    await run(later(NIGHT, day));
    const row = await archiveRowOf(services, media.mediaId);
    await world.until(row?.engineJobId ?? '', 'SUCCEEDED', 'FAILED');
    await run(later(NIGHT, day + 0.01));
  }
  expect(await archiveRowOf(services, media.mediaId)).toMatchObject({
    state: 'refused',
    refusals: [{ reason: 'encode_failed' }],
  });
  expect(await run(later(NIGHT, 3))).toMatchObject({ archivesStarted: 0 });
});

it('deleting a media item removes its copy, its kept original and its rows', async () => {
  await addCollection(services, 'talks');
  const media = await archived('deleted.mp4');
  await applyWithRetry(table, async () => {
    const row = await getMedia(table, media.mediaId);
    return row ? markDeleting(row, NIGHT, media.source.versionId) : { refused: 'gone' };
  });
  await sweepWith(services, world, later(NIGHT, 0.02), () => 265_000, [deleteMedia]);
  await sweepWith(services, world, later(NIGHT, 0.1), () => 265_000, [deleteMedia]);
  expect(await getMedia(table, media.mediaId)).toBeNull();
  expect(await archiveRowOf(services, media.mediaId)).toBeNull();
  const copy = { bucket: UPLOADS, key: archiveCopyKey('ann', media.mediaId, 2, media.source.key) };
  for (const at of [copy, media.source]) expect((await listVersions(s3, at)).versions).toEqual([]);
  expect(await getRow(table, rowKeys.archiveStats('ann', 'talks'), ArchiveStatsRow)).toMatchObject({
    archived: 0,
    keptBytes: 0,
  });
});
