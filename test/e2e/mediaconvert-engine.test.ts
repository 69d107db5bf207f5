import { join } from 'node:path';
import { GetJobCommand, MediaConvertClient } from '@aws-sdk/client-mediaconvert';
import { execa } from 'execa';
import { afterAll, expect, it } from 'vitest';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { REGION } from '../../local/kernel/account.ts';
import { AwsError } from '../../local/kernel/service.ts';
import { apiAs } from '../support/api.ts';
import { eventually } from '../support/cloud.ts';
import { TOOLS, temporaryDirectory } from '../support/media.ts';
import { mediaConvertCloud } from '../support/mediaconvert.ts';
import { drop, makeClip, reached, readJobs, readMedia, sweepUntil, testVideo } from '../support/pipeline.ts';
import { reachedInTime } from '../support/settled.ts';

const folder = await temporaryDirectory();
/** What gets lost now: answers of MediaConvert, and events on their way to track-job. */
const lost = { answers: false, events: false };
const world = await mediaConvertCloud({
  hooks: {
    before: ({ operation, principal }) => {
      const name = JSON.stringify(principal).toLowerCase();
      const isEvent = operation === 'SendMessage' && name.includes('rule/') && name.includes('track');
      if (lost.events && isEvent) throw new AwsError('AccessDenied', 403, 'Lost on purpose.');
    },
    after: ({ operation }) => {
      if (lost.answers && operation === 'CreateJob') throw new AwsError('InternalServerErrorException', 500, 'lost');
    },
  },
});
const { cloud } = world;
const client = new MediaConvertClient({ endpoint: cloud.endpoint, region: REGION, credentials: cloud.credentials });
afterAll(async () => {
  client.destroy();
  await world[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const ann = await apiAs(cloud, 'ann');
const ENGINES = ['mediaconvert', 'batch-cpu'] as const;
for (const engine of ENGINES) {
  expect((await ann('POST', '/collections', { body: { id: engine, engine } })).status).toBe(201);
}
const video = await testVideo(join(folder.path, 'seven.mp4'), { seconds: 7, size: '848x480' });
const tiny = await testVideo(join(folder.path, 'tiny.mp4'), { seconds: 1, size: '128x72', rate: 10 });
const sound = await makeClip(join(folder.path, 'tone.mp3'), '-f', 'lavfi', '-i', 'sine=frequency=300:duration=2');

const LONG = { timeoutMs: 110_000 };
const readyFrom = async (engine: string, name: string, file: string) =>
  reached(cloud, await drop(cloud, `drop/ann/${engine}/${name}`, { file }), 'ready', LONG);
const jobOf = async (mediaId: string, n = 1) =>
  (await readJobs(cloud, mediaId)).find((job) => job.n === n) ?? expect.fail('no job');

const urlOf = ({ mediaId }: MediaRow, rung: string) => `${cloud.deliveryUrl}/ann/hls/${mediaId}/v1/${rung}.m3u8`;

/** Lines of playlists, without sizes, bit rates and comments. */
async function linesOf(url: string): Promise<string[]> {
  const text = await (await fetch(url)).text();
  const lines = text.split('\n').filter((line) => !line.startsWith('# '));
  return lines.map((line) => line.replaceAll(/((?:AVERAGE-)?BANDWIDTH=|BYTERANGE[:=]"?)[\d@]+/g, '$1'));
}

async function shapeOf(media: MediaRow) {
  const { current } = media;
  if (!current) throw new Error('no version');
  const names = current.renditions.map(({ name }) => name);
  return {
    outputs: Object.keys(current.outputs).sort(),
    renditions: current.renditions.map(({ bytes: _, averageBandwidth: __, bandwidth: ___, ...same }) => same),
    master: await linesOf(`${cloud.deliveryUrl}/${current.outputs.master}`),
    playlists: await Promise.all(names.map((name) => linesOf(urlOf(media, name)))),
    warnings: current.warnings,
  };
}

async function pictureTimes(url: string): Promise<number[]> {
  const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0', url];
  const lines = (await execa(TOOLS.ffprobe, args)).stdout.split('\n');
  return lines.filter((line) => /^\d/.test(line)).map(Number.parseFloat);
}

async function ssim(one: string, other: string): Promise<number> {
  const args = ['-i', one, '-i', other, '-lavfi', '[0:v][1:v]ssim', '-an', '-f', 'null', '-'];
  return Number(/SSIM .*All:([\d.]+)/.exec((await execa(TOOLS.ffmpeg, args)).stderr)?.[1]);
}

it('a video has the same renditions, playlists and pictures as from the worker', async () => {
  const [there, here] = await Promise.all(ENGINES.map((engine) => readyFrom(engine, 'seven.mp4', video)));
  if (!there || !here) throw new Error('not both');
  expect(await shapeOf(there)).toEqual(await shapeOf(here));
  for (const rung of ['480p', '360p']) {
    const [one, other] = [urlOf(there, rung), urlOf(here, rung)];
    const times = await pictureTimes(one);
    expect(times).toHaveLength(175);
    expect(times).toEqual(await pictureTimes(other));
    expect(await ssim(one, other)).toBeGreaterThanOrEqual(0.97);
  }
  const job = await jobOf(there.mediaId);
  expect(job).toMatchObject({
    engine: 'mediaconvert',
    part: expect.stringMatching(/^finish-\d+$/),
    steps: [{ name: 'pulled' }, { name: 'transcoded' }, { name: 'pushed' }],
  });
  // Two rungs and two renditions of sound, each of ten seconds at least.
  expect(job.cost?.usd).toBeGreaterThan((2 * 0.0075 + 2 * 0.005) / 6);
});

it('sound alone has the same renditions and waveform as from the worker', async () => {
  const [there, here] = await Promise.all(ENGINES.map((engine) => readyFrom(engine, 'tone.mp3', sound)));
  if (!there || !here) throw new Error('not both');
  expect(await shapeOf(there)).toEqual(await shapeOf(here));
  const waveforms = [there, here].map(async ({ current }) =>
    (await fetch(`${cloud.deliveryUrl}/${current?.outputs.waveform}`)).text(),
  );
  const [one, other] = await Promise.all(waveforms);
  expect(one).toBe(other);
});

it('a source whose rate varies has a constant one, with a warning', async () => {
  const file = await makeClip(
    join(folder.path, 'varies.mp4'),
    ...['-f', 'lavfi', '-i', "testsrc2=s=128x72:r=30:d=2,select='not(mod(n,5))+mod(n,2)'", '-fps_mode', 'vfr'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
  );
  const media = await readyFrom('mediaconvert', 'varies.mp4', file);
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

it('pictures that are two pixels narrower than planned have the size that they have', async () => {
  cloud.mediaconvert.mishap({ type: 'narrower' });
  const media = await readyFrom('mediaconvert', 'narrow.mp4', tiny);
  expect(media.current?.renditions).toMatchObject([{ width: 126, height: 72 }]);
});

it('a job whose submission was not answered is known by its event, and is not made twice', async () => {
  lost.answers = true;
  const id = await drop(cloud, 'drop/ann/mediaconvert/unanswered.mp4', { file: tiny });
  await reached(cloud, id, 'ready', LONG).finally(() => {
    lost.answers = false;
  });
  // To prepare, to encode, to finish.
  expect(await jobOf(id)).toMatchObject({ submissions: 3, part: 'finish-2' });
});

it('while no event arrives, sweep takes a job from part to part', async () => {
  lost.events = true;
  const id = await drop(cloud, 'drop/ann/mediaconvert/unseen.mp4', { file: tiny });
  await reachedInTime(cloud, id, 'ready', LONG).finally(() => {
    lost.events = false;
  });
  expect(await readMedia(cloud, id)).toMatchObject({ jobCount: 1, current: { version: 1 } });
});

it('a deleted media item is cancelled at MediaConvert', async () => {
  cloud.mediaconvert.mishap({ type: 'stuck' });
  const id = await drop(cloud, 'drop/ann/mediaconvert/deleted.mp4', { file: tiny });
  const job = await eventually(
    'MediaConvert has it',
    async () => {
      const found = (await readJobs(cloud, id))[0];
      return found?.part === 'encode' && found.engineJobId !== undefined && found;
    },
    LONG.timeoutMs,
  );
  expect((await (await apiAs(cloud, 'ann'))('DELETE', `/media/${id}`)).status).toBe(202);
  const status = async () => (await client.send(new GetJobCommand({ Id: job.engineJobId }))).Job?.Status;
  await sweepUntil(cloud, 'its job is cancelled', async () => (await status()) === 'CANCELED');
});
