import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tryPoint, undisturbed } from './explore.ts';
import { FaultCloud } from './fault-cloud.ts';
import { makeMedia } from './media.ts';
import { type Actor, type Kind, pointName } from './points.ts';
import type { Ended } from './state.ts';

/** A part of `npm run test:faults` that has each actor, service and kind in it. */
const POINTS: [Kind, Actor, string, string, number][] = [
  ['kill-before', 'ingest-upload', 's3', 'HeadObject', 1],
  ['kill-after', 'ingest-upload', 'dynamodb', 'TransactWriteItems', 1],
  ['fail-after', 'ingest-upload', 'sqs', 'DeleteMessageBatch', 1],
  ['fail-after', 'worker', 's3', 'PutObject', 1],
  ['kill-after', 'worker', 's3', 'PutObject', 5],
  ['fail-before', 'worker', 's3', 'GetObject', 1],
  ['kill-before', 'track-job', 'sqs', 'SendMessage', 1],
  ['kill-before', 'publish-output', 's3', 'CopyObject', 3],
  ['kill-after', 'publish-output', 's3', 'PutObject', 2],
  ['fail-after', 'publish-output', 'dynamodb', 'TransactWriteItems', 1],
  ['kill-after', 'publish-output', 's3', 'DeleteObjects', 1],
  ['fail-before', 'deliver-webhook', 'dynamodb', 'TransactWriteItems', 1],
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
  expected = (await undisturbed(cloud, 'sound', files)).ended;
});
afterAll(async () => {
  await cloud[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe('a sound becomes what it would have become', () => {
  it.each(
    POINTS.map(([kind, actor, service, operation, nth]) => {
      const point = { medium: 'sound' as const, site: { actor, service, operation, nth }, kind };
      return [pointName(point), point] as const;
    }),
  )('%s', async (_, point) => {
    const { faults, reached } = await tryPoint(cloud, point, files, expected);
    expect({ faults, reached }).toEqual({ faults: [], reached: true });
  });
});
