import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inBlocks } from '../../../../functions/ingest-upload/blocks.ts';
import { parseApart } from '../../../../functions/ingest-upload/parse-apart.ts';
import { examine } from '../../../../functions/ingest-upload/preflight.ts';
import { buildFunction } from '../../../../scripts/build.ts';

const VIDEO = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=1'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=d=1'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'];
const LIMIT = 1_000_000;
let dir: string;
let parser: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'preflight-'));
  await buildFunction('ingest-upload', join(dir, 'built'));
  parser = join(dir, 'built/probe.child.mjs');
  await writeFile(join(dir, 'subtitles.srt'), '1\n00:00:00,000 --> 00:00:01,000\nhi\n');
});
afterAll(() => rm(dir, { recursive: true }));

async function made(name: string, ...args: string[]): Promise<Uint8Array> {
  const file = join(dir, name);
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-y', ...args, file]);
  return readFile(file);
}

/** What is said of these bytes, and how they were read. */
async function examined(bytes: Uint8Array) {
  const reads: number[] = [];
  const finding = await examine(
    async (start, end) => {
      reads.push(end - start);
      return bytes.subarray(start, end);
    },
    bytes.length,
    { maxUploadBytes: LIMIT, parser },
  );
  return { finding, reads };
}

describe('accepted, with its properties', () => {
  it.each([
    [
      'a.mp4',
      [...VIDEO, ...SOUND, ...H264],
      'video',
      { width: 320, height: 180, videoCodec: 'h264', audioCodec: 'aac', durationSeconds: 1 },
    ],
    ['a.mkv', [...VIDEO, ...H264], 'video', { width: 320, height: 180, videoCodec: 'h264', durationSeconds: 1 }],
    ['a.flac', SOUND, 'audio', { audioCodec: 'flac', durationSeconds: 1 }],
    ['a.wav', SOUND, 'audio', { audioCodec: 'pcm-s16', durationSeconds: 1 }],
    ['mpeg4.mp4', [...VIDEO, '-c:v', 'mpeg4'], 'video', { width: 320, height: 180, durationSeconds: 1 }],
  ] as const)('%s', async (name, args, kind, info) => {
    const { finding } = await examined(await made(name, ...args));
    expect(finding).toEqual({ kind, info });
  });

  it('a portrait video by its rotation', async () => {
    await made('flat.mp4', ...VIDEO, ...H264);
    const turned = await made('turned.mp4', '-display_rotation', '90', '-i', join(dir, 'flat.mp4'), '-c', 'copy').catch(
      () =>
        // Before ffmpeg 6 the rotation is metadata of the output.
        made('turned.mp4', '-i', join(dir, 'flat.mp4'), '-c', 'copy', '-metadata:s:v', 'rotate=90'),
    );
    expect((await examined(turned)).finding).toMatchObject({ info: { width: 180, height: 320 } });
  });
});

describe('left to the worker', () => {
  it.each([
    ['a.avi', [...VIDEO, ...SOUND, '-c:v', 'mpeg4']],
    ['a.mxf', [...VIDEO, '-c:v', 'mpeg2video']],
    ['a.wmv', [...VIDEO, '-c:v', 'wmv2']],
  ] as const)('%s, which mediabunny does not know', async (name, args) => {
    const { finding } = await examined(await made(name, ...args));
    expect(finding).toEqual({ info: {} });
  });

  it('a file that cannot be identified within 2 MiB', async () => {
    const size = 64 * 1024 * 1024;
    let read = 0;
    // Sync bytes of MPEG-TS, and never a program table.
    const finding = await examine(
      async (start, end) => {
        read += end - start;
        return Uint8Array.from({ length: end - start }, (_, i) => ((start + i) % 188 === 0 ? 0x47 : 0xff));
      },
      size,
      { maxUploadBytes: size, parser },
    );
    expect(finding).toEqual({ info: {} });
    expect(read).toBeLessThanOrEqual(2 * 1024 * 1024);
  });
});

