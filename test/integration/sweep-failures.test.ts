import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { getJob, getMedia } from '../../aws/table.ts';
import { tmpPrefix } from '../../core/contracts/keys.ts';
import { CHORE, type MediaRow } from '../../core/contracts/rows.ts';
import { AwsError } from '../../local/service.ts';
import { startWorld, type World } from '../unit/local/batch/setup.ts';
import { MEDIA, type Services, startServices } from './services.ts';
import { addJob, addMedia, LONG_AGO, sweepOnce } from './swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

let services: Services;
let world: World;
/** After LONG_AGO: whose turn comes second. */
const LESS_LONG_AGO = '2026-01-02T00:00:00.000Z';

beforeAll(async () => {
  services = await startServices();
  world = await startWorld();
});
afterAll(async () => {
  await services[Symbol.asyncDispose]();
  await world.close();
});
beforeEach(() => {
  services.onCall = () => {};
});

const run = () => sweepOnce(services, world);
const rowOf = ({ mediaId }: MediaRow) => getMedia(services.table, mediaId);
const jobOf = ({ mediaId }: MediaRow) => getJob(services.table, mediaId, 1);

it('a job whose result cannot be read does not keep the others from being repaired', async () => {
  const odd = await addMedia(services, 'talks', 'odd.mp4', { state: 'retranscoding' });
  const other = await addMedia(services, 'talks', 'other.mp4', { state: 'retranscoding' });
  await addJob(services, odd, { engineJobId: 'forgotten' });
  await addJob(services, other, { engineJobId: 'forgotten', todoAt: LESS_LONG_AGO });
  const Key = `${tmpPrefix(`${odd.mediaId}-1`)}result.json`;
  await services.s3.send(new PutObjectCommand({ Bucket: MEDIA, Key, Body: '{"status":"new"}' }));
  await expect(run()).rejects.toThrow();
  expect([(await jobOf(odd))?.state, (await jobOf(other))?.state]).toEqual(['running', 'failed']);
  await services.s3.send(new DeleteObjectCommand({ Bucket: MEDIA, Key }));
  await run();
  expect((await jobOf(odd))?.state).toBe('failed');
});

it('a media that cannot be removed does not keep the others from going', async () => {
  const marked = { state: 'deleting' as const, current: undefined, todo: CHORE.delete, todoAt: LONG_AGO };
  const updatedAt = new Date(Date.now() + 5000).toISOString();
  const held = await addMedia(services, 'talks', 'held.mp4', { ...marked, updatedAt });
  const free = await addMedia(services, 'talks', 'free.mp4', { ...marked, updatedAt, todoAt: LESS_LONG_AGO });
  services.onCall = (when, { operation, request }) => {
    const its = operation === 'DeleteObject' && request?.path.includes('held.mp4');
    if (when === 'before' && its) throw new AwsError('AccessDenied', 403, 'Its retention is not over.');
  };
  await expect(run()).rejects.toThrow();
  services.onCall = () => {};
  expect([(await rowOf(held))?.state, await rowOf(free)]).toEqual(['deleting', null]);
  expect(await run()).toMatchObject({ mediaDeleted: 1 });
});
