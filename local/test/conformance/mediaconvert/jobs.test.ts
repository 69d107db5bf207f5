import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captures, files, input, job, picture, sound, streams, usual } from '../../support/mediaconvert-request.ts';
import { makeMedia, probe, startWorld, textOf, UNTRUSTING, type World } from '../../support/mediaconvert-world.ts';
import { oursOnly } from '../target.ts';

oursOnly('no other emulator has MediaConvert, and a job in an account of AWS is billed');

const UG = 'https://docs.aws.amazon.com/mediaconvert/latest/ug/';
/** Real events of June 2026 and of April 2025. */
const EVENTS = 'guardian/media-atom-maker, mitodl/odl-video-service';

const SOURCE = ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=5', '-f', 'lavfi', '-i', 'sine=d=5:r=48000'];
const CODED = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-shortest'];

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await makeMedia(world, 's3://uploads/film.mp4', ...SOURCE, ...CODED);
  await makeMedia(world, 's3://uploads/mute.mp4', ...SOURCE.slice(0, 4), ...CODED.slice(0, 4));
  await makeMedia(world, 's3://uploads/sound.mp3', ...SOURCE.slice(4));
  await spoil('s3://uploads/film.mp4', 's3://uploads/spoilt.mp4');
  await makeMedia(world, 's3://uploads/tone.mp4', ...SOURCE.slice(4), '-c:a', 'aac');
  await spoil('s3://uploads/tone.mp4', 's3://uploads/noise.mp4');
  await makeMedia(world, 's3://uploads/odd.mp4', '-f', 'lavfi', '-i', 'testsrc2=s=640x358:r=5:d=1');
  await makeMedia(
    world,
    's3://uploads/text.mp4',
    '-f',
    'lavfi',
    '-i',
    'sine=d=1',
    '-f',
    'data',
    '-map',
    '0',
    '-c',
    'copy',
  );
});
afterAll(() => world[Symbol.asyncDispose]());

/** The index stays; what it tells of is nothing that decodes. */
async function spoil(from: string, to: string): Promise<void> {
  const bytes = await readFile(world.pathOf(from));
  const start = bytes.indexOf('mdat') + 4;
  await writeFile(world.pathOf(to), bytes.fill(0xff, start, start - 8 + bytes.readUInt32BE(start - 8)));
}

function from(fileInput: string, made = usual(), selected: object = {}) {
  return { ...made, settings: { ...made.settings, inputs: [{ ...input(), ...selected, fileInput }] } };
}

describe(`a job of one CMAF group and captures (${EVENTS})`, () => {
  let id = '';
  beforeAll(async () => {
    id = await world.submit(usual());
    await world.until(id, 'COMPLETE');
  });

  it('writes one file for each rendition, playlists beside them, and captures from number 0', async () => {
    expect(await world.list('s3://media/tmp/job/')).toEqual([
      's3://media/tmp/job/frame_thumb.0000000.jpg',
      's3://media/tmp/job/frame_thumb.0000001.jpg',
      's3://media/tmp/job/stream.m3u8',
      's3://media/tmp/job/stream_180p.cmfv',
      's3://media/tmp/job/stream_180p.m3u8',
      's3://media/tmp/job/stream_sound.cmfa',
      's3://media/tmp/job/stream_sound.m3u8',
    ]);
  });

  it('announces PROGRESSING, what the input is, and COMPLETE, and nothing of SUBMITTED', () => {
    expect(world.statuses(id)).toEqual(['PROGRESSING', 'INPUT_INFORMATION', 'COMPLETE']);
  });

  it('has paths of files in COMPLETE for the file group only, of captures the last one', async () => {
    const { outputGroupDetails, userMetadata } = await world.until(id, 'COMPLETE');
    expect(userMetadata).toEqual({ app: 'test' });
    expect(outputGroupDetails).toEqual([
      {
        type: 'CMAF_GROUP',
        playlistFilePaths: ['s3://media/tmp/job/stream.m3u8'],
        outputDetails: [
          {
            durationInMs: 5000,
            videoDetails: { widthInPx: 320, heightInPx: 180, averageBitrate: expect.any(Number) },
          },
          { durationInMs: expect.closeTo(5000, -2) },
        ],
      },
      {
        type: 'FILE_GROUP',
        outputDetails: [
          {
            outputFilePaths: ['s3://media/tmp/job/frame_thumb.0000001.jpg'],
            durationInMs: 4000,
            videoDetails: { widthInPx: 160, heightInPx: 90, averageBitrate: expect.any(Number) },
          },
        ],
      },
    ]);
  });

  it('says what the input is', async () => {
    const { inputDetails } = await world.until(id, 'INPUT_INFORMATION');
    expect(inputDetails).toMatchObject([
      {
        id: 1,
        uri: 's3://uploads/film.mp4',
        audio: [{ channels: 1, codec: 'AAC', language: 'UND', sampleRate: 48_000 }],
        video: [{ bitDepth: 8, codec: 'H_264', fourCC: 'avc1', frameRate: 25, width: 640, height: 360 }],
      },
    ]);
  });

  it('writes a playlist of byte ranges, whose first is the head', async () => {
    const playlist = await textOf(world, 's3://media/tmp/job/stream_180p.m3u8');
    expect(playlist).toMatch(
      /^#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI="stream_180p\.cmfv",BYTERANGE="\d+@0"\n#EXTINF:5\.000000,\n#EXT-X-BYTERANGE:\d+@\d+\nstream_180p\.cmfv\n#EXT-X-ENDLIST\n$/,
    );
  });

  it('makes H.264 of the size and rate that were asked for, with a fragment for each 20 pictures', async () => {
    const { streams: made } = await probe(world, 's3://media/tmp/job/stream_180p.cmfv');
    expect(made).toMatchObject([{ codec_name: 'h264', width: 320, height: 180, r_frame_rate: '25/1' }]);
    const file = await readFile(world.pathOf('s3://media/tmp/job/stream_180p.cmfv'), 'latin1');
    expect(file.split('moof')).toHaveLength(1 + 7);
  });

  it('is described without any path (API reference, OutputDetail)', async () => {
    const { body } = await world.call('GET', `/jobs/${id}`);
    expect(body.job).toMatchObject({
      status: 'COMPLETE',
      jobPercentComplete: 100,
      outputGroupDetails: [
        { outputDetails: [{ durationInMs: 5000, videoDetails: { widthInPx: 320, heightInPx: 180 } }, {}] },
        { outputDetails: [{ durationInMs: 4000, videoDetails: { widthInPx: 160, heightInPx: 90 } }] },
      ],
    });
    expect(JSON.stringify(body.job?.outputGroupDetails)).not.toContain('s3:');
  });
});

