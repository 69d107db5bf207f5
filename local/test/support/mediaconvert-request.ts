import { QUEUE, ROLE } from './mediaconvert-world.ts';

/** Parts of jobs, as they are sent. Each call makes new ones, which a case may change. */

export const h264 = () => ({
  rateControlMode: 'QVBR',
  maxBitrate: 1_000_000,
  framerateControl: 'INITIALIZE_FROM_SOURCE',
  gopSizeUnits: 'FRAMES',
  gopSize: 20,
  parControl: 'SPECIFIED',
  parNumerator: 1,
  parDenominator: 1,
});

export const picture = (nameModifier = '_180p') => ({
  nameModifier,
  containerSettings: { container: 'CMFC', cmfcSettings: { audioRenditionSets: 'sound' } },
  videoDescription: {
    width: 320,
    height: 180,
    scalingBehavior: 'FIT_NO_UPSCALE',
    codecSettings: { codec: 'H_264', h264Settings: h264() },
  },
});

const aac = () => ({ codingMode: 'CODING_MODE_2_0', sampleRate: 48_000, bitrate: 64_000 });

export const sound = (nameModifier = '_sound') => ({
  nameModifier,
  containerSettings: {
    container: 'CMFC',
    cmfcSettings: { audioGroupId: 'sound', audioTrackType: 'ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT' },
  },
  audioDescriptions: [{ codecSettings: { codec: 'AAC', aacSettings: aac() } }],
});

export const captures = () => ({
  nameModifier: '_thumb',
  extension: 'jpg',
  containerSettings: { container: 'RAW' },
  videoDescription: {
    width: 160,
    height: 90,
    scalingBehavior: 'FIT_NO_UPSCALE',
    codecSettings: {
      codec: 'FRAME_CAPTURE',
      frameCaptureSettings: { framerateNumerator: 1, framerateDenominator: 2, maxCaptures: 2, quality: 80 },
    },
  },
});

export const streams = (...outputs: object[]) => ({
  outputGroupSettings: {
    type: 'CMAF_GROUP_SETTINGS',
    cmafGroupSettings: {
      destination: 's3://media/tmp/job/stream',
      segmentControl: 'SINGLE_FILE',
      segmentLength: 6,
      fragmentLength: 2,
      segmentLengthControl: 'GOP_MULTIPLE',
      writeDashManifest: 'DISABLED',
      videoCompositionOffsets: 'SIGNED',
      manifestDurationFormat: 'FLOATING_POINT',
    },
  },
  outputs,
});

export const files = (...outputs: object[]) => ({
  outputGroupSettings: { type: 'FILE_GROUP_SETTINGS', fileGroupSettings: { destination: 's3://media/tmp/job/frame' } },
  outputs,
});

export const input = () => ({
  fileInput: 's3://uploads/film.mp4',
  timecodeSource: 'ZEROBASED',
  videoSelector: { rotate: 'AUTO' },
  audioSelectors: { 'Audio Selector 1': { tracks: [1] } },
});

export const job = (...outputGroups: object[]) => ({
  role: ROLE,
  queue: QUEUE,
  userMetadata: { app: 'test' },
  settings: { inputs: [input()], outputGroups },
});

export const usual = () => job(streams(picture(), sound()), files(captures()));
