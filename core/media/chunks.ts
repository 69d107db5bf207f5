import type { Chunk, PlannedChunk } from './chunk.ts';
import type { EncodePlan } from './encode-plan.ts';

/**
 * Cuts a film into chunks of about the same length, as many as asked for or fewer. One that would be shorter than a segment is part of the one
 * before it.
 */
export function cutChunks(film: Pick<EncodePlan, 'durationSeconds' | 'segmentSeconds'>, count: number): Chunk[] {
  const { durationSeconds, segmentSeconds } = film;
  const segments = Math.max(1, Math.floor(durationSeconds / segmentSeconds));
  const each = Math.ceil(segments / Math.max(1, count)) * segmentSeconds;
  const starts = Array.from({ length: Math.max(1, Math.floor(durationSeconds / each)) }, (_, i) => i * each);
  const rest = durationSeconds - starts.length * each;
  if (rest >= segmentSeconds) starts.push(starts.length * each);
  return starts.map((start, index) => {
    const end = starts[index + 1];
    return { index, start, ...(end !== undefined && { end }) };
  });
}

/**
 * Why a film is encoded whole, whatever its length; undefined where it can be cut. A source that is not read in place has no index that a seek
 * could go by, so its reason comes first: `whyDownload` of the worker.
 */
export function whyWhole({ video, joined }: EncodePlan): string | undefined {
  if (!video) return 'It has no pictures.';
  if (joined) return 'It is joined from several recordings.';
  if (video.retime) return 'Pictures are left out of it, which are counted from its start.';
  if (video.lead !== undefined) return 'Its pictures begin late.';
  if (video.deinterlace.length > 0 && video.deinterlace !== 'flagged') {
    return 'Its pictures are deinterlaced by their number from its start.';
  }
  return undefined;
}

/**
 * The plan of one chunk's pictures: what is made of the whole film is not in it, and the thumbnail only where it is taken.
 * @param first When its first picture is shown, in seconds. That of the film's start is shown at 0 whenever it comes.
 */
export function planChunk(plan: EncodePlan, chunk: Chunk, first: number): EncodePlan & { chunk: PlannedChunk } {
  const { audio: _, preview: __, poster: ___, posterLarge: ____, waveform: _____, thumbnail, ...pictures } = plan;
  return { ...pictures, ...(thumbnail && holdsThumbnail(plan, chunk) && { thumbnail }), chunk: { ...chunk, first } };
}

/** Whether the thumbnail is a picture of this chunk. */
export function holdsThumbnail({ thumbnail }: EncodePlan, { start, end = Number.POSITIVE_INFINITY }: Chunk): boolean {
  return thumbnail !== undefined && thumbnail.atSeconds >= start && thumbnail.atSeconds < end;
}

/** The plan of the sound, which is encoded once and not cut. Undefined for a film without. */
export function planSound({ video: _, preview, mp4, thumbnail, poster, posterLarge, ...plan }: EncodePlan) {
  return plan.audio && ({ ...plan } satisfies EncodePlan);
}
