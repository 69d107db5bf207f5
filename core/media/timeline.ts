import type { Fragment, TrackHeader } from './fragments.ts';

/** When the samples of a finished rendition are presented. */
export interface Timeline {
  file: string;
  header: TrackHeader;
  segments: readonly { fragment: Fragment }[];
}

/**
 * Seconds that are presented: what the edit list skips does not count.
 * @param lastFrameSeconds How long the last frame stays. Left out for audio, whose samples contain it.
 */
export function presentedSeconds({ header, segments }: Timeline, lastFrameSeconds?: number): number {
  const ends = segments.map(({ fragment }) => {
    const last = lastFrameSeconds === undefined ? fragment.lastDuration : lastFrameSeconds * header.timescale;
    return fragment.lastStart + last;
  });
  return (ends.reduce((latest, end) => Math.max(latest, end), 0) - header.skip) / header.timescale;
}

export function sampleCount({ segments }: Timeline): number {
  return segments.reduce((total, { fragment }) => total + fragment.samples, 0);
}

/** Seconds from the rendition's start at which each segment begins to be presented. */
export function startTimes({ header, segments }: Timeline): number[] {
  return segments.map(({ fragment }) => Math.max(0, fragment.firstStart - header.skip) / header.timescale);
}

/** EXTINF of each segment: from its first frame to that of the next segment. FFmpeg 5 adds up nominal durations instead. */
export function segmentSeconds(rendition: Timeline, lastFrameSeconds?: number): number[] {
  const starts = startTimes(rendition);
  const end = presentedSeconds(rendition, lastFrameSeconds);
  return starts.map((start, i) => (starts[i + 1] ?? end) - start);
}
