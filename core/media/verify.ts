import { sampleCount, startTimes, type Timeline } from './timeline.ts';

/** Frames that a decoder made of a rendition, and the errors it printed. */
export interface Decoded {
  frames: number | undefined;
  errors: string;
}

/** Half of a 60th of a second: less than any frame, more than all rounding of clocks. */
const HALF_FRAME = 1 / 120;
/** Durations may differ by a frame, and by this where a frame is shorter. */
const TOLERANCE_SECONDS = 0.05;

/** Faults of one rendition's structure: its segments follow each other without gap or overlap and begin with a keyframe. */
export function structureFaults(rendition: Timeline): string[] {
  const { file, header, segments } = rendition;
  if (segments.length === 0) return [`${file} has no segments`];
  const faults: string[] = [];
  let expected = 0;
  segments.forEach(({ fragment }, i) => {
    const gap = (fragment.start - expected) / header.timescale;
    if (Math.abs(gap) > HALF_FRAME)
      faults.push(`${file}: segment ${i} begins ${gap.toFixed(3)} s off the end of the one before`);
    if (!fragment.startsWithKeyframe) faults.push(`${file}: segment ${i} does not begin with a keyframe`);
    if (fragment.samples === 0) faults.push(`${file}: segment ${i} is empty`);
    expected = fragment.start + fragment.duration;
  });
  return faults;
}

/**
 * The rendition lasts as long as its source track, within a frame or 50 ms, whichever is longer.
 *
 * @param seconds What presentedSeconds says.
 * @param expected Seconds from the file's start to the track's end.
 * @param frameSeconds How long a frame of the source lasts on average.
 */
export function durationFaults(file: string, seconds: number, expected: number, frameSeconds: number): string[] {
  if (Math.abs(seconds - expected) <= Math.max(frameSeconds, TOLERANCE_SECONDS) + 1e-6) return [];
  return [`${file} lasts ${seconds.toFixed(3)} s, its source ${expected.toFixed(3)} s`];
}

/** Every rung holds the frames that were encoded, in segments that begin at the same times as the first rung's. */
export function alignmentFaults(rungs: readonly Timeline[], encodedFrames: number | undefined): string[] {
  const [first] = rungs;
  if (first === undefined) return [];
  const frames = encodedFrames ?? sampleCount(first);
  const starts = startTimes(first);
  return rungs.flatMap((rung) => {
    const count = sampleCount(rung);
    const faults = count === frames ? [] : [`${rung.file} holds ${count} frames of ${frames}`];
    const own = startTimes(rung);
    const aligned = own.length === starts.length && own.every((at, i) => Math.abs(at - (starts[i] ?? 0)) <= HALF_FRAME);
    return aligned ? faults : [...faults, `${rung.file}: its segments do not begin with those of ${first.file}`];
  });
}

/** A decoder reads every frame without complaint. */
export function decodeFaults(rendition: Timeline, decoded: Decoded, isVideo: boolean): string[] {
  const complaint = decoded.errors.trim().split('\n')[0];
  const faults = complaint ? [`${rendition.file} does not decode: ${complaint.slice(0, 200)}`] : [];
  const frames = sampleCount(rendition);
  if (isVideo && decoded.frames !== frames)
    faults.push(`${rendition.file}: ${decoded.frames} of ${frames} frames decode`);
  return faults;
}
