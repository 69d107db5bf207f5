import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { walkBoxes, withFile } from '../../containers/transcoder/box-walk.ts';
import { TIMES_FILE } from '../../containers/transcoder/chunks/bring.ts';
import { encodeChunk } from '../../containers/transcoder/chunks/encode-chunk.ts';
import { encodeSound } from '../../containers/transcoder/chunks/encode-sound.ts';
import { recordedTimes } from '../../containers/transcoder/decode-record.ts';
import { delaySeconds } from '../../containers/transcoder/ffmpeg/encoders.ts';
import { fileInput } from '../../containers/transcoder/input/input.ts';
import { probeSource } from '../../containers/transcoder/probe.ts';
import { openScratch } from '../../containers/transcoder/scratch.ts';
import { wholeName } from '../../containers/transcoder/split.ts';
import { encodeTask } from '../../containers/transcoder/tasks/encode.ts';
import { TASKS } from '../../containers/transcoder/tasks/index.ts';
import { joinTask } from '../../containers/transcoder/tasks/join.ts';
import { makeOutputs } from '../../containers/transcoder/transcode.ts';
import { FILES } from '../../core/contracts/outputs.ts';
import type { Chunk } from '../../core/media/chunk.ts';
import { type ChunkRendition, type EncodedChunk, jointFaults } from '../../core/media/chunk-record.ts';
import { cutChunks, holdsThumbnail } from '../../core/media/chunks.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import { readFragment, readInit, readSamples } from '../../core/media/fragments.ts';
import { planEncode } from '../../core/media/plan.ts';
import { writeMoof } from '../../core/media/write-moof.ts';
import { numbered } from '../../test/support/chunks.ts';
import { make, TOOLS, tone } from '../../test/support/media.ts';
import { presetNamed } from '../../test/support/transcode.ts';
import { measured } from './encode-bench.ts';

const SEGMENT_SECONDS = 6;
const RATE = 5;
const standard = presetNamed('standard');
const preset = {
  ...standard,
  rungs: [72, 54, 36, 18].map((shortSide) => ({
    ...{ name: `${shortSide}p`, shortSide, maxBitrate: 200_000, audio: '64k' as const },
  })),
};

/**
 * What joining so many chunks takes: of a segment each, of four rungs, with tiny pictures. They are cut out of one encode, because it is the
 * join that is measured.
 */
