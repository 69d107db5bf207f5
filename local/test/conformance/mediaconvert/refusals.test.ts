import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  captures,
  files,
  h264,
  input,
  job,
  picture,
  sound,
  streams,
  usual,
} from '../../support/mediaconvert-request.ts';
import { startWorld, type World } from '../../support/mediaconvert-world.ts';
import { oursOnly } from '../target.ts';

oursOnly('no other emulator has MediaConvert, and a job in an account of AWS is billed');

/** AWS's API reference and model, by whose enumerations, ranges and required members requests are refused. */
const MODEL = 'botocore 1.44.8, mediaconvert/2017-08-29';
/** Real refusals, as people have reported them. */
const REPORTED = {
  empty: 'video-on-demand-on-aws#1',
  container: 'aws-sdk-js-v3#2661',
  codec: 'aws-sdk-php#2148',
  track: 'media2cloud-on-aws#8',
  texts: 'refused jobs of 2025, published as a list',
};
/** That it is refused follows from AWS's pages; the words, or the strictness, are not known. */
const GUESS = 'a guess';

let world: World;
beforeAll(async () => {
  world = await startWorld({ stopped: true });
});
afterAll(() => world[Symbol.asyncDispose]());

const video = (settings: object, description: object = {}) => {
  const made = picture();
  Object.assign(made.videoDescription, description);
  Object.assign(made.videoDescription.codecSettings.h264Settings, settings);
  return job(streams(made, sound()));
};
const audio = (settings: object) => {
  const made = sound();
  Object.assign(made.audioDescriptions[0]?.codecSettings.aacSettings as object, settings);
  return job(streams(picture(), made));
};
const group = (settings: object, ...outputs: object[]) => {
  const made = streams(...(outputs.length > 0 ? outputs : [picture(), sound()]));
  Object.assign(made.outputGroupSettings.cmafGroupSettings, settings);
  return job(made);
};
const without = (made: object, ...names: string[]) =>
  Object.fromEntries(Object.entries(made).filter(([name]) => !names.includes(name)));
const of = (made: { videoDescription: object }, codecSettings: object) => ({
  ...made,
  videoDescription: { ...made.videoDescription, codecSettings },
});

const VIDEO = '/outputGroups/0/outputs/0/videoDescription';
const H264 = `${VIDEO}/codecSettings/h264Settings`;
const AAC = '/outputGroups/0/outputs/1/audioDescriptions/0/codecSettings/aacSettings';
const RATES =
  'Your job contains values for the following settings that are incompatible: Rate control mode, Bitrate, and Max bitrate.';

