import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inBlocks } from '../../../../functions/ingest-upload/blocks.ts';
import { examine } from '../../../../functions/ingest-upload/preflight.ts';

const VIDEO = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=1'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=d=1'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'];
const LIMIT = 1_000_000;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'preflight-'));
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
    LIMIT,
  );
  return { finding, reads };
}

describe('accepted, with what is known of it', () => {
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
    expect(finding).toEqual({ verdict: 'accepted', kind, info });
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
    expect(finding).toEqual({ verdict: 'accepted', info: {} });
  });

  it('a file that cannot be told within 2 MiB', async () => {
    const size = 64 * 1024 * 1024;
    let read = 0;
    // Sync bytes of MPEG-TS, and never a program table.
    const finding = await examine(
      async (start, end) => {
        read += end - start;
        return Uint8Array.from({ length: end - start }, (_, i) => ((start + i) % 188 === 0 ? 0x47 : 0xff));
      },
      size,
      size,
    );
    expect(finding).toEqual({ verdict: 'accepted', info: {} });
    expect(read).toBeLessThanOrEqual(2 * 1024 * 1024);
  });
});

describe('refused', () => {
  it('an empty file', async () => {
    expect((await examined(new Uint8Array())).finding).toMatchObject({ verdict: 'refused', code: 'empty_file' });
  });
  it('a file over the limit, without reading it', async () => {
    const { finding, reads } = await examined(new Uint8Array(LIMIT + 1));
    expect(finding).toMatchObject({ verdict: 'refused', code: 'too_large' });
    expect(reads).toEqual([]);
  });
  it('an MP4 that lost its end, and its index with it', async () => {
    const whole = await made('whole.mp4', ...VIDEO, ...H264);
    const { finding } = await examined(whole.subarray(0, Math.floor(whole.length * 0.6)));
    expect(finding).toMatchObject({ verdict: 'refused', code: 'corrupt' });
  });
  it('but not one whose index comes first: what is missing of it is for the worker to tell', async () => {
    const whole = await made('fast.mp4', ...VIDEO, ...H264, '-movflags', 'faststart');
    const { finding } = await examined(whole.subarray(0, Math.floor(whole.length * 0.6)));
    expect(finding).toMatchObject({ verdict: 'accepted' });
  });
  it.each(['only.mkv', 'only.mp4'])('subtitles alone in %s', async (name) => {
    const codec = name.endsWith('mp4') ? ['-c:s', 'mov_text'] : [];
    const { finding } = await examined(await made(name, '-i', join(dir, 'subtitles.srt'), ...codec));
    expect(finding).toMatchObject({ verdict: 'refused', code: 'no_tracks' });
  });
});

describe('reads', () => {
  it('are of whole blocks, each once, whatever is asked for', async () => {
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

describe('a Matroska file whose tail is junk, in which its parser loops for ever', () => {
  const accepted = { verdict: 'accepted', info: {} };

  it.for([
    ['the parser is stopped', true],
    ['when no call has ended, it is not parsed at all', false],
  ] as const)('is left to the worker: %s', async ([, mayProbe]) => {
    const whole = await made('whole.mkv', ...VIDEO, ...H264);
    const bytes = Buffer.concat([whole.subarray(0, 256), Buffer.alloc(20_000)]);
    const read = async (start: number, end: number) => bytes.subarray(start, end);
    expect(await examine(read, bytes.length, LIMIT, mayProbe)).toEqual(accepted);
  });
});
