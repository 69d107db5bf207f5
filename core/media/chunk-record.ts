import { z } from 'zod';
import { GpuUse } from '../contracts/gpu.ts';
import { OutputFile, UsedSeconds } from '../contracts/job.ts';
import { Warning } from '../contracts/warnings.ts';
import { DecodedSound } from './decoded.ts';
import { Codec, SegmentPlace } from './piece.ts';

/** A picture that was decoded beside a joint. */
const Witnessed = z.object({
  /** Ticks of the encoders' clock. */
  at: z.number().int(),
  /** MD5 of its pixels, in the size of the decode. */
  md5: z.string(),
});
export type Witnessed = z.infer<typeof Witnessed>;

/** One rendition of a chunk's pictures: an init segment, then fragments. */
const ChunkRendition = z.object({
  /** `1080p` */
  file: z.string(),
  bytes: z.number().int().positive(),
  initBytes: z.number().int().positive(),
  /** SHA-256 of the init segment. */
  init: z.string(),
  /** When its first and its last sample are decoded, in ticks. */
  first: z.number().int(),
  last: z.number().int(),
  /** Byte of the file at which the duration of the last sample is, which follows from the next chunk's first. */
  lastDurationAt: z.number().int().positive(),
  /** For a growing version; absent in records of earlier releases. */
  codec: Codec.optional(),
  segments: z.array(SegmentPlace).optional(),
});
export type ChunkRendition = z.infer<typeof ChunkRendition>;

/** Of a worker; absent in records of earlier releases, but for the CPU time of one that encoded. */
const Used = { cpuSeconds: UsedSeconds.default(0), wallSeconds: UsedSeconds.default(0) };

const Written = {
  /** Under the prefix of the part, where its worker's files are: each attempt has a folder of its own. */
  folder: z.string().regex(/^[\w-]{1,64}\/$/),
  /** What is there. */
  files: z.array(OutputFile),
  ...Used,
};

/** Why the film cannot be made of chunks. */
const Whole = z.object({ status: z.literal('whole'), why: z.string() });
export type Whole = z.infer<typeof Whole>;

const EncodedChunk = z.object({
  status: z.literal('encoded'),
  index: z.number().int().nonnegative(),
  /** Pictures that were decoded in it. */
  pictures: z.number().int().nonnegative(),
  /** Pictures in each rendition: as many, but for those that step back in time. */
  frames: z.number().int().nonnegative(),
  /** What was decoded within half a second of its start, and of its end, on both sides; absent for a chunk without a picture. */
  witness: z.object({ start: z.array(Witnessed), end: z.array(Witnessed) }).optional(),
  /** Empty for a chunk without a picture. */
  renditions: z.array(ChunkRendition),
  /** Of the top rung against the pictures that it was encoded of. */
  ssim: z.number().min(0).max(1).optional(),
  /** Absent where the worker had no GPU. */
  gpu: GpuUse.optional(),
});
export type EncodedChunk = z.infer<typeof EncodedChunk>;

const EncodedSound = z.object({
  status: z.literal('encoded'),
  /** Pictures in each chunk, by the packets of the file. */
  held: z.array(z.number().int().nonnegative()),
  /** Absent without sound. */
  sound: DecodedSound.optional(),
  warnings: z.array(Warning),
  /** Bytes of the file of each rendition. */
  renditions: z.array(z.object({ file: z.string(), bytes: z.number().int().positive() })),
});
export type EncodedSound = z.infer<typeof EncodedSound>;

/** What the worker of a chunk, or of the sound, leaves. */
export const ChunkRecord = z.discriminatedUnion('status', [EncodedChunk.extend(Written), Whole.extend(Used)]);
export type ChunkRecord = z.infer<typeof ChunkRecord>;
/** Of the sound, which is not cut, and of what is learnt of the whole file with it. */
export const SoundRecord = z.discriminatedUnion('status', [EncodedSound.extend(Written), Whole.extend(Used)]);
export type SoundRecord = z.infer<typeof SoundRecord>;

