import { PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import { head, listVersions } from '../../aws/s3.ts';
import { apply, applyWithRetry, getMedia, getRow } from '../../aws/table.ts';
import { archiveCopyKey, CLAIM_FILE, tmpPrefix } from '../../core/contracts/keys.ts';
import { ArchivePolicyRow } from '../../core/contracts/table/archive.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { archiveRestored } from '../../core/jobs/archive-purge.ts';
import { plus } from '../../core/time.ts';
import { EngineRefused } from '../../engines/engine.ts';
import { AwsError } from '../../local/kernel/service.ts';
import {
  addPolicy,
  archiveAt,
  H264,
  later,
  NIGHT,
  sourceBytes,
  startArchiveStand,
  workerMakes,
  workerSays,
} from '../support/archive.ts';
import { MEDIA, UPLOADS } from '../support/services.ts';
import { addMedia, archiveOf } from '../support/swept.ts';

/** Whose turn it is, and what the archive leaves alone. */

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, world, run, rowOf } = await startArchiveStand();
const { table, s3 } = services;
const NEXT = later(NIGHT, 0.01);
const POLICY = rowKeys.archivePolicy('ann', 'talks');

const copyOf = ({ mediaId, source }: MediaRow) => ({
  bucket: UPLOADS,
  key: archiveCopyKey('ann', mediaId, 2, source.key),
});

async function encoding(name: string, policy: object = {}): Promise<MediaRow> {
  await addPolicy(services, policy);
  const media = await addMedia(services, 'talks', name, H264);
  expect(await run()).toMatchObject({ archivesStarted: 1 });
  return media;
}

async function setPolicy(set: Partial<ArchivePolicyRow>): Promise<void> {
  await apply(table, [{ op: 'update', key: POLICY, expect: {}, set }]);
}

describe('what is due of several kinds', () => {
  /** An original whose day has come, and another one that is due. */
  async function two(): Promise<{ old: MediaRow; fresh: MediaRow }> {
    const old = await encoding('an old original.mp4');
    await workerMakes(services, old, 'an old original.mp4');
    await run(NEXT);
    const fresh = await addMedia(services, 'talks', 'fresh.mp4', { ...H264, createdAt: later(NIGHT, -8) });
    return { old, fresh };
  }

  it('takes turns to be first, so that one that uses up each run does not keep the other from it', async () => {
    await two();
    const first: string[] = [];
    for (const minutes of [0, 5]) {
      const seen: string[] = [];
      services.onCall = (when, { operation }) => {
        // Of the two, only a deletion looks at S3, and only a policy reads many rows. Neither gets anything done.
        if (operation === 'HeadObject' || operation === 'BatchGetItem') seen.push(operation);
        if (when === 'before' && operation === 'TransactWriteItems')
          throw new AwsError('InternalServerError', 500, 'Ill.');
      };
      await run(plus(later(NIGHT, 2), { minutes })).catch(() => {});
      services.onCall = () => {};
      expect(new Set(seen).size).toBe(2);
      first.push(seen[0] ?? '');
    }
    expect(first.sort()).toEqual(['BatchGetItem', 'HeadObject']);
  });

  it('is done though one of the others fails', async () => {
    const { old, fresh } = await two();
    services.onCall = (when, { operation }) => {
      if (when === 'before' && operation === 'DeleteObject') throw new AwsError('InternalError', 500, 'S3 is ill.');
    };
    await expect(run(later(NIGHT, 2))).rejects.toThrow();
    services.onCall = () => {};
    expect(await rowOf(fresh)).toMatchObject({ state: 'encoding' });
    expect(await rowOf(old)).toMatchObject({ state: 'purging' });
    expect(await head(s3, old.source)).not.toBeNull();
  });
});

describe('an original in another bucket than uploads', () => {
  /** As after a deployment with another bucket: what was there stays where it is. */
  async function inMedia(media: MediaRow): Promise<MediaRow['source']> {
    const put = await s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: media.source.key, Body: 'elsewhere.mp4' }));
    return { ...media.source, bucket: MEDIA, versionId: 'v', etag: put.ETag ?? '', size: 13 };
  }

  it('is left where it is', async () => {
    await addPolicy(services);
    const media = await addMedia(services, 'talks', 'elsewhere.mp4', H264);
    const source = await inMedia(media);
    const set = { source, current: media.current && { ...media.current, source } };
    await apply(table, [{ op: 'update', key: rowKeys.media(media.mediaId), expect: {}, set }]);
    expect(await run()).toMatchObject({ archivesStarted: 0 });
    expect(await rowOf(media)).toMatchObject({ state: 'due', waits: 'its original is in another bucket than uploads' });
  });

  it('is not replaced by a copy that was made before', async () => {
    const media = await encoding('elsewhere.mp4');
    await workerMakes(services, media, 'elsewhere.mp4');
    const source = { ...(await inMedia(media)), versionId: undefined };
    await apply(table, [{ op: 'update', key: rowKeys.archive(media.mediaId), expect: {}, set: { source } }]);
    expect(await run(NEXT)).toMatchObject({ originalsArchived: 0 });
    expect(await rowOf(media)).toMatchObject({ state: 'due', waits: 'its original is in another bucket than uploads' });
    expect(await head(s3, copyOf(media))).toBeNull();
  });
});

