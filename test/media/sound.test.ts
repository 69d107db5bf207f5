import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mendFlvJoints } from '../../containers/transcoder/flv-joints.ts';
import { H264_AAC, make, picture, TOOLS, temporaryDirectory } from '../support/media.ts';
import { presetNamed, transcodeFile } from '../support/transcode.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
});

const SMALL = picture('160x120', '10', 4.3);
/** The first 0.2 s of each second of a tone; between them there are no packets. */
const BURSTS = ['-f', 'lavfi', '-i', 'sine=d=4.3:sample_rate=48000', '-af', "aselect='lt(mod(t,1),0.2)'"];
const H264_PCM = [...H264_AAC, '-c:a', 'pcm_s16le'];

/** Where sound begins and ends, in hundredths of a second. */
async function heard(path: string): Promise<[from: number, to: number][]> {
  const args = ['-v', 'error', '-i', path, '-map', '0:a', '-ac', '1', '-ar', '8000', '-f', 's16le', 'pipe:1'];
  const { stdout } = await execa(TOOLS.ffmpeg, args, { encoding: 'buffer' });
  const samples = new Int16Array(Uint8Array.from(stdout).buffer);
  const found: [number, number][] = [];
  for (let at = 0; at < samples.length / 80; at++) {
    if (samples.subarray(at * 80, at * 80 + 80).every((value) => Math.abs(value) < 300)) continue;
    const last = found.at(-1);
    if (last?.[1] === at) last[1] = at + 1;
    else found.push([at, at + 1]);
  }
  return found;
}

test('bursts of 0.2 s are heard at their times, in the film and in the waveform', async () => {
  const film = await make(directory.path, ...SMALL, ...BURSTS, ...H264_PCM, 'bursts.mkv');
  const { result, out } = await transcodeFile(directory.path, film);
  const bursts = [0, 100, 200, 300, 401];
  expect((await heard(join(out, result.mp4 ?? ''))).map(([from]) => from)).toEqual(bursts);
  const song = await make(directory.path, ...BURSTS, '-c:a', 'pcm_s16le', 'bursts.mka');
  const sound = await transcodeFile(directory.path, song);
  const waveform = await readFile(join(sound.out, sound.result.waveform ?? ''), 'utf8');
  const { data, length } = JSON.parse(waveform) as { data: number[]; length: number };
  // 20 pixels a second: 4.203 s.
  expect(length).toBe(85);
  const loud = Array.from({ length }, (_, i) => i).filter((i) => (data[2 * i + 1] ?? 0) > 2);
  expect(loud.filter((i) => !loud.includes(i - 1))).toEqual([0, 20, 40, 60, 80]);
});

test('sound is brought to the loudness of its preset, and begins when it did', async () => {
  const quiet = ['-f', 'lavfi', '-i', 'anoisesrc=d=8:c=pink:a=0.02:r=44100:seed=1', '-af', 'adelay=1000:all=1'];
  const song = await make(directory.path, ...quiet, '-ac', '2', '-c:a', 'pcm_s16le', 'quiet.wav');
  const preset = { ...presetNamed('standard'), loudnessTarget: -16 };
  const { result, out } = await transcodeFile(directory.path, song, preset);
  expect(result.renditions.map(({ name }) => name)).toEqual(['128k', '64k']);
  for (const { playlist } of result.renditions) {
    const measured = ['-nostdin', '-i', join(out, playlist), '-af', 'ebur128', '-f', 'null', '-'];
    const { stderr } = await execa(TOOLS.ffmpeg, measured);
    const loudness = Number(/Integrated loudness:\s+I:\s+(\S+) LUFS/.exec(stderr)?.[1]);
    // EBU R128 allows programmes 1 LU.
    expect(Math.abs(loudness + 16)).toBeLessThan(1);
    const bounds = await heard(join(out, playlist));
    // The noise takes its time to be heard, and AAC ends with a whole frame.
    expect(Math.abs((bounds[0]?.[0] ?? 0) - 100)).toBeLessThan(4);
    expect(Math.abs((bounds.at(-1)?.[1] ?? 0) - 900)).toBeLessThan(6);
  }
});

test('sound alone whose time steps back is heard to its end', async () => {
  const song = [
    '-f',
    'lavfi',
    '-i',
    'sine=d=4:sample_rate=48000',
    '-c:a',
    'pcm_s16le',
    '-cluster_time_limit',
    '1000',
    '-write_crc32',
    '0',
  ];
  const path = await make(directory.path, ...song, 'back.mka');
  const bytes = await readFile(path);
  // From its third cluster on, after 92 packets of 1024 samples, the clock is 0.3 s early. A cluster begins with its time in ms.
  const starts: number[] = [];
  for (let at = bytes.indexOf('1f43b675', 'hex'); at >= 0; at = bytes.indexOf('1f43b675', at + 4, 'hex'))
    starts.push(at);
  for (const at of starts.slice(2)) {
    const time = bytes.indexOf('e782', at, 'hex') + 2;
    bytes.writeUInt16BE(bytes.readUInt16BE(time) - 300, time);
  }
  await writeFile(path, bytes);
  const { result } = await transcodeFile(directory.path, path);
  expect(result.warnings).toEqual([]);
  expect(result.source.durationSeconds).toBeCloseTo(4, 2);
});

