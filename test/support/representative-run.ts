import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { EngineName } from '../../core/contracts/engines.ts';
import { Upload } from '../../core/contracts/http/uploads.ts';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import type { Cloud } from '../../local/boot.ts';
import type { LocalEndpoint } from '../../local/endpoint/endpoint.ts';
import type { Grant } from '../../local/iam/policies.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { HTTP_ENGINE, startHttpEndpoint } from '../../scripts/http-endpoint.ts';
import { type Api, addWebhook, apiAs, assemblyWith, OPERATOR, startReceiver } from './api.ts';
import { AT_ONCE, archivedUntil, recording } from './archived-in-cloud.ts';
import { eventually, testCloud } from './cloud.ts';
import { configuredApp } from './configured-app.ts';
import { Mishaps, sufferMishaps } from './mishaps.ts';
import { pad } from './padded.ts';
import { drop, makeClip, reached, readJobs, readMedia, sweepUntilJob, testVideo } from './pipeline.ts';
import { reachedInTime } from './settled.ts';

const HOUR = 3_600_000;
const PART = 16 * 2 ** 20;

/** Does once whatever the product can do, and tells which grants of the template's roles were of use. */
export async function representativeRun(say: (line: string) => void): Promise<Grant[]> {
  const folder = await mkdtemp(join(tmpdir(), 'dropreel-iam-'));
  const loopback = { WEBHOOK_ALLOW_LOOPBACK: 'true' };
  const engines = { gpuEngine: { maxVcpus: 8 }, httpEngine: HTTP_ENGINE, mediaConvert: true };
  await using app = await configuredApp(engines);
  const { endpoint, beside } = await startHttpEndpoint(app.stateDir, { nodePath: process.env.DROPREEL_NODE });
  await using assembly = await assemblyWith({ api: loopback, 'deliver-webhook': loopback }, app.assembly);
  await using receiver = await startReceiver();
  const mishaps = new Mishaps();
  // Each mishap is aimed at one call and waits for what follows from it; a double would meet it first, or undo it.
  await using booted = await testCloud({
    ...{ assembly: assembly.directory, stateDir: app.stateDir, ...beside },
    ...{ hooks: mishaps.hooks, adverse: false },
  });
  const { cloud } = booted;
  const ann = await apiAs(cloud, 'ann');
  const done = async (what: string, work: Promise<unknown>) => {
    await work;
    say(what);
  };
  try {
    const video = await testVideo(join(folder, 'video.mp4'), { seconds: 1, size: '64x64' });
    const sound = await makeClip(join(folder, 'tone.mp3'), '-f', 'lavfi', '-i', 'sine=frequency=300:duration=1');
    const webhook = await addWebhook(ann, receiver.url);
    // Most of what is tried is tried of one engine.
    await must(ann, 'POST', '/collections', { id: 'kept', engine: 'batch-cpu' });
    for (const engine of ['batch-cpu', 'http'] as const) {
      const id = goneOf(engine);
      await must(ann, 'POST', '/collections', { id, engine, deleteOriginal: true, retranscodeFromOutput: true });
    }
    await done('a new version, and its rollback', versions(cloud, ann, video, sound));
    for (const engine of ['batch-cpu', 'http'] as const)
      await done(
        `${engine}: an original deleted, and its MP4 encoded again`,
        withoutOriginal(cloud, ann, engine, video),
      );
    await done('a bad file, tried again', badFile(cloud, ann, 'kept'));
    await done('uploads over HTTP: whole, in parts, given up, forgotten', uploads(ann, await readFile(sound)));
    await done('lost answers and events, deaths and deletions', sufferMishaps(cloud, mishaps, sound));
    const world = { cloud, mishaps, endpoint, sound };
    for (const engine of ['batch-gpu', 'http', 'mediaconvert'] as const)
      await done(`${engine}: heard, again, replaced, bad, unheard, deleted`, withEngine(world, engine));
    await done('originals archived, put back, and deleted', archived(cloud, join(folder, 'recorded.mp4')));
    await done('an original moved to another class', movedToClass(cloud, join(folder, 'moved.mp4')));
    await done('what can be read and taken away', rest(cloud, webhook.id));
    // The mishaps took so many hours that the first token has ended.
    const frozen = await inArchive(cloud, await apiAs(cloud, 'ann'), await readFile(sound));
    // The last, for tokens end too.
    cloud.clock.advance(80 * HOUR);
    await done('an upload restored from an archive', reached(cloud, frozen, 'ready', { timeoutMs: 120_000 }));
    await cloud.fireSchedule('sweep');
    return cloud.policies.grants();
  } finally {
    await endpoint.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function must(api: Api, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await api(method, path, body === undefined ? {} : { body });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function until(cloud: Cloud, mediaId: string, what: string, test: (media: MediaRow) => boolean): Promise<void> {
  await eventually(
    `${mediaId} ${what}`,
    async () => {
      const media = await readMedia(cloud, mediaId);
      return media !== undefined && test(media);
    },
    120_000,
  );
}

async function versions(cloud: Cloud, ann: Api, video: string, sound: string): Promise<void> {
  const key = 'drop/ann/kept/video.mp4';
  const id = await drop(cloud, key, { file: video });
  await reached(cloud, id, 'ready', { timeoutMs: 120_000 });
  await drop(cloud, key, { file: sound });
  await reached(cloud, id, 'ready', { jobs: 2, timeoutMs: 120_000 });
  await fetch(`${cloud.deliveryUrl}/embed/ann/${id}`);
  await must(ann, 'POST', `/media/${id}/rollback`);
  await until(cloud, id, 'is back', ({ current }) => current?.version === 1);
  await must(ann, 'POST', '/collections/kept/retranscode');
  await cloud.fireSchedule('sweep');
  await cloud.fireSchedule('sweep');
  await reached(cloud, id, 'ready', { jobs: 3, timeoutMs: 120_000 });
}

/** A collection whose originals are deleted. */
const goneOf = (engine: EngineName) => `gone-${engine}`;

async function withoutOriginal(cloud: Cloud, ann: Api, engine: EngineName, video: string): Promise<void> {
  const id = await drop(cloud, `drop/ann/${goneOf(engine)}/video.mp4`, { file: video });
  await until(cloud, id, 'has lost its original', ({ originalDeletedAt }) => originalDeletedAt !== undefined);
  await must(ann, 'POST', `/media/${id}/retranscode`);
  await cloud.fireSchedule('sweep');
  await reached(cloud, id, 'ready', { jobs: 2, timeoutMs: 120_000 });
  await must(ann, 'DELETE', `/media/${id}`);
  await cloud.fireSchedule('sweep');
}

async function badFile(cloud: Cloud, ann: Api, collection: string): Promise<void> {
  // The key names no creator.
  await drop(cloud, 'drop/stray.mp4', { text: 'nobody knows whose this is' });
  const id = await drop(cloud, `drop/ann/${collection}/note.mp4`, { text: 'this is no video\n'.repeat(100) });
  await reached(cloud, id, 'failed', { jobs: 0 });
  await must(ann, 'POST', `/media/${id}/retry`);
}

/** @returns a media item whose restore sweep has asked for */
async function inArchive(cloud: Cloud, ann: Api, bytes: Buffer): Promise<string> {
  const Bucket = cloud.outputs.UploadsBucket ?? '';
  const Key = 'drop/ann/kept/frozen.mp3';
  await developerClients(cloud).s3.send(new PutObjectCommand({ Bucket, Key, Body: bytes, StorageClass: 'GLACIER' }));
  const id = await mediaIdFor(Bucket, Key);
  await reached(cloud, id, 'failed', { jobs: 0 });
  await must(ann, 'POST', `/media/${id}/retry`);
  await until(cloud, id, 'waits for its restore', ({ error }) => error?.code === 'source_restoring');
  await cloud.fireSchedule('sweep');
  await eventually(`${id} is restored`, async () => {
    const head = await developerClients(cloud).s3.send(new HeadObjectCommand({ Bucket, Key }));
    return head.Restore === 'ongoing-request="true"';
  });
  return id;
}

async function uploads(ann: Api, bytes: Buffer): Promise<void> {
  const announce = async (size: number) =>
    Upload.parse(await must(ann, 'POST', '/uploads', { fileName: 'a.mp3', size, contentType: 'audio/mpeg' }));
  const { id, put } = await announce(bytes.length);
  await fetch(put?.url ?? '', { method: 'PUT', headers: put?.headers ?? {}, body: bytes });
  await must(ann, 'POST', `/uploads/${id}/complete`);
  // Never sent: sweep looks for its bytes when its time is up.
  await announce(bytes.length);
  const inParts = await announce(5 * PART);
  for (const { url } of inParts.multipart?.parts ?? []) {
    await fetch(url, { method: 'PUT', body: Buffer.alloc(PART, 'x') });
  }
  await must(ann, 'GET', `/uploads/${inParts.id}`);
  await must(ann, 'POST', `/uploads/${inParts.id}/complete`);
  await must(ann, 'DELETE', `/uploads/${(await announce(5 * PART)).id}`);
}

interface World {
  cloud: Cloud;
  mishaps: Mishaps;
  endpoint: LocalEndpoint;
  sound: string;
}

async function withEngine({ cloud, mishaps, endpoint, sound }: World, engine: EngineName): Promise<void> {
  // The clock is put forward by more than a token lasts.
  const ann = () => apiAs(cloud, 'ann');
  await must(await ann(), 'POST', '/collections', { id: engine, engine });
  const put = (name: string) => drop(cloud, `drop/ann/${engine}/${name}`, { file: sound });
  const isEncoding = () =>
    endpoint.jobs.counts().inProgress + cloud.batch.running().length + cloud.mediaconvert.running().length > 0;
  /** The next job of the engine's service waits, where that can be had of it. */
  const stick = (stuck: boolean) => {
    endpoint.behaviour.slowMs = stuck ? HOUR : 0;
    if (stuck && engine === 'mediaconvert') cloud.mediaconvert.mishap({ type: 'stuck' });
  };
  const submitted = (id: string, n: number) =>
    eventually(
      `${engine} has job ${n} of ${id}`,
      async () => {
        const job = (await readJobs(cloud, id)).find((one) => one.n === n);
        return job?.engineJobId !== undefined && (engine !== 'mediaconvert' || job.part === 'encode');
      },
      120_000,
    );
  const again = async (id: string) => {
    await must(await ann(), 'POST', `/media/${id}/retranscode`);
    await cloud.fireSchedule('sweep');
  };

  const heard = await put('heard.mp3');
  await reached(cloud, heard, 'ready', { timeoutMs: 120_000 });
  await again(heard);
  await reached(cloud, heard, 'ready', { jobs: 2, timeoutMs: 120_000 });
  stick(true);
  await again(heard);
  await submitted(heard, 3);
  await put('heard.mp3');
  await eventually('the upload has a job', async () => (await readMedia(cloud, heard))?.jobCount === 4, 60_000);
  stick(false);
  await reached(cloud, heard, 'ready', { jobs: 4, timeoutMs: 120_000 });

  if (engine === 'http') {
    // The worker that gets the job then reads what this one has claimed.
    mishaps.killAtMp4('httpengineworker', () => endpoint.killWorkers());
    await reached(cloud, await put('killed.mp3'), 'ready', { timeoutMs: 120_000 });
  }

  await badFile(cloud, await ann(), engine);
  // The endpoint may have the job twice then.
  endpoint.behaviour.losesRuns = true;
  mishaps.deaf = true;
  const unheard = await put('unheard.mp3');
  await eventually('it is known', async () => (await readMedia(cloud, unheard)) !== undefined, 60_000);
  await eventually('its submission has ended', async () => cloud.lambda.running().length === 0, 60_000);
  endpoint.behaviour.losesRuns = false;
  await reachedInTime(cloud, unheard, 'ready', { timeoutMs: 120_000, isEncoding });
  mishaps.deaf = false;

  stick(true);
  const deleted = await put('deleted.mp3');
  await submitted(deleted, 1);
  await must(await ann(), 'DELETE', `/media/${deleted}`);
  await cloud.fireSchedule('sweep');
  stick(false);
}

async function archived(cloud: Cloud, path: string): Promise<void> {
  const file = await recording(path);
  // The clock has been put forward by more than a token lasts.
  await must(await apiAs(cloud, 'ann'), 'POST', '/collections', { id: 'old', engine: 'batch-cpu' });
  const [back, purged] = await Promise.all(
    ['back', 'purged'].map((name) => drop(cloud, `drop/ann/old/${name}.mp4`, { file })),
  );
  if (back === undefined || purged === undefined) throw new Error('nothing was dropped');
  for (const id of [back, purged]) await reached(cloud, id, 'ready', { timeoutMs: 120_000 });
  const body = { enabled: true, policy: AT_ONCE };
  await must(await apiAs(cloud, 'ann'), 'PATCH', '/collections/old/archive', body);
  for (const id of [back, purged]) await archivedUntil(cloud, id, 'archived');
  await must(await apiAs(cloud, 'ann'), 'POST', `/media/${back}/archive/restore`);
  // The copy of the one is removed, and the original of the other.
  cloud.clock.advance(26 * HOUR);
  await archivedUntil(cloud, purged, 'purged');
  await cloud.fireSchedule('sweep');
  await must(await apiAs(cloud, 'ann'), 'POST', `/media/${purged}/retranscode`);
  await sweepUntilJob(cloud, purged, 3);
  await reached(cloud, purged, 'ready', { jobs: 3, timeoutMs: 120_000 });
}

async function movedToClass(cloud: Cloud, path: string): Promise<void> {
  await must(await apiAs(cloud, 'ann'), 'POST', '/collections', { id: 'cold', engine: 'batch-cpu' });
  const id = await drop(cloud, 'drop/ann/cold/moved.mp4', { file: await pad(await recording(path)) });
  await reached(cloud, id, 'ready', { timeoutMs: 120_000 });
  const body = { enabled: true, policy: { ...AT_ONCE, method: 'storage-class' } };
  await must(await apiAs(cloud, 'ann'), 'PATCH', '/collections/cold/archive', body);
  await archivedUntil(cloud, id, 'moving');
  cloud.clock.advance(26 * HOUR);
  await archivedUntil(cloud, id, 'moved');
}

async function rest(cloud: Cloud, webhook: string): Promise<void> {
  // The clock has been put forward by more than a token lasts.
  const ann = await apiAs(cloud, 'ann');
  const operator = await apiAs(cloud, 'root', OPERATOR);
  await must(operator, 'GET', '/health');
  await must(operator, 'GET', '/stats');
  await must(operator, 'GET', '/media');
  await must(ann, 'GET', '/media?collectionId=kept');
  await must(ann, 'PATCH', '/collections/kept', { title: 'Kept' });
  const { items } = await must(ann, 'GET', `/webhooks/${webhook}/deliveries`);
  const [delivery] = items as { id: string }[];
  await must(ann, 'POST', `/webhooks/${webhook}/deliveries/${delivery?.id}/replay`);
  await must(ann, 'POST', `/webhooks/${webhook}/rotate-secret`);
  await must(ann, 'DELETE', `/webhooks/${webhook}`);
  await must(ann, 'DELETE', `/collections/${goneOf('batch-cpu')}`);
  const { s3 } = developerClients(cloud);
  await s3.send(new DeleteObjectCommand({ Bucket: cloud.outputs.UploadsBucket, Key: 'drop/ann/kept/note.mp4' }));
}