export async function joinMany(count: number): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'dropreel-bench-'));
  try {
    const seconds = count * SEGMENT_SECONDS;
    const size = ['-vf', 'scale=128:72', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
    const film = await make(
      root,
      ...numbered(String(RATE), seconds),
      ...tone(seconds),
      ...size,
      '-c:a',
      'aac',
      'film.mp4',
    );
    const scratch = await openScratch(join(root, 'join'));
    await copyFile(film, scratch.source);
    const input = await fileInput(scratch.source);
    const { signal } = new AbortController();
    const { probe, ends, report, warnings } = await probeSource(TOOLS, input, signal);
    const plan = planEncode(probe, preset, ends);
    const { startSeconds } = probe;
    const runIn = async (name: string) => {
      const out = join(root, name);
      await mkdir(out);
      return { input, out, times: join(out, TIMES_FILE), signal, onProgress: () => undefined, startSeconds };
    };
    const cut = cutChunks(plan, count);
    const whole = await runIn('whole');
    const one = await encodeChunk(TOOLS, plan, { index: 0, start: 0 }, whole);
    if (one.status === 'whole') throw new Error(one.why);
    const chunks = await cutOut(root, whole.out, plan, cut, one);
    const sound = await encodeSound(TOOLS, { plan, chunks: cut, startSeconds }, await runIn('part-sound'));
    if (sound.status === 'whole') throw new Error(sound.why);
    const [fault] = jointFaults(chunks, sound.held);
    if (fault !== undefined) throw new Error(fault);
    const open = async (part: number | 'sound', name: string) => ({
      bytes: createReadStream(join(root, `part-${part}`, name)),
    });
    const tasks = TASKS.map((task) => (task === encodeTask ? joinTask({ cut, chunks, sound, open }) : task));
    const run = { tools: TOOLS, scratch, preset, signal, onProgress: () => undefined };
    let pictures = 0;
    const cost = await measured(async () => {
      const { source, renditions } = await makeOutputs(run, { probe, plan, report, warnings }, tasks);
      pictures = renditions.length * (source.durationSeconds ?? 0) * RATE;
    });
    console.log(
      `${cut.length} chunks of ${SEGMENT_SECONDS} s in four rungs, ${pictures} pictures: joined and verified in ${cost.wall.toFixed(0)} s, ` +
        `${cost.cpu.toFixed(0)} s of CPU, ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at most, ` +
        `records of ${Math.round(JSON.stringify(chunks).length / 1024)} KiB, load ${loadavg()[0]?.toFixed(1)}`,
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** The parts that workers would have left of each chunk, by the fragments of one encode. */
async function cutOut(root: string, from: string, plan: EncodePlan, cut: readonly Chunk[], one: EncodedChunk) {
  const times = await recordedTimes(join(from, TIMES_FILE));
  const renditions = await Promise.all(one.renditions.map((whole) => fragmentsOf(from, plan, whole)));
  const chunks: EncodedChunk[] = [];
  for (const chunk of cut) {
    const directory = join(root, `part-${chunk.index}`);
    await mkdir(directory);
    const own = times.filter((at) => isIn(chunk, at));
    await writeFile(join(directory, TIMES_FILE), new Uint8Array(own.buffer, own.byteOffset, own.byteLength));
    const { file: picture } = FILES.thumbnail;
    if (holdsThumbnail(plan, chunk)) await copyFile(join(from, picture), join(directory, picture));
    const pieces: ChunkRendition[] = [];
    for (const { whole, init, fragments } of renditions) {
      const held = fragments.filter(({ begins }) => isIn(chunk, begins));
      const [first, last] = [held[0], held.at(-1)];
      if (!first || !last) throw new Error(`Nothing of ${whole.file} is in chunk ${chunk.index}.`);
      const bytes = Buffer.concat([init, ...held.map((fragment) => fragment.bytes)]);
      await writeFile(join(directory, wholeName(whole.file)), bytes);
      const lastDurationAt = bytes.length - last.bytes.length + last.lastDurationAt;
      // Those of the whole are not this chunk's, and nothing is joined by them.
      const { segments: _, ...same } = whole;
      pieces.push({ ...same, bytes: bytes.length, first: first.decoded, last: last.lastDecoded, lastDurationAt });
    }
    const ofChunk = { index: chunk.index, pictures: own.length, frames: own.length, renditions: pieces };
    chunks.push({ ...one, ...ofChunk, witness: { start: [], end: [] } });
  }
  return chunks;
}

function isIn({ start, end = Number.POSITIVE_INFINITY }: Chunk, at: number): boolean {
  return at >= start && at < end;
}

async function fragmentsOf(directory: string, { video }: EncodePlan, whole: ChunkRendition) {
  const path = join(directory, wholeName(whole.file));
  const bytes = await readFile(path);
  const init = bytes.subarray(0, whole.initBytes);
  const { timescale } = readInit(init);
  const delay = Math.round((video ? delaySeconds(video) : 0) * timescale);
  const fragments: { begins: number; decoded: number; lastDecoded: number; lastDurationAt: number; bytes: Buffer }[] =
    [];
  await withFile(path, async (file) => {
    for await (const { type, offset, size, body } of walkBoxes(file)) {
      const last = fragments.at(-1);
      if (type === 'mdat' && last) last.bytes = Buffer.concat([last.bytes, bytes.subarray(offset, offset + size)]);
      if (type !== 'moof') continue;
      const moof = await body();
      const samples = readSamples(moof).map((sample) => ({ ...sample, shown: sample.shown - delay }));
      const { lastDecoded, lastDurationAt } = writeMoof({ sequence: 1, samples, delay });
      const { start: decoded } = readFragment(moof);
      const head = bytes.subarray(offset, offset + size);
      fragments.push({ begins: decoded / timescale, decoded, lastDecoded, lastDurationAt, bytes: head });
    }
  });
  return { whole, init, fragments };
}