const CASES: [what: string, source: string, request: object, message: string][] = [
  ['a role is required', MODEL, without(usual(), 'role'), '/: role is a required property'],
  ['settings are required', MODEL, without(usual(), 'settings'), '/: settings is a required property'],
  ['a group without outputs', REPORTED.empty, job(streams()), '/outputGroups/0/outputs: Should have at least 1 items'],
  ['a job without groups', REPORTED.empty, job(), '/outputGroups: Should have at least 1 items'],
  [
    'an output without a container',
    REPORTED.container,
    job(streams(without(picture(), 'containerSettings'))),
    '/outputGroups/0/outputs/0: containerSettings is a required property',
  ],
  [
    'a member that nobody knows',
    GUESS,
    video({ gopsize: 60 }),
    `${H264}: Should not have additional properties: gopsize`,
  ],
  [
    'a value outside of its enumeration',
    MODEL,
    video({}, { scalingBehavior: 'SHRINK' }),
    `${VIDEO}/scalingBehavior: Should be equal to one of the allowed values in [DEFAULT, STRETCH_TO_OUTPUT, FIT, FIT_NO_UPSCALE, FILL]`,
  ],
  [
    'a number above its range',
    REPORTED.texts,
    video({ numberBFramesBetweenReferenceFrames: 8 }),
    `${H264}/numberBFramesBetweenReferenceFrames: Should be less than or equal to 7`,
  ],
  ['a fraction for a whole number', MODEL, video({ maxBitrate: 1000.5 }), `${H264}/maxBitrate: Should be integer`],
  ['a priority above 50', MODEL, { ...usual(), priority: 51 }, '/priority: Should be less than or equal to 50'],
  [
    'an audio track 0',
    REPORTED.track,
    withTracks([0]),
    '/inputs/0/audioSelectors/Audio Selector 1/tracks/0: Should be greater than or equal to 1',
  ],
  [
    'an odd width',
    'developers.wano.co.jp/1495',
    video({}, { width: 321 }),
    `${VIDEO}/width: Should be a multiple of 2`,
  ],
  [
    'an output in CMAF without a modifier',
    REPORTED.texts,
    job(streams(without(picture(), 'nameModifier'), sound())),
    '/outputGroups/0/outputs/0: nameModifier is a required property',
  ],
  [
    'two outputs of one name',
    MODEL,
    job(streams(picture(), picture(), sound())),
    '/outputGroups/0/outputs/1: nameModifier is a required property',
  ],
  [
    'a codec without its settings',
    REPORTED.codec,
    job(streams(of(picture(), { codec: 'H_264' }), sound())),
    `${VIDEO}/codecSettings: Should have at least 2 properties`,
  ],
  [
    'settings of two codecs',
    REPORTED.texts,
    job(streams(of(picture(), { codec: 'H_264', h264Settings: h264(), frameCaptureSettings: {} }), sound())),
    `${VIDEO}/codecSettings: Should have at most 2 properties`,
  ],
  [
    'settings of another codec',
    REPORTED.texts,
    job(files(of(captures(), { codec: 'FRAME_CAPTURE', h264Settings: h264() }))),
    `${H264}: Should match all dependencies: See other errors for more details | ${VIDEO}/codecSettings/codec: Must be H_264`,
  ],
  [
    'AAC without a sample rate',
    REPORTED.texts,
    audio({ sampleRate: undefined }),
    `${AAC}: sampleRate is a required property`,
  ],
  [
    'AAC without a coding mode',
    REPORTED.texts,
    audio({ codingMode: undefined }),
    `${AAC}: codingMode is a required property`,
  ],
  [
    'a stereo AAC of 56 kbit/s',
    REPORTED.texts,
    audio({ bitrate: 56_000 }),
    `${AAC}/bitrate: You specified a value for Bitrate that is not valid with the combination of Profile LC, Coding mode CODING_MODE_2_0, and Sample rate 48000 you selected. Specify a bitrate in the range of 64000-576000`,
  ],
  ['QVBR with a bit rate', REPORTED.texts, video({ bitrate: 500_000 }), `${H264}: ${RATES}`],
  ['QVBR without a cap', REPORTED.texts, video({ maxBitrate: undefined }), `${H264}: ${RATES}`],
  ['CBR with a cap', REPORTED.texts, video({ rateControlMode: 'CBR', bitrate: 500_000 }), `${H264}: ${RATES}`],
  [
    'settings of QVBR with CBR',
    GUESS,
    video({ rateControlMode: 'CBR', bitrate: 500_000, maxBitrate: undefined, qvbrSettings: {} }),
    `${H264}/rateControlMode: Must be QVBR`,
  ],
  [
    'an average cap of a single pass',
    GUESS,
    video({ qvbrSettings: { maxAverageBitrate: 500_000 } }),
    `${H264}/qualityTuningLevel: Must be MULTI_PASS_HQ`,
  ],
  [
    'BASELINE with CABAC',
    REPORTED.texts,
    video({ codecProfile: 'BASELINE', entropyEncoding: 'CABAC' }),
    `${H264}: Should match exactly one schema defined in "oneOf" | ${H264}/entropyEncoding: Must be CAVLC`,
  ],
  [
    'BASELINE without entropy encoding',
    REPORTED.texts,
    video({ codecProfile: 'BASELINE' }),
    `${H264}: Should match exactly one schema defined in "oneOf" | ${H264}: entropyEncoding is a required property`,
  ],
  [
    'a width above level 4',
    REPORTED.texts,
    video({ codecLevel: 'LEVEL_4' }, { width: 1920, height: 1150 }),
    `${VIDEO}/width: Should be less than or equal to 1808`,
  ],
  [
    'a flat picture wider than level 3.1 allows',
    'ITU-T H.264, A.3.1',
    video({ codecLevel: 'LEVEL_3_1' }, { width: 4000, height: 32 }),
    `${VIDEO}/width: Should be less than or equal to 2704`,
  ],
  [
    'a bit rate of AAC that is not in the list',
    'aac-support',
    audio({ bitrate: 65_000 }),
    `${AAC}/bitrate: You specified a value for Bitrate that is not valid with the combination of Profile LC, Coding mode CODING_MODE_2_0, and Sample rate 48000 you selected. Specify a bitrate in the range of 64000-576000`,
  ],
  [
    'a cap above level 3.1',
    REPORTED.texts,
    video({ codecLevel: 'LEVEL_3_1', maxBitrate: 20_000_000 }),
    `${H264}/maxBitrate: Should be less than or equal to 16800000`,
  ],
  [
    'spatial quantization beside AUTO',
    GUESS,
    video({ spatialAdaptiveQuantization: 'ENABLED' }),
    `${H264}/adaptiveQuantization: Must not be AUTO`,
  ],
  [
    'a specified rate without its fraction',
    MODEL,
    video({ framerateControl: 'SPECIFIED', framerateNumerator: 30 }),
    `${H264}: framerateDenominator is a required property`,
  ],
  [
    'open groups in segments',
    MODEL,
    video({ gopClosedCadence: 0 }),
    `${H264}/gopClosedCadence: Should be greater than or equal to 1`,
  ],
  [
    'a fragment longer than its segment',
    GUESS,
    group({ fragmentLength: 7 }),
    '/outputGroups/0/outputGroupSettings/cmafGroupSettings/fragmentLength: Should be less than or equal to 6',
  ],
  [
    'a last segment of half a second',
    GUESS,
    group({ minFinalSegmentLength: 0.5 }),
    '/outputGroups/0/outputGroupSettings/cmafGroupSettings/minFinalSegmentLength: Should be 0, or from 1 to less than 6',
  ],
  [
    'MATCH at the rate of the source',
    GUESS,
    group({ segmentLengthControl: 'MATCH' }),
    '/outputGroups/0/outputGroupSettings/cmafGroupSettings/segmentLengthControl: MATCH needs a specified frame rate',
  ],
  [
    'picture and sound in one output of CMAF',
    GUESS,
    job(streams({ ...sound(), videoDescription: picture().videoDescription })),
    '/outputGroups/0/outputs/0: Should have exactly one of a picture, a sound and captions',
  ],
  [
    'a container of another group',
    REPORTED.texts,
    job(files({ ...picture(), nameModifier: '_a' })),
    '/outputGroups/0/outputs/0/containerSettings/container: Must be MP4 or RAW',
  ],
  [
    'settings of another group',
    REPORTED.texts,
    job({
      ...streams(picture()),
      outputGroupSettings: { ...streams().outputGroupSettings, type: 'FILE_GROUP_SETTINGS' },
    }),
    '/outputGroups/0/outputGroupSettings: Should match all dependencies: See other errors for more details',
  ],
  [
    'an audio group that no output has',
    GUESS,
    job(streams(picture())),
    '/outputGroups/0/outputs/0/containerSettings/cmfcSettings/audioRenditionSets: No output has the audio group sound',
  ],
  [
    'two default sounds',
    GUESS,
    job(streams(picture(), sound(), sound('_more'))),
    '/outputGroups/0/outputs/2/containerSettings/cmfcSettings/audioTrackType: Only one output may be ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT',
  ],
  [
    'a selector that no input has',
    GUESS,
    withSource('Audio Selector 2'),
    '/outputGroups/0/outputs/1/audioDescriptions/0/audioSourceName: No input has the selector Audio Selector 2',
  ],
  [
    'captures with sound',
    GUESS,
    job(streams(picture(), sound()), files({ ...captures(), audioDescriptions: sound().audioDescriptions })),
    '/outputGroups/1/outputs/0/audioDescriptions: Should have at most 0 items',
  ],
  [
    'composition times of version 1 from another start',
    GUESS,
    job(
      streams(picture(), sound()),
      files({ ...picture('_m'), containerSettings: { container: 'MP4', mp4Settings: { cttsVersion: 1 } } }),
    ),
    '/outputGroups/1/outputs/0/containerSettings/mp4Settings/cslgAtom: Must be INCLUDE',
  ],
  [
    'eleven entries of metadata',
    'user-metadata-tags',
    { ...usual(), userMetadata: Object.fromEntries([...'abcdefghijk'].map((key) => [key, '1'])) },
    '/userMetadata: Should have at most 10 items',
  ],
  [
    'a token of 65 characters',
    MODEL,
    { ...usual(), clientRequestToken: 'a'.repeat(65) },
    '/clientRequestToken: Should match pattern "/^[\\x20-\\x7E]{1,64}$/"',
  ],
];