it('a claim that is too large to be one names nobody: the attempt counts as failed', async () => {
  const media = await encoding('claimed.mp4');
  const { jobId = '', engineJobId = '' } = (await rowOf(media)) ?? {};
  const Body = Buffer.alloc(33 * 1024 * 1024, ' ');
  await s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: `${tmpPrefix(jobId)}${CLAIM_FILE}`, Body }));
  await world.until(engineJobId, 'SUCCEEDED', 'FAILED');
  await run(NEXT);
  expect(await rowOf(media)).toMatchObject({ state: 'due', failures: 1 });
});

it('a copy that lies at its key already is removed where the archive is switched off before it is the source', async () => {
  const media = await encoding('an original.mp4');
  await workerMakes(services, media, 'an original.mp4');
  let isCopied = false;
  services.onCall = (when, { operation }) => {
    if (when === 'after' && operation === 'CopyObject') isCopied = true;
    if (isCopied && operation === 'TransactWriteItems') throw new AwsError('ServiceUnavailable', 503, 'Dead.');
  };
  await run(NEXT).catch(() => {});
  services.onCall = () => {};
  expect((await listVersions(s3, copyOf(media))).versions).toHaveLength(1);
  await setPolicy({ enabled: false });
  await run(later(NIGHT, 0.02));
  expect(await rowOf(media)).toMatchObject({ state: 'due' });
  expect((await listVersions(s3, copyOf(media))).versions).toEqual([]);
  expect(await sourceBytes(services, media.mediaId)).toBe('an original.mp4');
});

describe('where S3 refuses', () => {
  /** Each such call of an object whose key ends like that is answered with 403. */
  function refuse(name: string, operations: readonly string[], message: string): void {
    services.onCall = (when, { operation, request }) => {
      const isOfIt = decodeURIComponent(request?.path ?? '')
        .split('?')[0]
        ?.endsWith(name);
      if (when === 'before' && isOfIt && operations.includes(operation))
        throw new AwsError('AccessDenied', 403, message);
    };
  }
  const READS = ['HeadObject', 'GetObject'];
  const KMS = 'The ciphertext refers to a customer master key that does not exist.';
  const SAID = expect.stringContaining('KMS key that dropreel may not use');

  it('to let an original be read, that says so, and does not hold up those behind it', async () => {
    await addPolicy(services);
    const first = await addMedia(services, 'talks', 'sealed.mp4', { ...H264, createdAt: later(NIGHT, -9) });
    const second = await addMedia(services, 'talks', 'open.mp4', { ...H264, createdAt: later(NIGHT, -8) });
    refuse('sealed.mp4', READS, KMS);
    expect(await run()).toMatchObject({ archivesStarted: 1 });
    expect(await rowOf(first)).toMatchObject({ state: 'due', waits: SAID, todoAt: later(NIGHT, 1) });
    expect(await rowOf(second)).toMatchObject({ state: 'encoding' });
  });

  it('for a reason that is not known, those behind it have their turn, and the run says that it failed', async () => {
    await addPolicy(services);
    await addMedia(services, 'talks', 'forbidden.mp4', { ...H264, createdAt: later(NIGHT, -9) });
    const second = await addMedia(services, 'talks', 'open.mp4', { ...H264, createdAt: later(NIGHT, -8) });
    refuse('forbidden.mp4', ['HeadObject'], 'Access Denied');
    await expect(run()).rejects.toThrow();
    expect(await rowOf(second)).toMatchObject({ state: 'encoding' });
  });

  it('to let an original be read while its copy is made, the row says so, and goes on when it can', async () => {
    const media = await encoding('sealed.mp4');
    await workerMakes(services, media, 'sealed.mp4');
    refuse('sealed.mp4', READS, KMS);
    expect(await run(NEXT)).toMatchObject({ originalsArchived: 0 });
    expect(await rowOf(media)).toMatchObject({ state: 'encoding', waits: SAID });
    services.onCall = () => {};
    expect(await run(later(NIGHT, 0.1))).toMatchObject({ originalsArchived: 1 });
  });

  it('to let the copy of a restored original be deleted, its row says so, and it is tried again', async () => {
    const media = await encoding('restored.mp4');
    await workerMakes(services, media, 'restored.mp4');
    await run(NEXT);
    await applyWithRetry(table, async () => {
      const [row, is] = [await rowOf(media), await getMedia(table, media.mediaId)];
      return row && is ? archiveRestored(row, is, NEXT) : { refused: 'it is gone' };
    });
    refuse('archive.mp4', ['DeleteObject'], 'Access Denied because object protected by object lock.');
    await run(later(NIGHT, 2));
    expect(await rowOf(media)).toMatchObject({ state: 'refused', waits: expect.stringContaining('Object Lock') });
    services.onCall = () => {};
    await run(later(NIGHT, 3.1));
    expect(await head(s3, copyOf(media))).toBeNull();
    expect(await rowOf(media)).not.toHaveProperty('waits');
  });
});

