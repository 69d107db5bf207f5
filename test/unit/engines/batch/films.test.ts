import { DescribeJobsCommand, ListJobsCommand } from '@aws-sdk/client-batch';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import { jobFor } from '../../../../core/jobs/transitions.ts';
import { lookAtQueue } from '../../../../engines/batch/client.ts';
import { connectBatchCpu } from '../../../../engines/batch/films.ts';
import { BatchEnv } from '../../../../engines/batch/names.ts';
import { type Engine, EngineRefused } from '../../../../engines/engine.ts';
import { arns, startWorld, type World } from '../../../../local/test/support/batch-world.ts';
import { developer, type SmallCloud, smallCloud } from '../../../../local/test/support/small-cloud.ts';
import { job } from '../../../support/factories.ts';

const preset = PRESETS.standard ?? expect.fail('no preset');
let small: SmallCloud;
let world: World;
let s3: S3Client;
let engine: Engine;

beforeAll(async () => {
  small = await smallCloud({
    resources: { Media: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'media' } } },
  });
  s3 = new S3Client({ ...developer(small.cloud), forcePathStyle: true });
  const holds = [
    { Name: 'DROPREEL_HOLD', Value: '/nowhere' },
    { Name: 'DROPREEL_ON_TERM', Value: '143' },
  ];
  world = await startWorld({ container: { Environment: holds }, slots: 1 });
  const env = BatchEnv.parse({
    ...{ JOB_QUEUE: arns.fair, RETRANSCODE_JOB_QUEUE: arns.fair, ON_DEMAND_JOB_QUEUE: arns.onDemand },
    ...{ JOB_DEFINITION: arns.definition, JOB_VCPUS: 4, COMPUTE_ENVIRONMENTS: arns.computeEnvironment },
    ...{ MAX_WORKERS: 16, JOB_BUCKET: 'media' },
  });
  engine = connectBatchCpu(env, { submitting: world.client, others: world.client, s3 });
});
afterAll(async () => {
  s3.destroy();
  await world.close();
  await small[Symbol.asyncDispose]();
});

const film = (n: number, part?: string) => ({
  ...{ job: jobFor(job({ n }), preset, 'media'), part, info: {}, purpose: 'ingest' as const, onDemand: true },
  ...{ tried: false, number: 1, access: () => expect.fail('it needs no secret') },
});
const detailOf = async (id: string) =>
  (await world.client.send(new DescribeJobsCommand({ jobs: [id] }))).jobs?.[0] ?? expect.fail('no job');
const ended = (jobName: string, jobId: string, status = 'SUCCEEDED') => ({
  ...{ id: '1', time: '2026-11-30T12:00:00Z', source: 'aws.batch', 'detail-type': 'Batch Job State Change' },
  detail: { jobId, jobName, jobQueue: arns.fair, status },
});

it('the chunks of a film are an array with one child more than chunks, on Spot, and the first and last part one job each', async () => {
  const { job: of } = film(1);
  const tasks = { undefined: 'cut', 'chunks-3': 'chunk', 'join-3': 'join' };
  for (const [part, name] of Object.entries(tasks)) {
    const id = await engine.submit(film(1, part === 'undefined' ? undefined : part));
    const { jobName, jobQueue, arrayProperties, container } = await detailOf(id);
    expect(jobName).toBe(part === 'undefined' ? of.jobId : `${of.jobId}-${part}`);
    expect(jobQueue).toBe(name === 'chunk' ? arns.fair : arns.onDemand);
    expect(arrayProperties?.size).toBe(name === 'chunk' ? 4 : undefined);
    const input = JSON.parse(container?.environment?.find((one) => one.name === 'DROPREEL_JOB')?.value ?? '');
    expect(input.task).toMatchObject(name === 'cut' ? { name, vcpus: 4, workers: 16 } : { name, part, count: 3 });
    expect(input.task.grows).toBe(name === 'chunk' ? true : undefined);
    await engine.cancel(id, 'the job is over');
  }
  const again = await engine.submit({ ...film(4, 'chunks-3'), purpose: 'retranscode' });
  const { container } = await detailOf(again);
  expect(container?.environment?.find(({ name }) => name === 'DROPREEL_JOB')?.value).not.toContain('grows');
  await engine.cancel(again, 'the job is over');
  await expect(async () => engine.submit(film(1, 'encode'))).rejects.toThrow(EngineRefused);
});

it('a film that was left in chunks goes on with them, and then with the join, however they ended', async () => {
  const { jobId } = film(2).job;
  const end = { kind: 'ended', jobId, engineJobId: 'id' };
  expect(await engine.read(ended(jobId, 'id'))).toMatchObject(end);
  const Key = `tmp/${jobId}/prepared.json`;
  await s3.send(new PutObjectCommand({ Bucket: 'media', Key, Body: JSON.stringify({ jobId: 'another', chunks: 3 }) }));
  expect(await engine.read(ended(jobId, 'id'))).toMatchObject(end);
  await s3.send(new PutObjectCommand({ Bucket: 'media', Key, Body: JSON.stringify({ jobId, chunks: 3 }) }));
  const next = { kind: 'continues', jobId, engineJobId: 'id' };
  for (const status of ['SUCCEEDED', 'FAILED']) {
    const held = [{ vcpus: 0, seconds: [] }];
    expect(await engine.read(ended(jobId, 'id', status))).toEqual({ ...next, part: undefined, next: 'chunks-3', held });
    const array = ended(`${jobId}-chunks-3`, 'id', status);
    expect(await engine.read(array)).toEqual({ ...next, part: 'chunks-3', next: 'join-3', held: [] });
    expect(await engine.read(ended(`${jobId}-join-3`, 'id', status))).toMatchObject({ ...end, part: 'join-3' });
  }
});

