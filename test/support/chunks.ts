import { createReadStream } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { encodeChunk } from '../../containers/transcoder/chunks/encode-chunk.ts';
import { encodeSound } from '../../containers/transcoder/chunks/encode-sound.ts';
import { fileInput } from '../../containers/transcoder/input/input.ts';
import { probeSource } from '../../containers/transcoder/probe.ts';
import { openScratch } from '../../containers/transcoder/scratch.ts';
import { encodeTask } from '../../containers/transcoder/tasks/encode.ts';
import { TASKS } from '../../containers/transcoder/tasks/index.ts';
import { joinTask } from '../../containers/transcoder/tasks/join.ts';
import { makeOutputs } from '../../containers/transcoder/transcode.ts';
import type { Chunk } from '../../core/media/chunk.ts';
import { type EncodedChunk, jointFaults } from '../../core/media/chunk-record.ts';
import { cutChunks, whyWhole } from '../../core/media/chunks.ts';
import { planEncode } from '../../core/media/plan.ts';
import { TOOLS } from './media.ts';
import { type LocalTranscode, presetNamed } from './transcode.ts';

/** All of a film's workers, one after the other on this machine; or why the film has to be encoded whole. */
export async function transcodeInChunks(
  directory: string,
  file: string,
  count: number,
  preset = presetNamed('standard'),
  { tools = TOOLS, gpu = false } = {},
): Promise<(LocalTranscode & { cut: Chunk[] }) | { why: string[] }> {
  const { signal } = new AbortController();
  const root = join(directory, `chunked-${crypto.randomUUID()}`);
  const scratch = await openScratch(root);
  await copyFile(file, scratch.source);
  const input = await fileInput(scratch.source);
  const { probe, ends, report, warnings, look } = await probeSource(tools, input, signal);
  if (probe.video && look) probe.video.combed = await look(signal);
  const plan = planEncode(probe, preset, ends);
  const whole = whyWhole(plan);
  if (whole !== undefined) return { why: [whole] };
  const cut = cutChunks(plan, count);
  const runOf = async (part: number | 'sound') => {
    const out = join(root, `part-${part}`);
    await mkdir(out);
    return { input, out, times: join(out, 'pictures.times'), signal, onProgress: () => undefined };
  };
  const chunks: EncodedChunk[] = [];
  for (const chunk of cut) {
    const made = await encodeChunk(tools, plan, chunk, {
      ...(await runOf(chunk.index)),
      startSeconds: probe.startSeconds,
      gpu,
    });
    if ('why' in made) return { why: [made.why] };
    chunks.push(made);
  }
  const film = { plan, chunks: cut, startSeconds: probe.startSeconds };
  const sound = await encodeSound(tools, film, await runOf('sound'));
  if ('why' in sound) return { why: [sound.why] };
  const why = jointFaults(chunks, sound.held);
  if (why.length > 0) return { why };
  const open = async (part: number | 'sound', name: string) => ({
    bytes: createReadStream(join(root, `part-${part}`, name)),
  });
  const tasks = TASKS.map((task) => (task === encodeTask ? joinTask({ cut, chunks, sound, open }) : task));
  const run = { tools, scratch, preset, signal, onProgress: () => undefined };
  const result = await makeOutputs(run, { probe, plan, report, warnings }, tasks);
  return { result, out: scratch.out, cut };
}

const BITS = 10;
const COLUMN = 64;

/**
 * FFmpeg's inputs of a picture that shows its number, in black and white columns of one bit each.
 * @param chosen The filter's expression of which pictures there are; absent: all.
 */
export function numbered(rate: string, seconds: number, chosen = '1', height = 360): string[] {
  const columns = Array.from({ length: BITS }, (_, bit) => {
    const isSet = `mod(floor(n/${2 ** bit})\\,2)`;
    return `drawbox=x=${bit * COLUMN}:w=${COLUMN}:color=white:t=fill:enable='${isSet}'`;
  });
  return [
    '-f',
    'lavfi',
    '-i',
    `color=black:s=${BITS * COLUMN}x${height}:r=${rate}:d=${seconds},select='${chosen}',${columns.join(',')}`,
  ];
}

export interface Shown {
  number: number;
  /** Seconds. */
  at: number;
}

/**
 * The numbers that a file or playlist shows, and when.
 * @param share how much of the height, from the top, has them
 */
export async function numbersIn(path: string, share = 1): Promise<Shown[]> {
  const filter = `crop=iw:ih*${share}:0:0,scale=${BITS}:1:flags=area,format=gray`;
  const output = ['-fps_mode', 'passthrough', '-enc_time_base', '1:90000', '-f', 'rawvideo', '-c:v', 'rawvideo'];
  const args = ['-v', 'error', '-copyts', '-i', path, '-map', '0:v:0', '-vf', filter, ...output, 'pipe:1'];
  const [pixels, times] = await Promise.all([
    execa(TOOLS.ffmpeg, args, { encoding: 'buffer' }),
    execa(TOOLS.ffprobe, [
      '-v',
      'error',
      '-select_streams',
      'v:0',
      '-show_entries',
      'frame=pts_time',
      '-of',
      'csv=p=0',
      path,
    ]),
  ]);
  const at = times.stdout
    .split('\n')
    .map((line) => Number.parseFloat(line))
    .filter((time) => !Number.isNaN(time));
  return at.map((time, i) => {
    const row = pixels.stdout.subarray(i * BITS, (i + 1) * BITS);
    return { number: row.reduce((sum, value, bit) => sum + (value > 128 ? 2 ** bit : 0), 0), at: time };
  });
}
