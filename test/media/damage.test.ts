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

/** A file with bytes overwritten, or left out, from the middle on. */
async function changed(file: string, change: (bytes: Buffer, middle: number) => Buffer): Promise<string> {
  const bytes = await readFile(file);
  await writeFile(file, change(bytes, Math.floor(bytes.length / 2)));
  return file;
}

test('a frame of FLAC whose checksum is wrong is told, though it decodes', async () => {
  const song = await make(directory.path, ...tone(SECONDS), '-c:a', 'flac', 'song.flac');
  const { result } = await transcodeFile(
    directory.path,
    await changed(song, (bytes, middle) => bytes.fill(0x5a, middle, middle + 8)),
  );
  expect(result.warnings).toEqual([
    { code: 'source_damaged', message: expect.stringMatching(/^FFmpeg complained, and went on: CRC error at PTS /) },
  ]);
});

/** AC-3 in Matroska, with wrong checksums in some of its frames. */
async function miscounted(name: string, isWrong: (frame: number) => boolean): Promise<string> {
  const raw = await make(directory.path, ...tone(4), '-c:a', 'ac3', `${name}.ac3`);
  const entries = ['-show_entries', 'packet=pos,size', '-of', 'csv=p=0'];
  const { stdout } = await execa(TOOLS.ffprobe, ['-v', 'error', ...entries, raw]);
  const bytes = await readFile(raw);
  for (const [frame, line] of stdout.split('\n').entries()) {
    const [size = 0, at = 0] = line.split(',').map(Number);
    // The last two bytes of a frame are the second of its checksums.
    if (size > 0 && isWrong(frame)) bytes.writeUInt8(bytes.readUInt8(at + size - 1) ^ 255, at + size - 1);
  }
  await writeFile(raw, bytes);
  return make(directory.path, '-f', 'ac3', '-i', raw, '-c', 'copy', `${name}.mka`);
}

test('AC-3 whose checksums are wrong throughout is heard, and the version says so', async () => {
  const { result, out } = await transcodeFile(directory.path, await miscounted('throughout', () => true));
  expect(result.warnings).toEqual([
    { code: 'source_damaged', message: expect.stringMatching(/^The checksums of its sound are wrong throughout: /) },
  ]);
  const heard = ['-i', `${out}/${result.renditions[0]?.playlist}`, '-af', 'volumedetect', '-f', 'null', '-'];
  const { stderr } = await execa(TOOLS.ffmpeg, ['-nostdin', ...heard]);
  expect(Number(/mean_volume: (\S+) dB/.exec(stderr)?.[1])).toBeGreaterThan(-25);
});

test('a frame of AC-3 whose checksum is wrong is told', async () => {
  const { result } = await transcodeFile(directory.path, await miscounted('one', (frame) => frame === 110));
  expect(result.warnings).toEqual([{ code: 'sound_damaged', message: '1 frame of sound could not be decoded.' }]);
});

test('a WAV that was written into a pipe, and does not say its length, is not called damaged', async () => {
  const song = await make(directory.path, ...tone(1.01), '-c:a', 'pcm_s16le', 'streamed.wav');
  const endless = (bytes: Buffer) => {
    for (const at of [4, bytes.indexOf('data') + 4]) bytes.writeUInt32LE(0xffffffff, at);
    return bytes;
  };
  const { result } = await transcodeFile(directory.path, await changed(song, endless));
  expect(result.warnings).toEqual([]);
});

test('an MXF that is shorter than its index is told, though it decodes', async () => {
  const codecs = ['-c:v', 'mpeg2video', '-c:a', 'pcm_s16le', 'tape.mxf'];
  const tape = await make(directory.path, ...picture('96x64', '25', 1), ...tone(1), ...codecs);
  const { result } = await transcodeFile(
    directory.path,
    await changed(tape, (bytes, middle) => Buffer.concat([bytes.subarray(0, middle), bytes.subarray(middle + 1500)])),
  );
  expect(result.warnings?.map(({ code }) => code)).toContain('source_damaged');
});

test.each([
  ['lost', (bytes: Buffer, from: number, to: number) => Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])],
  ['not known for one', (bytes: Buffer, from: number) => bytes.fill(0, from, from + 1)],
] as const)('a page of an Ogg file that is %s is told with its place', async (_, damage) => {
  const song = await make(directory.path, ...tone(2), '-c:a', 'libopus', '-page_duration', '100000', 'paged.ogg');
  const starts = [...(await readFile(song)).toString('latin1').matchAll(/OggS/g)].map(({ index }) => index);
  const [from = 0, to = 0] = starts.slice(8);
  const { result } = await transcodeFile(directory.path, await changed(song, (bytes) => damage(bytes, from, to)));
  expect(result.warnings).toEqual([
    { code: 'sound_damaged', at: expect.closeTo(0.6, 1), message: '0.10 s of sound are missing.' },
  ]);
});

