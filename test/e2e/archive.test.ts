import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Source } from '../../core/contracts/table/media.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { type Api, apiAs } from '../support/api.ts';
import { AT_ONCE, archivedUntil, readArchive, recording } from '../support/archived-in-cloud.ts';
import { testCloud } from '../support/cloud.ts';
import { decode, drop, probe, reached, readMedia, sweepUntilJob } from '../support/pipeline.ts';

const DAY_MS = 24 * 3_600_000;

let booted: Awaited<ReturnType<typeof testCloud>>;
let folder: string;
let file: string;
let api: Api;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-archive-'));
  file = await recording(join(folder, 'a.mp4'));
  booted = await testCloud();
  api = await apiAs(booted.cloud, 'ann');
});
afterAll(async () => {
  await booted?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function bytesOf({ bucket, key, versionId }: Source): Promise<Buffer> {
  const { Body } = await developerClients(booted.cloud).s3.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }),
  );
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

async function versionsOf(Prefix: string): Promise<number> {
  const Bucket = booted.cloud.outputs.UploadsBucket;
  const page = await developerClients(booted.cloud).s3.send(new ListObjectVersionsCommand({ Bucket, Prefix }));
  return (page.Versions ?? []).length;
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const body = async (path: string) => (await api('GET', path)).body;

it('an upload becomes a verified HEVC copy, is put back once, deleted after its day, and encoded again from the copy', async () => {
  const { cloud } = booted;
  const restored = await drop(cloud, 'drop/ann/films/restored.mp4', { file });
  const kept = await drop(cloud, 'drop/ann/films/kept.mp4', { file });
  for (const id of [restored, kept]) await reached(cloud, id, 'ready');
  const on = await api('PATCH', '/collections/films/archive', { body: { enabled: true, policy: AT_ONCE } });
  expect([on.status, on.body]).toMatchObject([200, { enabled: true, policy: { codec: 'hevc', minAgeDays: 0 } }]);
  expect(await body('/collections/films/archive/plan')).toMatchObject({ files: 2 });
  for (const id of [restored, kept]) await archivedUntil(cloud, id, 'archived');

  const media = await readMedia(cloud, kept);
  if (!media) throw new Error('it is gone');
  const copy = await bytesOf(media.source);
  await writeFile(join(folder, 'copy.mp4'), copy);
  const { streams } = await probe(join(folder, 'copy.mp4'));
  expect(streams.map(({ codec_name }) => codec_name)).toEqual(['hevc', 'aac']);
  await decode(join(folder, 'copy.mp4'));
  expect(sha256(copy)).toBe((await readArchive(cloud, kept))?.replaced?.copy.sha256);
  expect(copy.length).toBeLessThan((await readFile(file)).length * 0.9);

  // The clock was put forward by more than a token lasts.
  api = await apiAs(cloud, 'ann');
  expect(await api('POST', `/media/${restored}/archive/restore`)).toMatchObject({ status: 200 });
  const back = await readMedia(cloud, restored);
  expect(sha256(await bytesOf(back?.source as Source))).toBe(sha256(await readFile(file)));

  cloud.clock.advance(1.1 * DAY_MS);
  await archivedUntil(cloud, kept, 'purged');
  expect(await versionsOf('drop/ann/films/kept.mp4')).toBe(0);
  api = await apiAs(cloud, 'ann');
  expect(await api('POST', `/media/${kept}/archive/restore`)).toMatchObject({
    status: 409,
    body: { code: 'original_deleted' },
  });
  const stats = { archived: 1, keptBytes: 0, originalBytes: (await readFile(file)).length, refused: { restored: 1 } };
  expect(await body('/collections/films/archive')).toMatchObject({ stats });

  expect((await api('POST', `/media/${kept}/retranscode`)).status).toBe(202);
  await sweepUntilJob(cloud, kept, 3);
  await reached(cloud, kept, 'ready', { jobs: 3, timeoutMs: 90_000 });
  expect((await readMedia(cloud, kept))?.source.key).toContain('archive/ann/');
}, 400_000);
