import { appendFile, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followPieces, type PiecesRun } from '../../containers/transcoder/chunks/pieces.ts';
import { rewriteRendition } from '../../containers/transcoder/chunks/rewrite.ts';
import { soundArguments } from '../../containers/transcoder/ffmpeg/arguments.ts';
import { SOUND_EARLY_SECONDS, wholeName } from '../../containers/transcoder/split.ts';
import type { AudioPlan } from '../../core/media/encode-plan.ts';
import type { PieceRendition } from '../../core/media/piece.ts';
import { eventually } from '../support/cloud.ts';
import { make, temporaryDirectory, tone } from '../support/media.ts';

const DELAY = 0.4;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
/** A chunk of 26 s as FFmpeg leaves it, and sound of 26 s. */
let pictures: Buffer;
let sound: Buffer;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '10', '-keyint_min', '10'];
  const flags = '+frag_keyframe+delay_moov+default_base_moof+frag_discont+negative_cts_offsets';
  const film = [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=s=160x90:r=5:d=26',
    ...codec,
    '-pix_fmt',
    'yuv420p',
    '-sc_threshold',
    '0',
  ];
  const muxer = ['-avoid_negative_ts', 'disabled', '-use_editlist', '0', '-movflags', flags];
  pictures = await readFile(await make(directory.path, ...film, ...muxer, 'chunk.mp4'));
  const plan = { renditions: [{ name: '64k', file: '64k', bitrate: 64_000, streamed: true }] } as unknown as AudioPlan;
  const args = soundArguments({ ...plan, sampleRate: 48_000, channels: 2 }, { segmentSeconds: 6 });
  const outputs = args.slice(args.indexOf('0:a') - 1);
  await make(directory.path, ...tone(26), ...outputs.map((arg) => (arg === '/dev/null' ? 'unused.m3u8' : arg)));
  sound = await readFile(join(directory.path, wholeName('64k')));
}, 60_000);
afterAll(() => directory[Symbol.asyncDispose]());

let count = 0;
/** Follows two files that are written in the same steps, and keeps the pieces. */
async function follow(more: Omit<PiecesRun, 'from' | 'to' | 'files' | 'segmentSeconds' | 'take'>, bytes: Buffer) {
  count += 1;
  const from = join(directory.path, `from-${count}`);
  await mkdir(from);
  const files = ['a', 'b'];
  const pieces: { end: number; bytes: Buffer; renditions: PieceRendition[] }[] = [];
  const take: PiecesRun['take'] = async ({ path, end, renditions }) => {
    pieces.push({ end, bytes: await readFile(path), renditions });
  };
  const stop = followPieces({ ...more, from, to: join(from, 'pieces'), files, segmentSeconds: 6, take });
  const write = async (file: string, start: number, end?: number) =>
    appendFile(join(from, wholeName(file)), bytes.subarray(start, end));
  return { from, pieces, stop, write };
}

/** What a piece has of one of its renditions, from its first segment on. */
function bodyOf({ bytes, renditions }: { bytes: Buffer; renditions: PieceRendition[] }, i: number): Buffer {
  const parts = renditions[i]?.segments.map(({ offset, bytes: length }) => bytes.subarray(offset, offset + length));
  return Buffer.concat(parts ?? []);
}

test('the pieces of a chunk are its own bytes, cut at the segments that are complete in every rendition', async () => {
  const { from, pieces, stop, write } = await follow({ ends: [2, 3, 6], delaySeconds: DELAY }, pictures);
  const half = Math.floor(pictures.length * 0.6);
  await write('a', 0);
  await write('b', 0, half);
  await eventually('the first piece is there', async () => pieces.length === 1);
  await write('b', half);
  await eventually('the second piece is there', async () => pieces.length === 2);
  await stop();
  expect(pieces.map(({ end, renditions }) => [end, ...renditions.map(({ segments }) => segments.length)])).toEqual([
    [2, 2, 2],
    [3, 1, 1],
  ]);
  await copyFile(join(from, wholeName('a')), join(directory.path, wholeName('a')));
  const whole = await rewriteRendition(directory.path, 'a', DELAY, { segmentSeconds: 6, end: 26 });
  const rendition = whole?.rendition;
  const bytes = await readFile(join(directory.path, wholeName('a')));
  const { initBytes = 0, codec, segments = [] } = rendition ?? {};
  expect(segments.map(({ at, seconds }) => [at, seconds])).toEqual([
    [0, 6],
    [6, 6],
    [12, 6],
    [18, 6],
    [24, 2],
  ]);
  for (const [i, file] of ['a', 'b'].entries()) {
    const made = pieces.map(({ renditions }) => renditions[i]);
    expect(made.map((one) => one?.file)).toEqual([file, file]);
    expect(made.map((one) => one?.codec)).toEqual([codec, codec]);
    expect(made.flatMap((one) => one?.segments ?? []).map(({ at, seconds }) => [at, seconds])).toEqual([
      [0, 6],
      [6, 6],
      [12, 6],
    ]);
    const body = Buffer.concat(pieces.map((piece) => bodyOf(piece, i)));
    expect(body.equals(bytes.subarray(initBytes, initBytes + body.length))).toBe(true);
    for (const { bytes: piece, renditions } of pieces) {
      const { offset = 0, bytes: length = 0 } = renditions[i]?.init ?? {};
      expect(piece.subarray(offset, offset + length).equals(bytes.subarray(0, initBytes))).toBe(true);
    }
  }
});

test('the pieces of sound are its own bytes, and the last has the rest', async () => {
  const early = { earlySeconds: SOUND_EARLY_SECONDS };
  const { pieces, stop, write } = await follow({ ends: [2, 24], ...early }, sound);
  await write('a', 0);
  await write('b', 0);
  await eventually('the first piece is there', async () => pieces.length === 1);
  await stop({ flush: true });
  expect(pieces.map(({ end, renditions }) => [end, renditions[0]?.segments.length])).toEqual([
    [2, 2],
    [24, 3],
  ]);
  const body = Buffer.concat(pieces.map((piece) => bodyOf(piece, 1)));
  const init = pieces[0]?.renditions[1]?.init.bytes ?? 0;
  expect(body.equals(sound.subarray(init))).toBe(true);
  const times = pieces.flatMap(({ renditions }) => renditions[1]?.segments ?? []);
  const [first, , , , last] = times;
  expect(first?.at).toBe(0);
  expect((last?.at ?? 0) + (last?.seconds ?? 0)).toBeCloseTo(26, 1);
  for (const [i, { at, seconds }] of times.slice(0, -1).entries())
    expect(at + seconds).toBeCloseTo(times[i + 1]?.at ?? 0, 6);
});

test('a file that is not one of MP4, and none at all, end the pieces and nothing else', async () => {
  const { pieces, stop, write } = await follow({ ends: [2] }, Buffer.from('moof without an init segment'.repeat(9)));
  await write('a', 0);
  await stop({ flush: true });
  expect(pieces).toEqual([]);
});

test('a link in the place of a file is not followed', async () => {
  const secret = join(directory.path, 'secret');
  await writeFile(secret, pictures);
  const { from, pieces, stop } = await follow({ ends: [2], delaySeconds: DELAY }, pictures);
  const { symlink } = await import('node:fs/promises');
  for (const file of ['a', 'b']) await symlink(secret, join(from, wholeName(file)));
  await stop({ flush: true });
  expect(pieces).toEqual([]);
});
