import { z } from 'zod';
import { OutputFile } from '../contracts/job.ts';

/**
 * What a growing version is made of before its chunks are whole: runs of segments that the workers of the first chunk and of the sound leave
 * while they encode. docs/decisions/0403-growing-versions.md
 */

/**
 * At which segments of its part a piece ends. Each piece of the pictures is as long as all before it, so that an encode at twice the speed of
 * the film is always one ahead of a player; sound is encoded far faster.
 */
export const PIECE_ENDS = {
  pictures: [2, 4, 8, 16, 32, 64],
  sound: [2, 16, 128, 1024, 16_384],
} as const satisfies Record<string, readonly number[]>;

const Bytes = z.object({ offset: z.number().int().nonnegative(), bytes: z.number().int().positive() });

/** A segment in a file. */
export const SegmentPlace = Bytes.extend({
  /** When it begins to be shown, and for how long, in seconds of the film. */
  at: z.number().nonnegative(),
  seconds: z.number().positive(),
});
export type SegmentPlace = z.infer<typeof SegmentPlace>;

/** RFC 6381. */
export const Codec = z.string().regex(/^[\w.]{1,32}$/);

/** Segments of one rendition that follow each other, in a file that may hold those of others too. */
export const PieceRendition = z.object({
  /** `1080p`, `audio-128k` */
  file: z.string().regex(/^[\w-]{1,64}$/),
  codec: Codec,
  init: Bytes,
  segments: z.array(SegmentPlace).min(1),
});
export type PieceRendition = z.infer<typeof PieceRendition>;

/** The record of a piece. All of its renditions are in one file. */
export const Piece = z.object({
  /** As of the record of a part. */
  folder: z.string().regex(/^[\w-]{1,64}\/$/),
  file: OutputFile.extend({ path: z.string().regex(/^[\w-]{1,64}\.mp4$/) }),
  renditions: z.array(PieceRendition).min(1),
});
export type Piece = z.infer<typeof Piece>;

/** Name of the record of the piece that ends at a segment, beside that of its part. */
export function pieceRecord(end: number): string {
  return `piece-${end}.json`;
}
