import { DropreelError, type ErrorCode } from '../../core/contracts/errors.ts';
import { constantFaults, lengthFaults } from '../../core/media/announced.ts';
import { type Decoded, pictureFaults, soundFaults } from '../../core/media/decoded.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import { streamed } from '../../core/media/encode-plan.ts';
import { presentedSeconds, sampleCount } from '../../core/media/timeline.ts';
import { alignmentFaults, decodeFaults, type ReadBack, structureFaults } from '../../core/media/verify.ts';
import { recordedTimes } from './decode-record.ts';
import { damaged } from './ffmpeg/errors.ts';
import { runFfmpeg, type Tools } from './ffmpeg/run.ts';
import { indexFault } from './index-faults.ts';
import type { Input } from './input/input.ts';
import { mp4Faults } from './mp4.ts';
import { type RenditionFiles, readRendition, shownTimes } from './rendition.ts';

export interface VerifyRun {
  input: Input;
  out: string;
  /** File with the times of the decoded pictures. */
  times: string;
  frames: number | undefined;
  decoded: Decoded;
  /** Set where `decoded` is what the source announces, and there are no times. */
  announced?: true | undefined;
  /** Set where each rendition has been decoded again already. */
  readBack?: true | undefined;
  /** The first error of the source's decoders. */
  fault: string | undefined;
  signal: AbortSignal;
  onRendition: (done: number, of: number) => void;
}

/**
 * Checks everything that was encoded: structure and times from the segments' heads, which are held to what was decoded, and one decode of
 * each rendition.
 * @throws DropreelError `verify_failed` with what is wrong, or the code of a source that is the cause
 */
export async function verify(tools: Tools, plan: EncodePlan, run: VerifyRun): Promise<void> {
  const names = streamed(plan);
  const renditions: RenditionFiles[] = [];
  for (const name of names) renditions.push(await readRendition(plan, run.out, name));
  const rungs = renditions.slice(0, plan.video?.rungs.length ?? 0);
  const faults = [
    ...renditions.flatMap(structureFaults),
    ...alignmentFaults(rungs, run.frames),
    ...(run.announced ? await announcedFaults(plan, run, renditions) : await contentFaults(plan, run, renditions)),
    ...(plan.mp4 ? await mp4Faults(plan, run.out, renditions) : []),
  ];
  // A malformed output need not be decoded. It is right for an index that is false.
  if (faults.length > 0) {
    const source = { tools, input: run.input, signal: run.signal };
    const fault = run.fault ?? (plan.indexed ? await indexFault(source, plan) : undefined);
    throw failed(fault, faults);
  }
  if (run.readBack) return;
  const targets = [...names.map((name) => `${name}.m3u8`), ...(plan.mp4?.encode ? [plan.mp4.file] : [])];
  for (const [i, target] of targets.entries()) {
    const decoded = await readBack(tools, run.out, target, run.signal);
    const rendition = renditions[i];
    if (rendition) faults.push(...decodeFaults(rendition, decoded, i < rungs.length));
    else if (decoded.errors) faults.push(`${target} does not decode: ${decoded.errors.slice(0, 200)}`);
    run.onRendition(i + 1, targets.length);
  }
  if (faults.length > 0) throw failed(run.fault, faults);
}

/** Faults of what the renditions hold, against what was decoded. */
async function contentFaults(
  plan: EncodePlan,
  run: VerifyRun,
  renditions: readonly RenditionFiles[],
): Promise<string[]> {
  const { video, audio } = plan;
  const { sound } = run.decoded;
  const decoded = video ? await recordedTimes(run.times) : [];
  const faults: string[] = [];
  for (const [i, rendition] of renditions.entries()) {
    if (video && i < video.rungs.length) {
      faults.push(...pictureFaults(rendition.file, await shownTimes(run.out, rendition), decoded, video));
    } else if (audio && sound) {
      const seconds = presentedSeconds(rendition);
      faults.push(...soundFaults({ file: rendition.file, seconds, frames: sampleCount(rendition) }, sound, audio));
    }
  }
  return faults;
}

/** Faults of what the renditions hold, against what the source announces. */
async function announcedFaults(
  { video, audio }: EncodePlan,
  { out }: VerifyRun,
  renditions: readonly RenditionFiles[],
): Promise<string[]> {
  const faults: string[] = [];
  for (const [i, rendition] of renditions.entries()) {
    const { file } = rendition;
    if (video && i < video.rungs.length) faults.push(...constantFaults(file, await shownTimes(out, rendition), video));
    else if (audio) faults.push(...lengthFaults(file, presentedSeconds(rendition), audio.endSeconds));
  }
  return faults;
}

/** The codes with which runFfmpeg reports a file that does not decode. */
const UNDECODABLE = new Set<ErrorCode>(['encode_failed', 'corrupt', 'limit_pixels', 'unsupported_codec']);

/** Decodes an output, or a playlist of it. */
export async function readBack(tools: Tools, out: string, input: string, signal: AbortSignal): Promise<ReadBack> {
  const args = [
    ...['-v', 'error', '-xerror', '-protocol_whitelist', 'file'],
    // Otherwise FFmpeg assumes a new clock after ten seconds without a picture, and 5.1 where pictures are close after a pause.
    ...['-copyts', '-i', input],
    ...['-fps_mode', 'passthrough', '-enc_time_base', '1:90000', '-f', 'null', '-'],
  ];
  try {
    const { last, stderr } = await runFfmpeg(tools, args, { cwd: out, signal });
    return { frames: last?.frames, errors: stderr };
  } catch (error) {
    if (error instanceof DropreelError && UNDECODABLE.has(error.code)) {
      return { frames: undefined, errors: error.detail || error.message };
    }
    throw error;
  }
}

function failed(fault: string | undefined, faults: string[]): DropreelError {
  if (fault !== undefined) return damaged(fault, faults.join('\n'));
  return new DropreelError('verify_failed', `What was encoded is not right: ${faults[0]}.`, {
    detail: faults.join('\n'),
  });
}
