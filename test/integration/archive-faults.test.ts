import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import { head, listVersions } from '../../aws/s3.ts';
import { apply, applyWithRetry, getMedia, getRow } from '../../aws/table.ts';
import { archiveCopyKey, archiveFile, RESULT_FILE, tmpPrefix } from '../../core/contracts/keys.ts';
import { ArchivePolicyRow } from '../../core/contracts/table/archive.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { archivePurging, archiveRestored } from '../../core/jobs/archive-purge.ts';
import { SpentRow, spentKey } from '../../core/jobs/spending.ts';
import { markDeleting, newestLeft } from '../../core/jobs/transitions.ts';
import { deleteMedia } from '../../functions/sweep/deletions.ts';
import { AwsError } from '../../local/kernel/service.ts';
import {
  addPolicy,
  archiveAt,
  archiveRowOf,
  COPY,
  copyOfBytes,
  H264,
  later,
  NIGHT,
  sourceBytes,
  startArchiveStand,
  workerMakes,
} from '../support/archive.ts';
import { MEDIA, UPLOADS } from '../support/services.ts';
import { addCollection, addMedia, archiveOf, dropObject, sweepWith } from '../support/swept.ts';

/** What must not go wrong while somebody changes the bucket, the policy or the media item between two runs, or a worker lies. */

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, world, run, rowOf } = await startArchiveStand();
const { table, s3 } = services;
const POLICY = rowKeys.archivePolicy('ann', 'talks');
const NEXT = later(NIGHT, 0.01);
const UNAVAILABLE = new AwsError('ServiceUnavailable', 503, 'The table is not there.');

/** A media item whose copy a worker is asked for. */
async function encoding(name: string, policy: object = {}) {
  await addPolicy(services, policy);
  const media = await addMedia(services, 'talks', name, H264);
  expect(await run()).toMatchObject({ archivesStarted: 1 });
  return media;
}

async function archived(name: string) {
  const media = await encoding(name);
  await workerMakes(services, media, name);
  expect(await run(NEXT)).toMatchObject({ originalsArchived: 1 });
  return media;
}

/** As a run leaves it that has died before its DELETE. */
async function purging({ mediaId }: MediaRow, now: string) {
  const done = await applyWithRetry(table, async () => {
    const [row, media] = [await archiveRowOf(services, mediaId), await getMedia(table, mediaId)];
    const policy = await getRow(table, POLICY, ArchivePolicyRow);
    return row && media ? archivePurging(row, media, policy, now) : { refused: 'gone' };
  });
  expect(done).not.toHaveProperty('refused');
}

const isThere = async (media: MediaRow) => (await head(s3, media.source)) !== null;
const copyOf = (media: MediaRow, n = 2) => ({
  bucket: UPLOADS,
  key: archiveCopyKey('ann', media.mediaId, n, media.source.key),
});
const setPolicy = (set: Partial<ArchivePolicyRow>) => apply(table, [{ op: 'update', key: POLICY, expect: {}, set }]);

it.each([
  'archived',
  'purging',
])('an original (%s) is kept while a rule of the bucket can expire its copy', async (state) => {
  const media = await archived('ruled.mp4');
  if (state === 'purging') await purging(media, later(NIGHT, 2));
  services.uploads.lifecycle = [{ id: 'theirs', prefix: 'archive/', expirationDays: 9 }];
  expect(await run(later(NIGHT, 2))).toMatchObject({ originalsPurged: 0, originalsKept: 1 });
  expect(await rowOf(media)).toMatchObject({
    state: 'archived',
    kept: "lifecycle_too_short: The bucket's lifecycle rule theirs can remove objects under archive/: it expires them.",
  });
  expect(await isThere(media)).toBe(true);
  services.uploads.lifecycle = [];
  expect(await run(later(NIGHT, 4))).toMatchObject({ originalsPurged: 1 });
});

it.each(['archived', 'purging'])('an original (%s) is kept while a delete marker hides its copy', async (state) => {
  const media = await archived('hidden.mp4');
  if (state === 'purging') await purging(media, later(NIGHT, 2));
  await s3.send(new DeleteObjectCommand({ Bucket: UPLOADS, Key: copyOf(media).key }));
  expect(await run(later(NIGHT, 2))).toMatchObject({ originalsPurged: 0, originalsKept: 1 });
  expect(await rowOf(media)).toMatchObject({
    state: 'archived',
    kept: 'the copy is not the newest version of its key',
  });
  expect(await isThere(media)).toBe(true);
});

