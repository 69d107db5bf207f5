import { join } from 'node:path';
import { GetObjectTaggingCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { MediaView } from '../../core/contracts/http/media.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { startReceiver } from '../support/api.ts';
import { AT_ONCE, archivedUntil, recording } from '../support/archived-in-cloud.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { dropreel, homeFor } from '../support/command.ts';
import { pad } from '../support/padded.ts';
import { readMedia } from '../support/pipeline.ts';

/** The archive of collections, by the command alone, and what its webhooks deliver. */

const DAY_MS = 24 * 3_600_000;
const SETTINGS = Object.entries(AT_ONCE).map(([name, value]) => `${name}=${value}`);

let made: Awaited<ReturnType<typeof homeFor>>;
let booted: Awaited<ReturnType<typeof testCloud>>;
let receiver: Awaited<ReturnType<typeof startReceiver>>;

beforeAll(async () => {
  receiver = await startReceiver();
  booted = await testCloud({ environment: { WEBHOOK_ALLOW_LOOPBACK: 'true' } });
  made = await homeFor(booted.cloud);
  await run('webhooks', 'add', receiver.url, '-e', 'media.archived', 'media.restored');
});
afterAll(async () => {
  await booted?.[Symbol.asyncDispose]();
  await made?.[Symbol.asyncDispose]();
  await receiver?.[Symbol.asyncDispose]();
});

async function run(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await dropreel(made.home, args);
  expect(exitCode, `${args.join(' ')}\n${stderr}\n${stdout}`).toBe(0);
  return stdout;
}

async function refused(...args: string[]): Promise<string> {
  const { exitCode, stderr } = await dropreel(made.home, args);
  expect([args.join(' '), exitCode]).toEqual([args.join(' '), 5]);
  return stderr;
}

async function upload(name: string, collection: string): Promise<string> {
  const file = await recording(join(made.home, name));
  if (collection === 'cold') await pad(file);
  const { id } = MediaView.parse(JSON.parse(await run('upload', file, '-c', collection, '--wait', '--json')));
  return id;
}

const Delivered = z.object({ type: z.string(), data: z.object({ mediaId: z.string(), state: z.string() }) });

/** Waits until the receiver has got that event of that media item. */
async function delivered(type: string, mediaId: string): Promise<void> {
  await eventually(`${type} of ${mediaId}`, async () =>
    receiver.received.some(({ headers, body }) => {
      const event = Delivered.parse(JSON.parse(body));
      expect(headers['webhook-signature']).toMatch(/^v1,/);
      return event.type === type && event.data.mediaId === mediaId && event.data.state === 'ready';
    }),
  );
}

it('two recordings become copies; one is put back, and the original of the other is deleted', async () => {
  const { cloud } = booted;
  await run('collections', 'create', 'films');
  const [back, kept] = [await upload('back.mp4', 'films'), await upload('kept.mp4', 'films')];
  expect(await run('archive', 'status', '--collection', 'films')).toMatch(/status +off/);
  expect(await refused('archive', 'run', '--collection', 'films')).toContain('is off');
  expect(await run('archive', 'enable', '--collection', 'films', '--set', ...SETTINGS)).toMatch(/status +on/);
  const plan = await run('archive', 'plan', '--collection', 'films');
  expect(plan).toMatch(/^2 originals, .* expected to save 40 %/);
  expect(plan).toMatch(/^reencode +2 +2 /m);
  expect(plan).toMatch(/^The policy: 2 originals, .* USD a month saved for .* USD; pays back after/m);
  for (const id of [back, kept]) {
    await archivedUntil(cloud, id, 'archived');
    await delivered('media.archived', id);
  }
  const stats = await run('archive', 'stats', '--collection', 'films');
  expect(stats).toMatch(/^Files transcoded: 2$/m);
  expect(stats).toMatch(/^Space saved: .* reduction; target 40%\)$/m);
  expect(await run('archive', 'restore', back)).toBe(
    `${back}  back.mp4  original kept: restored: The original is the source again.`,
  );
  await delivered('media.restored', back);
  cloud.clock.advance(1.1 * DAY_MS);
  await archivedUntil(cloud, kept, 'purged');
  expect(await refused('archive', 'restore', kept)).toContain('Its original is deleted');
  expect(await run('archive', 'status', '--collection', 'films')).toMatch(/^kept +1 restored$/m);
}, 400_000);

it('a large original goes to another class, and stays what it is', async () => {
  const { cloud } = booted;
  await run('collections', 'create', 'cold');
  const [moved, back] = [await upload('moved.mp4', 'cold'), await upload('taken back.mp4', 'cold')];
  const settings = [...SETTINGS, 'method=storage-class'];
  expect(await run('archive', 'enable', '--collection', 'cold', '--set', ...settings)).toContain(
    'storage-class (GLACIER_IR)',
  );
  expect(await run('archive', 'plan', '--collection', 'cold')).toMatch(/^storage-class +2 +2 /m);
  for (const id of [moved, back]) await archivedUntil(cloud, id, 'moving');
  expect(await run('archive', 'restore', back)).toBe(
    `${back}  taken back.mp4  original kept: restored: Its move to another storage class was taken back.`,
  );
  const source = (await readMedia(cloud, back))?.source;
  const tagged = new GetObjectTaggingCommand({
    ...{ Bucket: source?.bucket, Key: source?.key, VersionId: source?.versionId },
  });
  // The lifecycle moves what has one, so before the clock is moved a run of sweep that is under way has to be over, and another one done.
  await eventually('its tag is gone', async () => {
    await cloud.fireSchedule('sweep');
    return (await developerClients(cloud).s3.send(tagged)).TagSet?.length === 0;
  });
  cloud.clock.advance(1.1 * DAY_MS);
  await archivedUntil(cloud, moved, 'moved');
  await delivered('media.archived', moved);
  expect(await run('show', moved)).toMatch(/archive +moved to GLACIER_IR/);
  expect(await run('archive', 'stats', '--collection', 'cold')).toMatch(/^In another storage class: 1 \(10\.\d MB\)$/m);
  expect(await refused('archive', 'restore', moved)).toContain('S3 does not move it back to Standard');
  expect(await run('archive', 'status', '--collection', 'cold')).toMatch(/^kept +1 restored$/m);
}, 400_000);
