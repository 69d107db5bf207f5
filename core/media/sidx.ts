import type { Fragment, TrackHeader } from './fragments.ts';
import type { ByteRange } from './media-playlist.ts';
import type { FragmentInFile } from './segments.ts';
import { startTimes } from './timeline.ts';

export interface PlacedSegment {
  /** All of its fragments, as one. */
  fragment: Fragment;
  fragments: readonly FragmentInFile[];
  range: ByteRange;
  durationSeconds: number;
}

/** A rendition whose segments have their places in a file. */
export interface PlacedRendition {
  file: string;
  header: TrackHeader;
  init: ByteRange;
  segments: readonly PlacedSegment[];
}

const HEAD_BYTES = 40;
const REFERENCE_BYTES = 12;
/** The track's number in a file with one track, as FFmpeg's muxer counts. */
const TRACK = 1;
/** Each segment begins with a keyframe, which is its first picture: starts_with_SAP, and SAP_type 1. */
const STARTS_WITH_SAP = 0x90000000;

/**
 * A Segment Index Box (ISO/IEC 14496-12, 8.16.3) for segments that follow it immediately. Its times are those of presentation, in ticks of
 * the track: the edit list has been applied.
 */
export function segmentIndex(rendition: PlacedRendition): Uint8Array {
  const { segments } = rendition;
  const { timescale } = rendition.header;
  const [start = 0] = startTimes(rendition);
  const box = new DataView(new ArrayBuffer(HEAD_BYTES + REFERENCE_BYTES * segments.length));
  box.setUint32(0, box.byteLength);
  for (const [i, letter] of [...'sidx'].entries()) box.setUint8(4 + i, letter.charCodeAt(0));
  box.setUint8(8, 1);
  box.setUint32(12, TRACK);
  box.setUint32(16, timescale);
  box.setBigUint64(20, BigInt(Math.round(start * timescale)));
  box.setUint16(38, segments.length);
  for (const [i, { range, durationSeconds }] of segments.entries()) {
    const at = HEAD_BYTES + REFERENCE_BYTES * i;
    box.setUint32(at, range.bytes);
    box.setUint32(at + 4, Math.round(durationSeconds * timescale));
    box.setUint32(at + 8, STARTS_WITH_SAP);
  }
  return new Uint8Array(box.buffer);
}