it('a run that goes on where another died asks the policy again, and finds what that one had deleted', async () => {
  const media = await archived('continued.mp4');
  await purging(media, later(NIGHT, 2));
  await setPolicy({ enabled: false });
  expect(await run(later(NIGHT, 2))).toMatchObject({ originalsPurged: 0, originalsKept: 1 });
  expect(await rowOf(media)).toMatchObject({ state: 'archived', kept: 'the archive of its collection is off' });
  expect(await isThere(media)).toBe(true);
  await setPolicy({ enabled: true });
  await purging(media, later(NIGHT, 10));
  await s3.send(new DeleteObjectCommand({ Bucket: UPLOADS, Key: media.source.key, VersionId: media.source.versionId }));
  await setPolicy({ enabled: false });
  expect(await run(later(NIGHT, 10))).toMatchObject({ originalsPurged: 1 });
  expect(await rowOf(media)).toMatchObject({ state: 'purged' });
});

it('a copy whose original is gone before it could take its place becomes the source', async () => {
  const media = await encoding('vanished.mp4');
  await workerMakes(services, media, 'vanished.mp4');
  await s3.send(new DeleteObjectCommand({ Bucket: UPLOADS, Key: media.source.key, VersionId: media.source.versionId }));
  // Not even the archive's being off changes that.
  await setPolicy({ enabled: false });
  expect(await run(NEXT)).toMatchObject({ originalsArchived: 1 });
  expect(await sourceBytes(services, media.mediaId)).toBe(COPY);
  expect(await rowOf(media)).toMatchObject({ state: 'purged', source: { versionId: media.source.versionId } });
  expect(await getMedia(table, media.mediaId)).toMatchObject({ state: 'ready', archive: { state: 'purged' } });
});

it('an older upload under its key does not make a deleted media item anew, though the original was deleted at that moment', async () => {
  await addCollection(services, 'talks');
  await dropObject(services, 'drop/ann/talks/twice.mp4', 'the first one');
  const media = await archived('twice.mp4');
  await purging(media, later(NIGHT, 2));
  await applyWithRetry(table, async () => {
    const [row, { versions }] = [await getMedia(table, media.mediaId), await listVersions(s3, media.source)];
    return row ? markDeleting(row, later(NIGHT, 2), newestLeft(row, versions)) : { refused: 'gone' };
  });
  await s3.send(new DeleteObjectCommand({ Bucket: UPLOADS, Key: media.source.key, VersionId: media.source.versionId }));
  const earlier = { Bucket: MEDIA, Key: `${tmpPrefix(`${media.mediaId}-1`)}left` };
  await s3.send(new PutObjectCommand({ ...earlier, Body: 'of an earlier attempt' }));
  for (const days of [2.01, 2.1]) await sweepWith(services, world, later(NIGHT, days), () => 265_000, [deleteMedia]);
  expect(await getMedia(table, media.mediaId)).toBeNull();
  expect(await listVersions(s3, media.source)).toEqual({ versions: [], deleteMarkers: [] });
  expect(await head(s3, { bucket: MEDIA, key: earlier.Key })).toBeNull();
});

it.each([
  ['is larger than its original', { copy: 'a copy that is larger' }, 'save -'],
  ['is below a floor of the policy', { quality: { mean: 0.5 } }, 'SSIM on average is 0.5000'],
  ['is not as good as a number', { quality: { psnr: 0 } }, 'PSNR in dB is 0.0000'],
  ['is of a file with another checksum', { original: 'other.mp4' }, 'with another checksum'],
])('a copy is not taken that %s, though its worker says that all is well', async (_, says, detail) => {
  const media = await encoding('small.mp4');
  // As S3 has it of uploads that are sent without any checksum.
  const { Key, ...body } = { Key: media.source.key, Body: 'small.mp4' };
  await s3.send(new DeleteObjectCommand({ Bucket: UPLOADS, Key, VersionId: media.source.versionId }));
  const put = await s3.send(new PutObjectCommand({ Bucket: UPLOADS, Key, ...body, ChecksumAlgorithm: 'CRC64NVME' }));
  const source = { ...media.source, versionId: put.VersionId };
  const change = { ...media, source, current: media.current && { ...media.current, source } };
  await apply(table, [
    { op: 'update', key: rowKeys.media(media.mediaId), expect: {}, set: { source, current: change.current } },
    { op: 'update', key: rowKeys.archive(media.mediaId), expect: {}, set: { source } },
  ]);
  const {
    original = 'small.mp4',
    copy = COPY,
    quality,
  } = says as Partial<Record<'original' | 'copy', string>> & {
    quality?: object;
  };
  await workerMakes(services, media, original, copy, quality);
  expect(await run(NEXT)).toMatchObject({ originalsArchived: 0 });
  expect(await rowOf(media)).toMatchObject({ state: 'due', failures: 1, waits: expect.stringContaining(detail) });
  expect((await getMedia(table, media.mediaId))?.source).toEqual(source);
});

