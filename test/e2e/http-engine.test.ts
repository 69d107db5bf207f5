import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { readText } from '../../aws/s3.ts';
import { KIND } from '../../local/endpoint/behaviour.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { apiAs } from '../support/api.ts';
import { eventually } from '../support/cloud.ts';
import { httpCloud } from '../support/http-engine.ts';
import { temporaryDirectory } from '../support/media.ts';
import { drop, reached, readJobs, readMedia, sweepUntil, testVideo } from '../support/pipeline.ts';
import { shapeOf } from '../support/streams.ts';

let held: Promise<void> | undefined;
const world = await httpCloud({
  hooks: {
    before: async ({ operation, request, principal }) => {
      const isWorker = principal.type === 'role' && principal.arn.toLowerCase().includes('httpengineworker');
      if (isWorker && operation === 'GetObject' && request?.path.includes('frozen.mp4')) await held;
    },
  },
});
const folder = await temporaryDirectory();
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
const { cloud, endpoint } = world;
afterEach(() => void Object.assign(endpoint.behaviour, KIND));
const ann = await apiAs(cloud, 'ann');
const file = await testVideo(join(folder.path, 'tiny.mp4'), { seconds: 2, size: '128x72', rate: 10 });
expect((await ann('POST', '/collections', { body: { id: 'there', engine: 'http' } })).status).toBe(201);

const ready = async (key: string) => {
  const id = await drop(cloud, key, { file });
  return reached(cloud, id, 'ready', { timeoutMs: 120_000 });
};
const secretOf = (job: { input: unknown } | undefined) =>
  (job?.input as { secret: string } | undefined)?.secret ?? expect.fail('no job');
/** Empty before there is a worker. */
const workerLog = () => readFile(join(world.stateDir, 'endpoint/worker.log'), 'utf8').catch(() => '');
const atEndpoint = (jobId: string) =>
  endpoint.jobs.all().filter(({ input }) => (input as { job: { jobId: string } }).job.jobId === jobId);

it('no row or log has the secret of a job or a signed address, and the scratch disk is empty', async () => {
  const { mediaId } = await ready('drop/ann/there/a b.mp4');
  const secret = secretOf(atEndpoint(`${mediaId}-1`)[0]);
  expect(secret).toMatch(/^whsec_/);
  const worker = await workerLog();
  const rows = JSON.stringify([await readMedia(cloud, mediaId), await readJobs(cloud, mediaId)]);
  for (const text of [worker, rows, ...world.log])
    for (const found of [secret, 'X-Amz-Signature']) expect(text).not.toContain(found);
  expect(await readdir(join(world.stateDir, 'endpoint/scratch/pod-1'))).toEqual([]);
});

it('a job that the endpoint reports as failed, twice, late and forged, and then forgets, is published by its outputs', async () => {
  Object.assign(endpoint.behaviour, { says: 'FAILED', forgetful: true, webhooks: 2, lateMs: 300 });
  const { mediaId } = await ready('drop/ann/there/lied.mp4');
  const { webhook = '' } = atEndpoint(`${mediaId}-1`)[0] ?? {};
  expect((await fetch(webhook.replace(/token=.*/, 'token=forged'), { method: 'POST', body: '{}' })).status).toBe(401);
  const late = await fetch(webhook, { method: 'POST', body: JSON.stringify({ id: 'another', status: 'FAILED' }) });
  expect([late.status, await late.json()]).toEqual([200, { accepted: false }]);
  Object.assign(endpoint.behaviour, KIND);
  expect(await readMedia(cloud, mediaId)).toMatchObject({ state: 'ready', jobCount: 1, current: { version: 1 } });
});

it('a job that the endpoint gives to two workers at once is made by one of them, while the other waits', async () => {
  Object.assign(endpoint.behaviour, { twice: true, slowMs: 3_600_000 });
  const id = await drop(cloud, 'drop/ann/there/twice.mp4', { file });
  await eventually('both wait for jobs', async () => (await workerLog()).split('waiting for jobs').length > 2, 60_000);
  await eventually('the endpoint has it', async () => atEndpoint(`${id}-1`)[0], 60_000);
  endpoint.behaviour.slowMs = 0;
  const { mediaId } = await reached(cloud, id, 'ready', { timeoutMs: 120_000 });
  expect(atEndpoint(`${mediaId}-1`).map(({ workers }) => workers.toSorted())).toEqual([['pod-1', 'pod-2']]);
  const ofJob = (await workerLog()).split('\n').filter((line) => line.includes(`"${mediaId}-1"`));
  const said = (text: string) => ofJob.filter((line) => line.includes(`"${text}"`)).length;
  expect([said('claimed'), said('another machine has this job; waiting')]).toEqual([1, 1]);
  expect(await readMedia(cloud, mediaId)).toMatchObject({ state: 'ready', jobCount: 1, current: { version: 1 } });
});

