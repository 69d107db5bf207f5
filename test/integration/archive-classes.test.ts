import {
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import { head } from '../../aws/s3.ts';
import { apply, applyWithRetry, getMedia, getRow } from '../../aws/table.ts';
import { ARCHIVE_CLASS_TAG } from '../../core/contracts/archive.ts';
import { archiveCopyKey } from '../../core/contracts/keys.ts';
import { ArchivePolicyRow, ArchiveStatsRow } from '../../core/contracts/table/archive.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow, Source } from '../../core/contracts/table/media.ts';
import { archiveDueNow } from '../../core/jobs/archive.ts';
import { classTakenBack } from '../../core/jobs/archive-class.ts';
import { carryOnWith } from '../../functions/ingest-upload/carry-on-with.ts';
import {
  aDayOfLifecycle,
  addClassRules,
  addOriginal,
  addPolicy,
  archiveAt,
  copyOfBytes,
  H264,
  later,
  NIGHT,
  startArchiveStand,
  workerMakes,
  workerSays,
} from '../support/archive.ts';
import { MEDIA, UPLOADS } from '../support/services.ts';
import { addCollection, enginesOf } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, world, run, rowOf } = await startArchiveStand();
const { table, s3 } = services;
const BY_CLASS = { method: 'storage-class' };
const POLICY = rowKeys.archivePolicy('ann', 'talks');
/** The least that is moved. */
const MOVABLE = 10_000_000;
const SOUND = { kind: 'audio' as const, sourceInfo: { audioCodec: 'pcm_s16le' } };

const mediaOf = async ({ mediaId }: MediaRow) => (await getMedia(table, mediaId)) ?? expect.fail('it is gone');
const classOf = async (source: Pick<Source, 'bucket' | 'key' | 'versionId'>) => (await head(s3, source))?.storageClass;
const statsOf = () => getRow(table, rowKeys.archiveStats('ann', 'talks'), ArchiveStatsRow);

const addRules = () => addClassRules(services);
const lifecycleRuns = () => aDayOfLifecycle(services);

const recording = (name: string, more: Partial<Parameters<typeof addOriginal>[2]> = {}) =>
  addOriginal(services, name, { bytes: MOVABLE, ...H264, ...more });

/** S3's event about a version. */
function heardOf({ bucket, key, versionId }: Source): Promise<void> {
  const moved = { bucket: { name: bucket }, object: { key, 'version-id': versionId } };
  return carryOnWith({ ...services.breakable, engines: enginesOf(world), mediaBucket: MEDIA }, moved);
}

const bodyOf = (bytes: number) => 'o'.repeat(bytes);

async function tagsOf({ bucket: Bucket, key: Key, versionId: VersionId }: Source): Promise<Record<string, string>> {
  const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key, VersionId }));
  return Object.fromEntries(TagSet.map((tag) => [tag.Key, tag.Value]));
}

async function tagAs({ bucket: Bucket, key: Key, versionId: VersionId }: Source, tags: Record<string, string>) {
  const TagSet = Object.entries(tags).map(([name, Value]) => ({ Key: name, Value }));
  await s3.send(new PutObjectTaggingCommand({ Bucket, Key, VersionId, Tagging: { TagSet } }));
}

