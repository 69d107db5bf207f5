import { expect, test } from 'vitest';
import { asDropreelError } from '../../../../containers/transcoder/failures.ts';
import { Complaints, plain } from '../../../../containers/transcoder/ffmpeg/complaints.ts';
import { damaged, encodeFailure, probeFailure } from '../../../../containers/transcoder/ffmpeg/errors.ts';
import { encodedSeconds, ProgressReader } from '../../../../containers/transcoder/ffmpeg/progress.ts';

function said(text: string): Complaints {
  const complaints = new Complaints();
  complaints.add(text);
  return complaints;
}

test('progress is read block by block, however the text is split', () => {
  const reader = new ProgressReader();
  expect(reader.read('frame=12\nfps=3.0\nout_time_us=48')).toEqual([]);
  expect(reader.read('0000\nspeed=1.92x\nprogress=continue\nframe=24\n')).toEqual([
    { frames: 12, seconds: 0.48, speed: 1.92 },
  ]);
  expect(reader.read('out_time_us=N/A\nspeed=N/A\nprogress=end\n')).toEqual([
    { frames: 24, seconds: undefined, speed: undefined },
  ]);
});

test('an encode has come as far as the pictures that are written, of those that are decoded', () => {
  const decoded = { count: 200, last: 8 };
  expect(encodedSeconds(0, decoded, undefined)).toBe(0);
  expect(encodedSeconds(100, decoded, undefined)).toBe(4);
  // A late picture is repeated before it.
  expect(encodedSeconds(208, decoded, undefined)).toBe(8);
  expect(encodedSeconds(5, { count: 0, last: 0 }, undefined)).toBe(0);
  expect(encodedSeconds(50, { count: 200, last: 2 }, { num: 50, den: 1 })).toBe(1);
});

test.each([
  ['corrupt', '[mov,mp4 @ 0x1] moov atom not found\nsource: Invalid data found when processing input'],
  ['corrupt', '[ogg @ 0x1] CRC mismatch!\n[ogg @ 0x1] Header processing failed: Invalid data found'],
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
  ['limit_pixels', '[png @ 0x1] Picture size 30000x30000 exceeds specified max pixel count 58982400', undefined],
  ['corrupt', 'Error while decoding stream #0:0: Invalid data found when processing input', undefined],
  ['corrupt', 'Cannot determine format of input stream 0:0 after EOF', undefined],
])('ffmpeg: %s', (code, stderr, signal) => {
  expect(encodeFailure(said(stderr), { code: signal ? undefined : 1, signal, started: false }).code).toBe(code);
});

test('a file of which something was decoded is not called undecodable', () => {
  const stderr = 'Error while decoding stream #0:0: Invalid data found when processing input';
  expect(encodeFailure(said(stderr), { code: 1, signal: undefined, started: true }).code).toBe('encode_failed');
});

test('a message names the first fault, without marks and addresses', () => {
  const stderr = [
    '[swscaler @ 0x55f451c69980] [warning] deprecated pixel format used',
    '[h264 @ 0x55e89b7d3d00] [error] cabac_init_idc 12 overflow',
    '[out#0/mp4 @ 0x7f12a0] [error] Task finished with error code: -22',
    '[fatal] Conversion failed!',
  ].join('\n');
  const { message } = encodeFailure(said(`${stderr}\n`), { code: 1, signal: undefined, started: true });
  expect(message).toBe('FFmpeg ended with exit code 1: cabac_init_idc 12 overflow');
});

test('a file of which FFmpeg could not decode the most part is corrupt', () => {
  const stderr = '[h264 @ 0x55e89b7d3d00] [error] cabac_init_idc 12 overflow\n';
  expect(encodeFailure(said(stderr), { code: 69, signal: undefined, started: true })).toMatchObject({
    code: 'corrupt',
    message: 'Most of the file could not be decoded: cabac_init_idc 12 overflow',
  });
});

test('the output that is kept has no addresses, at the start of a line or within it', () => {
  const stderr = '[h264 @ 0x55e89b7d3d00] [error] no frame!\n[error] Error in [out#0/mp4 @ 0x7f12a0] and after\n';
  expect(plain(stderr)).toBe('[h264] no frame!\nError in [out#0/mp4] and after\n');
  expect(said('[error] Error in [out#0/mp4 @ 0x7f12a0] and after\n').fault).toBe('Error in [out#0/mp4] and after');
});

