import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Chunk, WITNESS_SECONDS } from '../../../core/media/chunk.ts';
import type { ChunkRendition, EncodedChunk, Whole } from '../../../core/media/chunk-record.ts';
import { holdsThumbnail, planChunk } from '../../../core/media/chunks.ts';
import { pictureFaults } from '../../../core/media/decoded.ts';
import type { EncodePlan, VideoPlan } from '../../../core/media/encode-plan.ts';
import { PIECE_ENDS } from '../../../core/media/piece.ts';
import { recordedTimes } from '../decode-record.ts';
import { type EncodeRun, findToneMap } from '../encode.ts';
import { pictureFiles, WITNESS_FILE } from '../ffmpeg/arguments.ts';
import { delaySeconds } from '../ffmpeg/encoders.ts';
import type { Tools } from '../ffmpeg/run.ts';
import { IN_SOFTWARE, onGpuOrNot, reasonOf } from '../gpu.ts';
import { letWrite, takeOver } from '../hand-over.ts';
import { eachPacket } from '../read-packets.ts';
import { wholeName } from '../split.ts';
import { type OnGpu, runStages } from '../stages.ts';
import { readBack } from '../verify.ts';
import { checkSource, NotExact, orWhole } from './doubt.ts';
import { followPieces, type PieceTaker } from './pieces.ts';
import { rewriteRendition } from './rewrite.ts';

/** Within which a chunk's first picture is looked for first. */
const NEAR_SECONDS = 2;

export interface ChunkRun extends EncodeRun {
  /** When the file begins, on the clock of its packets. */
  startSeconds: number;
  /** Whether the worker has a GPU. */
  gpu?: boolean;
  /** Aborted when captions are seen that the plan does not have. */
  captions?: AbortSignal | undefined;
  /** Takes pieces of what is encoded, while it is; absent where none are wanted. */
  pieces?: PieceTaker | undefined;
}

/**
 * Encodes the pictures of one chunk into `out`: a file for each rung, and what else is made of its pictures. `times` holds the times of the
 * pictures that are decoded in the chunk. Each file is decoded again, and has each of these pictures at its time.
 * @param plan Of the whole film, which `whyWhole` lets be cut.
 * @returns why the film has to be encoded whole, if it has
 * @throws DropreelError of a fault that may pass, or the signal's reason
 */
export async function encodeChunk(
  tools: Tools,
  plan: EncodePlan,
  chunk: Chunk,
  run: ChunkRun,
): Promise<EncodedChunk | Whole> {
  return orWhole(run.signal, () => encodeExactly(tools, plan, chunk, run));
}

async function encodeExactly(tools: Tools, plan: EncodePlan, chunk: Chunk, run: ChunkRun): Promise<EncodedChunk> {
  const { video } = plan;
  if (!video) throw new Error('The plan has no pictures.');
  const first = await findFirst(tools, video, chunk, run);
  if (first === undefined) {
    if (holdsThumbnail(plan, chunk)) throw new NotExact('There is no picture where the thumbnail is taken.');
    return { status: 'encoded', index: chunk.index, renditions: [], pictures: 0, frames: 0 };
  }
  const part = planChunk(plan, chunk, first);
  if (!run.gpu) return encodeOnce(tools, part, chunk, run, IN_SOFTWARE);
  return onGpuOrNot(tools, part, run, async (onGpu) => {
    try {
      return await encodeOnce(tools, part, chunk, run, onGpu);
    } catch (error) {
      // In software it may go well, and else it says what is wrong.
      if (!onGpu.encode) throw error;
      return error instanceof NotExact ? (error.fault ?? error.message) : reasonOf(error, run.signal);
    }
  });
}

async function encodeOnce(
  tools: Tools,
  part: ReturnType<typeof planChunk>,
  chunk: Chunk,
  run: ChunkRun,
  onGpu: OnGpu,
): Promise<EncodedChunk> {
  const { out, times, signal, captions } = run;
  const { video } = part;
  if (!video) throw new Error('The plan has no pictures.');
  const { first } = part.chunk;
  const { toneMap } = await findToneMap(tools, part);
  await letWrite(tools, out);
  // A GPU's pictures may turn out not to be good, and are then encoded again in software.
  const stop = !run.gpu && run.pieces ? followPictures(run.pieces, part, video, out) : undefined;
  const outcome = await runStages(tools, part, { ...run, onGpu, cwd: out, toneMap }).finally(() => stop?.());
  await takeOver(tools, out);
  checkSource(outcome);
  if (captions?.aborted) throw new NotExact('Its captions begin late.');
  const decoded = await keepTimes(times, chunk);
  if (decoded.some(Number.isNaN)) throw new NotExact('A picture has no time.');
  if (chunk.start > 0 && Math.abs((decoded[0] ?? 0) - first) > 0.5 / video.timescale) {
    throw new NotExact(`Its first picture comes at ${decoded[0]} s, and not at ${first} s.`);
  }
  const renditions: ChunkRendition[] = [];
  let frames = 0;
  for (const file of pictureFiles(part)) {
    const made = await finishRendition(tools, { out, file, signal }, decoded, part, video, chunk);
    renditions.push(made.rendition);
    frames = made.frames;
  }
  const witness = await takeWitness(out, chunk, video);
  const { ssim } = outcome;
  return {
    ...{ status: 'encoded', index: chunk.index, renditions, pictures: decoded.length, frames, witness },
    ...(ssim !== undefined && { ssim }),
  };
}

