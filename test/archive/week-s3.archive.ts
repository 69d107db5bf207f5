import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test, vi } from 'vitest';
import { listVersions } from '../../aws/s3.ts';
import { apply, applyWithRetry, getMedia, getRow } from '../../aws/table.ts';
import { queryTodo } from '../../aws/table-queries.ts';
import { archive } from '../../containers/transcoder/archive/archive-job.ts';
import { EncodePolicy } from '../../core/contracts/archive.ts';
import { tmpPrefix } from '../../core/contracts/keys.ts';
import { ArchiveStatsRow } from '../../core/contracts/table/archive.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow, Source } from '../../core/contracts/table/media.ts';
import { archiveRestored } from '../../core/jobs/archive-purge.ts';
import { plus } from '../../core/time.ts';
import { addPolicy, archiveAt, archiveRowOf, IDLE_IMAGE, later } from '../support/archive.ts';
import { decodeAll, TOOLS, temporaryDirectory } from '../support/media.ts';
import { MEDIA, UPLOADS } from '../support/services.ts';
import { startStand } from '../support/stand.ts';
import { addMedia } from '../support/swept.ts';
import { earlyFfmpeg, type Fate, LIBRARY } from './library.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

/** The first day of the week, at half past two: in the window. */
const MONDAY = '2026-11-30T02:30:00.000Z';
const RESTORED = ['plain.mp4', 'timecode.mov', 'ten-bit-hlg.mp4'];
/** Nobody has an object open in S3, and it has one name. */
const IN_S3: Readonly<Record<string, Fate>> = { 'open.mp4': 'archived', 'two-names.mp4': 'archived' };

const { services, world } = await startStand(IDLE_IMAGE);
const { s3, table } = services;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function bytesOf({ bucket, key, versionId }: Source): Promise<Uint8Array> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
  return (await Body?.transformToByteArray()) ?? new Uint8Array();
}

/** A media item that was uploaded so many days before the week. */
async function upload(name: string, file: string, age: number): Promise<MediaRow> {
  const media = await addMedia(services, 'talks', name);
  const { bucket, key } = media.source;
  const bytes = await readFile(file);
  const put = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }));
  const source = { ...media.source, versionId: put.VersionId, etag: put.ETag ?? '', size: bytes.length };
  const createdAt = plus(MONDAY, { days: -age });
  const row = { ...media, source, createdAt, current: media.current && { ...media.current, source } };
  await apply(table, [{ op: 'update', key: rowKeys.media(media.mediaId), expect: {}, set: row }]);
  return row;
}

/** Plays the workers that were asked for, with the real encode. @returns how many there were */
async function work(names: ReadonlyMap<string, string>, directory: string, early: string): Promise<number> {
  const { items } = await queryTodo(table, DUE_WORK.archiveJob, { until: '9999', limit: 100 });
  for (const { pk } of items) {
    const row = await archiveRowOf(services, pk.slice('MEDIA#'.length));
    if (row?.state !== 'encoding' || row.jobId === undefined || row.engineJobId === undefined) continue;
    const isEarly = names.get(row.mediaId) === 'encoder-stops-early.mp4';
    const { jobId, mediaId, creatorId, source } = row;
    const job = {
      ...{ kind: 'archive' as const, jobId, mediaId, creatorId, source },
      output: { bucket: MEDIA, prefix: tmpPrefix(jobId) },
      policy: EncodePolicy.parse(JSON.parse(row.policy)),
    };
    const tools = { ffmpeg: isEarly ? early : TOOLS.ffmpeg, ffprobe: TOOLS.ffprobe };
    const signal = new AbortController().signal;
    const exit = await archive(job, { s3, tools, engineJobId: row.engineJobId, scratchDirectory: directory, signal });
    expect([names.get(mediaId), exit]).toEqual([names.get(mediaId), 0]);
  }
  return items.length;
}

