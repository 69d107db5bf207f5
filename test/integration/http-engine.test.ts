import { BatchClient } from '@aws-sdk/client-batch';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import type { z } from 'zod';
import { callbackSecret } from '../../aws/engine-key.ts';
import { apply, getJob, getMedia } from '../../aws/table.ts';
import { JobProgress } from '../../core/contracts/events.ts';
import type { ProgressReport } from '../../core/contracts/http/engine-jobs.ts';
import { tmpPrefix } from '../../core/contracts/keys.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { plus } from '../../core/time.ts';
import { Endpoint } from '../../engines/http/client.ts';
import { connectHttp } from '../../engines/http/engine.ts';
import { Engines } from '../../engines/registry.ts';
import type { ApiServices } from '../../functions/api/call.ts';
import { engineJobRoutes } from '../../functions/api/engine-jobs.ts';
import { submitJob } from '../../functions/shared/submit-job.ts';
import { repairJobs } from '../../functions/sweep/jobs.ts';
import { NOTHING_DONE, type SweepServices } from '../../functions/sweep/services.ts';
import { track } from '../../functions/track-job/track.ts';
import { KIND } from '../../local/endpoint/behaviour.ts';
import { startEndpoint } from '../../local/endpoint/endpoint.ts';
import { job, result } from '../support/factories.ts';
import { emptyServices, MEDIA, QUEUES, startServices, UPLOADS } from '../support/services.ts';
import { addMedia, archiveOf, LONG_AGO } from '../support/swept.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const services = await startServices();
// No worker takes a job: the tests are the worker.
const endpoint = await startEndpoint({
  apiKey: 'key',
  worker: { command: [], cwd: '.', environment: () => ({}), dir: '.' },
  clock: services.clock,
});
afterAll(async () => {
  await endpoint.close();
  await services[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await emptyServices(services);
  Object.assign(endpoint, { intercept: (_: string, act: () => Promise<unknown>) => act() });
  Object.assign(endpoint.behaviour, { ...KIND, dead: true });
});

const { s3, sqs, table } = services;
const http = connectHttp('https://api.example.com', new Endpoint(endpoint.url, async () => 'key'));
const all = {
  ...{ s3, sqs, table, engines: new Engines({ http }), mediaBucket: MEDIA, uploadsBucket: UPLOADS },
  ...{ ingestQueueUrl: QUEUES.ingest, publishQueueUrl: QUEUES.publish, webhookQueueUrl: QUEUES.webhooks },
};

async function queued(name: string): Promise<JobRow> {
  const { mediaId } = await addMedia(services, 'talks', name, { state: 'uploaded', current: undefined });
  const { engineJobId: _, ...row } = job({ mediaId, jobId: `${mediaId}-1`, state: 'queued', engine: 'http' });
  await apply(table, [{ op: 'put', key: rowKeys.job(mediaId, 1), row }]);
  return row;
}

const rowOf = async ({ mediaId, n }: JobRow) => (await getJob(table, mediaId, n)) ?? expect.fail('no row');

async function submitted(name: string): Promise<JobRow & { engineJobId: string }> {
  const row = await queued(name);
  await submitJob(all, row);
  const { engineJobId = expect.fail('not submitted') } = await rowOf(row);
  return { ...row, engineJobId };
}

const hint = ({ jobId }: JobRow, engineJobId: string) =>
  track(all, { source: 'dropreel', 'detail-type': 'Engine Hint', detail: { jobId, engineJobId, engine: 'http' } });

const takes = (id: string) => {
  while (endpoint.jobs.take('pod')?.id !== id);
};

const leaves = ({ jobId }: JobRow, file: string, content: unknown) =>
  s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: `${tmpPrefix(jobId)}${file}`, Body: JSON.stringify(content) }));

/** What the worker of an engine job sends to the API, up to the row. */
async function reports({ jobId }: JobRow, report: Partial<z.infer<typeof ProgressReport>>): Promise<void> {
  const call = {
    ...{ caller: null, query: null, rawBody: '', requestId: 'request', now: new Date().toISOString() },
    params: { jobId },
    headers: new Headers({ authorization: `Bearer ${await callbackSecret(table, jobId)}` }),
    body: {
      ...{ engineJobId: 'none', attempt: 1, at: '2026-11-21T12:00:00.000Z', phase: 'pulling', percent: 1 },
      ...report,
    },
  } as unknown as Parameters<typeof engineJobRoutes.reportEngineProgress>[0];
  const env = { TRACK_QUEUE_URL: QUEUES.track };
  await engineJobRoutes.reportEngineProgress(call, { sqs, table, env } as ApiServices);
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: QUEUES.track }));
  for (const { Body = '' } of Messages) await track(all, JobProgress.parse(JSON.parse(Body)));
}