describe('refused', () => {
  it('an empty file', async () => {
    expect((await examined(new Uint8Array())).finding).toMatchObject({ refused: { code: 'empty_file' } });
  });
  it('a file over the limit, without reading it', async () => {
    const { finding, reads } = await examined(new Uint8Array(LIMIT + 1));
    expect(finding).toMatchObject({ refused: { code: 'too_large' } });
    expect(reads).toEqual([]);
  });
  it('an MP4 that is truncated before its index', async () => {
    const whole = await made('whole.mp4', ...VIDEO, ...H264);
    const { finding } = await examined(whole.subarray(0, Math.floor(whole.length * 0.6)));
    expect(finding).toMatchObject({ refused: { code: 'corrupt' } });
  });
  it('but not a truncated MP4 whose index comes first, which the worker examines', async () => {
    const whole = await made('fast.mp4', ...VIDEO, ...H264, '-movflags', 'faststart');
    const { finding } = await examined(whole.subarray(0, Math.floor(whole.length * 0.6)));
    expect(finding).toMatchObject({ info: {} });
  });
  it.each(['only.mkv', 'only.mp4'])('subtitles alone in %s', async (name) => {
    const codec = name.endsWith('mp4') ? ['-c:s', 'mov_text'] : [];
    const { finding } = await examined(await made(name, '-i', join(dir, 'subtitles.srt'), ...codec));
    expect(finding).toMatchObject({ refused: { code: 'no_tracks' } });
  });
});

describe('reads', () => {
  it('are of whole blocks, each once, whatever is requested', async () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
    const asked: [number, number][] = [];
    const read = inBlocks(
      async (start, end) => {
        asked.push([start, end]);
        return bytes.subarray(start, end);
      },
      bytes.length,
      200_000,
    );
    expect(await read(32_760, 65_540)).toEqual(bytes.slice(32_760, 65_540));
    expect(await read(99_990, 100_000)).toEqual(bytes.slice(99_990));
    expect(await read(10, 20)).toEqual(bytes.slice(10, 20));
    expect(asked).toEqual([
      [0, 32_768],
      [32_768, 65_536],
      [65_536, 98_304],
      [98_304, 100_000],
    ]);
  });
  it('end where the budget ends', async () => {
    const read = inBlocks(async (start, end) => new Uint8Array(end - start), 100_000, 40_000);
    await read(0, 100);
    await expect(read(40_000, 40_001)).rejects.toThrow('budget');
  });
});

describe('a parser that does not come to an end', () => {
  const accepted = { info: {} };

  it('is stopped in a Matroska file whose tail is junk, in which it loops for ever', async () => {
    const whole = await made('whole.mkv', ...VIDEO, ...H264);
    const bytes = Buffer.concat([whole.subarray(0, 256), Buffer.alloc(20_000)]);
    expect((await examined(bytes)).finding).toEqual(accepted);
  });

  // 0xffffffff samples in one entry: mediabunny counts them all, which took two minutes, in a loop that no timer interrupts.
  it('is killed after its time limit where it counts to four billion', async () => {
    const bytes = await endlessOffsets();
    const before = performance.now();
    expect((await examined(bytes)).finding).toEqual(accepted);
    expect(performance.now() - before).toBeLessThan(20_000);
  });

  it('is ended by its heap limit where it makes an endless list, and this process continues', async () => {
    const greedy = join(dir, 'greedy.mjs');
    await writeFile(
      greedy,
      "process.on('message', () => { for (const list = []; ; ) list.push({ n: list.length }); });",
    );
    const read = async () => new Uint8Array();
    // Longer than the test may take: it is not the time that ends it.
    expect(await parseApart(greedy, read, 1, 3_600_000)).toBeNull();
  });

  it('is ended at the first refused read', async () => {
    const asking = join(dir, 'asking.mjs');
    await writeFile(
      asking,
      "process.on('message', (m) => m.size && process.send({ read: { id: 1, start: 0, end: 2 ** 40 } }));",
    );
    const read = inBlocks(async (start, end) => new Uint8Array(end - start), 100, 100);
    expect(await parseApart(asking, read, 100, 3_600_000)).toBeNull();
  });

  it('has an empty environment, and so no credentials', async () => {
    const told = "{ refused: { code: 'corrupt', message: Object.keys(process.env).join() } }";
    expect(await reported(told)).toEqual({ refused: { code: 'corrupt', message: '' } });
  });

  it('is not started for a file that kept earlier calls from ending', async () => {
    const bytes = await endlessOffsets();
    const read = async (start: number, end: number) => bytes.subarray(start, end);
    expect(await examine(read, bytes.length, { maxUploadBytes: LIMIT })).toEqual(accepted);
  });
});

