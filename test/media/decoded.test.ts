import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brokenRulesOf } from '../support/by-the-book.ts';
import { H264_AAC, make, picture, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { transcodeFile } from '../support/transcode.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
});

const run = (...args: string[]) => make(directory.path, ...args);

/** One file's bytes after the other's, as `cat` joins them. */
async function joined(name: string, ...paths: string[]): Promise<string> {
  const path = join(directory.path, name);
  await writeFile(path, Buffer.concat(await Promise.all(paths.map((part) => readFile(part)))));
  return path;
}

const VP8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'libopus'];
const webm = (size: string) => run(...picture(size, '20', 1), ...tone(1), ...VP8, `${size}.webm`);

/** Two parts of a WebM whose pictures change their size. */
async function changing(name: string, ...sizes: string[]): Promise<string> {
  for (const size of new Set(sizes)) await webm(size);
  await writeFile(join(directory.path, 'list.txt'), sizes.map((size) => `file ${size}.webm\n`).join(''));
  return run('-f', 'concat', '-i', 'list.txt', '-c', 'copy', name);
}

async function twoMp3(name: string, first: string[], second: string[]): Promise<string> {
  const part = (file: string, args: string[]) => run(...tone(1), ...args, '-write_xing', '0', file);
  return joined(name, await part('1.mp3', first), await part('2.mp3', second));
}

const stream = () => run(...picture('160x120', '20', 1), ...tone(1), ...H264_AAC, '-g', '20', 'part.ts');
const PAUSE = ['-vf', "select='lt(t,1)+gte(t,13)'", '-fps_mode', 'vfr', '-bf', '2'];

/** Title; source; pictures; seconds of sound. */
const CASES: [string, () => Promise<string>, number | null, number | null][] = [
  ['a picture that grows', () => changing('grows.webm', '160x120', '240x180'), 40, 2],
  ['a picture that shrinks', () => changing('shrinks.webm', '240x180', '160x120'), 40, 2],
  ['a picture that is turned twice', () => changing('turns.webm', '240x134', '134x240', '240x134'), 60, 3],
  ['mono that becomes stereo', () => twoMp3('stereo.mp3', ['-ac', '1'], ['-ac', '2']), null, 2],
  ['44.1 kHz that becomes 48 kHz', () => twoMp3('rates.mp3', ['-ar', '44100'], ['-ar', '48000']), null, 2],
  ['a clock that restarts', async () => joined('restarts.ts', await stream(), await stream()), 40, 2],
  [
    'FLV after FLV',
    async () => {
      const part = await run(...picture('160x120', '20', 1), ...tone(1), ...H264_AAC, 'part.flv');
      return joined('two.flv', part, part);
    },
    40,
    2,
  ],
  [
    'Ogg after Ogg',
    async () => {
      const part = await run(...tone(1), '-c:a', 'libvorbis', 'part.ogg');
      return joined('chained.ogg', part, part);
    },
    null,
    2,
  ],
  [
    'a pause of 12 s in an MP4',
    () => run(...picture('160x120', '10', 15), ...tone(15), ...PAUSE, ...H264_AAC, 'p.mp4'),
    30,
    15,
  ],
  [
    'a pause of 12 s in a TS',
    () => run(...picture('160x120', '10', 15), ...tone(15), ...PAUSE, ...H264_AAC, 'p.ts'),
    30,
    15,
  ],
  ['a slide every 4 s', () => run(...picture('160x120', '1/4', 12), ...tone(12), ...H264_AAC, 'slides.mp4'), 3, 12],
  [
    'reordered pictures in AVI',
    () => run(...picture('160x120', '20', 2), ...H264_AAC, '-preset', 'veryfast', '-bf', '3', 'b.avi'),
    40,
    null,
  ],
  [
    'raw H.264',
    () => run(...picture('160x120', '25', 2), '-c:v', 'libx264', '-preset', 'veryfast', 'raw.h264'),
    50,
    null,
  ],
  [
    'speech at 8 kHz, 17 frames of 128 ms',
    () => run(...tone(2.05), '-ar', '8000', '-ac', '1', '-c:a', 'aac', '8k.m4a'),
    null,
    2.176,
  ],
  ['Windows Media', () => run(...tone(2), '-c:a', 'wmav2', 'media.wma'), null, 2],
  ['lossless packets without a length', () => run(...tone(3), '-c:a', 'tta', 'tta.mka'), null, 3],
  [
    'sound that goes on after the picture',
    () => run(...picture('160x120', '20', 1), ...tone(3), ...H264_AAC, 'l.mp4'),
    20,
    3,
  ],
  [
    'a picture that goes on after the sound',
    () => run(...picture('160x120', '20', 3), ...tone(1), ...H264_AAC, 's.mp4'),
    60,
    1,
  ],
];

