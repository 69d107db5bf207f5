import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { H264_AAC, make, picture, TOOLS, temporaryDirectory } from '../support/media.ts';
import { transcodeFile } from '../support/transcode.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
});

const SMALL = picture('160x120', '10', 1);
/** Input number n is 440 Hz, 880 Hz… */
const sines = (...pitches: number[]) => pitches.flatMap((hz) => ['-f', 'lavfi', '-i', `sine=${hz}:d=1:r=48000`]);
const mapped = (count: number) => Array.from({ length: count }, (_, i) => ['-map', String(i)]).flat();
const layouts = (one: string, other: string) => [
  ...['-filter_complex', `[1]aformat=channel_layouts=${one}[one];[2]aformat=channel_layouts=${other}[other]`],
  ...['-map', '0', '-map', '[one]', '-map', '[other]'],
];

/** The pitch of a channel in Hz: its zero crossings in the half second from 0.25 s on. */
async function pitch(path: string, channel: number): Promise<number> {
  const cut = `pan=mono|c0=c${channel},atrim=0.25:0.75,astats=measure_perchannel=Zero_crossings:measure_overall=none:metadata=1`;
  const filter = ['-map', '0:a', '-af', `${cut},ametadata=print:file=-`, '-f', 'null', '-'];
  const { stdout } = await execa(TOOLS.ffmpeg, ['-v', 'error', '-i', path, ...filter]);
  return Number(/.*Zero_crossings=([\d.]+)/s.exec(stdout)?.[1]);
}

const H264_PCM = [...H264_AAC, '-c:a', 'pcm_s16le'];

test.each<[string, string[], [number, number]]>([
  ['a camera’s MOV', [...SMALL, ...sines(440, 880), ...mapped(3), ...H264_PCM, 'camera.mov'], [440, 880]],
  [
    'a MOV that calls them right and left',
    [...SMALL, ...sines(440, 880), ...layouts('FR', 'FL'), ...H264_PCM, 'named.mov'],
    [880, 440],
  ],
  ['Matroska', [...SMALL, ...sines(440, 880), ...mapped(3), ...H264_AAC, 'two.mkv'], [440, 880]],
  [
    'an MXF of four tracks',
    [
      ...picture('320x240', '25', 1),
      ...sines(440, 880, 1320, 1760),
      ...mapped(5),
      '-c:v',
      'mpeg2video',
      '-c:a',
      'pcm_s16le',
      'four.mxf',
    ],
    [440, 880],
  ],
])('two mono tracks of %s are the left and the right', async (_, args, pitches) => {
  const { result, out } = await transcodeFile(directory.path, await make(directory.path, ...args));
  expect(result.audio.map(({ channels }) => channels)).toEqual([2]);
  for (const path of [join(out, result.audio[0]?.playlist ?? ''), join(out, result.mp4 ?? '')]) {
    for (const side of [0, 1])
      expect(Math.abs((await pitch(path, side)) - (pitches[side] ?? 0))).toBeLessThanOrEqual(4);
  }
  expect(result.skipped.filter(({ what }) => what.startsWith('audio')).map(({ what }) => what)).toEqual(
    args.at(-1) === 'four.mxf' ? ['audio track 3', 'audio track 4'] : [],
  );
});

test('two mono languages stay two: one is taken, and the other is named', async () => {
  const languages = ['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=ger'];
  const args = [...SMALL, ...sines(440, 880), ...mapped(3), ...H264_AAC, ...languages, 'languages.mp4'];
  const { result, out } = await transcodeFile(directory.path, await make(directory.path, ...args));
  expect(result.audio.map(({ channels, language }) => [channels, language])).toEqual([[1, 'en']]);
  expect(Math.abs((await pitch(join(out, result.mp4 ?? ''), 0)) - 440)).toBeLessThanOrEqual(4);
  expect(result.skipped.map(({ what }) => what)).toContain('audio track 2');
});

test('the waveform has both sides', async () => {
  const quiet = ['-f', 'lavfi', '-i', "aevalsrc='0':d=1:s=48000", '-f', 'lavfi', '-i', "aevalsrc='0.5':d=1:s=48000"];
  const source = await make(directory.path, ...quiet, '-map', '0', '-map', '1', '-c:a', 'pcm_s16le', 'sides.mov');
  const { result, out } = await transcodeFile(directory.path, source);
  const { data } = JSON.parse(await readFile(join(out, result.waveform ?? ''), 'utf8')) as { data: number[] };
  // The mean of 0 and 0.5, of 128.
  expect(Math.max(...data)).toBe(32);
});
