import { DropreelError } from '../../core/contracts/errors.ts';
import type { GpuUse } from '../../core/contracts/gpu.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import { type Encoded, type EncodeRun, encode } from './encode.ts';
import { probeArguments } from './ffmpeg/arguments.ts';
import { gpuFailure } from './ffmpeg/errors.ts';
import { runFfmpeg, type Tools } from './ffmpeg/run.ts';
import { log } from './log.ts';
import { readRendition } from './rendition.ts';
import { empty } from './scratch.ts';
import type { OnGpu } from './stages.ts';
import { verify } from './verify.ts';

export const IN_SOFTWARE: OnGpu = { decode: false, encode: false };
/** In this order; without any of it what is left is software, whose word is the last. */
const WAYS: readonly OnGpu[] = [
  { decode: true, scale: true, encode: true },
  { decode: false, encode: true },
];

/**
 * Encodes on the GPU if that goes well, and otherwise again in software. The GPU's outputs count only where nothing complained: a decoder on
 * a GPU says less of a damaged file, and conceals it otherwise, so that the software's account decides what is wrong with a source.
 * @throws DropreelError as `encode`
 */
export async function encodeOnGpu(tools: Tools, plan: EncodePlan, run: EncodeRun): Promise<Encoded & { gpu: GpuUse }> {
  return onGpuOrNot(tools, plan, run, (onGpu) =>
    onGpu.encode ? attempt(tools, plan, run, onGpu) : encode(tools, plan, run),
  );
}

/**
 * What `make` makes on the GPU, or else in software. `run.out` is empty each time.
 * @param make returns why a GPU has not made it; what it throws ends it all
 */
export async function onGpuOrNot<Made extends object>(
  tools: Tools,
  plan: EncodePlan,
  run: Pick<EncodeRun, 'out' | 'signal'>,
  make: (onGpu: OnGpu) => Promise<Made | string>,
): Promise<Made & { gpu: GpuUse }> {
  let why = await encoderFailure(tools, plan, run);
  for (const way of why === undefined ? WAYS : []) {
    const made = await make(way);
    if (typeof made !== 'string') return { ...made, gpu: { ...way, ...(why !== undefined && { why }) } };
    why ??= made;
    log('warn', 'the GPU has not made it', { ...way, why: made });
    await empty(run.out);
  }
  log('warn', 'encoding in software', { why });
  const made = await make(IN_SOFTWARE);
  if (typeof made === 'string') throw new Error(made);
  return { ...made, gpu: { ...IN_SOFTWARE, ...(why !== undefined && { why }) } };
}

/** Opens every encoder of the plan at once, for two pictures. Returns why no encoder is of use. */
async function encoderFailure(
  tools: Tools,
  plan: EncodePlan,
  { out, signal }: Pick<EncodeRun, 'out' | 'signal'>,
): Promise<string | undefined> {
  if (!plan.video?.constantRate)
    return 'Its pictures come at varying times, for which FFmpeg cannot tell NVENC a rate.';
  try {
    await runFfmpeg(tools, probeArguments(plan, plan.video), { cwd: out, signal });
    return undefined;
  } catch (error) {
    return reasonOf(error, signal);
  }
}

async function attempt(tools: Tools, plan: EncodePlan, run: EncodeRun, onGpu: OnGpu): Promise<Encoded | string> {
  try {
    const encoded = await encode(tools, plan, { ...run, onGpu });
    const fault = encoded.fault ?? (await brokenCap(plan, run.out));
    if (fault !== undefined) return fault;
    const { frames, decoded } = encoded;
    await verify(tools, plan, { ...run, frames, decoded, fault, onRendition: () => {} });
    return encoded;
  } catch (error) {
    return reasonOf(error, run.signal);
  }
}

/** What a GPU's failure says, in one sentence. @throws the signal's reason where that is why */
export function reasonOf(error: unknown, signal: AbortSignal): string {
  signal.throwIfAborted();
  if (!(error instanceof DropreelError)) throw error;
  return gpuFailure(error.detail ?? '') ?? error.message;
}

/**
 * Seconds of the cap that a decoder has in advance. NVENC keeps to the cap by itself, but FFmpeg cannot give it the buffer that x264 has.
 */
const BUFFER_SECONDS = 2;

/** Which segment of the finished renditions has more than its cap allows; undefined: none. */
export async function brokenCap(plan: EncodePlan, out: string): Promise<string | undefined> {
  for (const { name, maxBitrate } of plan.video?.rungs ?? []) {
    const { segments } = await readRendition(plan, out, name);
    for (const { range, durationSeconds } of segments) {
      if (range.bytes * 8 <= maxBitrate * (durationSeconds + BUFFER_SECONDS)) continue;
      return `A segment of ${name} has ${range.bytes} bytes in ${durationSeconds.toFixed(1)} s: more than its cap allows.`;
    }
  }
  return undefined;
}
