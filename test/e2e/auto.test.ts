import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { AwsError } from '../../local/kernel/service.ts';
import { makeMedia } from '../faults/media.ts';
import { apiAs, OPERATOR } from '../support/api.ts';
import { eventually } from '../support/cloud.ts';
import { ContractCloud } from '../support/contract-cloud.ts';
import { temporaryDirectory } from '../support/media.ts';
import { drop, reached, readJobs, sweepNow, sweepUntil, testVideo } from '../support/pipeline.ts';

/** The choice among all engines on one running cloud, each with its own service or its double. */
const folder = await temporaryDirectory();
const { sound } = await makeMedia(folder.path);
const video = await testVideo(join(folder.path, 'tiny.mp4'), { seconds: 2, size: '128x72', rate: 10 });
const world = await ContractCloud.boot();
const { cloud } = world;
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const ready = async (key: string, file: string) => reached(cloud, await drop(cloud, key, { file }), 'ready');
const jobsOf = ({ mediaId }: { mediaId: string }) => readJobs(cloud, mediaId);

it('an upload that names no engine goes to the cheapest, with what it is expected to take', async () => {
  const media = await ready('drop/ann/default/cheap.mp4', video);
  expect(await jobsOf(media)).toMatchObject([
    { engine: 'batch-cpu', auto: true, estimate: { seconds: expect.any(Number), usd: expect.any(Number) } },
  ]);
});

it('where no engine is in time for the deadline of a collection, it goes to the quickest', async () => {
  const body = { id: 'urgent', deadlineMinutes: 0.001 };
  expect((await (await apiAs(cloud, 'ann'))('POST', '/collections', { body })).status).toBe(201);
  expect(await jobsOf(await ready('drop/ann/urgent/soon.mp4', video))).toMatchObject([
    { engine: 'batch-gpu', auto: true },
  ]);
});

it('while the queues of AWS Batch are disabled, one waits for half an hour, then goes to the endpoint, and is encoded once', async () => {
  const disabled = new AwsError('ClientException', 400, 'Job queue dropreel-uploads is disabled');
  using refusing = world.refuse('SubmitJob', disabled);
  const droppedAt = cloud.clock.now();
  const dropped = { mediaId: await drop(cloud, 'drop/ann/default/moved.mp3', { file: sound.file }) };
  // A step in the midst of a submission would end its lease: the engine may have the job then, and it moves under another number.
  await world.reachedInTime('http', dropped, 'ready', { stepMinutes: 5, timeoutMs: 150_000 });
  expect(await jobsOf(dropped)).toMatchObject([{ n: 1, state: 'published', engine: 'http', movedFrom: ['batch-cpu'] }]);
  expect(cloud.clock.now() - droppedAt).toBeGreaterThan(30 * 60_000);
  expect(world.encodes.of(`${dropped.mediaId}-1`)).toBe(1);

  refusing.release();
  // The last pause is over.
  cloud.clock.advance(16 * 60_000);
  expect(await jobsOf(await ready('drop/ann/default/back.mp3', sound.file))).toMatchObject([{ engine: 'batch-cpu' }]);
}, 180_000);

/** Noon of the second day of the month after the cloud's present one: hours away from where its clock turns. */
function intoNextMonth(): void {
  const now = new Date(cloud.clock.now());
  cloud.clock.advance(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 2, 12) - now.getTime());
}

it('what a cap holds begins in the next month', async () => {
  intoNextMonth();
  const [ann, root] = [await apiAs(cloud, 'ann'), await apiAs(cloud, 'root', OPERATOR)];
  // Ten seconds of two renditions of sound are 0.0017 USD: there is room for one.
  const body = { maxUsdPerMonth: 0.003 };
  expect((await ann('POST', '/collections', { body: { id: 'capped', engine: 'mediaconvert' } })).status).toBe(201);
  expect((await root('PATCH', '/collections/capped?creatorId=ann', { body })).status).toBe(200);
  await ready('drop/ann/capped/first.mp3', sound.file);
  const second = { mediaId: await drop(cloud, 'drop/ann/capped/second.mp3', { file: sound.file }) };
  const isHeld = async () => (await jobsOf(second))[0]?.error?.code === 'cap_reached';
  await eventually('the second is held', isHeld);
  cloud.clock.advance(3_600_000);
  await sweepNow(cloud);
  expect(await isHeld()).toBe(true);
  intoNextMonth();
  await sweepUntil(cloud, 'it begins', async () => (await jobsOf(second))[0]?.engineJobId !== undefined);
  await reached(cloud, second.mediaId, 'ready');
  expect(await jobsOf(second)).toMatchObject([{ state: 'published', n: 1 }]);
});
