import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, expect, test } from 'vitest';
import { Result } from '../../core/contracts/job.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { apiAs } from '../support/api.ts';
import { httpCloud } from '../support/http-engine.ts';
import { temporaryDirectory } from '../support/media.ts';
import { drop, reached, readJobs, testVideo } from '../support/pipeline.ts';

const MIB = 2 ** 20;
const world = await httpCloud();
const folder = await temporaryDirectory();
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
const { cloud } = world;
const ann = await apiAs(cloud, 'ann');
for (const [id, engine] of [
  ['there', 'http'],
  ['here', 'batch-cpu'],
]) {
  expect((await ann('POST', '/collections', { body: { id, engine } })).status).toBe(201);
}

/** A film of 65 MiB: two seconds, its index, and a box that is free. */
async function film(): Promise<string> {
  const path = await testVideo(join(folder.path, 'film.mp4'), { seconds: 2, size: '128x72', rate: 10 });
  const head = Buffer.alloc(8);
  head.writeUInt32BE(65 * MIB);
  head.write('free', 4);
  await appendFile(path, Buffer.concat([head, Buffer.alloc(65 * MIB - 8)]));
  return path;
}
const file = await film();

test.each([
  ['AWS Batch', 'here'],
  ['an HTTP endpoint, without credentials', 'there'],
])('the worker of %s reads a large MP4 where it lies', async (_, collection) => {
  const id = await drop(cloud, `drop/ann/${collection}/film.mp4`, { file });
  const { current } = await reached(cloud, id, 'ready', { timeoutMs: 120_000 });
  expect(current?.renditions.map(({ name }) => name)).toEqual(['72p']);
  const [job] = await readJobs(cloud, id);
  expect(job?.steps?.map(({ name }) => name)).toEqual(['pulled', 'transcoded', 'pushed']);
  const { Body } = await developerClients(cloud).s3.send(
    new GetObjectCommand({ Bucket: cloud.outputs.MediaBucket ?? '', Key: `tmp/${job?.jobId}/result.json` }),
  );
  const result = Result.parse(JSON.parse((await Body?.transformToString()) ?? ''));
  const reading = result.status === 'succeeded' ? result.reading : undefined;
  if (reading?.how !== 'in place') return expect.fail(`${JSON.stringify(reading)}`);
  // Nothing asks for the free box but sockets that are filled ahead of FFmpeg.
  expect(reading.bytes).toBeLessThan(40 * MIB);
});