it('a worker that was taken over starts no more others than there may be', async () => {
  const { jobId } = film(6).job;
  const object = { Bucket: 'media', Key: `tmp/${jobId}/prepared.json` };
  await s3.send(new PutObjectCommand({ ...object, Body: JSON.stringify({ jobId, chunks: 1000 }) }));
  expect(await engine.read(ended(jobId, 'id'))).toMatchObject({ kind: 'continues', next: 'chunks-15' });
});

it('an event of another queue is that of another engine, which cuts films for its own workers', async () => {
  const { jobId } = film(7).job;
  const { detail, ...event } = ended(`${jobId}-join-3`, 'id');
  const elsewhere = { ...event, detail: { ...detail, jobQueue: `${arns.fair}-gpu` } };
  expect(await engine.read(elsewhere)).toMatchObject({ kind: 'nothing' });
});

it('a child of an array says that the array runs, and nothing by its end', async () => {
  const { jobId } = film(3).job;
  const child = (status: string) => engine.read(ended(`${jobId}-chunks-3`, 'id:2', status));
  expect(await child('RUNNING')).toMatchObject({ kind: 'running', engineJobId: 'id', part: 'chunks-3' });
  for (const status of ['SUCCEEDED', 'FAILED']) expect(await child(status)).toMatchObject({ kind: 'nothing' });
});

it('an array is running while a child is, its queue is at work, and its end is that of its part', async () => {
  const { jobId } = film(4).job;
  const id = await engine.submit(film(4, 'chunks-2'));
  await world.until(`${id}:0`, 'RUNNING');
  expect((await engine.describe([id])).get(id)).toEqual({ kind: 'running' });
  expect(await lookAtQueue(world.client, arns.fair)).toMatchObject({ atWork: true, waiting: 2 });
  await engine.cancel(id, 'the job is over');
  await world.until(id, 'FAILED');
  // The one that ran, and those that were never started: none has left anything.
  const held = [[expect.any(Number)], [], []].map((seconds) => ({ vcpus: 4, seconds, inVain: true }));
  expect((await engine.describe([id])).get(id)).toEqual({ kind: 'continues', next: 'join-2', held });
  expect(await engine.read(ended(`${jobId}-chunks-2`, id, 'FAILED'))).toMatchObject({ next: 'join-2', held });
});

it('an array that no machine takes says what blocks it', async () => {
  world.batch.invalidate('spot', 'CLIENT_ERROR - Access denied');
  const id = await engine.submit(film(5, 'chunks-2'));
  await world.until(`${id}:2`, 'RUNNABLE');
  expect((await engine.describe([id])).get(id)).toEqual({ kind: 'waiting' });
  world.batch.invalidate('spot', null);
  await engine.cancel(id, 'the job is over');
});

it('a slow child is started a second time as a job of its own, whose success ends the first', async () => {
  const of = film(6, 'chunks-2');
  const array = await engine.submit(of);
  await world.until(`${array}:0`, 'RUNNING');
  await engine.startTwin?.({ job: of.job, purpose: 'ingest', part: 'chunks-2', engineJobId: array, index: 0 });
  const filters = [{ name: 'JOB_NAME' as const, values: [`${of.job.jobId}-twin-*`] }];
  const { jobSummaryList = [] } = await world.client.send(new ListJobsCommand({ jobQueue: arns.fair, filters }));
  const [{ jobId: twin = '', jobName = '' } = {}] = jobSummaryList;
  const input = (await detailOf(twin)).container?.environment?.find(({ name }) => name === 'DROPREEL_JOB')?.value;
  expect(JSON.parse(input ?? '').task).toEqual({
    ...{ name: 'chunk', part: 'chunks-2', count: 2, beside: { array, index: 0 } },
  });
  for (const status of ['RUNNING', 'FAILED']) {
    expect(await engine.read(ended(jobName, twin, status))).toMatchObject({ kind: 'nothing' });
  }
  expect((await detailOf(`${array}:0`)).status).toBe('RUNNING');
  expect(await engine.read(ended(jobName, twin))).toMatchObject({ kind: 'nothing' });
  await world.until(`${array}:0`, 'FAILED');
  await engine.cancel(array, 'the job is over');
  await world.until(array, 'FAILED');
  await engine.cancel(twin, 'the job is over');
  await world.until(twin, 'FAILED');
  const state = (await engine.describe([array])).get(array);
  expect(state?.kind === 'continues' && state.held?.map(({ inVain }) => inVain)).toEqual([true, true, true, true]);
});