/** Two jobs at the endpoint for one, because the answer to the first submission was lost. */
async function submittedTwice(name: string): Promise<{ row: JobRow; first: string; second: string }> {
  const row = await queued(name);
  endpoint.behaviour.losesRuns = true;
  await expect(submitJob(all, row)).rejects.toThrow();
  const first = endpoint.jobs.all().at(-1)?.id ?? '';
  endpoint.behaviour.losesRuns = false;
  const key = rowKeys.job(row.mediaId, 1);
  await apply(table, [{ op: 'update', key, expect: {}, set: { submittingUntil: LONG_AGO } }]);
  await submitJob(all, row);
  const { engineJobId: second = '' } = await rowOf(row);
  expect(second).not.toBe(first);
  return { row, first, second };
}

/** A run of the part of sweep that asks for silent jobs. */
async function sweepAfterSilence(row: JobRow, now = new Date().toISOString()): Promise<void> {
  const silent = { heartbeatAt: LONG_AGO, todoAt: LONG_AGO };
  await apply(table, [{ op: 'update', key: rowKeys.job(row.mediaId, row.n), expect: {}, set: silent }]);
  const report = { ...NOTHING_DONE };
  const run: SweepServices = {
    // Nothing of it is asked.
    archive: archiveOf({ client: new BatchClient({ region: 'us-east-1' }) }),
    ...{ ...all, maxRetranscodes: 1, now, remainingMs: () => 60_000, timeIsUp: () => false },
    report: (what, times = 1) => {
      report[what] += times;
    },
  };
  await repairJobs(run);
}

it('a job that several functions submit at once is one job at the endpoint', async () => {
  const row = await queued('at once.mp4');
  const before = endpoint.jobs.all().length;
  await Promise.all([1, 2, 3].map(() => submitJob(all, row)));
  expect(endpoint.jobs.all().slice(before)).toMatchObject([{ id: (await rowOf(row)).engineJobId }]);
});

it('a job that the endpoint was too busy to take is submitted once it is not', async () => {
  const row = await queued('busy.mp4');
  const before = endpoint.jobs.all().length;
  endpoint.behaviour.busy = 2;
  for (let i = 0; i < 2; i++) await expect(submitJob(all, row)).rejects.toThrow('HTTP 429');
  await submitJob(all, row);
  expect(endpoint.jobs.all().slice(before)).toMatchObject([{ id: (await rowOf(row)).engineJobId }]);
});

it('a job is asked for again where the endpoint was too busy to say how it is', async () => {
  const row = await submitted('busy.mp4');
  takes(row.engineJobId);
  endpoint.jobs.done(row.engineJobId, 'pod', { error: 'x' });
  endpoint.behaviour.busy = 1;
  await expect(hint(row, row.engineJobId)).rejects.toThrow('HTTP 429');
  expect(await rowOf(row)).toMatchObject({ state: 'queued' });
  await hint(row, row.engineJobId);
  expect(await rowOf(row)).toMatchObject({ state: 'failed', error: { code: 'worker_lost' } });
});

it('a job whose two engine jobs end, the later of which found a claim, is what the first one made', async () => {
  const { row, first, second } = await submittedTwice('unanswered.mp4');
  await leaves(row, 'claim.json', { jobId: row.jobId, engineJobId: first });
  for (const id of [first, second]) takes(id);
  endpoint.jobs.done(second, 'pod', { output: {} });
  await hint(row, second);
  expect(await rowOf(row)).toMatchObject({ state: 'queued', engineJobId: first });
  await leaves(row, 'result.json', { ...result(), jobId: row.jobId });
  endpoint.jobs.done(first, 'pod', { output: {} });
  await hint(row, first);
  expect(await rowOf(row)).toMatchObject({ state: 'succeeded' });
});

