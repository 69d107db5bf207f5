import { sampleCount, startTimes, type Timeline } from './timeline.ts';

/** Frames that a decoder got from a rendition, and the errors it printed. */
export interface ReadBack {
  frames: number | undefined;
  errors: string;
}

/** Half of a 60th of a second: less than any frame, more than all rounding of clocks. */
const HALF_FRAME = 1 / 120;

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

const TOLERANCE_SECONDS = 0.05;

/** Seconds by which a length may differ where a frame lasts `frameSeconds`. The millionth compensates for rounding. */
export function durationTolerance(frameSeconds: number): number {
  return Math.max(frameSeconds, TOLERANCE_SECONDS) + 1e-6;
}

/** Faults between rungs: each must hold the frames that were encoded, in segments that begin at the same times as the first rung's. */
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

/** Faults of decoding: a decoder must read every frame without an error. */
export function decodeFaults(rendition: Timeline, decoded: ReadBack, isVideo: boolean): string[] {
  const complaint = decoded.errors.trim().split('\n')[0];
  const faults = complaint ? [`${rendition.file} does not decode: ${complaint.slice(0, 200)}`] : [];
  const frames = sampleCount(rendition);
  if (isVideo && decoded.frames !== frames)
    faults.push(`${rendition.file}: ${decoded.frames} of ${frames} frames decode`);
  return faults;
}