describe('an original goes to the class of the policy', () => {
  it('by a tag of its version; it stays its media item’s source, and the row says when it is there', async () => {
    addRules();
    await addPolicy(services, BY_CLASS);
    const media = await recording('moved.mp4');
    await tagAs(media.source, { kind: 'talk' });
    expect(await run()).toMatchObject({ movesStarted: 1, archivesStarted: 0 });
    expect(await tagsOf(media.source)).toEqual({ kind: 'talk', [ARCHIVE_CLASS_TAG]: 'GLACIER_IR' });
    expect(await mediaOf(media)).toMatchObject({ archive: { state: 'moving', storageClass: 'GLACIER_IR' } });
    expect(await lifecycleRuns()).toBe(1);
    expect(await run(later(NIGHT, 0.4))).toMatchObject({ originalsMoved: 0 });
    expect(await run(later(NIGHT, 0.6))).toMatchObject({ originalsMoved: 1 });
    expect(await mediaOf(media)).toMatchObject({ state: 'ready', source: media.source, archive: { state: 'moved' } });
    expect(await statsOf()).toMatchObject({ moved: 1, movedBytes: MOVABLE, archived: 0 });
    expect(await run(later(NIGHT, 3))).toMatchObject({ movesStarted: 0, archivesStarted: 0 });
  });

  it('and S3’s event says so sooner', async () => {
    addRules();
    await addPolicy(services, BY_CLASS);
    const media = await recording('event.mp4');
    await run();
    await lifecycleRuns();
    await heardOf(media.source);
    const { todoAt = '' } = (await rowOf(media)) ?? {};
    expect(Math.abs(Date.parse(todoAt) - Date.now())).toBeLessThan(60_000);
    await apply(table, [{ op: 'update', key: rowKeys.archive(media.mediaId), expect: {}, set: { todoAt: NIGHT } }]);
    expect(await run(later(NIGHT, 0.1))).toMatchObject({ originalsMoved: 1 });
  });

  it('also sound, and what is dense already, but nothing below 10 MB', async () => {
    addRules();
    await addPolicy(services, { ...BY_CLASS, maxConcurrent: 1 });
    const moved = [
      await recording('sound.wav', SOUND),
      await recording('dense.mp4', { kind: 'video', sourceInfo: { videoCodec: 'hevc' } }),
    ];
    const small = [
      await recording('small.mp4', { bytes: MOVABLE - 1 }),
      await recording('small.wav', { ...SOUND, bytes: MOVABLE - 1 }),
    ];
    expect(await run()).toMatchObject({ movesStarted: 2 });
    for (const media of moved) expect(await rowOf(media)).toMatchObject({ state: 'moving' });
    for (const media of small)
      expect(await rowOf(media)).toMatchObject({ state: 'refused', refusals: [{ reason: 'payback' }] });
  });

  it('while uploads wait for workers as well', async () => {
    addRules();
    await addPolicy(services, { method: 'both' });
    const sound = await recording('sound.wav', SOUND);
    const video = await recording('video.mp4', { bytes: 20_000_000 });
    expect(await archiveAt(services, world, NIGHT, { waiting: 3 })).toMatchObject({
      movesStarted: 1,
      archivesStarted: 0,
    });
    expect(await rowOf(sound)).toMatchObject({ state: 'moving' });
    expect(await rowOf(video)).toMatchObject({ state: 'due' });
    const policy = await getRow(table, POLICY, ArchivePolicyRow);
    expect(policy).toMatchObject({ waits: '3 encodes of uploads wait for a worker', todoAt: NIGHT });
  });

  it('unless somebody has put it in another class; one that is there is only noted', async () => {
    addRules();
    await addPolicy(services, { method: 'storage-class', storageClass: 'GLACIER' });
    const theirs = await recording('theirs.mp4', { StorageClass: 'STANDARD_IA' });
    const there = await recording('there.mp4', { StorageClass: 'GLACIER' });
    expect(await run()).toMatchObject({ movesStarted: 1, originalsMoved: 1 });
    expect(await rowOf(theirs)).toMatchObject({ state: 'refused', refusals: [{ reason: 'storage_class' }] });
    expect(await rowOf(there)).toMatchObject({ state: 'moved', storageClass: 'GLACIER' });
    expect(await tagsOf(there.source)).toEqual({});
  });

  it('and says why it may never get there: no rule, ten tags, or nothing for days', async () => {
    await addPolicy(services, BY_CLASS);
    const media = await recording('stays.mp4');
    await run();
    expect(await rowOf(media)).toMatchObject({ state: 'moving', waits: expect.stringContaining('no lifecycle rule') });
    expect(await tagsOf(media.source)).toEqual({});
    addRules();
    await tagAs(media.source, Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`t${i}`, 'x'])));
    await run(later(NIGHT, 1));
    expect(await rowOf(media)).toMatchObject({ waits: 'it has ten tags already, and S3 takes no more' });
    await tagAs(media.source, {});
    await run(later(NIGHT, 2));
    expect(await rowOf(media)).not.toHaveProperty('waits');
    await run(later(NIGHT, 5));
    expect(await rowOf(media)).toMatchObject({ waits: expect.stringContaining('S3 has not moved it since') });
    await lifecycleRuns();
    await run(later(NIGHT, 6));
    expect(await rowOf(media)).toMatchObject({ state: 'moved' });
    expect(await rowOf(media)).not.toHaveProperty('waits');
  });
});

