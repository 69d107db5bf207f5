import { bodies, viewOf } from './boxes.ts';

/** Lines and columns of the coded picture that are not shown. */
export interface Cropping {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Bytes of stsd before its entries, and of a VisualSampleEntry before its boxes (ISO/IEC 14496-12, 8.5.2 and 12.1.3). */
const [STSD_HEAD, ENTRY_HEAD] = [8, 78];
/** Bytes of an entry's size and type. */
const BOX_HEAD = 8;

/**
 * What the clean aperture (ISO/IEC 14496-12, 12.1.4) of an MP4's or MOV's track leaves out, in whole lines and columns.
 * @param moov the box's body
 * @param number of the track, from 0
 */
export function cleanAperture(moov: Uint8Array, number: number): Cropping | undefined {
  const trak = bodies(moov, 'trak')[number];
  const [stsd] = trak
    ? ['mdia', 'minf', 'stbl', 'stsd'].reduce(
        (at: Uint8Array[], type) => at.flatMap((box) => bodies(box, type)),
        [trak],
      )
    : [];
  if (!stsd || stsd.length < STSD_HEAD + BOX_HEAD + ENTRY_HEAD) return undefined;
  const entry = stsd.subarray(STSD_HEAD + BOX_HEAD, STSD_HEAD + viewOf(stsd).getUint32(STSD_HEAD));
  if (entry.length < ENTRY_HEAD) return undefined;
  const [width, height] = [viewOf(entry).getUint16(24), viewOf(entry).getUint16(26)];
  const [clap] = bodies(entry.subarray(ENTRY_HEAD), 'clap');
  if (!clap || clap.length < 32) return undefined;
  const view = viewOf(clap);
  const [shownWidth, shownHeight, x, y] = [0, 8, 16, 24].map((at) => {
    const numerator = at < 16 ? view.getUint32(at) : view.getInt32(at);
    return numerator / view.getUint32(at + 4);
  }) as [number, number, number, number];
  const left = Math.round((width - shownWidth) / 2 + x);
  const top = Math.round((height - shownHeight) / 2 + y);
  const right = Math.round(width - shownWidth) - left;
  const bottom = Math.round(height - shownHeight) - top;
  return sane({ top, bottom, left, right }, { width, height });
}

/** Undefined where nothing is left out, or where that is no part of the picture. */
export function sane(crop: Cropping, { width, height }: { width: number; height: number }): Cropping | undefined {
  const { top, bottom, left, right } = crop;
  const sides = [top, bottom, left, right];
  if (!sides.every((side) => Number.isInteger(side) && side >= 0) || sides.every((side) => side === 0))
    return undefined;
  return left + right < width && top + bottom < height ? crop : undefined;
}