it.each([
  ['too large to be read', () => Buffer.alloc(33 * 1024 * 1024, ' ')],
  [
    'more than a row holds',
    (jobId: string) => {
      const refusals = Array.from({ length: 500 }, () => ({ reason: 'savings', detail: 'x'.repeat(1000) }));
      return JSON.stringify({ status: 'refused', jobId, refusals, usage: { wallSeconds: 1, cpuSeconds: 1 } });
    },
  ],
])('a result that is %s ends its attempt', async (_, body) => {
  const media = await encoding('flood.mp4');
  const { jobId = '', engineJobId = '' } = (await rowOf(media)) ?? {};
  await s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: `${tmpPrefix(jobId)}${RESULT_FILE}`, Body: body(jobId) }));
  await world.until(engineJobId, 'SUCCEEDED', 'FAILED');
  await run(NEXT);
  expect(await rowOf(media)).not.toMatchObject({ state: 'encoding' });
});

it('a copy that gets no version of its own is not left there, nor tried for ever', async () => {
  const media = await encoding('suspended.mp4');
  await workerMakes(services, media, 'suspended.mp4');
  services.uploads.versioned = false;
  expect(await run(NEXT)).toMatchObject({ originalsArchived: 0 });
  expect(await rowOf(media)).toMatchObject({ state: 'due', failures: 1 });
  expect(await listVersions(s3, copyOf(media))).toEqual({ versions: [], deleteMarkers: [] });
});

it('what is switched off is not archived, nor in a collection that deletes originals', async () => {
  const media = await encoding('switched off.mp4');
  await workerMakes(services, media, 'switched off.mp4');
  await setPolicy({ enabled: false });
  expect(await run(NEXT)).toMatchObject({ originalsArchived: 0 });
  expect(await rowOf(media)).toMatchObject({ state: 'due', waits: 'the archive of its collection is off' });
  await addCollection(services, 'talks', { deleteOriginal: true });
  await setPolicy({ enabled: true, todo: 'archive-policy', todoAt: NIGHT });
  expect(await run(later(NIGHT, 0.02))).toMatchObject({ archivesStarted: 0 });
  expect(await rowOf(media)).toMatchObject({ state: 'due', waits: 'its collection deletes originals' });
  expect((await getMedia(table, media.mediaId))?.source).toEqual(media.source);
});

it('the run that a person asks for is done in a collection whose archive is off', async () => {
  await addPolicy(services, {}, { enabled: false, forcedUntil: later(NIGHT, 1) });
  const media = await addMedia(services, 'talks', 'forced.mp4', H264);
  expect(await run()).toMatchObject({ archivesStarted: 1 });
  await workerMakes(services, media, 'forced.mp4');
  expect(await run(NEXT)).toMatchObject({ originalsArchived: 1 });
});

it('an original stays for as long as the policy said when its copy was begun, if that is longer', async () => {
  const media = await encoding('longest.mp4', { keepOriginalDays: 20 });
  await workerMakes(services, media, 'longest.mp4');
  const policy = await getRow(table, POLICY, ArchivePolicyRow);
  if (policy) await setPolicy({ policy: { ...policy.policy, keepOriginalDays: 1 } });
  await run(NEXT);
  expect(await rowOf(media)).toMatchObject({ state: 'archived', deleteAfter: later(NEXT, 20) });
});

it('a media item whose row could not be written is looked at again, and those behind it with it', async () => {
  await addPolicy(services);
  const media = await addMedia(services, 'talks', 'unlucky.mp4', H264);
  services.onCall = (when, call) => {
    if (when === 'before' && call.operation === 'TransactWriteItems') throw UNAVAILABLE;
  };
  await run().catch(() => {});
  services.onCall = () => {};
  expect(await rowOf(media)).toBeNull();
  await run(later(NIGHT, 0.1));
  expect(await rowOf(media)).toMatchObject({ state: 'encoding' });
});