it('a worker that has the claim is the one that counts, though its row names a second job of the endpoint', async () => {
  const { row, first, second } = await submittedTwice('answered late.mp4');
  takes(first);
  await leaves(row, 'claim.json', { jobId: row.jobId, engineJobId: first });
  await reports(row, { engineJobId: first, percent: 20 });
  expect(await rowOf(row)).toMatchObject({ state: 'running', engineJobId: first, progress: 20 });
  takes(second);
  endpoint.jobs.done(second, 'pod', { output: {} });
  await hint(row, second);
  await reports(row, { engineJobId: first, percent: 30, step: 'pulled' });
  expect(await rowOf(row)).toMatchObject({ state: 'running', engineJobId: first, progress: 30 });
});

it('a report counts from when it came, whatever clock the worker has', async () => {
  const row = await submitted('clock.mp4');
  const silent = { heartbeatAt: LONG_AGO, todoAt: LONG_AGO };
  await apply(table, [{ op: 'update', key: rowKeys.job(row.mediaId, 1), expect: {}, set: silent }]);
  const before = new Date().toISOString();
  const expectTimely = async () => {
    const { heartbeatAt, todoAt = '', steps } = await rowOf(row);
    const latest = plus(new Date().toISOString(), { minutes: 15 });
    for (const at of [heartbeatAt, todoAt, ...steps.map((step) => step.at)]) {
      expect([at, before <= at, at <= latest]).toEqual([at, true, true]);
    }
  };
  const { engineJobId } = row;
  await reports(row, { engineJobId, at: '2020-01-01T00:00:00.000Z', step: 'pulled' });
  await expectTimely();
  const detail = { jobId: row.jobId, engineJobId, attempt: 1, phase: 'pushing', percent: 99 } as const;
  const ahead = { ...detail, step: 'transcoded', at: '9999-01-01T00:00:00.000Z' } as const;
  const envelope = { id: 'event', time: before, source: 'dropreel.worker', 'detail-type': 'Job Progress' } as const;
  await track(all, { ...envelope, detail: ahead });
  expect((await rowOf(row)).steps.map(({ name }) => name)).toContain('transcoded');
  await expectTimely();
});

it('events that come twice, late and in any order change a job once, and a success needs its result', async () => {
  const row = await submitted('orderly.mp4');
  takes(row.engineJobId);
  await leaves(row, 'result.json', { ...result(), jobId: row.jobId });
  endpoint.jobs.done(row.engineJobId, 'pod', { output: {} });
  for (let i = 0; i < 3; i++) await hint(row, row.engineJobId);
  const after = await rowOf(row);
  expect(after.state).toBe('succeeded');
  endpoint.behaviour.says = 'IN_PROGRESS';
  await hint(row, row.engineJobId);
  endpoint.behaviour.says = 'FAILED';
  await hint(row, row.engineJobId);
  expect(await rowOf(row)).toEqual(after);
});

it('a job that is reported as completed without a result has failed', async () => {
  const row = await submitted('lied.mp4');
  takes(row.engineJobId);
  endpoint.jobs.done(row.engineJobId, 'pod', { output: {} });
  await hint(row, row.engineJobId);
  expect(await rowOf(row)).toMatchObject({ state: 'failed', error: { code: 'worker_lost' } });
});

it('a job that the endpoint has forgotten is published by its outputs, or lost after an hour and tried elsewhere', async () => {
  const [made, lost] = [await submitted('made.mp4'), await submitted('lost.mp4')];
  for (const row of [made, lost]) takes(row.engineJobId);
  endpoint.jobs.done(made.engineJobId, 'pod', { output: {} });
  endpoint.jobs.done(lost.engineJobId, 'pod', { error: 'x' });
  endpoint.behaviour.forgetful = true;
  const key = rowKeys.job(made.mediaId, 1);
  await apply(table, [{ op: 'update', key, expect: {}, set: { state: 'running' } }]);
  await leaves(made, 'result.json', { ...result(), jobId: made.jobId });
  for (const row of [made, lost]) await sweepAfterSilence(row);
  expect(await rowOf(made)).toMatchObject({ state: 'succeeded' });
  expect(await rowOf(lost)).toMatchObject({ state: 'failed', error: { code: 'engine_lost' } });
  const media = await getMedia(table, lost.mediaId);
  expect(media).toMatchObject({ state: 'transcoding', jobId: `${lost.mediaId}-2` });
  expect(await getJob(table, lost.mediaId, 2)).toMatchObject({ state: 'queued', engine: 'http' });
});