function followPictures({ to, take }: PieceTaker, { segmentSeconds }: EncodePlan, video: VideoPlan, from: string) {
  const files = video.rungs.map(({ name }) => name);
  const of = { from, to, files, ends: PIECE_ENDS.pictures, segmentSeconds, delaySeconds: delaySeconds(video), take };
  return followPieces(of);
}

/**
 * When the first picture of a chunk is shown, in seconds, by the file's packets; undefined where it has none. That of the film's start is shown
 * at 0 whenever it comes.
 */
async function findFirst(
  tools: Tools,
  { track, timescale }: VideoPlan,
  { start, end }: Chunk,
  { input, signal, startSeconds }: ChunkRun,
): Promise<number | undefined> {
  if (start === 0) return 0;
  const within = async (seconds: number | undefined) => {
    const until = seconds === undefined ? '' : String(startSeconds + start + seconds);
    const which = ['-select_streams', String(track), '-read_intervals', `${startSeconds + start}%${until}`];
    let first: number | undefined;
    await eachPacket({ tools, input, signal }, which, ({ pts, discarded }) => {
      const at = Math.round((pts - startSeconds) * timescale) / timescale;
      if (
        !discarded &&
        at >= start &&
        at < (end ?? Number.POSITIVE_INFINITY) &&
        at < (first ?? Number.POSITIVE_INFINITY)
      )
        first = at;
    });
    return first;
  };
  return (await within(NEAR_SECONDS)) ?? (await within(end && end - start));
}

/** Keeps the times of the chunk's own pictures, and not of those around it. */
async function keepTimes(path: string, { start, end = Number.POSITIVE_INFINITY }: Chunk): Promise<Float64Array> {
  const own = (await recordedTimes(path)).filter(
    (at) => Number.isNaN(at) || ((start === 0 || at >= start) && at < end),
  );
  await writeFile(path, new Uint8Array(own.buffer, own.byteOffset, own.byteLength));
  return own;
}

async function finishRendition(
  tools: Tools,
  { out, file, signal }: { out: string; file: string; signal: AbortSignal },
  decoded: Float64Array,
  { segmentSeconds }: EncodePlan,
  video: VideoPlan,
  chunk: Chunk,
): Promise<{ rendition: ChunkRendition; frames: number }> {
  const end = chunk.end ?? (decoded.at(-1) ?? 0) + video.lastFrameSeconds;
  const written = await rewriteRendition(out, file, delaySeconds(video), { segmentSeconds, end }).catch(
    (cause: Error) => {
      if ('code' in cause) throw cause;
      throw new NotExact(`${file} is not as it should be: ${cause.message}`);
    },
  );
  if (!written) {
    await rm(join(out, wholeName(file)), { force: true });
    throw new NotExact(`${file} has no pictures of ${decoded.length}.`);
  }
  const { rendition, shown } = written;
  const faults = pictureFaults(file, shown, decoded, video, chunk.start === 0);
  const { frames, errors } = await readBack(tools, out, wholeName(file), signal);
  if (errors) faults.push(`${file} does not decode: ${errors.slice(0, 200)}`);
  if (frames !== shown.length) faults.push(`${file}: ${frames} of ${shown.length} frames decode`);
  const [first] = faults;
  if (first !== undefined) throw new NotExact(first);
  return { rendition, frames: shown.length };
}

/** Reads what FFmpeg's framemd5 has written, and removes the file. */
async function takeWitness(
  out: string,
  { start, end }: Chunk,
  { timescale }: VideoPlan,
): Promise<NonNullable<EncodedChunk['witness']>> {
  const path = join(out, WITNESS_FILE);
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  await rm(path);
  const all = lines.map((line) => line.split(',').map((field) => field.trim()));
  const pictures = all.map(([, , pts = '', , , md5 = '']) => ({ at: Number(pts), md5 }));
  const beside = (joint: number | undefined) =>
    pictures.filter(
      ({ at }) =>
        joint !== undefined &&
        at >= (joint - WITNESS_SECONDS) * timescale &&
        at < (joint + WITNESS_SECONDS) * timescale,
    );
  return { start: beside(start > 0 ? start : undefined), end: beside(end) };
}
