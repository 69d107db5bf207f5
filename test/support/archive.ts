import { createHash } from 'node:crypto';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { apply, getMedia, getRow } from '../../aws/table.ts';
import { Crc64Nvme } from '../../containers/transcoder/crc64nvme.ts';
import {
  ARCHIVE_CLASS_TAG,
  ARCHIVE_CLASSES,
  CollectionArchivePolicy,
  type Quality,
} from '../../core/contracts/archive.ts';
import type { ArchiveResult, HashedFile } from '../../core/contracts/archive-job.ts';
import { archiveFile, RESULT_FILE, tmpPrefix } from '../../core/contracts/keys.ts';
import { type ArchivePolicyRow, ArchiveRow } from '../../core/contracts/table/archive.ts';
import { DUE_WORK, engineKeys, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { plus } from '../../core/time.ts';
import type { ArchiveWorkers } from '../../engines/batch/archive.ts';
import { archiveOriginals } from '../../functions/sweep/archive/originals.ts';
import type { World } from '../../local/test/support/batch-world.ts';
import { MEDIA, type Services } from './services.ts';
import { startStand } from './stand.ts';
import { addMedia, archiveOf, LONG_AGO, sweepWith } from './swept.ts';

/** The archive of the collection `talks`, with its workers played by the test: they do what a worker leaves in S3. */

/** What the policy makes smaller. */
export const H264 = {
  kind: 'video' as const,
  sourceInfo: { videoCodec: 'h264', container: 'mov,mp4,m4a,3gp,3g2,mj2' },
};

/** An image whose workers end at once. What a worker leaves in S3, these tests write. */
export const IDLE_IMAGE = { entrypoint: '["true"]' };

/** As startStand, with the run of sweep's that archives, and the row of a media item in the archive. */
export async function startArchiveStand() {
  const { services, world } = await startStand(IDLE_IMAGE);
  return {
    ...{ services, world },
    run: (now = NIGHT) => archiveAt(services, world, now),
    rowOf: ({ mediaId }: Pick<MediaRow, 'mediaId'>) => archiveRowOf(services, mediaId),
  };
}

/** In the window of the policy, some days after media of these tests were made. */
export const NIGHT = '2026-12-03T02:30:00.000Z';
const DAY_MS = 24 * 3_600_000;
/** Shorter by enough than the originals of these tests, whose bytes are their names: an MP4 with an index, which is empty. */
export const COPY = '\0\0\0\x08moov';

/** The same, of any size: by a box that goes to the end of the file. */
export function copyOfBytes(bytes: number): string {
  return '\0\0\0\0moov'.padEnd(bytes, 'c');
}

export async function addPolicy({ table }: Services, more: object = {}, row: Partial<ArchivePolicyRow> = {}) {
  const policy: ArchivePolicyRow = {
    ...{ type: 'archive-policy', creatorId: 'ann', collectionId: 'talks', enabled: true, rev: 1, updatedAt: LONG_AGO },
    policy: CollectionArchivePolicy.parse(more),
    ...{ todo: DUE_WORK.archivePolicy, todoAt: LONG_AGO },
    ...row,
  };
  await apply(table, [{ op: 'put', key: rowKeys.archivePolicy('ann', 'talks'), row: policy }]);
}

/** A media item whose original has so many bytes. */
export async function addOriginal(
  services: Services,
  name: string,
  { bytes, StorageClass, ...row }: Partial<MediaRow> & { bytes: number; StorageClass?: 'STANDARD_IA' | 'GLACIER' },
): Promise<MediaRow> {
  const { s3, table } = services;
  const media = await addMedia(services, 'talks', name, row);
  const { bucket: Bucket, key: Key } = media.source;
  await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: media.source.versionId }));
  const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'o'.repeat(bytes), StorageClass }));
  const source = { ...media.source, versionId: put.VersionId, etag: put.ETag ?? '', size: bytes };
  const set = { source, current: media.current && { ...media.current, source } };
  await apply(table, [{ op: 'update', key: rowKeys.media(media.mediaId), expect: {}, set }]);
  return { ...media, ...set };
}