/** Rules of docs/streams.md that these sources cannot keep: a picture stands still for longer than a segment, or one track ends earlier. */
const NOT_KEPT: Readonly<Record<string, string[]>> = {
  'a pause of 12 s in an MP4': ['target-of-6', 'segments-of-6', 'same-boundaries'],
  'a pause of 12 s in a TS': ['target-of-6', 'segments-of-6', 'same-boundaries'],
  'a slide every 4 s': ['target-of-6', 'segments-of-6'],
  'sound that goes on after the picture': ['same-duration'],
  'a picture that goes on after the sound': ['same-duration'],
};

/** At the joint of two MP3 a frame is lost: its bits would be in those before it, which are the other file's. */
const WARNED: Readonly<Record<string, string[]>> = {
  'mono that becomes stereo': ['sound_damaged'],
  '44.1 kHz that becomes 48 kHz': ['sound_damaged'],
};

interface Track {
  codec_type: string;
  nb_read_packets: string;
  start_time: string;
  duration: string;
}

async function tracksOf(path: string): Promise<Map<string, Track>> {
  const args = ['-v', 'error', '-count_packets', '-show_streams', '-of', 'json', path];
  const { streams } = JSON.parse((await execa(TOOLS.ffprobe, args)).stdout) as { streams: Track[] };
  return new Map(streams.map((track) => [track.codec_type, track]));
}

/** Times of the packets in order. */
async function timesOf(path: string, kind: 'v' | 'a'): Promise<number[]> {
  const args = ['-v', 'error', '-select_streams', kind, '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', path];
  return (await execa(TOOLS.ffprobe, args)).stdout
    .trim()
    .split(/,?\n/)
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * By how many seconds a picture, as Media Source Extensions take its duration, reaches beyond one that is decoded after it; and how long before
 * it is shown the first is decoded.
 */
async function decodeTimes(path: string): Promise<{ overlap: number; delay: number }> {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'v',
    '-show_entries',
    'packet=pts_time,dts_time',
    '-of',
    'csv=p=0',
    path,
  ];
  const { stdout } = await execa(TOOLS.ffprobe, args);
  const packets = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));
  let [overlap, first] = [0, Number.POSITIVE_INFINITY];
  for (let i = packets.length - 2; i >= 0; i--) {
    const [[shown = 0, at = 0] = [], [nextShown = 0, next = 0] = []] = [packets[i], packets[i + 1]];
    first = Math.min(first, nextShown);
    overlap = Math.max(overlap, shown + next - at - first);
  }
  return { overlap, delay: (packets[0]?.[0] ?? 0) - (packets[0]?.[1] ?? 0) };
}

test.each(CASES)('%s has all its pictures and samples, once each', async (title, source, pictures, seconds) => {
  const { result, out } = await transcodeFile(directory.path, await source());
  expect(result.warnings?.map(({ code }) => code)).toEqual(WARNED[title] ?? []);
  const broken = (await brokenRulesOf({ result, out })).map((line) => line.split(' ')[0]);
  expect([...new Set(broken)]).toEqual(NOT_KEPT[title] ?? []);
  const rendition = (kind: 'video' | 'audio') => {
    const found = kind === 'audio' && result.audio[0] ? result.audio[0] : result.renditions[0];
    return join(out, found?.playlist ?? '');
  };
  if (pictures !== null) {
    const times = await timesOf(rendition('video'), 'v');
    expect(times).toHaveLength(pictures);
    const { overlap, delay } = await decodeTimes(join(out, `${result.renditions[0]?.name}.mp4`));
    expect(overlap).toBeLessThan(0.5);
    expect(delay).toBeLessThan(0.25);
    expect(times[0]).toBe(0);
    const mp4 = (await tracksOf(join(out, result.mp4 ?? ''))).get('video');
    expect(Number(mp4?.nb_read_packets)).toBe(pictures);
    const last = times.at(-1) ?? 0;
    expect(Number(mp4?.duration)).toBeGreaterThan(last);
    // What the MP4 announces is what it holds: the last picture stays for no longer than its own time.
    expect(Number(mp4?.duration)).toBeLessThanOrEqual(last + 4.1);
  }
  if (seconds === null) return;
  const times = await timesOf(rendition('audio'), 'a');
  const steps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  // Each AAC frame of 1024 samples follows the one before: no silence is put in, and no tick is made up.
  expect(Math.max(...steps)).toBeLessThan(0.0245);
  expect(Math.min(...steps)).toBeGreaterThan(0.02);
  expect(Math.abs((times.at(-1) ?? 0) + 0.0225 - seconds)).toBeLessThanOrEqual(0.1);
});