describe('a move under way', () => {
  it('whose upload is replaced leaves the other one alone, and its own version loses the tag', async () => {
    addRules();
    await addPolicy(services, BY_CLASS);
    const media = await recording('again.mp4');
    await run();
    const { bucket: Bucket, key: Key } = media.source;
    const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: bodyOf(MOVABLE) }));
    const source = { ...media.source, versionId: put.VersionId, etag: put.ETag ?? '' };
    // Neither of them is moved: the one is not the newest any more, the other has no tag.
    expect(await lifecycleRuns()).toBe(0);
    const set = { source, current: media.current && { ...media.current, source } };
    await apply(table, [{ op: 'update', key: rowKeys.media(media.mediaId), expect: {}, set }]);
    await run(later(NIGHT, 0.9));
    expect([await tagsOf(media.source), await tagsOf(source)]).toEqual([{}, {}]);
    expect(await rowOf(media)).toMatchObject({ state: 'due', source: { versionId: put.VersionId } });
    expect(await run(later(NIGHT, 1))).toMatchObject({ movesStarted: 1 });
    expect(await tagsOf(source)).toEqual({ [ARCHIVE_CLASS_TAG]: 'GLACIER_IR' });
  });

  it('is taken back where the archive is switched off, unless a person has asked for it', async () => {
    addRules();
    await addPolicy(services, BY_CLASS);
    const media = await recording('off.mp4');
    await run();
    await apply(table, [{ op: 'update', key: POLICY, expect: {}, set: { enabled: false } }]);
    await run(later(NIGHT, 1));
    expect(await tagsOf(media.source)).toEqual({});
    expect(await rowOf(media)).toMatchObject({ state: 'due' });
    await applyWithRetry(table, async () =>
      archiveDueNow(await mediaOf(media), await rowOf(media), { policy: '', asked: true, now: NIGHT }),
    );
    const due = { todo: DUE_WORK.archivePolicy, todoAt: NIGHT };
    await apply(table, [{ op: 'update', key: POLICY, expect: {}, set: due }]);
    expect(await run(later(NIGHT, 1.4))).toMatchObject({ movesStarted: 1 });
    await run(later(NIGHT, 2.4));
    expect(await tagsOf(media.source)).toEqual({ [ARCHIVE_CLASS_TAG]: 'GLACIER_IR' });
  });

  it('is taken back by a person: its tag goes, and it is not moved again', async () => {
    addRules();
    await addPolicy(services, BY_CLASS);
    const media = await recording('back.mp4');
    await run();
    await takenBack(media);
    expect(await mediaOf(media)).toMatchObject({ archive: { state: 'refused', reason: 'restored' } });
    await run(later(NIGHT, 0.1));
    expect(await tagsOf(media.source)).toEqual({});
    expect(await rowOf(media)).not.toHaveProperty('todo');
    expect(await lifecycleRuns()).toBe(0);
    expect(await run(later(NIGHT, 1))).toMatchObject({ movesStarted: 0 });
    expect(await statsOf()).toMatchObject({ 'refused restored': 1 });
  });

  it('that S3 has ended before it was taken back is told as it is', async () => {
    addRules();
    await addPolicy(services, BY_CLASS);
    const media = await recording('late.mp4');
    await run();
    await lifecycleRuns();
    await takenBack(media);
    await run(later(NIGHT, 0.1));
    expect(await rowOf(media)).toMatchObject({ state: 'moved', storageClass: 'GLACIER_IR' });
    expect(await statsOf()).toMatchObject({ moved: 1, 'refused restored': 0 });
  });

  it('whose original is deleted meanwhile is refused', async () => {
    addRules();
    await addPolicy(services, BY_CLASS);
    const media = await recording('gone.mp4');
    await run();
    const { bucket: Bucket, key: Key, versionId: VersionId } = media.source;
    await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
    await run(later(NIGHT, 1));
    expect(await rowOf(media)).toMatchObject({ state: 'refused', refusals: [{ reason: 'source_changed' }] });
  });
});