test(`${Object.keys(LIBRARY).length} uploads go through a week`, async () => {
  await using directory = await temporaryDirectory();
  const folder = join(directory.path, 'recordings');
  await mkdir(folder);
  await addPolicy(services, { keepOriginalDays: 2, maxConcurrent: 4 });
  const media = new Map<string, MediaRow>();
  for (const [name, { age = 30, write }] of Object.entries(LIBRARY)) {
    await write(folder, name);
    media.set(name, await upload(name, join(folder, name), age));
  }
  await rm(folder, { recursive: true });
  const names = new Map([...media].map(([name, { mediaId }]) => [mediaId, name]));
  const early = await earlyFfmpeg(directory.path, '*./source*libx265*out/archive*');
  let purged = 0;
  for (let day = 0; day < 7; day++) {
    const seen = { archived: 0, refused: 0, purged: 0 };
    let minutes = 0;
    let isIdle = false;
    // The kinds of work take turns to be first: what one run makes room for, the next one begins.
    while (!isIdle && minutes < 200) {
      const done = await archiveAt(services, world, plus(later(MONDAY, day), { minutes }));
      seen.archived += done.originalsArchived;
      seen.refused += done.archivesRefused;
      seen.purged += done.originalsPurged;
      minutes += 5;
      const worked = await work(names, directory.path, early);
      isIdle = worked + done.originalsArchived + done.archivesRefused + done.archivesStarted === 0;
    }
    // Outside of the window nothing is begun, and originals are deleted.
    const rest = await archiveAt(services, world, later(MONDAY, day + 0.4));
    expect(rest).toMatchObject({ archivesStarted: 0, originalsArchived: 0 });
    seen.purged += rest.originalsPurged;
    purged += seen.purged;
    if (day === 1) for (const name of RESTORED) await restore(media.get(name), later(MONDAY, day + 0.5));
    console.info(`day ${day}: ${JSON.stringify(seen)}`);
  }
  const fates: Record<string, string> = {};
  let kept = 0;
  for (const [name, before] of media) {
    const now = await getMedia(table, before.mediaId);
    const row = await archiveRowOf(services, before.mediaId);
    if (!now) throw new Error(`${name} is gone`);
    const bytes = await bytesOf(now.source);
    const { versions } = await listVersions(s3, { bucket: UPLOADS, key: before.source.key });
    const hasOriginal = versions.includes(before.source.versionId ?? '');
    if (row?.state === 'archived' || row?.state === 'purged') {
      expect([name, sha256(bytes)]).toEqual([name, row.replaced?.copy.sha256]);
      expect([name, hasOriginal]).toEqual([name, row.state === 'archived']);
      await writeFile(join(directory.path, name), bytes);
      await decodeAll(join(directory.path, name));
      if (hasOriginal) kept += row.replaced?.original.bytes ?? 0;
      fates[name] = 'archived';
    } else {
      expect([name, hasOriginal, now.source]).toEqual([name, true, before.source]);
      fates[name] = row?.state === 'refused' ? (row.refusals?.[0]?.reason ?? '') : 'untouched';
    }
  }
  const expected = Object.entries(LIBRARY).map(([name, { fate }]) => [
    name,
    RESTORED.includes(name) ? 'restored' : (IN_S3[name] ?? fate),
  ]);
  expect(fates).toEqual(Object.fromEntries(expected));
  const stats = await getRow(table, rowKeys.archiveStats('ann', 'talks'), ArchiveStatsRow);
  const archived = Object.values(fates).filter((fate) => fate === 'archived').length;
  // All but the one that was young.
  expect(purged).toBe(archived - 1);
  expect(stats).toMatchObject({ archived, keptBytes: kept });
  expect(kept).toBeGreaterThan(0);
}, 1_200_000);

/** As the API does; the bytes are compared at the end. */
async function restore(media: MediaRow | undefined, now: string): Promise<void> {
  if (!media) throw new Error('it is not in the library');
  const done = await applyWithRetry(table, async () => {
    const [row, is] = [await archiveRowOf(services, media.mediaId), await getMedia(table, media.mediaId)];
    return row && is ? archiveRestored(row, is, now) : { refused: 'it is gone' };
  });
  expect(done).not.toHaveProperty('refused');
}