describe('a report of a parser', () => {
  it.each([
    ['a length that no media has', '{ info: { durationSeconds: 1e-300 } }'],
    ['a length of 10^292 years', '{ info: { durationSeconds: 1e300 } }'],
    ['half a pixel', '{ info: { width: 0.5, height: 1 } }'],
    ['a number as text', "{ info: { width: '1' } }"],
    ['a field that is unknown', "{ info: { state: 'ready' } }"],
    ['an unknown code', "{ refused: { code: 'x', message: '' } }"],
    ['another shape', '{ published: {} }'],
  ])('is ignored when it has %s', async (_, finding) => {
    expect(await reported(finding)).toBeNull();
  });

  // DynamoDB takes numbers from 1e-130 to 1e125: a row with another could never be written.
  // Nor has a length beyond the limit any use: a recorder that does not know it leaves the largest number of ticks.
  it.each([
    [1e-300, {}],
    [86_400_001, { width: 320, height: 180, videoCodec: 'h264' }],
    [1e300, { width: 320, height: 180, videoCodec: 'h264' }],
  ])('leaves the length of a Matroska file of %d ms to the worker', async (duration, info) => {
    const bytes = Buffer.from(await made('lasts.mkv', ...VIDEO, ...H264));
    const at = bytes.indexOf(Buffer.from([0x44, 0x89, 0x88]));
    if (at < 0) throw new Error('no Duration in the file');
    bytes.writeDoubleBE(duration, at + 3);
    const { finding } = await examined(bytes);
    expect(finding && 'info' in finding && finding.info).toEqual(info);
  });
});

describe('a read of a parser', () => {
  it.each([
    ['beyond the end', 99_990, 100_001],
    ['before the start', -1, 10],
    ['backwards', 20, 10],
  ])('is refused %s before its memory is allocated', async (_, start, end) => {
    const read = inBlocks(async (from, to) => new Uint8Array(to - from), 100_000, 200_000);
    await expect(read(start, end)).rejects.toThrow('no bytes in that range');
  });
});

/** What is taken of a parser that reports this finding, an expression. */
async function reported(finding: string) {
  const module = join(dir, `reports-${crypto.randomUUID()}.mjs`);
  await writeFile(module, `process.on('message', () => process.send({ finding: ${finding} }));`);
  return parseApart(module, async () => new Uint8Array(), 1, 3_600_000);
}

/** An MP4 whose first entry of composition offsets is said to hold for 0xffffffff samples. */
async function endlessOffsets(): Promise<Uint8Array> {
  const bytes = Buffer.from(await made('offsets.mp4', ...VIDEO, ...H264, '-bf', '2', '-movflags', '+faststart'));
  const at = bytes.indexOf('ctts');
  if (at < 0) throw new Error('no ctts in the file');
  bytes.writeUInt32BE(0xffff_ffff, at + 12);
  return bytes;
}

it.each([
  ['MP4 of 64 MiB may be read in place', '\0\0\0\x18ftypmp42\0', 0, { info: {}, inPlace: true }],
  ['Matroska of 64 MiB may be read in place', '\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01', 0, { info: {}, inPlace: true }],
  ['a smaller MP4 is downloaded', '\0\0\0\x18ftypmp42\0', 1, { info: {} }],
  ['a transport stream is downloaded', 'G\x40\0\x10\0', 0, { info: {} }],
])('%s', async (_, head, less, finding) => {
  const read = async (start: number, end: number) => Buffer.from(head, 'latin1').subarray(start, end);
  expect(await examine(read, 64 * 2 ** 20 - less, { maxUploadBytes: 2 ** 30 })).toEqual(finding);
});
