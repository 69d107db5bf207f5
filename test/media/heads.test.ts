import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileInput } from '../../containers/transcoder/input/input.ts';
import { checkWhole } from '../../containers/transcoder/whole.ts';
import { H264_AAC, make, picture, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { transcodeFile } from '../support/transcode.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
});

const SMALL = [...picture('160x120', '20', 2), ...tone(2)];
const FRAGMENTS = ['-g', '20', '-movflags', '+frag_keyframe+empty_moov+default_base_moof'];

/** The file with its bytes changed. */
async function changed(args: string[], change: (bytes: Buffer) => Buffer): Promise<string> {
  const path = await make(directory.path, ...args);
  await writeFile(path, change(await readFile(path)));
  return path;
}

/** Where each box of this name begins that has a size before it, wherever it is nested. */
function boxes(bytes: Buffer, name: string): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1)) found.push(at - 4);
  return found;
}

function write32(bytes: Buffer, at: number, value: number): Buffer {
  bytes.writeUInt32BE(value, at);
  return bytes;
}

const SECOND_FRAGMENT = (bytes: Buffer) => {
  const [first = 0, second = 0] = boxes(bytes, 'moof');
  return Buffer.concat([bytes.subarray(0, first), bytes.subarray(second)]);
};

/** Title; the file; its pictures, or null; seconds of its sound. */
const CASES: [string, () => Promise<string>, number | null, number][] = [
  [
    'an AVI whose recorder could not go back to its head',
    async () => {
      const path = join(directory.path, 'piped.avi');
      const args = ['-v', 'error', ...SMALL, '-c:v', 'mjpeg', '-c:a', 'pcm_s16le', '-f', 'avi', 'pipe:1'];
      await writeFile(path, (await execa('ffmpeg', args, { encoding: 'buffer' })).stdout);
      return path;
    },
    40,
    2,
  ],
  [
    'an MP4 whose mdat counts its head twice',
    () =>
      changed([...SMALL, ...H264_AAC, '-movflags', '+faststart', 'long.mp4'], (bytes) => {
        const at = boxes(bytes, 'mdat').at(-1) ?? 0;
        return write32(bytes, at, bytes.readUInt32BE(at) + 8);
      }),
    40,
    2,
  ],
  [
    'a WAV whose RIFF has the size of the file',
    () =>
      changed([...tone(2), '-c:a', 'pcm_s16le', 'riff.wav'], (bytes) => {
        bytes.writeUInt32LE(bytes.length, 4);
        return bytes;
      }),
    null,
    2,
  ],
  [
    'fragments whose durations are not known',
    () =>
      changed([...SMALL, ...H264_AAC, ...FRAGMENTS, 'unknown.mp4'], (bytes) => {
        for (const at of boxes(bytes, 'mvhd')) write32(bytes, at + 24, 0xffffffff);
        for (const at of boxes(bytes, 'mdhd')) write32(bytes, at + 24, 0xffffffff);
        return bytes;
      }),
    40,
    2,
  ],
  [
    'fragments that begin in the middle of a stream',
    () => changed([...SMALL, ...H264_AAC, ...FRAGMENTS, 'middle.mp4'], SECOND_FRAGMENT),
    20,
    1,
  ],
];

test.each(CASES)('%s is ready, and whole', async (_, source, pictures, seconds) => {
  const { result, out } = await transcodeFile(directory.path, await source());
  const [rung] = result.renditions;
  const sound = result.audio[0] ?? rung;
  expect(Math.abs((sound?.durationSeconds ?? 0) - seconds)).toBeLessThanOrEqual(0.1);
  if (pictures === null) return;
  expect(await packets(join(out, rung?.playlist ?? ''))).toBe(pictures);
});

async function packets(path: string): Promise<number> {
  const args = ['-v', 'error', '-select_streams', 'v:0', '-count_packets', '-show_entries', 'stream=nb_read_packets'];
  const { stdout } = await execa(TOOLS.ffprobe, [...args, '-of', 'csv=p=0', path]);
  return Number.parseInt(stdout, 10);
}

test('a broadcast that was recorded from the middle of a group of pictures on begins with the sound, and its first whole picture', async () => {
  const film = [...picture('160x120', '25', 3), ...tone(3), ...H264_AAC, '-g', '25', '-bf', '2', 'whole.ts'];
  const source = await changed(film, (bytes) => bytes.subarray(Math.floor(bytes.length / 188 / 6) * 188));
  const { result, out } = await transcodeFile(directory.path, source);
  const [rung, sound] = [result.renditions[0], result.audio[0]];
  const { stdout } = await execa(TOOLS.ffprobe, [
    ...['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0'],
    join(out, rung?.playlist ?? ''),
  ]);
  const times = stdout
    .split(/,?\n+/)
    .map(Number)
    .filter((time) => !Number.isNaN(time));
  // The last two of three seconds; what is shown before them is the first of their pictures.
  expect(Math.abs((rung?.durationSeconds ?? 0) - (sound?.durationSeconds ?? 0))).toBeLessThanOrEqual(0.1);
  expect(Math.min(...times)).toBe(0);
  expect(times.filter((time) => time >= (sound?.durationSeconds ?? 0) - 2.02).length).toBeGreaterThanOrEqual(49);
});

