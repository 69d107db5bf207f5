import type { Preset } from '../contracts/presets.ts';
import type { SourceInfo } from '../contracts/table/media.ts';

/**
 * CPU seconds for a pixel of the top rung, in each frame: 66.8 s of encoding and 6.3 s of verifying for 30 s of 1080p30, the
 * ladder's lower rungs, stills and audio included (`npm run bench encode`, docs/encoding.md). Not measured on Fargate.
 */
const CPU_SECONDS_PER_PIXEL = 73.1 / (30 * 30 * 1920 * 1080);
/** CPU seconds for a second of audio alone: a waveform takes 5.5 s for an hour, and the two renditions about as much again. */
const CPU_SECONDS_PER_SECOND_OF_SOUND = 12 / 3600;
const USUAL_FRAME_RATE = 30;
/** Of a source of which not even the codecs are known. */
const USUAL_PICTURE = { width: 1920, height: 1080 };

/** What a source is taken for where not all of it is known. @param seconds its length, if that is not known either */
export function presumed(known: SourceInfo, seconds: number): SourceInfo & { durationSeconds: number } {
  const seen = known.audioCodec !== undefined || known.videoCodec !== undefined;
  return { ...(seen ? {} : USUAL_PICTURE), ...known, durationSeconds: known.durationSeconds ?? seconds };
}

/**
 * How many seconds a worker with this many vCPUs takes, very roughly: decoding a source that is larger than the top rung is not
 * counted. Null when the length of the source is unknown.
 */
export function encodeSeconds(source: SourceInfo, preset: Preset, vcpus: number): number | null {
  const { durationSeconds, width, height, frameRate = USUAL_FRAME_RATE } = source;
  if (durationSeconds === undefined) return null;
  if (width === undefined || height === undefined) return durationSeconds * CPU_SECONDS_PER_SECOND_OF_SOUND;
  const top = Math.max(...preset.rungs.map(({ shortSide }) => shortSide));
  const scale = Math.min(1, top / Math.min(width, height));
  return (durationSeconds * frameRate * width * height * scale ** 2 * CPU_SECONDS_PER_PIXEL) / vcpus;
}
