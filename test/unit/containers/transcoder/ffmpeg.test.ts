import { expect, test } from 'vitest';
import { asDropreelError } from '../../../../containers/transcoder/failures.ts';
import { encodeFailure, probeFailure } from '../../../../containers/transcoder/ffmpeg/errors.ts';
import { ProgressReader } from '../../../../containers/transcoder/ffmpeg/progress.ts';

test('progress is read block by block, however the text is cut', () => {
  const reader = new ProgressReader();
  expect(reader.read('frame=12\nfps=3.0\nout_time_us=48')).toEqual([]);
  expect(reader.read('0000\nspeed=1.92x\nprogress=continue\nframe=24\n')).toEqual([
    { frames: 12, seconds: 0.48, speed: 1.92 },
  ]);
  expect(reader.read('out_time_us=N/A\nspeed=N/A\nprogress=end\n')).toEqual([
    { frames: 24, seconds: undefined, speed: undefined },
  ]);
});

test.each([
  ['corrupt', '[mov,mp4 @ 0x1] moov atom not found\nsource: Invalid data found when processing input'],
  ['not_media', 'source: Invalid data found when processing input'],
  ['limit_pixels', '[png @ 0x1] Picture size 30000x30000 exceeds specified max pixel count 58982400'],
  ['playlist_refused', "[hls @ 0x1] Format not on whitelist 'mov'"],
  ['still_image', "[png_pipe @ 0x1] Format not on whitelist 'mov'"],
  ['no_tracks', "[srt @ 0x1] Format not on whitelist 'mov'"],
])('ffprobe: %s', (code, stderr) => {
  expect(probeFailure(stderr).code).toBe(code);
});

test.each([
  ['disk_full', 'av_interleaved_write_frame(): No space left on device', undefined],
  ['out_of_memory', '', 'SIGKILL'],
  ['unsupported_codec', 'Decoder (codec apac) not found for input stream #0:1', undefined],
  ['encode_failed', 'Conversion failed!', undefined],
])('ffmpeg: %s', (code, stderr, signal) => {
  expect(encodeFailure(stderr, { code: signal ? undefined : 1, signal }).code).toBe(code);
});

test.each([
  ['disk_full', Object.assign(new Error('no space'), { code: 'ENOSPC' })],
  ['storage_failed', Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
  ['storage_failed', Object.assign(new Error('slow down'), { $metadata: { httpStatusCode: 503 } })],
  ['worker_bug', new TypeError('x is not a function')],
  ['worker_bug', 'text'],
])('the worker: %s', (code, error) => {
  expect(asDropreelError(error).code).toBe(code);
});