async function takenBack(media: MediaRow): Promise<void> {
  const done = await applyWithRetry(table, async () => {
    const row = await rowOf(media);
    return row ? classTakenBack(row, await mediaOf(media), later(NIGHT, 0.05)) : { refused: 'it is gone' };
  });
  expect(done).not.toHaveProperty('refused');
}

describe('by `both`', () => {
  const BOTH = { method: 'both', storageClass: 'GLACIER' };
  const original = bodyOf(20_000_000);
  const copy = copyOfBytes(11_000_000);

  it('the copy goes to the class once its original is deleted, and not before', async () => {
    addRules();
    await addPolicy(services, BOTH);
    const media = await recording('both.mp4', { bytes: original.length });
    expect(await run()).toMatchObject({ archivesStarted: 1, movesStarted: 0 });
    await workerMakes(services, media, original, copy);
    expect(await run(later(NIGHT, 0.01))).toMatchObject({ originalsArchived: 1 });
    expect(await lifecycleRuns()).toBe(0);
    expect(await run(later(NIGHT, 2))).toMatchObject({ originalsPurged: 1 });
    expect(await rowOf(media)).toMatchObject({ state: 'moving', storageClass: 'GLACIER', deletedAt: later(NIGHT, 2) });
    await run(later(NIGHT, 2.1));
    expect(await lifecycleRuns()).toBe(1);
    expect(await run(later(NIGHT, 3))).toMatchObject({ originalsMoved: 1 });
    const at = { bucket: UPLOADS, key: archiveCopyKey('ann', media.mediaId, 2, media.source.key) };
    expect(await classOf(at)).toBe('GLACIER');
    expect(await mediaOf(media)).toMatchObject({ archive: { state: 'moved' }, source: { key: at.key } });
    expect(await statsOf()).toMatchObject({
      ...{ archived: 1, originalBytes: original.length, archivedBytes: copy.length, keptBytes: 0 },
      ...{ moved: 1, movedBytes: copy.length },
    });
  });

  it('a copy that is too small stays in Standard', async () => {
    addRules();
    await addPolicy(services, BOTH);
    const media = await recording('small copy.mp4', { bytes: original.length });
    await run();
    await workerMakes(services, media, original, copyOfBytes(9_999_999));
    await run(later(NIGHT, 0.01));
    await run(later(NIGHT, 2));
    expect(await rowOf(media)).toMatchObject({ state: 'purged' });
  });

  it('an original of which no copy can be made goes as it is, and says why', async () => {
    addRules();
    await addPolicy(services, BOTH);
    const media = await recording('dense.mp4', { bytes: original.length });
    await run();
    const { jobId = '' } = (await rowOf(media)) ?? {};
    const refusals = [{ reason: 'savings' as const, detail: 'It is larger.' }];
    await workerSays(services, { status: 'refused', jobId, refusals, usage: { wallSeconds: 1, cpuSeconds: 1 } });
    await run(later(NIGHT, 0.01));
    expect(await rowOf(media)).toMatchObject({ state: 'moving', storageClass: 'GLACIER', refusals });
    await run(later(NIGHT, 0.02));
    await lifecycleRuns();
    await run(later(NIGHT, 1));
    expect(await classOf(media.source)).toBe('GLACIER');
    expect(await mediaOf(media)).toMatchObject({
      source: media.source,
      archive: { state: 'moved', reason: 'savings' },
    });
  });

  it('nothing of a collection that deletes originals is moved', async () => {
    addRules();
    await addCollection(services, 'talks', { deleteOriginal: true });
    await addPolicy(services, BY_CLASS);
    const media = await recording('deletes.mp4');
    await run();
    expect(await rowOf(media)).toMatchObject({ state: 'due', waits: 'its collection deletes originals' });
  });
});

