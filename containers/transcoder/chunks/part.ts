import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { z } from 'zod';
import { head, readText } from '../../../aws/s3.ts';
import { DropreelError } from '../../../core/contracts/errors.ts';
import type { Job } from '../../../core/contracts/job.ts';
import {
  JOIN_CLAIM_FILE,
  PART_ALIVE_FILE,
  PART_RECORD_FILE,
  PREPARED_FILE,
  partPrefix,
} from '../../../core/contracts/keys.ts';
import { parseJson } from '../../../core/contracts/text.ts';
import type { Chunk } from '../../../core/media/chunk.ts';
import {
  ChunkRecord,
  type EncodedChunk,
  type EncodedSound,
  SoundRecord,
  type Whole,
} from '../../../core/media/chunk-record.ts';
import { cutChunks } from '../../../core/media/chunks.ts';
import type { EncodePlan } from '../../../core/media/encode-plan.ts';
import { Piece, pieceRecord } from '../../../core/media/piece.ts';
import { planEncode } from '../../../core/media/plan.ts';
import { Prepared } from '../../../core/media/prepared.ts';
import type { WorkerContext } from '../context.ts';
import type { FfmpegProgress } from '../ffmpeg/progress.ts';
import { fileInput, type Input } from '../input/input.ts';
import { withSource } from '../input/with-source.ts';
import { log } from '../log.ts';
import { putOnce, putPeriodically } from '../marks.ts';
import { push, pushFile } from '../push.ts';
import { empty, needDisk, type Scratch } from '../scratch.ts';
import { cpuSeconds } from '../usage.ts';
import { TIMES_FILE } from './bring.ts';
import { orWhole } from './doubt.ts';
import { encodeChunk } from './encode-chunk.ts';
import { encodeSound } from './encode-sound.ts';
import type { PieceTaker } from './pieces.ts';

/** Number of a chunk, or the sound. */
export type Part = number | 'sound';

/** Where the record of a part lies. */
export function recordOf({ output }: Pick<Job, 'output'>, part: Part) {
  return { bucket: output.bucket, key: `${output.prefix}${partPrefix(part)}${PART_RECORD_FILE}` };
}

/** @throws DropreelError where the worker that cut the film has left nothing */
export async function readCut({ s3 }: Pick<WorkerContext, 's3'>, { jobId, output, preset }: Job) {
  const text = await readText(s3, { bucket: output.bucket, key: `${output.prefix}${PREPARED_FILE}` });
  const { success, data: prepared } = Prepared.safeParse(parseJson(text ?? ''));
  if (!success || prepared.jobId !== jobId || prepared.chunks === undefined) {
    throw new DropreelError('worker_bug', `${PREPARED_FILE} is not that of this film.`);
  }
  const plan = planEncode(prepared.probe, preset, prepared.ends);
  return { prepared, plan, cut: cutChunks(plan, prepared.chunks) };
}

/** Says periodically that a worker is at a part, as a claim is renewed. Returns a function that stops it. */
export function keepAlive(s3: WorkerContext['s3'], { jobId, output }: Job, part: Part): () => void {
  const Key = `${output.prefix}${partPrefix(part)}${PART_ALIVE_FILE}`;
  return putPeriodically(s3, { Bucket: output.bucket, Key, Body: '' }, jobId);
}

/**
 * Encodes a part of a film, from the source where it lies, unless another worker has: the first record counts. What a worker writes before its
 * record is in a folder of its own, so that two at the same part, or one after another that was killed, do not meet.
 * @throws DropreelError of a fault that may pass
 */