test('an MP4 that lacks more than eight bytes of its media is cut off', async () => {
  const source = await changed([...SMALL, ...H264_AAC, '-movflags', '+faststart', 'cut.mp4'], (bytes) =>
    bytes.subarray(0, -9),
  );
  await expect(transcodeFile(directory.path, source)).rejects.toThrow(
    /^The file is cut off: 9 bytes of its media are missing\.$/,
  );
});

const SONG = ['-f', 'lavfi', '-i', 'sine=d=20:sample_rate=48000'];
const MARK = 'The file ends without the mark of its end: its last part may be missing.';

test.each<[string, string, string[], number, string | null]>([
  [
    'Matroska',
    'matroska,webm',
    ['-c:a', 'libopus', 's.mka'],
    400,
    'The end of the file is cut off: 400 bytes of its media are missing.',
  ],
  ['MP3', 'mp3', ['-b:a', '128k', 's.mp3'], 400, 'The end of the file is cut off: 400 bytes of its media are missing.'],
  ['tagged MP3', 'mp3', ['-b:a', '128k', '-metadata', 'title=x', 't.mp3'], 0, null],
  ['Ogg', 'ogg', ['-c:a', 'libopus', 's.ogg'], 400, MARK],
  ['whole Ogg', 'ogg', ['-c:a', 'libopus', 's.ogg'], 0, null],
  ...(['wav', 'w64', 'caf', 'avi'] as const).map((name): [string, string, string[], number, string] => [
    name,
    name,
    ['-c:a', name === 'caf' ? 'pcm_s16be' : 'pcm_s16le', `little.${name}`],
    400,
    'The end of the file is cut off: 400 bytes of its media are missing.',
  ]),
  ['whole CAF', 'caf', ['-c:a', 'alac', 's.caf'], 0, null],
  ['whole Wave64', 'w64', ['-c:a', 'pcm_s16le', 's.w64'], 0, null],
  ['a Matroska that was streamed', 'matroska,webm', ['-c:a', 'libopus', '-live', '1', 'l.mka'], 400, null],
  [
    'a transport stream',
    'mpegts',
    ['-c:a', 'aac', 's.ts'],
    100,
    'The file ends in the middle of a packet: its last part may be missing.',
  ],
])('of %s a little that is missing at the end is told', async (_, format, args, missing, message) => {
  const source = await changed([...SONG, ...args], (bytes) => bytes.subarray(0, bytes.length - missing));
  const warnings = message === null ? [] : [{ code: 'end_missing', message }];
  expect(await checkWhole(await fileInput(source), format)).toEqual(warnings);
});

test.each([
  ['matroska,webm', ['-c:a', 'libopus', 'half.mka']],
  ['mp3', ['-b:a', '128k', 'half.mp3']],
  ['caf', ['-c:a', 'pcm_s16be', 'half.caf']],
  ['w64', ['-c:a', 'pcm_s16le', 'half.w64']],
])('half a file of %s is cut off', async (format, args) => {
  const source = await changed([...SONG, ...args], (bytes) => bytes.subarray(0, bytes.length / 2));
  await expect(checkWhole(await fileInput(source), format)).rejects.toMatchObject({ code: 'truncated' });
});

test('a recording in fragments, whose last one is cut off, is ready without it', async () => {
  const film = [...picture('160x120', '1', 150), ...tone(150), ...H264_AAC, '-g', '1'];
  const fragmented = [...film, '-movflags', '+frag_keyframe+empty_moov', 'crashed.mp4'];
  const source = await changed(fragmented, (bytes) => bytes.subarray(0, bytes.lastIndexOf('mdat') + 100));
  const { result } = await transcodeFile(directory.path, source);
  expect(result.warnings?.map(({ code }) => code)).toContain('end_missing');
  expect(result.renditions[0]?.durationSeconds).toBeGreaterThanOrEqual(148);
  expect(result.renditions[0]?.durationSeconds).toBeLessThan(150);
});

test('a song that announces a little more than it holds is ready, with a warning', async () => {
  const source = await changed([...SONG, '-c:a', 'pcm_s16be', 'end.au'], (bytes) => bytes.subarray(0, -19_200));
  expect((await transcodeFile(directory.path, source)).result.warnings).toEqual([
    { code: 'end_missing', at: 19.8, message: 'The end of the file is missing: it announces 20.0 s and holds 19.8 s.' },
  ]);
});
