import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Preset } from '../../core/contracts/presets.ts';
import { brokenRulesOf } from '../support/by-the-book.ts';
import { numbered, numbersIn, transcodeInChunks } from '../support/chunks.ts';
import { workingGpu } from '../support/gpu-driver/driver.ts';
import { make, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { besideTone, loudFrom, soundOf } from '../support/tone.ts';
import { presetNamed, transcodeFile } from '../support/transcode.ts';

const standard = presetNamed('standard');
/** Two small rungs, of which the MP4 shares the larger one. */
const small: Preset = {
  ...standard,
  rungs: [360, 180].map((shortSide) => ({
    ...{ name: `${shortSide}p`, shortSide },
    ...{ maxBitrate: 500_000, audio: '64k' as const },
  })),
};

/** Open groups of pictures of about four seconds, with pictures that refer to each other across their borders. */
const OPEN = ['-g', '97', '-bf', '3', '-x264-params', 'open-gop=1:scenecut=0'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', ...OPEN];
const H265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const HEVC = [...H265, '-x265-params', 'log-level=error:open-gop=1:keyint=60:bframes=4', '-tag:v', 'hvc1'];
const VP9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-lag-in-frames', '16', '-g', '200'];
/** Every fifth and every seventh picture, and none for longer than a chunk lasts. */
const VARYING = "select='(not(mod(n,7)-3)+not(mod(n,5))+between(t,20,23))*not(between(t,5,12.5))'";
/** Of some seconds each fifth picture is left out. */
const TELECINED = "select='not(between(t,3,8)*not(mod(n,5)))'";
const AAC = ['-c:a', 'aac'];

/** Seconds: a tick of Matroska's clock. */
const TICK = 0.0011;

async function chunked(directory: string, file: string, count: number, preset = small) {
  const made = await transcodeInChunks(directory, file, count, preset);
  if ('why' in made) throw new Error(made.why.join('; '));
  return made;
}

/** What a source is to be shown as: from the start of the file on, where its first picture is, whenever it comes. */
async function shownOf(file: string) {
  const { stdout } = await execa(TOOLS.ffprobe, [
    '-v',
    'error',
    '-show_entries',
    'format=start_time',
    '-of',
    'csv=p=0',
    file,
  ]);
  return (await numbersIn(file)).map(({ number, at }, i) => ({ number, at: i === 0 ? 0 : at - Number(stdout) }));
}

test.each<[string, number, string[], string[]?]>([
  ['open groups at 29.97, MP4', 3, [...numbered('30000/1001', 21), ...tone(21), ...H264, ...AAC, 'film.mp4']],
  ['open groups at 23.976, Matroska', 3, [...numbered('24000/1001', 21), ...tone(21), ...H264, ...AAC, 'film.mkv']],
  [
    'a rate that varies, and a chunk without a picture',
    4,
    [...numbered('30', 26), ...tone(26), '-vf', VARYING, '-fps_mode', 'vfr', ...H264, ...AAC, 'film.mp4'],
  ],
  [
    'an edit list that begins within a group',
    3,
    [...numbered('25', 22), ...tone(22), ...H264, ...AAC, 'uncut.mp4'],
    ['-ss', '1.3', '-i', 'uncut.mp4', '-c', 'copy', 'film.mp4'],
  ],
  [
    // rust-av/Av1an#699: pictures stand still, and others are missing, where the rate of a disc's parts was restored.
    'parts of 24 and of 30 pictures a second, FFV1 in Matroska',
    2,
    [...numbered('30000/1001', 13), ...tone(13), '-vf', TELECINED, '-fps_mode', 'vfr', '-c:v', 'ffv1', 'film.mkv'],
  ],
  ['open groups of HEVC', 3, [...numbered('25', 20), ...HEVC, 'film.mp4']],
  ['VP9 with pictures that are not shown', 3, [...numbered('25', 20), ...VP9, 'film.webm']],
])(
  '%s: of %d chunks, rungs and MP4 show each picture of the source once, at its time',
  async (_, count, args, more) => {
    await using directory = await temporaryDirectory();
    const first = await make(directory.path, ...args);
    const file = more ? await make(directory.path, ...more) : first;
    const { result, out, cut } = await chunked(directory.path, file, count);
    expect(cut).toHaveLength(count);
    const source = await shownOf(file);
    for (const output of ['360p.m3u8', '180p.m3u8', 'video.mp4']) {
      const shown = await numbersIn(join(out, output));
      expect(
        shown.map(({ number }) => number),
        output,
      ).toEqual(source.map(({ number }) => number));
      const off = shown.map(({ at }, i) => Math.abs(at - (source[i]?.at ?? Number.NaN)));
      expect(Math.max(...off), output).toBeLessThan(TICK);
    }
    expect(result.warnings).toEqual([]);
  },
  120_000,
);

test('a film of chunks keeps the rules of streams; its sound is that of the encode of the whole, and in time to its end', async () => {
  await using directory = await temporaryDirectory();
  const sounds = "aevalsrc='0.2*sin(2*PI*440*t)+0.6*sin(2*PI*3000*t)*between(t,21,21.1)':s=48000:d=23";
  const inputs = [...numbered('25', 23), '-f', 'lavfi', '-i', sounds];
  const file = await make(directory.path, ...inputs, ...H264, ...AAC, '-b:a', '128k', 'film.mp4');
  // At 64 kbit/s FFmpeg's encoder makes a noise of its own beside a tone.
  const preset = { ...small, rungs: small.rungs.map((rung) => ({ ...rung, audio: '128k' as const })) };
  const whole = await transcodeFile(directory.path, file, preset);
  const parts = await chunked(directory.path, file, 4, preset);
  expect(await brokenRulesOf(parts)).toEqual([]);
  const sound = 'audio-128k.mp4';
  expect((await readFile(join(parts.out, sound))).equals(await readFile(join(whole.out, sound)))).toBe(true);
  const lengths = ({ result }: typeof whole) => result.renditions.map(({ durationSeconds }) => durationSeconds);
  expect(lengths(parts)).toEqual(lengths(whole));
  expect(Object.keys(parts.result).sort()).toEqual(Object.keys(whole.result).sort());
  const heard = await soundOf(join(parts.out, 'video.mp4'));
  expect(besideTone(heard, 440, [6, 12, 18])).toBeLessThan(-60);
  expect(Math.abs(loudFrom(heard, 0.4, 20) - 21)).toBeLessThan(0.02);
}, 300_000);

test.each([
  ['', { decode: true, scale: true, encode: true }],
  ['decode', { decode: false, encode: true, why: 'Failed setup for format cuda' }],
])(
  'chunks on GPUs show each picture once (fault: "%s")',
  async (fault, gpu) => {
    await using directory = await temporaryDirectory();
    const file = await make(directory.path, ...numbered('10', 13), ...tone(13), ...H264, ...AAC, 'film.mp4');
    const tools = await workingGpu(directory.path, fault);
    const made = await transcodeInChunks(directory.path, file, 2, small, { tools, gpu: true });
    if ('why' in made) throw new Error(made.why.join('; '));
    expect(made.result.gpu).toEqual(gpu);
    const numbers = (await numbersIn(join(made.out, 'video.mp4'))).map(({ number }) => number);
    expect(numbers).toEqual(Array.from({ length: 130 }, (_, i) => i));
  },
  120_000,
);

test('a film that is damaged is encoded whole', async () => {
  await using directory = await temporaryDirectory();
  const file = await make(directory.path, ...numbered('25', 20), ...tone(20), ...H264, ...AAC, 'film.mp4');
  const handle = await open(file, 'r+');
  const { size } = await handle.stat();
  for (const part of [0.3, 0.5, 0.7]) await handle.write(Buffer.alloc(300, 0xa5), 0, 300, Math.round(size * part));
  await handle.close();
  expect(await transcodeInChunks(directory.path, file, 3, small)).toEqual({ why: [expect.stringMatching('damaged')] });
}, 300_000);