/** Sines of 300 Hz, 500 Hz… one for each channel. */
const sines = (layout: string, count: number) => [
  ...['-f', 'lavfi', '-i'],
  `aevalsrc='${Array.from({ length: count }, (_, i) => `0.2*sin(2*PI*${300 + 200 * i}*t)`).join('|')}':d=1:s=48000:c=${layout}`,
];

test.each<[string, string[], string[]]>([
  ['a mono bass', [...sines('LFE', 1), 'bass.wav'], []],
  ['two speakers at the back', [...sines('BL+BR', 2), 'back.wav'], []],
  ['ambisonics', [...sines('4.0', 4), '-c:a', 'libopus', '-mapping_family', '2', 'field.opus'], ['channels_reduced']],
  ['speakers above', [...sines('FL+FR+TFL+TFR', 4), 'above.wav'], ['channels_reduced']],
])('%s: it is heard, and drawn', async (_, args, warnings) => {
  const { result, out } = await transcodeFile(directory.path, await make(directory.path, ...args));
  expect(result.warnings?.map(({ code }) => code)).toEqual(warnings);
  const [longest] = await heard(join(out, result.renditions[0]?.playlist ?? ''));
  expect((longest?.[1] ?? 0) - (longest?.[0] ?? 0)).toBeGreaterThan(95);
  const { data } = JSON.parse(await readFile(join(out, result.waveform ?? ''), 'utf8')) as { data: number[] };
  expect(Math.max(...data)).toBeGreaterThan(5);
});

test('what joins an FLV to another is done once, and leaves others alone', async () => {
  const part = await make(directory.path, ...SMALL, ...H264_AAC, 'part.flv');
  const bytes = await readFile(part);
  await mendFlvJoints(part);
  expect(await readFile(part)).toEqual(bytes);
  const path = join(directory.path, 'three.flv');
  await writeFile(path, Buffer.concat([bytes, bytes, bytes.subarray(0, -5000)]));
  await mendFlvJoints(path);
  const once = await readFile(path);
  expect(once.length).toBe(3 * bytes.length - 5000);
  const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=dts_time', '-of', 'csv=p=0', path];
  const times = [...(await execa(TOOLS.ffprobe, args)).stdout.matchAll(/^[\d.]+/gm)].map(Number);
  const steps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  expect(times.length).toBeGreaterThan(2 * 43);
  expect(Math.max(...steps)).toBeLessThan(0.15);
  expect(Math.min(...steps)).toBeGreaterThan(0.05);
  await mendFlvJoints(path);
  expect(await readFile(path)).toEqual(once);
});

test('Matroska after Matroska is refused with what to do', async () => {
  const part = await readFile(await make(directory.path, ...SMALL, ...H264_AAC, 'part.mkv'));
  const path = join(directory.path, 'two.mkv');
  await writeFile(path, Buffer.concat([part, part]));
  await expect(transcodeFile(directory.path, path)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringMatching(
      /^The time of the file steps back: 4\d of 86 pictures come after later ones\. Recordings/,
    ),
  });
});

test('MP3 of a rate that varies, in an AVI that counts bytes, is heard at its times', async () => {
  // A silent frame takes a quarter of the bytes of a loud one.
  const bursts = ['-f', 'lavfi', '-i', 'anoisesrc=d=8:a=0.5:r=48000', '-af', "volume='lt(mod(t,4),1)':eval=frame"];
  const variable = ['-c:v', 'mpeg4', '-c:a', 'libmp3lame', '-q:a', '4'];
  const path = await make(directory.path, ...picture('160x120', '10', 8), ...bursts, ...variable, 'bytes.avi');
  const bytes = await readFile(path);
  const chunks = [...bytes.toString('latin1').matchAll(/01wb/g)].map(({ index }) => bytes.readUInt32LE(index + 4));
  const length = chunks.slice(0, chunks.length / 2).reduce((sum, size) => sum + size, 0);
  const head = bytes.indexOf('auds');
  const format = bytes.indexOf('strf', head) + 8;
  // dwScale, dwRate, dwLength and dwSampleSize of the stream; nAvgBytesPerSec and nBlockAlign of its format.
  for (const [at, value] of [
    [20, 1],
    [24, Math.round(length / 8)],
    [32, length],
    [44, 1],
  ] as const)
    bytes.writeUInt32LE(value, head + at);
  bytes.writeUInt32LE(Math.round(length / 8), format + 8);
  bytes.writeUInt16LE(1, format + 12);
  await writeFile(path, bytes);
  const { result, out } = await transcodeFile(directory.path, path);
  expect(result.warnings).toEqual([]);
  const starts = (await heard(join(out, result.mp4 ?? ''))).map(([from]) => from / 100);
  expect([starts.length, starts[0], starts[1]]).toEqual([2, expect.closeTo(0, 1), expect.closeTo(4, 1)]);
});