it('a queue that takes no job is told by the row, and asked again', async () => {
  await addPolicy(services);
  const media = await addMedia(services, 'talks', 'no queue.mp4', H264);
  const workers = archiveOf(world);
  const refuses = async () => {
    throw new EngineRefused('AWS Batch refused the job: the queue is disabled.', { forGood: false });
  };
  const closed = { ...workers, submit: refuses };
  expect(await archiveAt(services, world, NIGHT, { workers: closed })).toMatchObject({ archivesStarted: 1 });
  await archiveAt(services, world, NEXT, { workers: closed });
  expect(await rowOf(media)).toMatchObject({ state: 'encoding', waits: expect.stringContaining('queue is disabled') });
  await run(later(NIGHT, 0.03));
  expect(await rowOf(media)).toMatchObject({ state: 'encoding', engineJobId: expect.any(String) });
});

it('a copy whose restored original had ended before a machine was there is tried again', async () => {
  const media = await encoding('ended.mp4');
  const { jobId = '', engineJobId = '' } = (await rowOf(media)) ?? {};
  const error = { code: 'source_unreadable', message: 'The object is in an archive (GLACIER).' } as const;
  await workerSays(services, { status: 'failed', jobId, error });
  await world.until(engineJobId, 'SUCCEEDED', 'FAILED');
  await run(NEXT);
  expect(await rowOf(media)).toMatchObject({ state: 'due', failures: 1 });
});

it.each([
  ['`null`', 'null', 'reencode'],
  ['`null`', 'null', 'storage-class'],
  ['nothing', undefined, 'reencode'],
] as const)('an upload whose version is named %s is refused: nothing could name what is kept (%#)', async (_, versionId, method) => {
  services.uploads.versioned = false;
  await addPolicy(services, { method });
  const media = await addMedia(services, 'talks', 'unversioned.mp4', H264);
  const source = { ...media.source, size: 20_000_000, versionId };
  const row = { ...media, source, current: media.current && { ...media.current, source } };
  await apply(table, [{ op: 'remove', key: rowKeys.media(media.mediaId), expect: {} }]);
  await apply(table, [{ op: 'put', key: rowKeys.media(media.mediaId), row }]);
  expect(await run()).toMatchObject({ archivesStarted: 0, movesStarted: 0 });
  expect(await rowOf(media)).toMatchObject({ state: 'refused', refusals: [{ reason: 'unversioned' }] });
});

describe('in its window, a collection', () => {
  const running = () => ({
    ...archiveOf(world),
    describe: async () => ({ kind: 'running' as const, startedAt: NIGHT }),
  });

  it('has as many copies made at once as its policy says, and another one when one has ended', async () => {
    await addPolicy(services, { maxConcurrent: 2 });
    const media = [];
    for (const name of ['first.mp4', 'second.mp4', 'third.mp4'])
      media.push(await addMedia(services, 'talks', name, H264));
    const workers = running();
    expect(await archiveAt(services, world, NIGHT, { workers })).toMatchObject({ archivesStarted: 2 });
    expect(await archiveAt(services, world, NEXT, { workers })).toMatchObject({ archivesStarted: 0 });
    const [made] = await Promise.all(
      media.map(async (each) => ((await rowOf(each))?.state === 'encoding' ? each : [])),
    ).then((all) => all.flat());
    if (!made) throw new Error('none is made');
    await workerMakes(services, made, made.source.key.split('/').at(-1) ?? '');
    let started = 0;
    for (const days of [0.02, 0.03])
      started += (await archiveAt(services, world, later(NIGHT, days), { workers })).archivesStarted;
    expect(started).toBe(1);
    expect(await rowOf(made)).toMatchObject({ state: 'archived' });
  });

  it('lets an encode end after the window where its policy says so, and begins no other', async () => {
    await addPolicy(services, { window: '02:00-03:00', overrun: 'finish' });
    const media = await addMedia(services, 'talks', 'finishes.mp4', H264);
    const workers = running();
    expect(await archiveAt(services, world, NIGHT, { workers })).toMatchObject({ archivesStarted: 1 });
    expect(await rowOf(media)).not.toHaveProperty('stopAt');
    const second = await addMedia(services, 'talks', 'second.mp4', H264);
    const after = '2026-12-03T03:10:00.000Z';
    expect(await archiveAt(services, world, after, { workers })).toMatchObject({ archivesStopped: 0 });
    expect([(await rowOf(media))?.state, await rowOf(second)]).toEqual(['encoding', null]);
    await workerMakes(services, media, 'finishes.mp4');
    expect(await archiveAt(services, world, later(after, 0.01), { workers })).toMatchObject({ originalsArchived: 1 });
    expect(await getRow(table, POLICY, ArchivePolicyRow)).toMatchObject({ todoAt: '2026-12-04T02:00:00.000Z' });
    expect((await getMedia(table, media.mediaId))?.archive).toMatchObject({ state: 'archived' });
  });
});
