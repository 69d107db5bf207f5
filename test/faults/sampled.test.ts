import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineName } from '../../core/contracts/engines.ts';
import { tryPoint, undisturbed } from './explore.ts';
import { FaultCloud } from './fault-cloud.ts';
import { makeMedia } from './media.ts';
import { type Actor, type Kind, type Point, pointName } from './points.ts';
import type { Ended } from './state.ts';

/** A part of `npm run test:faults` that has each actor, service and kind in it. */
const POINTS: [Kind, Actor, string, string, number][] = [
  ['kill-before', 'ingest-upload', 's3', 'HeadObject', 1],
  ['kill-after', 'ingest-upload', 'dynamodb', 'TransactWriteItems', 1],
  ['fail-after', 'ingest-upload', 'sqs', 'DeleteMessageBatch', 1],
  ['fail-after', 'ingest-upload', 'batch', 'SubmitJob', 1],
  ['fail-after', 'worker', 's3', 'PutObject', 1],
  ['kill-after', 'worker', 's3', 'PutObject', 5],
  ['fail-before', 'worker', 's3', 'GetObject', 1],
  ['kill-before', 'track-job', 'sqs', 'SendMessage', 1],
  ['kill-before', 'publish-output', 's3', 'CopyObject', 3],
  ['kill-after', 'publish-output', 's3', 'PutObject', 2],
  ['fail-after', 'publish-output', 'dynamodb', 'TransactWriteItems', 1],
  ['kill-after', 'publish-output', 's3', 'DeleteObjects', 1],
  ['fail-before', 'fan-out-change', 'dynamodb', 'TransactWriteItems', 1],
  ['kill-before', 'sweep', 'dynamodb', 'Query', 1],
];

/** Of the other engines: their own calls, and a part each. */
const OF_ENGINES: [EngineName, ...(typeof POINTS)[number]][] = [
  ['batch-gpu', 'fail-after', 'ingest-upload', 'batch', 'SubmitJob', 1],
  ['batch-gpu', 'kill-after', 'worker', 's3', 'PutObject', 3],
  ['http', 'kill-after', 'ingest-upload', 'endpoint', 'run', 1],
  ['http', 'kill-before', 'track-job', 'endpoint', 'status', 1],
  ['http', 'kill-before', 'worker', 's3', 'PutObject', 3],
  ['mediaconvert', 'kill-after', 'track-job', 'mediaconvert', 'CreateJob', 1],
  ['mediaconvert', 'kill-before', 'track-job', 'batch', 'SubmitJob', 1],
  ['mediaconvert', 'kill-after', 'worker', 's3', 'PutObject', 2],
];

let cloud: FaultCloud;
let folder: string;
let files: Awaited<ReturnType<typeof makeMedia>>;
let expected: Ended;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-faults-'));
  files = await makeMedia(folder);
  cloud = await FaultCloud.boot();
  expected = (await undisturbed(cloud, { engine: 'batch-cpu', medium: 'sound' }, files)).ended;
});
afterAll(async () => {
  await cloud[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const pointOf = (
  [kind, actor, service, operation, nth]: (typeof POINTS)[number],
  engine: EngineName = 'batch-cpu',
): Point => ({
  engine,
  medium: 'sound',
  site: { actor, service, operation, nth },
  kind,
});

describe('the result of an audio file is complete', () => {
  it.each(
    POINTS.map((of) => pointOf(of)).map((point) => [pointName(point), point] as const),
  )('%s', async (_, point) => {
    const { faults, reached } = await tryPoint(cloud, point, files, expected);
    expect({ faults, reached }).toEqual({ faults: [], reached: true });
  });
});

describe('an audio file whose ingest stopped after its rows were written has one engine job', () => {
  it.each(['message first', 'together'] as const)('when its message and sweep continue it: %s', async (order) => {
    const point = pointOf(['kill-after', 'ingest-upload', 'dynamodb', 'TransactWriteItems', 1]);
    const { faults, reached, jobIds } = await tryPoint(cloud, point, files, expected, order);
    expect({ faults, reached }).toEqual({ faults: [], reached: true });
    expect(await Promise.all(jobIds.map((jobId) => cloud.observer.engineJobs(jobId)))).toEqual([1]);
  });
});

describe('the result of an audio file is complete at another engine', () => {
  let other: FaultCloud;
  const undisturbedBy = new Map<EngineName, Ended>();
  beforeAll(async () => {
    other = await FaultCloud.boot({ engine: 'mediaconvert' });
  });
  afterAll(() => other[Symbol.asyncDispose]());

  const points = OF_ENGINES.map(([engine, ...of]) => pointOf(of, engine));
  it.each(points.map((point) => [pointName(point), point] as const))('%s', async (_, point) => {
    const { engine } = point;
    const ended = undisturbedBy.get(engine) ?? (await undisturbed(other, { engine, medium: 'sound' }, files)).ended;
    undisturbedBy.set(engine, ended);
    const { faults, reached } = await tryPoint(other, point, files, ended);
    expect({ faults, reached }).toEqual({ faults: [], reached: true });
  });
});