it('the copy of a restored original stays while an encode is under way, and goes afterwards', async () => {
  const media = await archived('put back.mp4');
  await applyWithRetry(table, async () => {
    const [row, is] = [await rowOf(media), await getMedia(table, media.mediaId)];
    return row && is ? archiveRestored(row, is, NEXT) : { refused: 'gone' };
  });
  const key = rowKeys.media(media.mediaId);
  await apply(table, [{ op: 'update', key, expect: {}, set: { state: 'retranscoding' } }]);
  await run(later(NIGHT, 2));
  expect(await head(s3, copyOf(media))).not.toBeNull();
  await apply(table, [{ op: 'update', key, expect: {}, set: { state: 'ready' } }]);
  await run(later(NIGHT, 4));
  expect(await head(s3, copyOf(media))).toBeNull();
});

it('the copy of a restored original stays while that cannot be read, though S3 has it', async () => {
  const media = await archived('locked.mp4');
  await applyWithRetry(table, async () => {
    const [row, is] = [await rowOf(media), await getMedia(table, media.mediaId)];
    return row && is ? archiveRestored(row, is, NEXT) : { refused: 'gone' };
  });
  services.onCall = (when, { operation }) => {
    if (when === 'before' && operation === 'GetObject') {
      throw new AwsError('AccessDenied', 403, 'The ciphertext refers to a customer master key that does not exist.');
    }
  };
  await run(later(NIGHT, 2));
  services.onCall = () => {};
  expect(await head(s3, copyOf(media))).not.toBeNull();
  await run(later(NIGHT, 4));
  expect(await head(s3, copyOf(media))).toBeNull();
});

it('a worker that was asked for a copy while its media item was deleted is told to stop', async () => {
  await addPolicy(services);
  const media = await addMedia(services, 'talks', 'too late.mp4', H264);
  const workers = archiveOf(world);
  const cancelled: string[] = [];
  await archiveAt(services, world, NIGHT, {
    workers: {
      ...workers,
      async submit(submission) {
        const engineJobId = await workers.submit(submission);
        await apply(table, [{ op: 'remove', key: rowKeys.archive(media.mediaId), expect: {} }]);
        return engineJobId;
      },
      async cancel(engineJobId, why) {
        cancelled.push(why);
        await workers.cancel(engineJobId, why);
      },
    },
  });
  expect(cancelled).toEqual(['the job is over']);
});

it('a copy that the end of its window stops counts under a cap with what it has cost', async () => {
  await addCollection(services, 'talks', { maxUsdPerMonth: 5 });
  const media = await encoding('stopped.mp4', { window: '02:00-03:00' });
  const startedAt = '2026-12-03T02:30:00.000Z';
  const workers = archiveOf(world);
  const running = { ...workers, describe: async () => ({ kind: 'running' as const, startedAt }) };
  await archiveAt(services, world, '2026-12-03T03:00:30.000Z', { workers: running });
  expect(await rowOf(media)).toMatchObject({ state: 'due', waits: 'the window was over before it was done' });
  const spent = await getRow(table, spentKey('ann', '2026-12', 'talks'), SpentRow);
  // 30.5 minutes of 4 vCPUs, at 0.04937 USD for an hour of one.
  expect(spent?.usd).toBe(0.100386);
});

it.each([
  ['is not an MP4', '\0\0\0\x04moov', 'the copy is not an MP4'],
  ['has no index', '\0\0\0\x09mdatx', 'the copy does not end where its boxes do, or has no index'],
  ['ends before its boxes do', '\0\0\0\x0amoov', 'the copy does not end where its boxes do, or has no index'],
])('an original is kept whose copy %s, whatever its checksum', async (_, copy, kept) => {
  const media = await encoding('a long original.mp4');
  await workerMakes(services, media, 'a long original.mp4', copy);
  expect(await run(NEXT)).toMatchObject({ originalsArchived: 1 });
  expect(await run(later(NIGHT, 2))).toMatchObject({ originalsPurged: 0, originalsKept: 1 });
  expect(await rowOf(media)).toMatchObject({ state: 'archived', kept });
  expect(await head(s3, media.source)).not.toBeNull();
});

it.each([
  ['GetObject', ['GetObject']],
  ['HeadObject too', ['GetObject', 'HeadObject']],
])('an original is kept whose copy nobody may read (%s)', async (_, refused) => {
  const media = await archived('a long original.mp4');
  services.onCall = (when, { operation }) => {
    if (when === 'before' && refused.includes(operation)) {
      throw new AwsError('AccessDenied', 403, 'The ciphertext refers to a customer master key that does not exist.');
    }
  };
  expect(await run(later(NIGHT, 2))).toMatchObject({ originalsPurged: 0, originalsKept: 1 });
  services.onCall = () => {};
  expect(await rowOf(media)).toMatchObject({ kept: expect.stringContaining('KMS key that dropreel may not use') });
  expect(await run(later(NIGHT, 3.1))).toMatchObject({ originalsPurged: 1 });
});

