import { readFile, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { H264_AAC, make, picture, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { transcodeFile } from '../support/transcode.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
});

/** Overwrites, in place, the second half of each packet of a track that begins in a span of time. */
async function dent(file: string, track: string, from: number, to: number, byte: number): Promise<string> {
  const entries = ['-select_streams', track, '-show_entries', 'packet=pts_time,size,pos', '-of', 'csv=p=0'];
  const { stdout } = await execa(TOOLS.ffprobe, ['-v', 'error', ...entries, file]);
  const bytes = await readFile(file);
  for (const line of stdout.split('\n')) {
    const [time = 0, size = 0, at = 0] = line.split(',').map(Number);
    if (time >= from && time < to) bytes.fill(byte, at + (track === 'v' ? Math.floor(size / 2) : 0), at + size);
  }
  await writeFile(file, bytes);
  return file;
}

const SECONDS = 3;
const INPUTS = [...picture('160x120', '10', SECONDS), ...tone(SECONDS)];

test('a damaged picture becomes a warning that says where it is, and until when its traces may be seen', async () => {
  const film = await make(directory.path, ...INPUTS, ...H264_AAC, '-g', '10', 'one.mp4');
  const { result } = await transcodeFile(directory.path, await dent(film, 'v', 1, 1.05, 0xa5));
  expect(result.warnings).toEqual([
    {
      code: 'picture_damaged',
      at: 1,
      message: expect.stringMatching(/^1 damaged picture, which may be seen in those that follow, up to 2\.0 s: \S/),
    },
  ]);
  expect(result.source.durationSeconds).toBeCloseTo(3, 1);
});

test('a film of which more than a tenth of the pictures are damaged is refused', async () => {
  const film = await make(directory.path, ...INPUTS, ...H264_AAC, '-g', '1', 'many.mp4');
  await expect(transcodeFile(directory.path, await dent(film, 'v', 1, 2.55, 0xa5))).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringMatching(/^The file is damaged: 1[56] of 30 pictures are damaged or lost \(/),
  });
});

// 0x60 begins a channel that the track does not have.
test('sound that cannot be decoded becomes a warning that says where and how much', async () => {
  const song = await make(directory.path, ...tone(SECONDS), '-c:a', 'aac', 'song.m4a');
  const { result } = await transcodeFile(directory.path, await dent(song, 'a', 1, 1.1, 0x60));
  expect(result.warnings).toEqual([{ code: 'sound_damaged', at: 1.003, message: '0.11 s of sound are missing.' }]);
});

test('sound of which more than a tenth cannot be decoded is refused', async () => {
  const song = await make(directory.path, ...tone(SECONDS), '-c:a', 'aac', 'hole.m4a');
  await expect(transcodeFile(directory.path, await dent(song, 'a', 1, 2, 0x60))).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringMatching(/^The file is damaged: 4\d of 14\d frames of sound are damaged or lost \(/),
  });
});

test('a film without damage has no warnings', async () => {
  const film = await make(directory.path, ...INPUTS, ...H264_AAC, 'whole.mp4');
  expect((await transcodeFile(directory.path, film)).result.warnings).toEqual([]);
});
