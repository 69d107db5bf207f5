import { DropreelError } from '../../core/jobs/errors.ts';
import { LIMITS } from '../../core/media/limits.ts';
import type { EncodePlan } from '../../core/media/plan.ts';
import { streamed } from '../../core/media/tasks.ts';
import { presentedSeconds } from '../../core/media/timeline.ts';
import {
  alignmentFaults,
  type Decoded,
  decodeFaults,
  durationFaults,
  structureFaults,
} from '../../core/media/verify.ts';
import { runFfmpeg, type Tools } from './ffmpeg/run.ts';
import { mp4Faults } from './mp4.ts';
import { type RenditionFiles, readRendition } from './rendition.ts';

/** Seconds of an AAC frame at the plan's sample rate. */
const aacFrame = (sampleRate: number) => 1024 / sampleRate;

/**
 * Checks everything that was encoded: structure from the segments' heads, and one decode of each rendition. Throws
 * verify_failed naming what is wrong.
 */
export async function verify(
  tools: Tools,
  plan: EncodePlan,
  run: {
    out: string;
    frames: number | undefined;
    signal: AbortSignal;
    onRendition: (done: number, of: number) => void;
  },
): Promise<void> {
  const names = streamed(plan);
  const renditions: RenditionFiles[] = [];
  for (const name of names) renditions.push(await readRendition(plan, run.out, name));
  const rungs = renditions.slice(0, plan.video?.rungs.length ?? 0);
  const faults = [
    ...renditions.flatMap(structureFaults),
    ...alignmentFaults(rungs, run.frames),
    ...renditions.flatMap((rendition, i) => lengthFaults(plan, rendition, i < rungs.length)),
    ...(plan.mp4 ? await mp4Faults(plan, run.out, renditions) : []),
  ];
  // What is misshapen need not be decoded.
  if (faults.length > 0) throw failed(faults);
  const targets = [...names.map((name) => `${name}.m3u8`), ...(plan.mp4?.encode ? [plan.mp4.file] : [])];
  for (const [i, target] of targets.entries()) {
    const decoded = await decode(tools, run.out, target, run.signal);
    const rendition = renditions[i];
    if (rendition) faults.push(...decodeFaults(rendition, decoded, i < rungs.length));
    else if (decoded.errors) faults.push(`${target} does not decode: ${decoded.errors.slice(0, 200)}`);
    run.onRendition(i + 1, targets.length);
  }
  if (faults.length > 0) throw failed(faults);
}

function lengthFaults(plan: EncodePlan, rendition: RenditionFiles, isVideo: boolean): string[] {
  const { video, audio } = plan;
  if (isVideo && video) {
    const frame = video.frameRate ? video.frameRate.den / video.frameRate.num : 0;
    const seconds = presentedSeconds(rendition, video.lastFrameSeconds);
    return durationFaults(rendition.file, seconds, video.endSeconds, frame);
  }
  if (!audio) return [];
  return durationFaults(rendition.file, presentedSeconds(rendition), audio.endSeconds, aacFrame(audio.sampleRate));
}

async function decode(tools: Tools, out: string, input: string, signal: AbortSignal): Promise<Decoded> {
  const args = [
    ...['-v', 'error', '-xerror', '-protocol_whitelist', 'file'],
    // A video may stand still for longer than the ten seconds that FFmpeg takes for a new clock.
    ...['-dts_delta_threshold', String(LIMITS.durationSeconds), '-i', input],
    ...['-fps_mode', 'passthrough', '-enc_time_base', '1:90000', '-f', 'null', '-'],
  ];
  try {
    const { last, stderr } = await runFfmpeg(tools, args, { cwd: out, signal });
    return { frames: last?.frames, errors: stderr };
  } catch (error) {
    if (error instanceof DropreelError && error.code === 'encode_failed') {
      return { frames: undefined, errors: error.detail || error.message };
    }
    throw error;
  }
}

function failed(faults: string[]): DropreelError {
  return new DropreelError('verify_failed', `What was encoded is not right: ${faults[0]}.`, {
    detail: faults.join('\n'),
  });
}
