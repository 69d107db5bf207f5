import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { captures, files, input, job, picture, sound, streams, usual } from '../../support/mediaconvert-request.ts';
import {
  type Detail,
  makeMedia,
  probe,
  QUEUE,
  ROLE,
  startWorld,
  type World,
} from '../../support/mediaconvert-world.ts';

const FFMPEG = process.env.FFMPEG_PATH ?? 'ffmpeg';
const FILM = 's3://uploads/film.mp4';
const film = (world: World, seconds = 3) =>
  makeMedia(
    world,
    FILM,
    ...['-f', 'lavfi', '-i', `testsrc2=s=320x180:r=25:d=${seconds}`, '-f', 'lavfi', '-i', 'sine', '-shortest'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'],
  );

test('a job that a crash has interrupted begins anew, and is announced as PROGRESSING once', async () => {
  await using world = await startWorld({ stopped: true });
  await film(world);
  const id = await world.submit(usual());
  world.mediaconvert.start();
  await world.until(id, 'PROGRESSING');
  await world.restart('crash');
  world.mediaconvert.start();
  await world.until(id, 'COMPLETE');
  expect(world.statuses(id).filter((status) => status === 'PROGRESSING')).toEqual(['PROGRESSING']);
});

test('an event that the bus has not taken is delivered after a restart', async () => {
  const taken: unknown[] = [];
  let isOpen = false;
  const emit = async ({ detail }: { detail: unknown }) => {
    if (!isOpen) throw new Error('The bus is closed.');
    taken.push((detail as Detail).status);
  };
  await using world = await startWorld({ stopped: true, emit });
  const id = await world.submit(usual());
  await world.call('DELETE', `/jobs/${id}`);
  await world.restart('close');
  isOpen = true;
  world.mediaconvert.start();
  await expect.poll(() => taken).toEqual(['CANCELED']);
});

test('a job at work is cancelled at once, and nothing of it is written', async () => {
  await using world = await startWorld();
  await film(world, 60);
  const id = await world.submit(usual());
  await world.until(id, 'INPUT_INFORMATION');
  expect((await world.call('DELETE', `/jobs/${id}`)).status).toBe(202);
  await expect.poll(() => world.mediaconvert.running()).toEqual([]);
  expect(world.statuses(id)).toEqual(['PROGRESSING', 'INPUT_INFORMATION', 'CANCELED']);
  await expect(world.list('s3://media/tmp/')).rejects.toThrow('ENOENT');
});

test('a long job is announced once an interval, the first time after one', async () => {
  await using world = await startWorld();
  await film(world, 60);
  const id = await world.submit({ ...usual(), statusUpdateInterval: 'SECONDS_10' });
  await world.until(id, 'INPUT_INFORMATION');
  await expect
    .poll(() => {
      world.clock.advance(10_000);
      return world.statuses(id);
    })
    .toContain('STATUS_UPDATE');
  const update = await world.until(id, 'STATUS_UPDATE');
  expect(update).toMatchObject({ jobProgress: { currentPhase: 'TRANSCODING', retryCount: 0 } });
  await world.call('DELETE', `/jobs/${id}`);
});

test('jobs go wrong as they are told to', async () => {
  await using world = await startWorld();
  await film(world);
  const small = { ...job(streams({ ...picture(), containerSettings: { container: 'CMFC' } })) };
  world.mediaconvert.mishap({ type: 'error', code: 1999, message: 'Unknown error' });
  const failed = await world.submit(small);
  expect(await world.until(failed, 'ERROR')).toMatchObject({ errorCode: 1999, errorMessage: 'Unknown error' });

  world.mediaconvert.mishap({ type: 'truncated', seconds: 1 });
  const truncated = await world.submit(small);
  expect(await world.until(truncated, 'COMPLETE')).toMatchObject({ warnings: [{ code: 220_000, count: 1 }] });
  expect(await world.until(truncated, 'NEW_WARNING')).toMatchObject({ warningCode: '220000' });
  const { format } = await probe(world, 's3://media/tmp/job/stream_180p.cmfv');
  expect(Number(format.duration)).toBeCloseTo(1, 1);

  world.mediaconvert.mishap({ type: 'narrower' });
  await world.until(await world.submit(small), 'COMPLETE');
  const { streams: made } = await probe(world, 's3://media/tmp/job/stream_180p.cmfv');
  expect(made[0]).toMatchObject({ width: 318, height: 180 });

  world.mediaconvert.mishap({ type: 'stuck' });
  const stuck = await world.submit(small);
  await world.until(await world.submit(small), 'COMPLETE');
  expect((await world.call('GET', `/jobs/${stuck}`)).body.job?.status).toBe('SUBMITTED');
});

test('a cancel may come too late: the job completes, and is billed', async () => {
  await using world = await startWorld();
  await film(world);
  world.mediaconvert.mishap({ type: 'uncancelled' });
  const id = await world.submit(usual());
  await world.until(id, 'INPUT_INFORMATION');
  expect((await world.call('DELETE', `/jobs/${id}`)).status).toBe(202);
  await world.until(id, 'COMPLETE');
  expect(world.statuses(id)).not.toContain('CANCELED');
  expect(Object.keys(world.meter.snapshot())).toContain('mediaconvert:seconds:sd');
});

test('each output is billed by itself, for ten seconds at least, captures for nothing', async () => {
  await using world = await startWorld();
  await film(world);
  const big = picture('_big');
  Object.assign(big.videoDescription, { width: 1280, height: 720, scalingBehavior: 'FIT' });
  const fast = picture('_fast');
  const rate = { framerateControl: 'SPECIFIED', framerateNumerator: 50, framerateDenominator: 1 };
  Object.assign(fast.videoDescription.codecSettings.h264Settings, rate);
  await world.until(await world.submit(job(streams(picture(), big, fast, sound()), files(captures()))), 'COMPLETE');
  expect(world.meter.snapshot()).toEqual({
    'mediaconvert:seconds:sd': 10 + 20,
    'mediaconvert:seconds:hd': 10,
    'mediaconvert:seconds:audio': 10,
  });
});

test('an output without a rate is billed by that of its input, and one that is wide as HD', async () => {
  await using world = await startWorld();
  const made = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=50:d=1', '-f', 'lavfi', '-i', 'sine=d=1'];
  await makeMedia(world, FILM, ...made, ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac']);
  const [follows, wide] = [picture('_same'), picture('_wide')];
  Object.assign(wide.videoDescription, { width: 1280, height: 534, scalingBehavior: 'STRETCH_TO_OUTPUT' });
  await world.until(await world.submit(job(streams(follows, wide, sound()), files(captures()))), 'COMPLETE');
  const billed = { 'mediaconvert:seconds:sd': 20, 'mediaconvert:seconds:hd': 20, 'mediaconvert:seconds:audio': 10 };
  expect(world.meter.snapshot()).toEqual(billed);
});

test('a job needs the queue and the right to pass the role to the service', async () => {
  await using world = await startWorld({ stopped: true });
  const id = await world.submit(usual());
  await world.call('GET', `/jobs/${id}`);
  await world.call('DELETE', `/jobs/${id}`);
  const own = `arn:aws:mediaconvert:us-east-1:123456789012:jobs/${id}`;
  expect(world.checks).toEqual([
    { action: 'mediaconvert:CreateJob', resource: QUEUE },
    {
      action: 'iam:PassRole',
      resource: ROLE,
      context: { 'iam:PassedToService': 'mediaconvert.amazonaws.com' },
    },
    { action: 'mediaconvert:GetJob', resource: own },
    { action: 'mediaconvert:CancelJob', resource: own },
  ]);
});

test('interlaced and turned pictures become progressive and upright', async () => {
  await using world = await startWorld();
  await makeMedia(
    world,
    FILM,
    ...['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=50:d=1', '-vf', 'interlace,setfield=tff'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-flags', '+ildct+ilme'],
  );
  expect((await probe(world, FILM)).streams[0]).toMatchObject({ width: 320, height: 180, field_order: 'tt' });
  const made = { ...picture(), containerSettings: { container: 'CMFC' } };
  Object.assign(made.videoDescription, {
    width: 180,
    height: 320,
    videoPreprocessors: { deinterlacer: { mode: 'DEINTERLACE', control: 'FORCE_ALL_FRAMES' } },
  });
  const selected = { ...input(), videoSelector: { rotate: 'DEGREES_90' }, audioSelectors: {} };
  const request = { ...job(streams(made)), settings: { inputs: [selected], outputGroups: [streams(made)] } };
  await world.until(await world.submit(request), 'COMPLETE');
  const { streams: found } = await probe(world, 's3://media/tmp/job/stream_180p.cmfv');
  expect(found[0]).toMatchObject({ width: 180, height: 320, field_order: 'progressive' });
});

test('pictures of an MP4 are turned as it says, and none where nothing is asked for', async () => {
  await using world = await startWorld();
  const upright = 's3://uploads/upright.mp4';
  await makeMedia(world, upright, ...['-f', 'lavfi', '-i', 'testsrc2=s=320x180:d=1', '-c:v', 'libx264']);
  await makeMedia(world, FILM, ...['-i', world.pathOf(upright), '-c', 'copy', '-metadata:s:v', 'rotate=90']);
  const made = async (rotate: string, name: string) => {
    const turned = { ...picture(name), containerSettings: { container: 'CMFC' } };
    Object.assign(turned.videoDescription, { width: 320, height: 320, scalingBehavior: 'FIT_NO_UPSCALE' });
    const inputs = [{ ...input(), videoSelector: { rotate }, audioSelectors: {} }];
    const request = { ...job(streams(turned)), settings: { inputs, outputGroups: [streams(turned)] } };
    await world.until(await world.submit(request), 'COMPLETE');
    return (await probe(world, `s3://media/tmp/job/stream${name}.cmfv`)).streams[0];
  };
  expect(await made('AUTO', '_auto')).toMatchObject({ width: 180, height: 320 });
  expect(await made('DEGREE_0', '_none')).toMatchObject({ width: 320, height: 180 });
});

/** Mean of the first picture. */
async function lumaOf(file: string): Promise<number> {
  const args = ['-v', 'error', '-i', file, '-frames:v', '1', '-vf', 'extractplanes=y', '-f', 'rawvideo', '-'];
  const { stdout } = await promisify(execFile)(FFMPEG, args, { encoding: 'buffer', maxBuffer: 1e6 });
  return Math.round(stdout.reduce((sum, value) => sum + value, 0) / stdout.length);
}

test('HDR becomes BT.709 where the job converts it, and stays as it is elsewhere', async () => {
  await using world = await startWorld();
  const tags = ['-color_primaries', 'bt2020', '-color_trc', 'smpte2084', '-colorspace', 'bt2020nc'];
  // Of 203 cd/m², which is white of SDR; the signal of PQ is at 58 % there.
  const grey = ['-f', 'lavfi', '-i', 'color=c=0x949494:s=320x180:d=1,format=yuv420p', '-c:v', 'libx264', ...tags];
  await makeMedia(world, FILM, ...grey);
  const luma = async (videoPreprocessors: object, name: string) => {
    const made = { ...picture(name), containerSettings: { container: 'CMFC' } };
    Object.assign(made.videoDescription, { width: 320, height: 180, videoPreprocessors });
    const inputs = [{ ...input(), audioSelectors: {} }];
    const request = { ...job(streams(made)), settings: { inputs, outputGroups: [streams(made)] } };
    await world.until(await world.submit(request), 'COMPLETE');
    return lumaOf(world.pathOf(`s3://media/tmp/job/stream${name}.cmfv`));
  };
  const converts = { colorCorrector: { colorSpaceConversion: 'FORCE_709', hdrToSdrToneMapper: 'VIBRANT' } };
  expect([await luma({}, '_kept'), await luma(converts, '_converted')]).toEqual([143, 151]);
});
