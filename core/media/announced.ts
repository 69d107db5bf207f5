import type { Decoded } from './decoded.ts';
import type { EncodePlan, VideoPlan } from './encode-plan.ts';
import { durationTolerance } from './verify.ts';

/** The measure of outputs whose engine reports no pictures and no samples: what the source announces. Their rate is constant. */

export function announced({ video, audio }: EncodePlan): Decoded {
  return {
    ...(video && {
      pictures: {
        count: Math.round(video.endSeconds / video.lastFrameSeconds),
        first: 0,
        last: video.endSeconds - video.lastFrameSeconds,
        longestStep: video.lastFrameSeconds,
      },
    }),
    ...(audio && {
      sound: { samples: Math.round(audio.endSeconds * audio.sampleRate), before: 0, filled: 0, cut: 0 },
    }),
  };
}

/** More than all rounding of clocks, less than half of the shortest frame. */
const ROUNDING = 0.002;

/**
 * Faults of a rung's pictures. They follow each other at the plan's rate from the start on; of a source with this rate there are as many as
 * it announces, of another as many as last until its end, give or take one.
 * @param shown Times of the rung's pictures in seconds, in order.
 */
export function constantFaults(file: string, shown: ArrayLike<number>, video: VideoPlan): string[] {
  const frame = video.lastFrameSeconds;
  for (let i = 0; i < shown.length; i++) {
    const at = shown[i] ?? Number.NaN;
    if (Math.abs(at - i * frame) <= ROUNDING) continue;
    return [`${file}: picture ${i} is shown at ${at.toFixed(3)} s, not at ${(i * frame).toFixed(3)} s`];
  }
  const missing = video.endSeconds - shown.length * frame;
  const allowed = video.retime ? 1.5 * frame : frame / 2;
  if (Math.abs(missing) <= allowed + ROUNDING) return [];
  const expected = Math.round(video.endSeconds / frame);
  return [
    `${file} shows ${shown.length} pictures; its source announces ${expected} in ${video.endSeconds.toFixed(3)} s`,
  ];
}

/** Faults of a rendition's sound: it lasts as long as its source announces. */
export function lengthFaults(file: string, seconds: number, announcedSeconds: number): string[] {
  if (Math.abs(seconds - announcedSeconds) <= durationTolerance(0)) return [];
  return [`${file} lasts ${seconds.toFixed(3)} s; its source announces ${announcedSeconds.toFixed(3)} s`];
}