it('`auto` takes what has saved most after a year: the class for 20 MB of a long recording, and no slow encode', async () => {
  addRules();
  await addPolicy(services, { method: 'auto', preset: 'slow' });
  const sourceInfo = { ...H264.sourceInfo, durationSeconds: 3600, width: 1920, height: 1080, frameRate: 25 };
  const media = await recording('auto.mp4', { sourceInfo, bytes: 20_000_000 });
  const small = await recording('auto small.mp4', { sourceInfo, bytes: 5_000_000 });
  expect(await run()).toMatchObject({ movesStarted: 1, archivesStarted: 0 });
  expect(await rowOf(media)).toMatchObject({ state: 'moving' });
  expect(await rowOf(small)).toMatchObject({ state: 'refused', refusals: [{ reason: 'payback' }] });
});

/** In its window, a collection that had nothing due is looked at each hour. */
async function untilEncoding(media: MediaRow): Promise<void> {
  for (const days of [1, 1.05, 1.1]) {
    await run(later(NIGHT, days));
    if ((await rowOf(media))?.state === 'encoding') return;
  }
}

describe('an original that cannot be read', () => {
  it('is restored first, by the tier of the policy, and encoded when it can be; its copy goes where it was', async () => {
    addRules();
    await addPolicy(services, { restoreTier: 'Bulk' });
    const original = bodyOf(20_000_000);
    const media = await recording('frozen.mp4', { bytes: original.length, StorageClass: 'GLACIER' });
    let asked = 0;
    services.onCall = (moment, { operation }) => {
      if (moment === 'before' && operation === 'RestoreObject') asked++;
    };
    expect(await run()).toMatchObject({ archivesStarted: 0 });
    const restoring = { tier: 'Bulk', from: 'GLACIER' };
    expect(await mediaOf(media)).toMatchObject({ state: 'ready', archive: { state: 'due', restoring } });
    await run(later(NIGHT, 0.1));
    expect(await rowOf(media)).toMatchObject({ todo: DUE_WORK.archiveRestore, restoring });
    services.clock.advance(12 * 3_600_000);
    await heardOf(media.source);
    await untilEncoding(media);
    expect(asked).toBe(1);
    expect(await rowOf(media)).toMatchObject({ state: 'encoding', copyClass: 'GLACIER' });
    expect((await mediaOf(media)).archive).not.toHaveProperty('restoring');
    await workerMakes(services, media, original, copyOfBytes(11_000_000));
    await run(later(NIGHT, 1.06));
    await run(later(NIGHT, 3));
    expect(await rowOf(media)).toMatchObject({ state: 'moving', storageClass: 'GLACIER' });
  });

  it('is restored ahead of its turn for four of each worker at most', async () => {
    await addPolicy(services, { restoreTier: 'Bulk' });
    const frozen = [1, 2, 3, 4, 5, 6].map((i) => recording(`frozen ${i}.mp4`, { bytes: 100, StorageClass: 'GLACIER' }));
    const media = await Promise.all(frozen);
    await run();
    const waiting = async () => (await Promise.all(media.map(rowOf))).filter((row) => row?.restoring).length;
    expect(await waiting()).toBe(4);
    await run(later(NIGHT, 0.01));
    expect(await waiting()).toBe(4);
  });

  it('has its turn again when another upload has taken its place', async () => {
    await addPolicy(services, {});
    const media = await recording('replaced.mp4', { bytes: 100, StorageClass: 'GLACIER' });
    await run();
    const { bucket: Bucket, key: Key } = media.source;
    const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: bodyOf(100) }));
    const source = { ...media.source, versionId: put.VersionId, etag: put.ETag ?? '' };
    const set = { source, current: media.current && { ...media.current, source } };
    await apply(table, [{ op: 'update', key: rowKeys.media(media.mediaId), expect: {}, set }]);
    await untilEncoding(media);
    expect(await rowOf(media)).toMatchObject({ state: 'encoding', source: { versionId: put.VersionId } });
  });
});