/**
 * Why chunks do not make the film; empty where they do: each picture that the file holds is in the chunk of its time, and neighbours have
 * decoded the same pictures around their joint.
 * @param held How many pictures the file has in each chunk, by its packets.
 */
export function jointFaults(records: readonly (EncodedChunk | Whole)[], held: readonly number[]): string[] {
  if (records.length !== held.length) return [`there are ${records.length} chunks of ${held.length}`];
  return records.flatMap((record, i) => {
    if (record.status === 'whole') return [`chunk ${i}: ${record.why}`];
    const before = records[i - 1];
    return [
      ...(record.index === i ? [] : [`chunk ${i} is missing`]),
      ...(record.pictures === held[i] ? [] : [`chunk ${i} has ${record.pictures} pictures of ${held[i]}`]),
      ...(before?.status === 'encoded' ? jointFault(i, before, record) : []),
      ...renditionFaults(i, records, record),
    ];
  });
}

function jointFault(i: number, before: EncodedChunk, after: EncodedChunk): string[] {
  // That one of them holds no picture is known from the packets.
  if (!before.witness || !after.witness) return [];
  const [{ end }, { start }] = [before.witness, after.witness];
  const isSame =
    end.length === start.length && end.every(({ at, md5 }, n) => at === start[n]?.at && md5 === start[n]?.md5);
  return isSame ? [] : [`chunk ${i - 1} and chunk ${i} have not decoded the same pictures where they meet`];
}

/** All chunks that have pictures share their init segments, and their first picture comes at one time in all rungs. */
function renditionFaults(i: number, records: readonly (EncodedChunk | Whole)[], record: EncodedChunk): string[] {
  const model = records.find((other) => other.status === 'encoded' && other.renditions.length > 0);
  if (model?.status !== 'encoded' || (record.pictures === 0 && record.renditions.length === 0)) return [];
  const isSame =
    record.renditions.length === model.renditions.length &&
    record.renditions.every(
      ({ file, init }, n) => file === model.renditions[n]?.file && init === model.renditions[n]?.init,
    );
  return isSame ? [] : [`chunk ${i} has other init segments than those before it`];
}

/**
 * For how many ticks the last sample of each chunk's rendition lasts: until the first of the next chunk, and at the film's end as long as its
 * last picture.
 */
export function lastDurations(chunks: readonly Pick<ChunkRendition, 'first' | 'last'>[], lastTicks: number): number[] {
  return chunks.map(({ last }, i) => {
    const next = chunks[i + 1];
    return next === undefined ? lastTicks : next.first - last;
  });
}

/** What GPUs have done of a film: what they have done of each of its chunks. Undefined where there was none. */
export function gpuUse(chunks: readonly Pick<EncodedChunk, 'frames' | 'gpu'>[]): GpuUse | undefined {
  const uses = chunks.flatMap(({ frames, gpu }) => (frames > 0 && gpu ? [gpu] : []));
  const why = uses.find((use) => use.why !== undefined)?.why;
  if (uses.length === 0) return undefined;
  const all = (what: 'decode' | 'scale' | 'encode') => uses.every((use) => use[what] === true);
  return {
    ...{ decode: all('decode'), encode: all('encode') },
    ...(all('scale') && { scale: true }),
    ...(why !== undefined && { why }),
  };
}

/** The SSIM of a film: the mean over its pictures, where that of each chunk is known. */
export function meanSsim(chunks: readonly Pick<EncodedChunk, 'frames' | 'ssim'>[]): number | undefined {
  const shown = chunks.filter(({ frames }) => frames > 0);
  const frames = shown.reduce((total, chunk) => total + chunk.frames, 0);
  if (frames === 0 || shown.some(({ ssim }) => ssim === undefined)) return undefined;
  return shown.reduce((total, chunk) => total + (chunk.ssim ?? 0) * chunk.frames, 0) / frames;
}
