import { expect, test } from 'vitest';
import { compareFiles, indexFault, qualityFaults } from '../../../../core/archive/compare.ts';
import { Description, type Inspection, type TrackTimes } from '../../../../core/archive/inspection.ts';
import { pictureValue, QualityFold } from '../../../../core/archive/quality.ts';
import { ArchivePolicy } from '../../../../core/contracts/archive.ts';

const policy = ArchivePolicy.parse({});

const VIDEO = {
  ...{ index: 0, codec_type: 'video', codec_name: 'h264', codec_tag_string: 'avc1', width: 320, height: 180 },
  ...{ sample_aspect_ratio: '1:1', pix_fmt: 'yuv420p', avg_frame_rate: '25/1', time_base: '1/12800', nb_frames: 3 },
  ...{ disposition: { default: 1 }, tags: { creation_time: '2024-01-02T03:04:05.000000Z', handler_name: 'V' } },
};
const SOUND = {
  ...{ index: 1, codec_type: 'audio', codec_name: 'aac', codec_tag_string: 'mp4a', time_base: '1/48000', nb_frames: 2 },
  ...{ disposition: { default: 1 }, tags: { language: 'ger' } },
};
const HEVC = { ...VIDEO, codec_name: 'hevc', codec_tag_string: 'hvc1' };

const times = (base: number, shown: number[], packets = shown.length): TrackTimes => ({
  base: { num: 1n, den: BigInt(base) },
  shown: shown.map(BigInt),
  packets,
});

interface Parts {
  video?: object;
  sound?: object | null;
  format?: object;
  chapters?: object[];
  bytes?: number;
  pictures?: TrackTimes;
  samples?: TrackTimes;
  hash?: string;
}

function inspection({ video = {}, sound = {}, format = {}, chapters = [], ...parts }: Parts): Inspection {
  const streams = [video, ...(sound ? [{ ...SOUND, ...sound }] : [])];
  const about = { format_name: 'mov,mp4,m4a,3gp,3g2,mj2', duration: '0.12', tags: { title: 'Cam' }, ...format };
  return {
    description: Description.parse({ streams, format: about, chapters }),
    bytes: parts.bytes ?? 1000,
    times: new Map([
      [0, parts.pictures ?? times(12800, [0, 512, 1024])],
      [1, parts.samples ?? times(48000, [0, 1024])],
    ]),
    hashes: new Map([[1, parts.hash ?? 'abc']]),
  };
}
const original = (parts: Parts = {}) => inspection({ ...parts, video: { ...VIDEO, ...parts.video } });
const archived = (parts: Parts = {}) => inspection({ bytes: 500, ...parts, video: { ...HEVC, ...parts.video } });

const CHAPTERS = [{ start_time: '0', end_time: '1', tags: { title: 'one' } }];

test.each<[string, Parts, string | undefined]>([
  ['the same', {}, undefined],
  ['on another clock', { pictures: times(90000, [0, 3600, 7200]) }, undefined],
  ['a tick off', { pictures: times(12800, [0, 513, 1024]) }, undefined],
  [
    'two ticks off',
    { pictures: times(12800, [0, 514, 1024]) },
    'frame_times: Picture 1 is shown at 0.040156 s instead of 0.040000 s.',
  ],
  [
    'shifted',
    { pictures: times(12800, [512, 1024, 1536]) },
    'frame_times: Picture 0 is shown at 0.040000 s instead of 0.000000 s.',
  ],
  ['a picture less', { pictures: times(12800, [0, 512]) }, 'frame_count: It shows 2 pictures instead of 3.'],
  ['of no duration', { format: { duration: undefined } }, 'duration: It lasts no s instead of 0.12 s.'],
  ['too long', { format: { duration: '0.2' } }, 'duration: It lasts 0.2 s instead of 0.12 s.'],
  ['of H.264', { video: { codec_name: 'h264' } }, 'codec_tag: It is h264 as hvc1, not hevc as hvc1.'],
  ['of another size', { video: { height: 182 } }, 'picture: size: 320x182 instead of 320x180'],
  ['of another aspect', { video: { sample_aspect_ratio: '4:3' } }, 'picture: sample aspect: 4:3 instead of 1:1'],
  ['of another rate', { video: { avg_frame_rate: '30/1' } }, 'picture: frame rate: 30/1 instead of 25/1'],
  ['with full range', { video: { color_range: 'pc' } }, 'color: range: pc instead of tv'],
  ['with another matrix', { video: { color_space: 'bt709' } }, 'color: matrix: bt709 instead of unknown'],
  ['with more bits', { video: { pix_fmt: 'yuv420p10le' } }, 'color: pixel format: yuv420p10le instead of yuv420p'],
  ['by the old name of its format', { video: { pix_fmt: 'yuvj420p' } }, undefined],
  ['without sound', { sound: null }, 'tracks: It has 1 tracks instead of 2.'],
  ['with other sound', { hash: 'abd' }, 'copied_track: The bytes of track 1 differ.'],
  [
    'with moved sound',
    { samples: times(48000, [0, 1034]) },
    'copied_track: Track 1: Picture 1 is shown at 0.021542 s instead of 0.021333 s.',
  ],
  [
    'with sound marked otherwise',
    { sound: { codec_tag_string: 'ec-3' } },
    'tracks: Track 1 is marked ec-3 instead of mp4a.',
  ],
  ['in the same language by its other code', { sound: { tags: { language: 'deu' } } }, undefined],
  ['in no language', { sound: { tags: {} } }, 'tracks: Track 1 is in und instead of ger.'],
  [
    'with another role',
    { sound: { disposition: { default: 1, comment: 1 } } },
    'tracks: The roles of track 1 are comment default instead of default.',
  ],
  ['without its title', { format: { tags: {} } }, 'metadata: title of the file: none instead of Cam'],
  ['with a new brand', { format: { tags: { title: 'Cam', major_brand: 'isom' } } }, undefined],
  [
    'without its date',
    { video: { tags: { handler_name: 'V' } } },
    'metadata: creation_time of track 0: none instead of 2024-01-02T03:04:05.000000Z',
  ],
  ['with chapters', { chapters: CHAPTERS }, 'metadata: chapters: [[0,"one"]] instead of []'],
  ['of 901 bytes', { bytes: 901 }, 'savings: 901 bytes instead of 1000 save 9.9 %; 10 % are asked for.'],
  ['of 900 bytes', { bytes: 900 }, undefined],
  ['larger', { bytes: 1100 }, 'savings: 1100 bytes instead of 1000 save -10.0 %; 10 % are asked for.'],
])('a new file that is %s', (_, parts, expected) => {
  const found = compareFiles(original(), archived(parts), policy).map(({ reason, detail }) => `${reason}: ${detail}`);
  expect(found[0]).toBe(expected);
});