test('a bit of a Matroska file that decodes to other sound is told by its checksum', async () => {
  const codecs = ['-c:v', 'mjpeg', '-c:a', 'pcm_s16le', 'sums.mkv'];
  const film = await make(directory.path, ...picture('96x64', '25', 1), ...tone(1), ...codecs);
  const damage = async (file: string) =>
    (await transcodeFile(directory.path, file)).result.warnings?.filter(({ code }) => code === 'source_damaged');
  expect(await damage(film)).toEqual([]);
  const changedBit = await changed(film, (bytes, middle) => {
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    return bytes;
  });
  const message = '1 cluster of the file, of up to some seconds, contradicts its checksum.';
  expect(await damage(changedBit)).toEqual([{ code: 'source_damaged', at: expect.any(Number), message }]);
});

/** A transport stream of pictures that need no others. */
const intra = (name: string, from: number) =>
  make(
    directory.path,
    ...picture('96x64', '25', 1),
    '-c:v',
    'mpeg2video',
    '-g',
    '1',
    '-output_ts_offset',
    `${from}`,
    name,
  );

test('pictures of a transport stream whose packets are lost are told, though no decoder misses them', async () => {
  const file = await intra('lost.ts', 0);
  const entries = ['-select_streams', 'v', '-show_entries', 'packet=pos', '-of', 'csv=p=0'];
  const { stdout } = await execa(TOOLS.ffprobe, ['-v', 'error', ...entries, file]);
  const at = (stdout.match(/\d+/g) ?? []).map(Number);
  const lost = (bytes: Buffer) => Buffer.concat([bytes.subarray(0, at[10]), bytes.subarray(at[12])]);
  const { result } = await transcodeFile(directory.path, await changed(file, lost));
  expect(result.warnings).toEqual([{ code: 'picture_damaged', at: 0.4, message: '2 pictures are missing.' }]);
});

test('the last picture of a transport stream, of which packets are lost, is told', async () => {
  const file = await intra('end.ts', 0);
  // The second but last packet becomes padding: what remains of the picture is what follows it.
  const { result } = await transcodeFile(
    directory.path,
    await changed(file, (bytes) => {
      const last = Array.from({ length: bytes.length / 188 }, (_, n) => n * 188).filter(
        (at) => (bytes.readUInt16BE(at + 1) & 0x1fff) === 0x100,
      );
      bytes.writeUInt16BE(0x1fff, (last.at(-2) ?? 0) + 1);
      return bytes;
    }),
  );
  expect(result.warnings?.map(({ code }) => code)).toContain('end_missing');
});

test('a frame that is missing in a FLAC is told, though the others decode', async () => {
  const song = await make(directory.path, ...tone(SECONDS), '-c:a', 'flac', 'gap.flac');
  const entries = ['-show_entries', 'packet=pos', '-of', 'csv=p=0'];
  const { stdout } = await execa(TOOLS.ffprobe, ['-v', 'error', ...entries, song]);
  const at = (stdout.match(/\d+/g) ?? []).map(Number);
  const without = (bytes: Buffer) => Buffer.concat([bytes.subarray(0, at[10]), bytes.subarray(at[11])]);
  const { result } = await transcodeFile(directory.path, await changed(song, without));
  expect(result.warnings).toEqual([{ code: 'sound_damaged', at: 0.96, message: '0.10 s of sound are missing.' }]);
});

test('sound of a fragmented MP4 whose place lies behind its end is cut off, not empty', async () => {
  const inputs = [...picture('160x120', '10', 1), ...tone(1)];
  const film = [...inputs, ...H264_AAC, '-g', '5', '-movflags', '+frag_keyframe+empty_moov', 'beyond.mp4'];
  const beyond = (bytes: Buffer) => {
    for (let at = bytes.indexOf('tfhd'); at >= 0; at = bytes.indexOf('tfhd', at + 4)) {
      const run = bytes.indexOf('trun', at);
      // Of the second track: the offset of its media, behind flags and the number of samples.
      if (bytes.readUInt32BE(at + 8) === 2) bytes.writeInt32BE(bytes.length, run + 12);
    }
    return bytes;
  };
  await expect(
    transcodeFile(directory.path, await changed(await make(directory.path, ...film), beyond)),
  ).rejects.toMatchObject({
    code: 'truncated',
    message: 'The file is cut off: its index names media behind its end.',
  });
});

test('a transport stream that was joined is not called damaged, though its counters begin anew', async () => {
  const parts = [await intra('one.ts', 0), await intra('two.ts', 1)];
  const file = `${directory.path}/joined.ts`;
  await writeFile(file, Buffer.concat(await Promise.all(parts.map((part) => readFile(part)))));
  const { result } = await transcodeFile(directory.path, file);
  expect(result.source.durationSeconds).toBeCloseTo(2, 1);
  expect(result.warnings?.filter(({ code }) => code.endsWith('_damaged'))).toEqual([]);
});

test('a film without damage has no warnings', async () => {
  const film = await make(directory.path, ...INPUTS, ...H264_AAC, 'whole.mp4');
  expect((await transcodeFile(directory.path, film)).result.warnings).toEqual([]);
});
