import { GetObjectTaggingCommand } from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import { apply, applyWithRetry, getMedia } from '../../aws/table.ts';
import { type ArchiveReason, CollectionArchivePolicy } from '../../core/contracts/archive.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow, Source } from '../../core/contracts/table/media.ts';
import { archiveAnew } from '../../core/jobs/archive.ts';
import { classTakenBack } from '../../core/jobs/archive-class.ts';
import { startAgain } from '../../core/jobs/transitions.ts';
import { readPreset } from '../../functions/shared/encoding.ts';
import {
  aDayOfLifecycle,
  addClassRules,
  addOriginal,
  addPolicy,
  H264,
  later,
  NIGHT,
  startArchiveStand,
  workerSays,
} from '../support/archive.ts';
import { addCollection } from '../support/swept.ts';

/** What must not be moved to another class: S3 moves nothing back. */

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, run, rowOf } = await startArchiveStand();
const { s3, table } = services;
const BOTH = { method: 'both', storageClass: 'GLACIER' };

const recording = (name: string, more: Partial<Parameters<typeof addOriginal>[2]> = {}) =>
  addOriginal(services, name, { ...H264, bytes: 20_000_000, ...more });

function setPolicy(more: object) {
  const set = { policy: CollectionArchivePolicy.parse(more), todoAt: later(NIGHT, 9) };
  return apply(table, [{ op: 'update', key: rowKeys.archivePolicy('ann', 'talks'), expect: {}, set }]);
}

async function tagsOf({ bucket: Bucket, key: Key, versionId: VersionId }: Source): Promise<unknown> {
  return (await s3.send(new GetObjectTaggingCommand({ Bucket, Key, VersionId }))).TagSet;
}

async function workerRefuses(media: MediaRow, reason: ArchiveReason): Promise<void> {
  const { jobId = '' } = (await rowOf(media)) ?? {};
  const refusals = [{ reason, detail: 'As the worker says.' }];
  await workerSays(services, { status: 'refused', jobId, refusals, usage: { wallSeconds: 1, cpuSeconds: 1 } });
}

describe('an original that somebody has put into another class', () => {
  it('is not moved by `both` when no copy can be made of it', async () => {
    addClassRules(services);
    await addPolicy(services, BOTH);
    const media = await recording('theirs.mp4', { StorageClass: 'STANDARD_IA' });
    expect(await run()).toMatchObject({ archivesStarted: 1 });
    await workerRefuses(media, 'savings');
    await run(later(NIGHT, 0.01));
    expect(await rowOf(media)).toMatchObject({ state: 'refused', refusals: [{ reason: 'savings' }] });
  });

  it('since it was to be moved loses its tag', async () => {
    await addPolicy(services, { method: 'storage-class', storageClass: 'GLACIER' });
    addClassRules(services);
    const media = await recording('theirs now.mp4');
    expect(await run()).toMatchObject({ movesStarted: 1 });
    services.uploads.lifecycle = [
      { id: 'theirs', prefix: '', transitions: [{ storageClass: 'STANDARD_IA', days: 0 }] },
    ];
    await aDayOfLifecycle(services);
    await run(later(NIGHT, 1));
    expect(await tagsOf(media.source)).toEqual([]);
    expect(await rowOf(media)).toMatchObject({
      state: 'refused',
      refusals: [{ reason: 'storage_class', detail: 'It is in STANDARD_IA.' }],
    });
  });
});

it.each([
  ['encodes them instead', () => setPolicy({ method: 'reencode' })],
  ['names another class', () => setPolicy({ method: 'storage-class', storageClass: 'DEEP_ARCHIVE' })],
  [
    'is that of another collection',
    ({ mediaId }: MediaRow) =>
      apply(table, [{ op: 'update', key: rowKeys.media(mediaId), expect: {}, set: { collectionId: 'others' } }]),
  ],
])('an original loses its tag where the policy %s before S3 has moved it', async (_, change) => {
  addClassRules(services);
  await addPolicy(services, { method: 'storage-class', storageClass: 'GLACIER' });
  const media = await recording('changed.mp4');
  expect(await run()).toMatchObject({ movesStarted: 1 });
  expect(await tagsOf(media.source)).toHaveLength(1);
  await change(media);
  await run(later(NIGHT, 1));
  expect(await tagsOf(media.source)).toEqual([]);
  expect(await rowOf(media)).toMatchObject({ state: 'due' });
});

it('no original is restored where a cap has no room for its encode', async () => {
  await addCollection(services, 'talks', { maxUsdPerMonth: 0.000001 });
  await addPolicy(services, {});
  const sourceInfo = { ...H264.sourceInfo, durationSeconds: 3600 };
  const media = await recording('frozen.mp4', { sourceInfo, bytes: 100, StorageClass: 'GLACIER' });
  await run();
  expect(await rowOf(media)).toMatchObject({ state: 'due' });
  expect(await rowOf(media)).not.toHaveProperty('restoring');
});

it('a move that was taken back just before another upload was shown leaves no tag', async () => {
  addClassRules(services);
  await addPolicy(services, { method: 'storage-class', storageClass: 'GLACIER' });
  const media = await recording('twice.mp4');
  expect(await run()).toMatchObject({ movesStarted: 1 });
  await applyWithRetry(table, async () => {
    const [row, is] = [await rowOf(media), await getMedia(table, media.mediaId)];
    return row && is ? classTakenBack(row, is, later(NIGHT, 0.1)) : { refused: 'it is gone' };
  });
  const before = (await getMedia(table, media.mediaId)) ?? expect.fail('it is gone');
  const source = { ...media.source, versionId: 'of another upload' };
  const anew = archiveAnew({ ...before, source }, source, later(NIGHT, 0.1));
  const key = rowKeys.media(media.mediaId);
  await apply(table, [...(anew?.writes ?? []), { op: 'update', key, expect: {}, set: { source } }]);
  await run(later(NIGHT, 2));
  expect(await tagsOf(media.source)).toEqual([]);
});

it('an original that is encoded again before S3 has moved it loses its tag until that is over', async () => {
  addClassRules(services);
  await addPolicy(services, { method: 'storage-class', storageClass: 'GLACIER' });
  const media = await recording('encoded again.mp4');
  expect(await run()).toMatchObject({ movesStarted: 1 });
  const key = rowKeys.media(media.mediaId);
  const soon = later(NIGHT, 0.01);
  await applyWithRetry(table, async () => {
    const is = await getMedia(table, media.mediaId);
    const start = {
      preset: await readPreset(table, 'ann', 'standard'),
      engine: 'batch-cpu',
      purpose: 'retranscode',
      now: soon,
    } as const;
    return is ? startAgain(is, { ...start, source: is.source }) : { refused: 'it is gone' };
  });
  await run(soon);
  expect(await tagsOf(media.source)).toEqual([]);
  expect(await rowOf(media)).toMatchObject({ state: 'moving', waits: 'the media item is retranscoding' });
  await apply(table, [{ op: 'update', key, expect: {}, set: { state: 'ready' } }]);
  await run(later(NIGHT, 0.1));
  expect(await tagsOf(media.source)).toHaveLength(1);
});
