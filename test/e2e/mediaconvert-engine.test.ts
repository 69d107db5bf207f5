import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { AwsError } from '../../local/kernel/service.ts';
import { apiAs } from '../support/api.ts';
import { eventually } from '../support/cloud.ts';
import { temporaryDirectory } from '../support/media.ts';
import { mediaConvertCloud } from '../support/mediaconvert.ts';
import { drop, makeClip, reached, readJobs, readMedia, testVideo } from '../support/pipeline.ts';

/** What is MediaConvert's own. What every engine promises is in engine-contract.test.ts. */
const folder = await temporaryDirectory();
let answersAreLost = false;
let sourceIsHeld: Promise<void> | undefined;
const world = await mediaConvertCloud({
  hooks: {
    before: async ({ operation, request }) => {
      if (operation === 'GetObject' && /\/tmp\/[^/]+\/source$/.test(request?.path ?? '')) await sourceIsHeld;
    },
    after: ({ operation }) => {
      if (answersAreLost && operation === 'CreateJob') {
        throw new AwsError('InternalServerErrorException', 500, 'lost');
      }
    },
  },
});
const { cloud } = world;
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const ann = await apiAs(cloud, 'ann');
const collection = { id: 'mediaconvert', engine: 'mediaconvert' };
expect((await ann('POST', '/collections', { body: collection })).status).toBe(201);
const tiny = await testVideo(join(folder.path, 'tiny.mp4'), { seconds: 1, size: '128x72', rate: 10 });

const LONG = { timeoutMs: 110_000 };
const readyFrom = async (name: string, file: string) =>
  reached(cloud, await drop(cloud, `drop/ann/mediaconvert/${name}`, { file }), 'ready', LONG);
const jobOf = async (mediaId: string, n = 1) =>
  (await readJobs(cloud, mediaId)).find((job) => job.n === n) ?? expect.fail('no job');

/** Ten seconds of a rung of SD and of a rendition of sound, in USD. Those of its workers come on top. */
const LEAST_COST = (0.0075 + 0.005) / 6;

it('costs at least ten seconds of each of its outputs', async () => {
  const { mediaId } = await readyFrom('tiny.mp4', tiny);
  const { cost, estimate } = await jobOf(mediaId);
  for (const usd of [cost?.usd, estimate?.usd]) {
    expect(usd).toBeGreaterThan(LEAST_COST);
    expect(usd).toBeLessThan(LEAST_COST * 1.1);
  }
});

it('a source whose rate varies has a constant one, with a warning', async () => {
  const file = await makeClip(
    join(folder.path, 'varies.mp4'),
    ...['-f', 'lavfi', '-i', "testsrc2=s=128x72:r=30:d=2,select='not(mod(n,5))+mod(n,2)'", '-fps_mode', 'vfr'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
  );
  const media = await readyFrom('varies.mp4', file);
  expect(media.current).toMatchObject({
    warnings: [{ code: 'rate_made_constant' }],
    renditions: [{ name: '72p', frameRate: 30 }],
  });
});

it('a source that it is not fit for is refused, and another engine takes it', async () => {
  const low = await testVideo(join(folder.path, 'low.mp4'), { seconds: 1, size: '64x20' });
  const id = await drop(cloud, 'drop/ann/mediaconvert/low.mp4', { file: low });
  const failed = await reached(cloud, id, 'failed', LONG);
  expect(failed.error).toMatchObject({
    code: 'engine_unfit',
    message: 'MediaConvert is not fit for this file: an output of 64x20 is below its 32 pixels.',
  });
  expect((await ann('POST', `/media/${id}/retry`, { body: { engine: 'batch-cpu' } })).status).toBe(202);
  await reached(cloud, id, 'ready', { jobs: 2, ...LONG });
});

it('a complete job with a truncated input has failed; one that ends in error 1999 is tried once more', async () => {
  cloud.mediaconvert.mishap({ type: 'truncated', seconds: 0.5 });
  const cut = await drop(cloud, 'drop/ann/mediaconvert/cut.mp4', { file: tiny });
  expect((await reached(cloud, cut, 'failed', LONG)).error).toMatchObject({ code: 'truncated' });
  cloud.mediaconvert.mishap({ type: 'error', code: 1999, message: 'Unknown error' });
  const id = await drop(cloud, 'drop/ann/mediaconvert/again.mp4', { file: tiny });
  await reached(cloud, id, 'ready', { jobs: 2, ...LONG });
  expect(await jobOf(id)).toMatchObject({
    state: 'failed',
    error: { code: 'worker_lost', message: 'MediaConvert ended the job with error 1999: Unknown error' },
  });
});

it('an encode that completes in spite of its cancel is paid, and nothing of it is published', async () => {
  let letGo = () => {};
  sourceIsHeld = new Promise((resolve) => {
    letGo = resolve;
  });
  cloud.mediaconvert.mishap({ type: 'uncancelled' });
  const id = await drop(cloud, 'drop/ann/mediaconvert/uncancelled.mp4', { file: tiny });
  await eventually('it is encoded', async () => cloud.mediaconvert.running().length > 0, 60_000);
  expect((await ann('DELETE', `/media/${id}`)).status).toBe(202);
  await eventually('its job has ended', async () => (await jobOf(id)).state === 'cancelled', 60_000);
  letGo();
  await eventually('it is complete', async () => cloud.mediaconvert.running().length === 0, 60_000);
  await eventually('it is paid', async () => ((await jobOf(id)).cost?.usd ?? 0) > LEAST_COST, 60_000);
  expect((await jobOf(id)).state).toBe('cancelled');
  expect((await readMedia(cloud, id))?.current).toBeUndefined();
});

it('pictures that are two pixels narrower than planned have the size that they have', async () => {
  cloud.mediaconvert.mishap({ type: 'narrower' });
  const media = await readyFrom('narrow.mp4', tiny);
  expect(media.current?.renditions).toMatchObject([{ width: 126, height: 72 }]);
});

it('a job whose submission was not answered is known by its event, and is not made twice', async () => {
  answersAreLost = true;
  const id = await drop(cloud, 'drop/ann/mediaconvert/unanswered.mp4', { file: tiny });
  await reached(cloud, id, 'ready', LONG).finally(() => {
    answersAreLost = false;
  });
  // To prepare, to encode, to finish.
  expect(await jobOf(id)).toMatchObject({ submissions: 3, part: 'finish-2' });
});
