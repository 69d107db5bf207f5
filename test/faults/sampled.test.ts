import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

const pointOf = ([kind, actor, service, operation, nth]: (typeof POINTS)[number]): Point => ({
  engine: 'batch-cpu',
  medium: 'sound',
  site: { actor, service, operation, nth },
  kind,
});

describe('the result of an audio file is complete', () => {
  it.each(POINTS.map(pointOf).map((point) => [pointName(point), point] as const))('%s', async (_, point) => {
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