interface Run {
  workers?: ArchiveWorkers;
  /** Uploads that wait for a worker. */
  waiting?: number;
  copyPartBytes?: number;
  remainingMs?: () => number;
}

/** One run of the archive's part of sweep. */
export async function archiveAt(services: Services, world: World, now: string, run: Run = {}) {
  const { workers = archiveOf(world), waiting = 0, remainingMs = () => 265_000, copyPartBytes } = run;
  const load = { type: 'load' as const, at: now, waiting: { 'batch-cpu': waiting } };
  await apply(services.table, [{ op: 'update', key: engineKeys.load, expect: {}, set: load }]);
  const more = copyPartBytes === undefined ? {} : { copyPartBytes };
  return sweepWith(services, world, now, remainingMs, [archiveOriginals], undefined, workers, more);
}

/** Those of the stack's bucket, by which a tag moves a version to another class. */
export function addClassRules({ uploads }: Services): void {
  uploads.lifecycle = ARCHIVE_CLASSES.map((storageClass) => ({
    ...{ id: `move-to-${storageClass}`, prefix: '', tags: { [ARCHIVE_CLASS_TAG]: storageClass } },
    transitions: [{ storageClass, days: 0 }],
  }));
}

/** A day of S3 goes by. @returns how many objects its rules have moved or removed */
export async function aDayOfLifecycle({ clock, runLifecycle }: Services): Promise<number> {
  clock.advance(1.1 * DAY_MS);
  return runLifecycle();
}

export const archiveRowOf = ({ table }: Services, mediaId: string) =>
  getRow(table, rowKeys.archive(mediaId), ArchiveRow);

function hashed(text: string): HashedFile {
  const bytes = Buffer.from(text);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { bytes: bytes.length, sha256, crc64nvme: new Crc64Nvme().update(bytes).digest() };
}

const QUALITY = { mean: 0.99, worstSecond: 0.98, worstAt: 0, worstPicture: 0.97, median: 0.99, psnr: 42 };

/** What a worker leaves that has made the copy. */
export async function workerMakes(
  services: Services,
  media: MediaRow,
  original: string,
  copy = COPY,
  quality: Partial<Quality> = {},
): Promise<void> {
  const row = await archiveRowOf(services, media.mediaId);
  if (row?.jobId === undefined) throw new Error(`no worker was asked: ${JSON.stringify(row)}`);
  const file = { Bucket: MEDIA, Key: `${tmpPrefix(row.jobId)}${archiveFile(media.source.key)}` };
  await services.s3.send(new PutObjectCommand({ ...file, Body: copy, ChecksumCRC64NVME: hashed(copy).crc64nvme }));
  await workerSays(services, {
    ...{ status: 'archived', jobId: row.jobId, original: hashed(original), copy: hashed(copy) },
    quality: { ...QUALITY, ...quality },
    ...{ encoder: 'libx265', ffmpeg: '7.1', usage: { wallSeconds: 10, cpuSeconds: 30 } },
  });
}

export async function workerSays({ s3 }: Services, result: ArchiveResult): Promise<void> {
  const Key = `${tmpPrefix(result.jobId)}${RESULT_FILE}`;
  await s3.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body: JSON.stringify(result) }));
}

/** The bytes that the media item's source leads to; null where there are none. */
export async function sourceBytes({ s3, table }: Services, mediaId: string): Promise<string | null> {
  const media = await getMedia(table, mediaId);
  if (!media) return null;
  const { bucket, key, versionId } = media.source;
  const answer = await s3
    .send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }))
    .catch(() => null);
  return (await answer?.Body?.transformToString()) ?? null;
}

export const later = (from: string, days: number) => plus(from, { days });
