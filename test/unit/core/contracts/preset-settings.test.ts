import { describe, expect, it } from 'vitest';
import { contentFrom, JobPreset, PresetSettings } from '../../../../core/contracts/preset-settings.ts';
import { PRESETS } from '../../../../core/contracts/presets.ts';

const RUNGS = [
  { shortSide: 1080, maxBitrate: 5_000_000, audio: '128k' },
  { shortSide: 720, maxBitrate: 2_500_000, audio: '128k' },
  { shortSide: 360, maxBitrate: 500_000, audio: '64k' },
];
const [TOP, MIDDLE, LAST] = RUNGS as [(typeof RUNGS)[number], (typeof RUNGS)[number], (typeof RUNGS)[number]];
const TEAM = { rungs: RUNGS, crf: 21 };

describe('what a preset may say', () => {
  it('has what all presets had where nothing is said', () => {
    expect(PresetSettings.parse(TEAM)).toEqual({
      rungs: RUNGS,
      crf: 21,
      codec: 'h264',
      maxFrameRate: 60,
      segmentSeconds: 6,
      mp4LongSide: 2400,
      outputs: { mp4: true, preview: true, poster: true, posterLarge: true, thumbnail: true, waveform: true },
    });
  });

  it.each<[field: string, given: object, path: string, message: string]>([
    [
      'a loudness that only peaks have',
      { loudnessTarget: -5 },
      'loudnessTarget',
      '-5 was given; allowed is -31 to -9 (LUFS), or nothing: as loud as the source',
    ],
    ['no rungs', { rungs: [] }, 'rungs', '[] was given; allowed is 1 to 8 rungs'],
    ['rungs that are text', { rungs: '1080p' }, 'rungs', '"1080p" was given; allowed is a list of rungs'],
    ['nine rungs', { rungs: Array(9).fill(TOP) }, 'rungs', '9 rungs were given; allowed are 1 to 8'],
    [
      'a rung above the largest',
      { rungs: [{ ...TOP, shortSide: 4320 }] },
      'rungs.0.shortSide',
      '4320 was given; allowed is a whole number from 144 to 2160 (pixels of the short side)',
    ],
    [
      'an odd rung',
      { rungs: [{ ...TOP, shortSide: 721 }] },
      'rungs.0.shortSide',
      '721 was given; allowed is an even number of pixels',
    ],
    [
      'a cap beyond what its size can use',
      { rungs: [TOP, { ...MIDDLE, maxBitrate: 50_000_000 }] },
      'rungs.1.maxBitrate',
      '50000000 was given; allowed is 276000 to 11059000 bits per second for 720p',
    ],
    [
      'a cap with which nothing is seen',
      { rungs: [{ ...TOP, maxBitrate: 50_000 }] },
      'rungs.0.maxBitrate',
      '50000 was given; allowed is 622000 to 24883000 bits per second for 1080p',
    ],
    [
      'the smaller rung first',
      { rungs: [MIDDLE, TOP] },
      'rungs.1.shortSide',
      '1080 was given; allowed is at most 600, below 720p: the largest comes first, each 1.2 times the next',
    ],
    [
      'rungs of nearly one size',
      { rungs: [TOP, { ...MIDDLE, shortSide: 1000 }] },
      'rungs.1.shortSide',
      '1000 was given; allowed is at most 900, below 1080p: the largest comes first, each 1.2 times the next',
    ],
    [
      'a smaller rung with a higher cap',
      { rungs: [TOP, { ...MIDDLE, maxBitrate: 5_000_000 }] },
      'rungs.1.maxBitrate',
      '5000000 was given; allowed is less than 5000000, that of the larger rung',
    ],
    [
      'a sound that is not made',
      { rungs: [{ ...LAST, audio: '320k' }] },
      'rungs.0.audio',
      '"320k" was given; allowed is 128k or 64k',
    ],
    ['a CRF without loss', { crf: 0 }, 'crf', '0 was given; allowed is 10 to 40'],
    ['a CRF as text', { crf: '23' }, 'crf', '"23" was given; allowed is 10 to 40'],
    ['a codec that the encoder lacks', { codec: 'hevc' }, 'codec', '"hevc" was given; allowed is h264'],
    ['another frame rate', { maxFrameRate: 24 }, 'maxFrameRate', '24 was given; allowed is 30, 60 (pictures a second)'],
    [
      'segments between keyframes',
      { segmentSeconds: 5 },
      'segmentSeconds',
      '5 was given; allowed is 2, 4, 6, 8, 10 (seconds)',
    ],
    [
      'an MP4 of 8K',
      { mp4LongSide: 7680 },
      'mp4LongSide',
      '7680 was given; allowed is a whole number from 320 to 3840 (pixels of the long side)',
    ],
    [
      'an output that is no flag',
      { outputs: { mp4: 'yes' } },
      'outputs.mp4',
      '"yes" was given; allowed is true or false',
    ],
    ['a long text', { crf: 'x'.repeat(200) }, 'crf', `"${'x'.repeat(59)}… was given; allowed is 10 to 40`],
  ])('is not %s', (_, given, path, message) => {
    const { issues } = PresetSettings.safeParse({ ...TEAM, ...given }).error ?? expect.fail('it was taken');
    expect(issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))).toContainEqual({
      path,
      message,
    });
  });

  it('is not more pixels than the memory of a worker is made for', () => {
    const side = [2160, 1800, 1440, 1080].map((shortSide, i) => ({
      shortSide,
      maxBitrate: 16_000_000 - i * 3_000_000,
      audio: '128k',
    }));
    const { error } = PresetSettings.safeParse({ crf: 23, rungs: side });
    expect(error?.issues.map(({ message }) => message)).toEqual([
      'The rungs, with the MP4, have 23054400 pixels; allowed are 18900000 together',
    ]);
    expect(
      PresetSettings.safeParse({ crf: 23, rungs: side.filter(({ shortSide }) => shortSide !== 1800) }).success,
    ).toBe(true);
  });

  const LADDER = [2160, 1440, 1080, 720, 480, 360].map((shortSide, i) => ({
    shortSide,
    maxBitrate: [16, 9, 5, 2.5, 1, 0.5].map((megabits) => megabits * 1e6)[i],
    audio: '128k',
  }));
  it.each([
    ['of 3840, which shares the encode of the top rung', 3840, null],
    ['of 3838, encoded beside 3840x2160', 3838, 23_901_763],
    ['of 2400, that of uhd', 2400, null],
    ['of 2500', 2500, 19_131_625],
  ])('counts an MP4 %s', (_, mp4LongSide, pixels) => {
    const { error } = PresetSettings.safeParse({ crf: 23, rungs: LADDER, mp4LongSide });
    const message = `The rungs, with the MP4, have ${pixels} pixels; allowed are 18900000 together`;
    expect(error?.issues.map((issue) => issue.message)).toEqual(pixels === null ? undefined : [message]);
  });

  it('counts an MP4 of the worst shape', () => {
    // At 16 to 9 the MP4 shares the encode of the top rung, and all have 15.9 million; below 1.675 to 1 it has one of its own.
    const rungs = [1900, 1580, 1300, 1080].map((shortSide, i) => ({
      shortSide,
      maxBitrate: (16 - i * 3) * 1e6,
      audio: '128k',
    }));
    const { error } = PresetSettings.safeParse({ crf: 23, rungs, mp4LongSide: 3500 });
    expect(error?.issues.map(({ message }) => message)).toEqual([
      'The rungs, with the MP4, have 22324474 pixels; allowed are 18900000 together',
    ]);
  });

  it('has no field that is not known, in a rung or an output neither', () => {
    for (const given of [{ speed: 1 }, { rungs: [{ ...TOP, name: '../x' }] }, { outputs: { gif: true } }]) {
      expect(PresetSettings.safeParse({ ...TEAM, ...given }).success).toBe(false);
    }
  });
});

describe('the preset of a job', () => {
  const team = { name: 'team', version: 3, ...contentFrom(PresetSettings.parse(TEAM)) };

  it.each([
    ...Object.values(PRESETS).map((preset) => [preset.name, preset] as const),
    ['team', team] as const,
  ])('may be %s', (_, preset) => {
    expect(JobPreset.parse(preset)).toEqual(preset);
  });

  it.each([
    ['the names of rungs are made of their sizes', { rungs: [{ ...team.rungs[0], name: '../../etc' }] }],
    [
      'no rung is above the largest that may be given',
      { rungs: [{ ...team.rungs[0], shortSide: 9000, name: '9000p' }] },
    ],
    ['nothing is encoded without loss', { crf: 0 }],
    ['segments end at keyframes', { segmentSeconds: 7 }],
  ])('is held to the same: %s', (_, more) => {
    expect(JobPreset.safeParse({ ...team, ...more }).success).toBe(false);
  });
});