test('an index that declares more than the file holds', () => {
  expect(indexFault(original())).toBeUndefined();
  expect(indexFault(original({ pictures: times(12800, [0, 512]) }))).toEqual({
    reason: 'source_damaged',
    detail: 'Track 0 declares 3 packets and holds 2.',
  });
  // An edit list hides one.
  expect(indexFault(original({ pictures: times(12800, [0, 512], 3) }))).toBeUndefined();
  expect(indexFault(original({ samples: times(48000, [0]) }))?.detail).toBe('Track 1 declares 2 packets and holds 1.');
  expect(indexFault(original({ pictures: times(12800, [], 3) }))?.detail).toBe('It shows no picture.');
});

const GOOD = { mean: 0.98, worstSecond: 0.97, worstAt: 4, worstPicture: 0.95, median: 0.981, psnr: 38 };

test.each([
  ['as good as asked for', GOOD, []],
  ['bad on average', { ...GOOD, mean: 0.9599 }, ['quality_mean']],
  ['bad in a second', { ...GOOD, worstSecond: 0.9399 }, ['quality_worst_second']],
  ['bad in one picture', { ...GOOD, worstPicture: 0.94 }, ['quality_picture']],
  ['shifted in colour', { ...GOOD, psnr: 25 }, ['quality_color']],
  ['not measured', { ...GOOD, mean: Number.NaN }, ['quality_mean']],
])('pictures that are %s', (_, quality, reasons) => {
  expect(qualityFaults(quality, policy).map(({ reason }) => reason)).toEqual(reasons);
});

test('what FFmpeg prints of a picture', () => {
  expect(pictureValue('n:1 Y:0.967370 U:0.970683 V:0.983993 All:0.970693 (15.330253)')).toEqual({ ssim: 0.970693 });
  expect(pictureValue('n:1 mse_avg:1.5 mse_y:1 mse_u:2 mse_v:2 psnr_avg:46.37 psnr_y:48 psnr_u:45 psnr_v:45 ')).toEqual(
    {
      psnr: 46.37,
    },
  );
  expect(pictureValue('n:2 mse_avg:0.00 psnr_avg:inf psnr_y:inf')).toEqual({ psnr: 100 });
  expect(pictureValue('anything else')).toBeUndefined();
});

test('the worst second and the worst picture are found', () => {
  const fold = new QualityFold();
  for (const [value, at] of [
    [1, 0],
    [0.9, 0.5],
    [0.8, 1],
    [0.9, 1.5],
    [0.99, 2],
  ] as const)
    fold.addSsim(value, at);
  fold.addPsnr(40);
  fold.addPsnr(44);
  const { mean, worstSecond, ...rest } = fold.result();
  expect([mean, worstSecond].map((value) => value.toFixed(3))).toEqual(['0.918', '0.850']);
  expect(rest).toEqual({ worstAt: 1, worstPicture: 0.8, median: 0.9, psnr: 42 });
});
