import type { Fragment, TrackHeader } from './fragments.ts';

/** One fragment of a rendition as the encoder wrote it: its position in the file, and its contents. */
export interface FragmentInFile {
  /** Bytes from the file's start to its moof. */
  offset: number;
  /** Bytes of moof and mdat. */
  size: number;
  fragment: Fragment;
}

/**
 * Groups fragments into segments: a new one begins with the first fragment at or after each multiple of `seconds`, or up to `early` before
 * it. Times count from the beginning of the stream, so all rungs are cut alike, even where a fragment is long. A short end belongs to the
 * segment before it.
 * @param early Seconds. A segment of sound begins with the frame nearest to its time.
 */
export function groupFragments(
  header: TrackHeader,
  fragments: readonly FragmentInFile[],
  seconds: number,
  early = 0,
): FragmentInFile[][] {
  const groups: FragmentInFile[][] = [];
  let last = -1;
  for (const item of fragments) {
    const start = Math.max(0, item.fragment.firstStart - header.skip) / header.timescale;
    // A millionth compensates for clocks on which a second is not a whole number of ticks.
    const interval = Math.floor((start + early + 1e-6) / seconds);
    if (interval > last) groups.push([]);
    last = Math.max(last, interval);
    groups.at(-1)?.push(item);
  }
  const end = groups.at(-1) ?? [];
  if (groups.length < 2 || lengthOf(header, end) >= SHORT_SECONDS) return groups;
  return [...groups.slice(0, -2), [...(groups.at(-2) ?? []), ...end]];
}

/**
 * A last segment shorter than this is none of its own. hls.js 1.7 counts the delay of reordered pictures as time, and sound by whole frames:
 * what lasts less than that it takes for not loaded yet, and waits for it before the end. Longer than both, and with a segment of 6 s, and a
 * frame, rounded to 6 (RFC 8216, 4.3.3.1).
 */
export const SHORT_SECONDS = 0.4;

function lengthOf({ timescale }: TrackHeader, fragments: readonly FragmentInFile[]): number {
  return sum(fragments.map(({ fragment }) => fragment.duration)) / timescale;
}

/** A segment of several fragments, as one. */
export function joinFragments(fragments: readonly Fragment[]): Fragment {
  const [first] = fragments;
  if (first === undefined) throw new Error('a segment without fragments');
  const latest = fragments.reduce((a, b) => (b.lastStart >= a.lastStart ? b : a));
  return {
    start: first.start,
    duration: sum(fragments.map((fragment) => fragment.duration)),
    samples: sum(fragments.map((fragment) => fragment.samples)),
    startsWithKeyframe: first.startsWithKeyframe,
    firstBytes: first.firstBytes,
    firstStart: Math.min(...fragments.map((fragment) => fragment.firstStart)),
    lastStart: latest.lastStart,
    lastDuration: latest.lastDuration,
  };
}

/** Fragments that lie somewhere else in a file: `by` bytes later. */
export function movedBy(by: number, fragments: readonly FragmentInFile[]): FragmentInFile[] {
  return fragments.map((item) => ({ ...item, offset: item.offset + by }));
}

/** `1080p.mp4`: the file that holds a rendition's init segment, its index and its segments. */
export function renditionName(file: string): string {
  return `${file}.mp4`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