describe(`sizes and rates (${UG}video-scaling.html, ${UG}using-variable-frame-rate-inputs.html)`, () => {
  const sized = async (width: number, height: number, scalingBehavior: string) => {
    const made = picture();
    Object.assign(made.videoDescription, { width, height, scalingBehavior });
    const id = await world.submit(from('s3://uploads/mute.mp4', job(streams(without(made))), { audioSelectors: {} }));
    await world.until(id, 'COMPLETE');
    const { streams: found } = await probe(world, 's3://media/tmp/job/stream_180p.cmfv');
    return `${found[0]?.width}x${found[0]?.height}`;
  };
  // No sound, so no set of it.
  const without = (made: ReturnType<typeof picture>) => ({ ...made, containerSettings: { container: 'CMFC' } });

  it('FIT_NO_UPSCALE keeps a source that is smaller', async () => {
    expect(await sized(1280, 720, 'FIT_NO_UPSCALE')).toBe('640x360');
  });

  it('FIT fits 640x360 into 100x100 as 100x56', async () => {
    expect(await sized(100, 100, 'FIT')).toBe('100x56');
  });

  it('a rate that varies becomes the usual one above its mean', async () => {
    const vary = [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=320x180:r=30:d=4',
      '-vf',
      "select='lt(mod(n,5),4)'",
      '-fps_mode',
      'vfr',
    ];
    await makeMedia(world, 's3://uploads/vary.mp4', ...vary, '-c:v', 'libx264', '-preset', 'ultrafast');
    const id = await world.submit(
      from('s3://uploads/vary.mp4', job(streams(without(picture()))), { audioSelectors: {} }),
    );
    await world.until(id, 'COMPLETE');
    const { streams: found } = await probe(world, 's3://media/tmp/job/stream_180p.cmfv');
    // The mean is 24.2.
    expect(found[0]?.r_frame_rate).toBe('30/1');
  });
});

/** 320x180 at 25 pictures a second, with other settings of H.264. */
function levelled(settings: object): object {
  const made = picture();
  Object.assign(made.videoDescription.codecSettings.h264Settings, settings);
  Object.assign(made, { containerSettings: { container: 'CMFC' } });
  return job(streams(made));
}