function withTracks(tracks: number[]) {
  const made = input();
  made.audioSelectors['Audio Selector 1'].tracks = tracks;
  return { ...usual(), settings: { ...usual().settings, inputs: [made] } };
}

function withSource(audioSourceName: string) {
  const made = sound();
  return job(streams(picture(), { ...made, audioDescriptions: [{ ...made.audioDescriptions[0], audioSourceName }] }));
}

describe('CreateJob refuses', () => {
  it.each(CASES)('%s (%s)', async (_, __, request, message) => {
    const { status, body } = await world.call('POST', '/jobs', request);
    expect([status, body.message]).toEqual([400, message]);
  });

  it(`all faults at once, joined by bars (${REPORTED.texts})`, async () => {
    const made = { ...audio({ sampleRate: undefined }), priority: 99 };
    const { body } = await world.call('POST', '/jobs', made);
    expect(body.message).toBe(
      `${AAC}: sampleRate is a required property | /priority: Should be less than or equal to 50`,
    );
  });
});

describe('CreateJob accepts', () => {
  it('the usual job, with 201 (API reference, jobs)', async () => {
    const { status, body } = await world.call('POST', '/jobs', usual());
    expect([status, body.job?.status]).toEqual([201, 'SUBMITTED']);
    expect(body.job?.id).toMatch(/^\d{13}-[a-z0-9]{6}$/);
  });

  it(`a level, where size and rate are within it (${REPORTED.texts})`, async () => {
    const made = video({ codecLevel: 'LEVEL_3_1', maxBitrate: 16_800_000 }, { width: 1280, height: 720 });
    expect((await world.call('POST', '/jobs', made)).status).toBe(201);
  });

  it('a mono AAC of 56 kbit/s (aac-support)', async () => {
    const made = audio({ codingMode: 'CODING_MODE_1_0', bitrate: 56_000 });
    expect((await world.call('POST', '/jobs', made)).status).toBe(201);
  });
});