describe('a copy that is longer than a run', () => {
  const PART = 5 * 2 ** 20;
  const original = 'o'.repeat(20_000_000);
  const copy = copyOfBytes(2 * PART + 1000);

  /** A run in which there is time for one part. */
  async function shortRun(now: string) {
    let left = 265_000;
    services.onCall = (when, { operation }) => {
      if (when === 'after' && operation === 'ListParts') left = 0;
    };
    const done = await archiveAt(services, world, now, { copyPartBytes: PART, remainingMs: () => left });
    services.onCall = () => {};
    return done;
  }

  async function made(): Promise<MediaRow> {
    await addPolicy(services);
    const media = await addMedia(services, 'talks', 'long.mp4', H264);
    const { bucket: Bucket, key: Key } = media.source;
    const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: original }));
    const source = { ...media.source, versionId: put.VersionId, etag: put.ETag ?? '', size: original.length };
    const set = { source, current: media.current && { ...media.current, source } };
    await apply(table, [{ op: 'update', key: rowKeys.media(media.mediaId), expect: {}, set }]);
    await run();
    await workerMakes(services, { ...media, source }, original, copy);
    return { ...media, source };
  }
  const uploads = async () => (await s3.send(new ListMultipartUploadsCommand({ Bucket: UPLOADS }))).Uploads ?? [];

  it('goes on in the next ones, part by part, and ends', async () => {
    const media = await made();
    expect(await shortRun(later(NIGHT, 0.01))).toMatchObject({ originalsArchived: 0 });
    const { uploadId } = (await rowOf(media)) ?? {};
    expect(await rowOf(media)).toMatchObject({
      ...{ state: 'replacing', waits: expect.stringMatching(/^1 of 3 parts of the copy are at their place$/) },
    });
    expect((await uploads()).map(({ UploadId }) => UploadId)).toEqual([uploadId]);
    for (let i = 0; i < 2; i++) await shortRun(later(NIGHT, 0.02 + i / 100));
    expect(await rowOf(media)).toMatchObject({ state: 'archived' });
    expect(await rowOf(media)).not.toHaveProperty('uploadId');
    expect(await sourceBytes(services, media.mediaId)).toBe(copy);
    expect(await uploads()).toEqual([]);
  });

  it('begins anew where S3 has forgotten its parts', async () => {
    const media = await made();
    await shortRun(later(NIGHT, 0.01));
    const { uploadId: UploadId } = (await rowOf(media)) ?? {};
    await s3.send(new AbortMultipartUploadCommand({ Bucket: UPLOADS, Key: copyOf(media).key, UploadId }));
    await shortRun(later(NIGHT, 0.02));
    for (let i = 0; i < 4; i++) await shortRun(later(NIGHT, 0.03 + i / 100));
    expect(await rowOf(media)).toMatchObject({ state: 'archived' });
    expect(await sourceBytes(services, media.mediaId)).toBe(copy);
  });

  it('leaves no parts behind where what the worker made is gone', async () => {
    const media = await made();
    await shortRun(later(NIGHT, 0.01));
    expect(await uploads()).toHaveLength(1);
    const { jobId = '' } = (await rowOf(media)) ?? {};
    const Key = `${tmpPrefix(jobId)}${archiveFile(media.source.key)}`;
    await s3.send(new DeleteObjectCommand({ Bucket: MEDIA, Key }));
    await shortRun(later(NIGHT, 0.02));
    expect(await rowOf(media)).toMatchObject({ state: 'due', failures: 1 });
    expect(await uploads()).toEqual([]);
  });

  it('leaves no parts behind where its media item is deleted', async () => {
    const media = await made();
    await shortRun(later(NIGHT, 0.01));
    expect(await uploads()).toHaveLength(1);
    await applyWithRetry(table, async () => {
      const row = await getMedia(table, media.mediaId);
      return row ? markDeleting(row, later(NIGHT, 0.02), media.source.versionId) : { refused: 'gone' };
    });
    await sweepWith(services, world, later(NIGHT, 0.02), () => 265_000, [deleteMedia]);
    expect(await uploads()).toEqual([]);
  });

  it('leaves no parts behind where the archive is switched off', async () => {
    const media = await made();
    await shortRun(later(NIGHT, 0.01));
    await setPolicy({ enabled: false });
    await shortRun(later(NIGHT, 0.02));
    expect(await rowOf(media)).toMatchObject({ state: 'due' });
    expect(await uploads()).toEqual([]);
    expect(await sourceBytes(services, media.mediaId)).toBe(original);
  });
});