const CODES = `${UG}mediaconvert_error_codes.html`;
describe(`a job ends in ERROR (${CODES})`, () => {
  it.each<[string, string, () => object, number, string]>([
    ['an input that is not there', 'Error code 1404', () => from('s3://uploads/none.mp4'), 1404, 'HeadObject failed'],
    [
      'an audio track that the input does not have',
      'video-on-demand-on-aws#45',
      () => from('s3://uploads/mute.mp4'),
      1040,
      'Invalid audio track specified for audio_selector [1]. Audio track [1] not found in input container.',
    ],
    ['a picture of an input without one', 'Error code 1020', () => from('s3://uploads/sound.mp3'), 1020, 'No video'],
    [
      'a role that does not trust the service',
      'Error code 1434',
      () => ({ ...usual(), role: UNTRUSTING }),
      1434,
      'Unable to assume role',
    ],
    [
      'acceleration with outputs of sound alone',
      'job-requirements',
      () => ({ ...usual(), accelerationSettings: { mode: 'ENABLED' } }),
      1041,
      'Acceleration is not supported',
    ],
    [
      'a derived width that is odd',
      'Error code 1040',
      () => {
        const made = picture();
        Object.assign(made.videoDescription, { width: undefined, height: 62, scalingBehavior: 'DEFAULT' });
        Object.assign(made, { containerSettings: { container: 'CMFC' } });
        return from('s3://uploads/odd.mp4', job(streams(made)), { audioSelectors: {} });
      },
      1040,
      'Invalid resolution [111 x 62], only even values are supported. video_description [1].',
    ],
    [
      'a level that has not so many pictures a second',
      'Error code 1040, avalon#6650',
      () => levelled({ codecLevel: 'LEVEL_1_1', maxBitrate: 200_000 }),
      1040,
      'video target [1] [initialization failed: Invalid level specified for the selected framerate or resolution.]',
    ],
    [
      'a level that has no buffer of that size',
      'Error code 1040; a job that failed in 2025',
      () => levelled({ codecLevel: 'LEVEL_2', hrdBufferSize: 3_000_000 }),
      1040,
      'Invalid level specified for the selected buffer size.',
    ],
    [
      'pictures of which none is decoded',
      'Error code 1020; the text is a guess',
      () => from('s3://uploads/spoilt.mp4'),
      1020,
      'No video frames were decoded.',
    ],
    [
      'sound of which none is decoded',
      'Error code 1021; the text is of a job that failed in 2025',
      () => {
        const alone = sound();
        Object.assign(alone.containerSettings.cmfcSettings, { audioTrackType: 'AUDIO_ONLY_VARIANT_STREAM' });
        return from('s3://uploads/noise.mp4', job(streams(alone)), { videoSelector: undefined });
      },
      1021,
      'No audio frames decoded',
    ],
    [
      'a file that is no media',
      'Error code 1010',
      () => from('s3://uploads/text.mp4'),
      1010,
      'No parser found for container',
    ],
  ])('for %s (%s)', async (_, __, made, code, message) => {
    const id = await world.submit(made());
    const { errorCode, errorMessage } = await world.until(id, 'ERROR');
    expect(errorCode).toBe(code);
    expect(errorMessage).toContain(message);
    const { body } = await world.call('GET', `/jobs/${id}`);
    expect(body.job).toMatchObject({ status: 'ERROR', errorCode: code });
  });
});

describe('tokens, priorities and cancels', () => {
  it(`the same token within a minute gives the same job, after it another (${UG}idempotency.html)`, async () => {
    await using waiting = await startWorld({ stopped: true });
    const request = { ...usual(), clientRequestToken: 'job-1' };
    const first = await waiting.submit(request);
    waiting.clock.advance(59_000);
    expect(await waiting.submit(request)).toBe(first);
    waiting.clock.advance(2000);
    expect(await waiting.submit(request)).not.toBe(first);
  });

  it('of waiting jobs the one with the highest priority begins, then the earliest (API reference, Priority)', async () => {
    await using busy = await startWorld({ stopped: true });
    await makeMedia(busy, 's3://uploads/film.mp4', '-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=5:d=1');
    const tiny = (priority: number) => ({
      ...from('s3://uploads/film.mp4', job(files(captures())), { audioSelectors: {} }),
      priority,
    });
    const [low, early, late] = [await busy.submit(tiny(-10)), await busy.submit(tiny(0)), await busy.submit(tiny(0))];
    busy.mediaconvert.start();
    await busy.until(low, 'COMPLETE');
    const begun = busy.events.map(({ detail }) => detail as { jobId: string; status: string });
    const order = begun.filter(({ status }) => status === 'PROGRESSING').map(({ jobId }) => jobId);
    expect(order).toEqual([early, late, low]);
  });

  it(`a cancelled job is announced as CANCELED and makes nothing; cancelled again it is a conflict, a guess (${UG})`, async () => {
    await using waiting = await startWorld({ stopped: true });
    const id = await waiting.submit(usual());
    expect((await waiting.call('DELETE', `/jobs/${id}`)).status).toBe(202);
    expect(waiting.statuses(id)).toEqual(['CANCELED']);
    expect((await waiting.call('DELETE', `/jobs/${id}`)).status).toBe(409);
    expect((await waiting.call('DELETE', '/jobs/1-abcdef')).status).toBe(404);
  });

  it('a queue says how many of its jobs wait (API reference, queues)', async () => {
    await using waiting = await startWorld({ stopped: true });
    await waiting.submit(usual());
    const { body } = await waiting.call('GET', '/queues/encodes');
    expect(body.queue).toMatchObject({ status: 'ACTIVE', submittedJobsCount: 1, progressingJobsCount: 0 });
  });
});

describe('sound', () => {
  it('alone is a job of its own (audio-only outputs)', async () => {
    const alone = sound();
    Object.assign(alone.containerSettings.cmfcSettings, { audioTrackType: 'AUDIO_ONLY_VARIANT_STREAM' });
    const id = await world.submit(from('s3://uploads/sound.mp3', job(streams(alone)), { videoSelector: undefined }));
    await world.until(id, 'COMPLETE');
    const { streams: made } = await probe(world, 's3://media/tmp/job/stream_sound.cmfa');
    expect(made).toMatchObject([{ codec_name: 'aac', channels: 2, sample_rate: '48000' }]);
  });
});