test('an index that points behind the end of a file is reported as a truncated file', () => {
  const stderr = [
    '[mov,mp4,m4a,3gp,3g2,mj2 @ 0x5618015c0880] [error] stream 0, offset 0x800012d7: partial file',
    '[error] Cannot determine format of input stream 0:0 after EOF',
    '[fatal] Error marking filters as finished',
  ].join('\n');
  const truncated = { code: 'truncated', message: 'The file is cut off: its index names media behind its end.' };
  expect(encodeFailure(said(`${stderr}\n`), { code: 1, signal: undefined, started: false })).toMatchObject(truncated);
  expect(damaged('stream 0, offset 0x800012d7: partial file', 'too short')).toMatchObject(truncated);
});

test('a codec without a name is reported as unknown to FFmpeg', () => {
  const stderr = '[error] Decoder (codec none) not found for input stream #0:0\n';
  expect(encodeFailure(said(stderr), { code: 1, signal: undefined, started: false })).toMatchObject({
    code: 'unsupported_codec',
    message: 'No decoder here reads a codec that FFmpeg does not support.',
  });
});

test('the first fault is kept when the output is longer than the limit', () => {
  const complaints = said('[mov @ 0x1] [error] sample size is wrong\n');
  for (let i = 0; i < 1000; i++) complaints.add(`[h264 @ 0x2] [error] no frame! ${i}\n`);
  expect(complaints.sentence).toBe('sample size is wrong');
  expect(complaints.tail.length).toBeLessThan(5000);
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

test.each([
  ['5.1', '[error] Error while decoding stream #0:1: Invalid data found when processing input'],
  [
    '7.1',
    '[aist#0:1/aac @ 0x5] [dec:aac @ 0x6] [error] Error submitting packet to decoder: Invalid data found when processing input',
  ],
])('packets that could not be decoded are counted for each track, as FFmpeg %s says it', (_, line) => {
  const complaints = said(
    `[aac @ 0x1] [error] Prediction is not allowed in AAC-LC.\n${line}\n${line}\n${line.slice(0, 20)}`,
  );
  complaints.add(`${line.slice(20)}\n`);
  expect([complaints.undecoded(1), complaints.undecoded(0)]).toEqual([3, 0]);
  expect(complaints.fault).toBe('Prediction is not allowed in AAC-LC.');
});

test.each([
  ['5.1', '[flv @ 0x1] [warning] New audio stream 0:1 at pos:2774 and DTS:94.975s'],
  ['7.1', '[in#0/flv @ 0x1] [warning] New audio stream with index 1 at pos:2774 and DTS:94.975s'],
])('a track that begins after the part that was read to find tracks is noted, as FFmpeg %s says it', (_, line) => {
  expect(said(`${line}\n`).late).toEqual([{ type: 'audio', at: 94.975 }]);
  expect(said(`${line.replace('94.975', 'NOPTS')}\n`).late).toEqual([{ type: 'audio' }]);
});

test.each([
  ['FLAC of a wrong checksum', '[warning] source: corrupt decoded frame in stream 1'],
  ['a cut packet of MPEG-PS', '[mpeg @ 0x55e89b7d3d00] [warning] Packet corrupt (stream = 1, dts = 80098).'],
  ['MXF', '[mxf @ 0x55e89b7d3d00] [warning] broken or empty index'],
])('damage that FFmpeg tells as a warning is a fault: %s', (_, line) => {
  expect(said(`${line}\n`).fault).toBe(line.replace(/^.*\[warning\] /, ''));
});

test('the short last packet of a WAV that does not say its length, as programs write it into a pipe, is no fault', () => {
  const warnings = [
    '[wav @ 0x55e89b7d3d00] [warning] Packet corrupt (stream = 0, dts = NOPTS).',
    '[warning] source: corrupt input packet in stream 0',
  ];
  expect(said(`${warnings.join('\n')}\n`).fault).toBeUndefined();
});

test('an error in the tags of a file, which are not carried, is no fault of its sound', () => {
  const said = new Complaints();
  said.add('[error] Cannot read BOM value, input too short\n[id3v2 @ 0x5] [error] Incorrect BOM value: 0x0\n');
  expect(said.fault).toBeUndefined();
});

test('the address of the door to a source in S3 is in no sentence that is shown', () => {
  const address = `http://source.invalid/${'aB3-_'.repeat(6)}xy`;
  const complaints = said(`[warning] ${address}: corrupt decoded frame in stream 1\n`);
  expect(complaints.fault).toBe('source: corrupt decoded frame in stream 1');
  expect(plain(complaints.tail)).toBe('source: corrupt decoded frame in stream 1\n');
});

test('a gap in the counters of a transport stream is no fault by itself', () => {
  const complaints = said('[mpegts @ 0x55e89b7d3d00] [warning] Packet corrupt (stream = 0, dts = 484320).\n');
  expect(complaints.fault).toBeUndefined();
  expect(complaints.gap).toBe('Packet corrupt (stream = 0, dts = 484320).');
  expect([...complaints.lastGaps]).toEqual([[0, 484_320 / 90_000]]);
});
