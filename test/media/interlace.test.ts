import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ffmpegMajor, make, TOOLS, temporaryDirectory } from '../support/media.ts';
import { presetNamed, transcodeFile } from '../support/transcode.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
});

/** Upright bars, 240 points apart, that move by `step` points from picture to picture: no line of a whole picture differs from the next. */
const bars = (rate: string, step: number, size = '320x240', seconds = 2) => {
  const luma = `if(lt(mod(X-N*${step},240),60),220,40)`;
  return [
    '-f',
    'lavfi',
    '-i',
    `nullsrc=s=${size}:r=${rate}:d=${seconds},format=yuv420p,geq=lum='${luma}':cb=128:cr=128`,
  ];
};
const woven = (scan: 'tff' | 'bff') => `interlace=scan=${scan}:lowpass=0`;
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '6'];
const FLAGGED = ['-x264-params', 'interlaced=1:tff=1'];

interface Seen {
  /** The largest mean difference between a line and the next, of all pictures, and the smallest. */
  combs: number;
  least: number;
  /** By how many points the bars have moved in each picture, of every 240. */
  steps: Set<number>;
  pictures: number;
}

/** What a viewer sees of the largest rung. */
async function see(source: string, filter = 'null'): Promise<Seen> {
  const { result, out } = await transcodeFile(directory.path, source, presetNamed('compact'));
  const [rung] = result.renditions;
  const { playlist = '' } = rung ?? {};
  const turns = filter !== 'null';
  const [width, height] = turns ? [rung?.height ?? 0, rung?.width ?? 0] : [rung?.width ?? 0, rung?.height ?? 0];
  const args = [
    '-v',
    'error',
    '-i',
    join(out, playlist),
    '-vf',
    filter,
    '-pix_fmt',
    'gray',
    '-fps_mode',
    'passthrough',
  ];
  const { stdout } = await execa(TOOLS.ffmpeg, [...args, '-f', 'rawvideo', '-'], { encoding: 'buffer' });
  const seen: Seen = { combs: 0, least: 255, steps: new Set(), pictures: stdout.length / (width * height) };
  let before: number | undefined;
  for (let at = 0; at < stdout.length; at += width * height) {
    const picture = stdout.subarray(at, at + width * height);
    let difference = 0;
    for (let i = 0; i < picture.length - width; i++)
      difference += Math.abs((picture[i + width] ?? 0) - (picture[i] ?? 0));
    seen.combs = Math.max(seen.combs, difference / (picture.length - width));
    seen.least = Math.min(seen.least, difference / (picture.length - width));
    const line = picture.subarray((height / 2) * width, (height / 2 + 1) * width);
    const edge = line.findIndex((luma, x) => luma >= 130 && (line[x - 1] ?? 255) < 130);
    if (before !== undefined) seen.steps.add((edge - before + 240) % 240);
    before = edge;
  }
  return seen;
}

const COMBED: [string, string[]][] = [
  [
    'Motion JPEG that says nothing',
    [...bars('50', 12), '-vf', `${woven('tff')},setfield=prog`, '-c:v', 'mjpeg', '-q:v', '2', 'capture.avi'],
  ],
  [
    'MPEG-4 ASP',
    [...bars('50', 12), '-vf', woven('tff'), '-c:v', 'mpeg4', '-flags', '+ilme+ildct', '-q:v', '2', 'asp.avi'],
  ],
  ['H.264 that says so', [...bars('50', 12), '-vf', woven('tff'), ...H264, ...FLAGGED, 'flagged.mp4']],
  [
    'H.264 that names the wrong field first',
    [...bars('50', 12), '-vf', woven('bff'), ...H264, ...FLAGGED, 'wrong.mp4'],
  ],
  [
    'MPEG-2 that is progressive at first',
    [
      ...[...bars('25', 24), ...bars('50', 12)],
      ...['-filter_complex', `[1:v]${woven('tff')}[late];[0:v][late]concat=n=2,fps=25,setfield=prog`],
      ...['-c:v', 'mpeg2video', '-q:v', '2', 'mixed.ts'],
    ],
  ],
];

test.each(COMBED)('interlaced %s becomes whole pictures in order', async (_, args) => {
  const { combs, steps, pictures } = await see(await make(directory.path, ...args));
  expect(combs).toBeLessThan(0.5);
  // At the joint of the mixed file the bars begin anew, 240 points on.
  expect([...steps].filter((step) => step !== 0)).toEqual([24]);
  expect(pictures).toBe(args.at(-1) === 'mixed.ts' ? 100 : 50);
});

test('a long interlaced film that says nothing becomes whole pictures, by an encode that begins anew', async () => {
  await make(directory.path, ...bars('50', 12), '-vf', `${woven('tff')},setfield=prog`, '-c:v', 'mjpeg', 'short.avi');
  const { combs, steps, pictures } = await see(
    await make(directory.path, '-stream_loop', '16', '-i', 'short.avi', '-c', 'copy', 'long.avi'),
  );
  // 0.9 where the loop begins again; 32 without deinterlacing.
  expect(combs).toBeLessThan(1);
  expect([...steps].filter((step) => step !== 0)).toEqual([24]);
  expect(pictures).toBe(17 * 50);
});

test('interlaced pictures that are turned are made whole before they are turned', async () => {
  await make(directory.path, ...bars('50', 12), '-vf', woven('tff'), ...H264, ...FLAGGED, 'lying.mp4');
  const turned = (await ffmpegMajor()) >= 6 ? ['-display_rotation', '90'] : [];
  const tags = ['-c', 'copy', '-metadata:s:v', 'rotate=90', 'upright.mp4'];
  const source = await make(directory.path, ...turned, '-i', 'lying.mp4', ...tags);
  const { combs, steps, pictures } = await see(source, 'transpose=clock');
  expect([combs < 0.5, pictures]).toEqual([true, 50]);
  expect([...steps].filter((step) => step !== 0)).toEqual([24]);
});

test('a camcorder’s DV, which has the bottom lines first and does not say so, becomes whole pictures in order', async () => {
  const dv = ['-vf', `${woven('bff')},setsar=16/15`, '-c:v', 'dvvideo', '-r', '25', 'camcorder.dv'];
  const { combs, steps, pictures } = await see(await make(directory.path, ...bars('50', 12, '720x576', 1.2), ...dv));
  expect(combs).toBeLessThan(0.5);
  // 24 points of 720 are 25.6 of 768.
  for (const step of steps) expect(step === 25 || step === 26 || step === 9 || step === 10).toBe(true);
  expect(pictures).toBe(30);
});

test('a film with 3:2 pulldown has no comb lines', async () => {
  const film = [...bars('24000/1001', 24), '-vf', 'telecine=first_field=top', ...H264, 'telecine.mp4'];
  const { combs, pictures } = await see(await make(directory.path, ...film));
  expect(combs).toBeLessThan(0.5);
  expect(pictures).toBe(60);
});

// Detail of 3.7 lines that moves up. Each line differs from the next by 100 on the average, and in a deinterlaced picture by 70.
const FINE = "nullsrc=s=320x240:r=25:d=2,format=yuv420p,geq=lum='128+90*sin(Y*1.7+N*1.3)':cb=128:cr=128";

test.each<[string, string[]]>([
  ['says that it is interlaced', [...FLAGGED, 'flagged.mp4']],
  ['does not', ['plain.mp4']],
])('progressive video stays sharp where it %s', async (_, output) => {
  const { least } = await see(await make(directory.path, '-f', 'lavfi', '-i', FINE, ...H264, ...output));
  expect(least).toBeGreaterThan(95);
});