it("an answer that cannot be read holds up no other job, nor one whose outputs are there, and an hour of them ends the engine's job", async () => {
  const [garbled, made, waits] = [
    await submitted('garbled.mp4'),
    await submitted('made.mp4'),
    await submitted('waits.mp4'),
  ];
  const all = [garbled, made, waits];
  await leaves(made, 'result.json', { ...result(), jobId: made.jobId });
  endpoint.intercept = async (_, act) => {
    const answer = await act();
    const { id } = (answer?.body ?? {}) as { id?: string };
    return id === garbled.engineJobId || id === made.engineJobId ? { status: 200, body: 'x'.repeat(2 ** 21) } : answer;
  };
  const silent = { heartbeatAt: LONG_AGO, todoAt: LONG_AGO };
  for (const row of all) {
    await apply(table, [{ op: 'update', key: rowKeys.job(row.mediaId, row.n), expect: {}, set: silent }]);
  }
  const unread = "The endpoint's answer has more than 1048576 bytes.";
  await expect(sweepAfterSilence(waits)).rejects.toThrow(unread);
  expect(await rowOf(made)).toMatchObject({ state: 'succeeded' });
  expect((await rowOf(waits)).todoAt).toMatch(/^2026|^20[3-9]/);
  expect(await rowOf(garbled)).toMatchObject({ state: 'queued', error: { code: 'engine_down' } });

  await expect(sweepAfterSilence(garbled, plus(new Date().toISOString(), { minutes: 61 }))).rejects.toThrow(unread);
  expect(await rowOf(garbled)).toMatchObject({ state: 'failed', error: { code: 'engine_lost' } });
  expect(endpoint.jobs.get(garbled.engineJobId)).toMatchObject({ status: 'CANCELLED' });
  expect((await getMedia(table, garbled.mediaId))?.jobId).toBe(`${garbled.mediaId}-2`);
});

it('a failed answer is forgotten with the next one that is good', async () => {
  const row = await submitted('better.mp4');
  endpoint.behaviour.down = true;
  await expect(sweepAfterSilence(row)).rejects.toThrow('HTTP 503');
  expect(await rowOf(row)).toHaveProperty('error.code', 'engine_down');
  endpoint.behaviour.down = false;
  await sweepAfterSilence(row);
  expect(await rowOf(row)).not.toHaveProperty('error');
});

it('a job that no worker has taken in time is tried once more, and one that took too long has failed', async () => {
  const [waits, runs] = [await submitted('waits.mp4'), await submitted('runs.mp4')];
  endpoint.behaviour.tellsExpired = true;
  takes(waits.engineJobId);
  takes(runs.engineJobId);
  Object.assign(endpoint.jobs.get(waits.engineJobId) ?? {}, { status: 'IN_QUEUE', startedAt: undefined });
  services.clock.advance(3_600_000);
  expect(endpoint.jobs.get(runs.engineJobId)?.status).toBe('TIMED_OUT');
  await sweepAfterSilence(runs);
  expect(await rowOf(runs)).toMatchObject({ state: 'failed', error: { code: 'job_timeout' } });
  expect((await getMedia(table, runs.mediaId))?.state).toBe('failed');
  services.clock.advance(30 * 3_600_000);
  await sweepAfterSilence(waits);
  expect(await rowOf(waits)).toMatchObject({ state: 'failed', error: { code: 'engine_lost' } });
  expect((await getMedia(table, waits.mediaId))?.jobId).toBe(`${waits.mediaId}-2`);
});

it('a job that the endpoint forgot a moment ago is asked for again', async () => {
  const row = await submitted('silent.mp4');
  endpoint.jobs.cancel(endpoint.jobs.get(row.engineJobId) ?? expect.fail('no job'));
  endpoint.behaviour.forgetful = true;
  await leaves(row, 'claim.json', { jobId: row.jobId, engineJobId: row.engineJobId });
  await sweepAfterSilence(row);
  expect(await rowOf(row)).toMatchObject({ state: 'queued', engineJobId: row.engineJobId });
});

it("a job that is over is cancelled at the endpoint by its worker's next sign of life", async () => {
  const row = await submitted('over.mp4');
  takes(row.engineJobId);
  await apply(table, [
    { op: 'update', key: rowKeys.job(row.mediaId, 1), expect: {}, set: { state: 'cancelled' }, remove: ['todo'] },
  ]);
  await hint(row, row.engineJobId);
  expect(endpoint.jobs.get(row.engineJobId)).toMatchObject({ status: 'CANCELLED' });
  expect(endpoint.jobs.toStop('pod')).toContain(row.engineJobId);
});
