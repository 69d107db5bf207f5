/** A part of a film that is encoded by itself: its pictures from `start` on, up to `end`. */
export interface Chunk {
  /** From 0. */
  index: number;
  /** Seconds from the file's start, a multiple of the segments' length. */
  start: number;
  /** Not part of it any more; absent: all up to the file's end. */
  end?: number;
}

/** A chunk whose first picture is known. */
export interface PlannedChunk extends Chunk {
  /** When that is shown, in seconds: keyframes are counted from it. */
  first: number;
}

/**
 * How long before a chunk its decode begins, in seconds: pictures of an open group refer to the group before. FFmpeg goes to the keyframe at
 * or before that time.
 */
export const LEAD_SECONDS = 10;
/** What of both neighbours is decoded around a joint, on each side of it: the witness that both see the same pictures. */
export const WITNESS_SECONDS = 0.5;

/** Where the decode of a chunk begins to read, in seconds; 0: at the file's start, without a seek. */
export function seekSeconds({ start }: Chunk): number {
  return Math.max(0, start - LEAD_SECONDS);
}