it('a machine that is frozen while it has a job loses it to another one, and writes nothing when it goes on', async () => {
  let letGo = () => {};
  held = new Promise((resolve) => {
    letGo = resolve;
  });
  endpoint.behaviour.twice = true;
  const id = await drop(cloud, 'drop/ann/there/frozen.mp4', { file });
  const { s3 } = developerClients(cloud);
  const claimed = async (): Promise<string | undefined> => {
    const key = `tmp/${id}-1/claim.json`;
    return JSON.parse((await readText(s3, { bucket: cloud.outputs.MediaBucket ?? '', key })) ?? '{}').machine;
  };
  const said = async (text: string) =>
    (await workerLog()).split('\n').some((line) => line.includes(`"${id}-1"`) && line.includes(text));
  const first = await eventually('a machine has it', claimed, 60_000);
  await eventually('the other one waits', () => said('another machine has this job'), 60_000);
  const [pid = ''] = (await readFile(join(world.stateDir, 'endpoint/running', first), 'utf8')).split(' ');
  // With all its processes.
  process.kill(-Number(pid), 'SIGSTOP');
  letGo();
  const made = await reached(cloud, id, 'ready', { timeoutMs: 120_000 });
  expect(await claimed()).not.toBe(first);
  const before = await shapeOf(cloud, made);
  process.kill(-Number(pid), 'SIGCONT');
  await eventually('it has noticed', () => said('could not report its result'), 60_000);
  expect(await shapeOf(cloud, (await readMedia(cloud, id)) ?? made)).toEqual(before);
  expect(await claimed()).not.toBe(first);
  expect(await readMedia(cloud, id)).toMatchObject({ state: 'ready', jobCount: 1, current: { version: 1 } });
});

it('a deleted media item is cancelled at the endpoint, and its secret opens nothing from then on', async () => {
  endpoint.behaviour.slowMs = 3_600_000;
  const id = await drop(cloud, 'drop/ann/there/deleted.mp4', { file });
  const job = await eventually('the endpoint has it', async () => atEndpoint(`${id}-1`)[0]);
  await reached(cloud, id, 'transcoding');
  const sign = () =>
    fetch(`${cloud.apiUrl}/engine-jobs/${id}-1/urls`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${secretOf(job)}`,
      },
      body: JSON.stringify({ method: 'GET', path: `/${cloud.outputs.UploadsBucket}/drop/ann/there/deleted.mp4` }),
    });
  expect((await sign()).status).toBe(200);
  expect((await ann('DELETE', `/media/${id}`)).status).toBe(202);
  await sweepUntil(cloud, 'its job is cancelled', async () => endpoint.jobs.get(job.id)?.status === 'CANCELLED');
  expect((await sign()).status).toBe(409);
});

it('the secret of one job signs no request for what another one reads or writes', async () => {
  endpoint.behaviour.slowMs = 3_600_000;
  const [one, other] = [
    await drop(cloud, 'drop/ann/there/one.mp4', { file }),
    await drop(cloud, 'drop/ann/there/other.mp4', { file }),
  ];
  const job = await eventually('the endpoint has it', async () => atEndpoint(`${one}-1`)[0]);
  const answers = await Promise.all(
    [
      `/${cloud.outputs.UploadsBucket}/drop/ann/there/other.mp4`,
      `/${cloud.outputs.MediaBucket}/tmp/${other}-1/claim.json`,
      `/${cloud.outputs.MediaBucket}/ann/hls/${other}/master.m3u8`,
    ].map(async (path) => {
      const signed = await fetch(`${cloud.apiUrl}/engine-jobs/${one}-1/urls`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Authorization: `Bearer ${secretOf(job)}`,
        },
        body: JSON.stringify({ method: 'PUT', path }),
      });
      const { url } = (await signed.json()) as { url: string };
      return (await fetch(url, { method: 'PUT', body: 'x' })).status;
    }),
  );
  expect(answers).toEqual([403, 403, 403]);
  for (const id of [one, other]) for (const queued of atEndpoint(`${id}-1`)) endpoint.jobs.cancel(queued);
});