export async function workPart(job: Job, part: Part, context: WorkerContext, scratch: Scratch): Promise<void> {
  const { s3, tools, progress, signal } = context;
  const place = recordOf(job, part);
  const begun = { bucket: job.output.bucket, key: `${job.output.prefix}${JOIN_CLAIM_FILE}` };
  // A second worker, or one of a second array, may come when the film is joined, and its source is gone.
  const isLate = async () => (await head(s3, place)) !== null || (await head(s3, begun)) !== null;
  const late = () => log('info', 'nobody waits for this part', { part });
  if (await isLate()) return late();
  const { prepared, plan, cut } = await readCut(context, job);
  const chunk = part === 'sound' ? undefined : cut[part];
  if (part !== 'sound' && !chunk) return log('warn', 'there are not so many chunks', { part, chunks: cut.length });
  progress.at('pulling', 0);
  const [before, startedAt] = [await cpuSeconds(), performance.now()];
  const isGrowing = job.task?.name === 'chunk' && job.task.grows === true && (part === 0 || part === 'sound');
  const { out } = scratch;
  await empty(out);
  const reader = {
    ...{ s3, job, source: job.source, scratch, signal },
    onProgress: (fraction: number) => progress.at('pulling', fraction),
    onRead: () => undefined,
  };
  const encode = async (signal: AbortSignal, found?: Input): Promise<EncodedChunk | EncodedSound | Whole> => {
    const input = found ?? (await fileInput(scratch.source));
    const times = join(out, TIMES_FILE);
    const onProgress = (report: FfmpegProgress) =>
      progress.at('transcoding', Math.min(0.99, doneOf(report, plan, chunk, prepared.probe.video?.frameRate)));
    const run = { input, out, times, signal, onProgress, startSeconds: prepared.probe.startSeconds };
    const pieces = isGrowing && pieceTaker(job, part, context, scratch);
    const taking = { ...(pieces && { pieces }) };
    if (!chunk) return encodeSound(tools, { plan, chunks: cut, startSeconds: run.startSeconds }, { ...run, ...taking });
    const { video } = prepared.probe;
    const captions = video && !plan.video?.captions ? input.lateCaptions(video.codec) : undefined;
    return encodeChunk(tools, plan, chunk, { ...run, ...taking, captions, gpu: context.gpu });
  };
  // What is wrong with the source for good, the encode of the whole finds too, and says.
  const made = await orWhole(signal, async () => {
    await needDisk(scratch, plan.worstCaseBytes / cut.length, 'What is encoded of this part');
    return (await withSource(reader, encode)).value;
  });
  if (await isLate()) return late();
  const usage = async () => ({
    cpuSeconds: (await cpuSeconds()) - before,
    wallSeconds: (performance.now() - startedAt) / 1000,
  });
  if (made.status === 'whole') return putRecord(context, place, part, { ...made, ...(await usage()) });
  const folder = `${randomBytes(12).toString('hex')}/`;
  const prefix = `${job.output.prefix}${partPrefix(part)}${folder}`;
  const pushing = { s3, bucket: job.output.bucket, prefix, directory: out, kind: plan.kind, signal };
  const { files } = await push({ ...pushing, resumed: false, onProgress: () => undefined });
  const record = { ...made, folder, files, ...(await usage()) };
  await putRecord(context, place, part, record);
  progress.at('verifying', 0);
}

/** Leaves the pieces of a part for a growing version: of several workers at the same part, that of the first one counts. */
function pieceTaker(job: Job, part: Part, { s3, progress, signal }: WorkerContext, { root }: Scratch): PieceTaker {
  const { bucket, prefix } = job.output;
  const place = `${prefix}${partPrefix(part)}`;
  const folder = `${randomBytes(12).toString('hex')}/`;
  const directory = join(root, 'pieces');
  return {
    to: directory,
    async take({ name, end, renditions }) {
      const run = { s3, bucket, prefix: `${place}${folder}`, directory, kind: 'video', signal } as const;
      const file = await pushFile(run, name, undefined);
      const record = Piece.parse({ folder, file, renditions });
      await putOnce(s3, { bucket, key: `${place}${pieceRecord(end)}` }, JSON.stringify(record));
      progress.piece();
    },
  };
}

/** Which share of its part a worker has encoded: of a chunk by its pictures, because its clock is the film's. */
function doneOf(
  { frames = 0, seconds = 0 }: FfmpegProgress,
  { durationSeconds }: Pick<EncodePlan, 'durationSeconds'>,
  chunk: Chunk | undefined,
  rate: { num: number; den: number } | undefined,
): number {
  if (!chunk) return seconds / Math.max(1, durationSeconds);
  const length = (chunk.end ?? durationSeconds) - chunk.start;
  return rate ? (frames * rate.den) / (rate.num * Math.max(1, length)) : 0;
}

async function putRecord(
  { s3 }: WorkerContext,
  place: ReturnType<typeof recordOf>,
  part: Part,
  record: ChunkRecord | SoundRecord,
): Promise<void> {
  const schema: z.ZodType = part === 'sound' ? SoundRecord : ChunkRecord;
  if ((await putOnce(s3, place, JSON.stringify(schema.parse(record)))) === 'there') {
    log('info', 'another worker was quicker', { part });
  }
  if (record.status === 'whole') log('info', 'the film has to be encoded whole', { part, why: record.why });
}
