import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { H264_AAC, make, TOOLS, temporaryDirectory } from '../support/media.ts';
import { transcodeFile } from '../support/transcode.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
});

/** 128 white lines of 160 pixels, of which so many at the top and at the bottom are black: these are not to be seen. */
const bars = (top: number, bottom: number) => [
  ...['-f', 'lavfi', '-i', `color=white:s=160x${128 - top - bottom}:r=10:d=1`],
  ...['-vf', `pad=160:128:0:${top}:black,setsar=2`],
];

/** The darkest of all pixels of the largest rung. */
async function darkest(out: string, playlist: string): Promise<number> {
  const args = ['-v', 'error', '-i', join(out, playlist), '-frames:v', '1', '-pix_fmt', 'gray', '-f', 'rawvideo', '-'];
  const { stdout } = await execa(TOOLS.ffmpeg, args, { encoding: 'buffer' });
  return Math.min(...stdout);
}

test('lines that a Matroska file crops are not seen, and its shape is that of what is left', async () => {
  const path = await make(directory.path, ...bars(0, 16), ...H264_AAC, 'crop.mkv');
  const bytes = await readFile(path);
  // DisplayUnit, in the place of which comes PixelCropBottom.
  const at = bytes.indexOf('54b28103', 'hex');
  bytes.write('54aa8110', at, 'hex');
  await writeFile(path, bytes);
  const { result, out } = await transcodeFile(directory.path, path);
  const [rung] = result.renditions;
  expect([rung?.width, rung?.height]).toEqual([280, 112]);
  expect(await darkest(out, rung?.playlist ?? '')).toBeGreaterThan(200);
});

test('lines outside the clean aperture of an MP4 are not seen', async () => {
  const path = await make(directory.path, ...bars(8, 8), ...H264_AAC, 'aperture.mp4');
  const bytes = await readFile(path);
  const aperture = Buffer.alloc(40);
  aperture.writeUInt32BE(40);
  aperture.write('clap', 4);
  for (const [i, value] of [160, 1, 112, 1, 0, 1, 0, 1].entries()) aperture.writeUInt32BE(value, 8 + 4 * i);
  const entry = bytes.indexOf('avc1', bytes.indexOf('stsd')) - 4;
  const end = entry + bytes.readUInt32BE(entry);
  const grow = (start: number) => bytes.writeUInt32BE(bytes.readUInt32BE(start) + aperture.length, start);
  for (const type of ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd']) grow(bytes.indexOf(type) - 4);
  grow(entry);
  await writeFile(path, Buffer.concat([bytes.subarray(0, end), aperture, bytes.subarray(end)]));
  const { result, out } = await transcodeFile(directory.path, path);
  const [rung] = result.renditions;
  expect([rung?.width, rung?.height]).toEqual([320, 112]);
  expect(await darkest(out, rung?.playlist ?? '')).toBeGreaterThan(200);
});
