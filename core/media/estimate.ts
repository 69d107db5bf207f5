import type { Preset } from '../contracts/presets.ts';
import type { SourceInfo } from '../contracts/table/media.ts';
import { oneOf } from './frame-rate.ts';
import { ladderFor } from './ladder.ts';
import { planMp4 } from './plan-outputs.ts';
import type { Size } from './size.ts';

/**
 * CPU seconds for a pixel of the top rung, in each frame: 66.8 s of encoding and 6.3 s of verifying for 30 s of 1080p30, the
 * ladder's lower rungs, stills and audio included (`npm run bench encode`, docs/encoding.md). Not measured on Fargate.
 */
const CPU_SECONDS_PER_PIXEL = 73.1 / (30 * 30 * 1920 * 1080);
/** How much of these an MP4 with an encode of its own takes for each of its pixels: 2.15 s for a second of 2400x1350 at 30 fps. */
const MP4_SHARE = 0.56;
/** CPU seconds for a second of audio alone: a waveform takes 5.5 s for an hour, and the two renditions about as much again. */
const CPU_SECONDS_PER_SECOND_OF_SOUND = 12 / 3600;
/** CPU seconds of any job, whatever its length: 0.9 to 1.3 for files of 1 to 7 s, for the starts of programs and the looks at the source. */
const CPU_SECONDS_OF_A_JOB = 1;
const USUAL_FRAME_RATE = 30;
/** The pixels of all rungs, as a multiple of the top rung's, that the measured figure covers: a ladder with more of them takes longer. */
const USUAL_RUNGS = 2.2;
/** Of a source of which not even the codecs are known. */
const USUAL_PICTURE = { width: 1920, height: 1080 };

/** What a source is taken for where not all of it is known. @param seconds its length, if that is not known either */
export function presumed(known: SourceInfo, seconds: number): SourceInfo & { durationSeconds: number } {
  const seen = known.audioCodec !== undefined || known.videoCodec !== undefined;
  return { ...(seen ? {} : USUAL_PICTURE), ...known, durationSeconds: known.durationSeconds ?? seconds };
}

/**
 * How many seconds a worker with this many vCPUs takes, very roughly: decoding a source that is larger than its outputs is not
 * counted. Null when the length of the source is unknown.
 */
export function encodeSeconds(source: SourceInfo, preset: Preset, vcpus: number): number | null {
  const { durationSeconds, width, height } = source;
  if (durationSeconds === undefined) return null;
  const start = CPU_SECONDS_OF_A_JOB / vcpus;
  if (width === undefined || height === undefined) return start + durationSeconds * CPU_SECONDS_PER_SECOND_OF_SOUND;
  const rungs = ladderFor({ width, height }, preset);
  const mp4 = preset.outputs.mp4 ? planMp4({ width, height }, rungs, preset, false)?.encode : undefined;
  const all = rungs.reduce((sum, rung) => sum + pixelsOf(rung), 0);
  const pixels = Math.max(pixelsOf(rungs[0]), all / USUAL_RUNGS) + MP4_SHARE * pixelsOf(mp4);
  return start + (durationSeconds * frameRateOf(source, preset) * pixels * CPU_SECONDS_PER_PIXEL) / vcpus;
}

/** Pictures a second of the output, as planVideo decides. */
export function frameRateOf({ frameRate = USUAL_FRAME_RATE }: SourceInfo, { maxFrameRate }: Preset): number {
  return frameRate / oneOf(frameRate, maxFrameRate);
}

function pixelsOf(size: Size | undefined): number {
  return size ? size.width * size.height : 0;
}
