/** How a video's colours are converted to 8-bit SDR with limited range, and how the result is labelled. */

export interface ColorTags {
  /** FFmpeg's names: `bt709`, `smpte170m`, `smpte2084`… Undefined where the file has no value. */
  primaries?: string | undefined;
  transfer?: string | undefined;
  matrix?: string | undefined;
}

export interface ColorPlan {
  /** Labels of the output. */
  output: { primaries: string; transfer: string; matrix: string };
  /** Set when the colours have to be converted to BT.709: what they are now. */
  convert?: { primaries: string; transfer: string; matrix: string; toneMap?: ToneMap };
  /** Set when swscale must compute another matrix (RGB and rare ones). */
  matrix?: 'bt709';
  /** Set for RGB of fewer than 8 bits, which swscale turns to YUV as if its largest value were less than white (247 of 255). */
  widen?: true;
}

export interface ToneMap {
  /** Brightest light of the picture, in the unit of FFmpeg's tonemap filter: 100 cd/m² (libavfilter/colorspace.h). */
  peak: number;
}

/** What an HDR picture says about its light, in cd/m². Undefined where it has no value. */
export interface LightLevels {
  /** MaxCLL: of the brightest pixel (CTA-861.3). */
  brightestPixel?: number | undefined;
  /** Of the display on which it was mastered (SMPTE ST 2086). */
  masteringPeak?: number | undefined;
}

const HDR_TRANSFERS = new Set(['smpte2084', 'arib-std-b67']);
const SD_MATRICES = new Set(['smpte170m', 'bt470bg']);
/** With colours beyond those of BT.709, or with another white: the numbers mean something else there. */
const WIDE_PRIMARIES = new Set(['bt2020', 'smpte431', 'smpte432', 'smpte428', 'film']);
const WIDE_MATRICES = new Set(['bt2020nc', 'bt2020c']);
/** FFmpeg's names of pixel formats whose components are red, green and blue, or an index of such. */
const RGB_FORMAT = /^(?:0?[rb]g[br]|[ax][rb]g[br]|x2[rb]g[br]|gbr|pal8|bayer|xyz)/;
/** Those of fewer than 8 bits a component: `rgb555le`, `bgr8`. */
const COARSE_RGB = /^(?:rgb|bgr)(?:4|8|444|555|565)/;
const BT709 = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' };

/** What FFmpeg assumes of HDR without a value: 1000 cd/m². */
const USUAL_PEAK = 1000;
/** A value outside of this cannot be true: SMPTE ST 2084 ends at 10,000 cd/m², and 100 cd/m² is SDR. */
const POSSIBLE_PEAK = { least: 100, most: 10_000 };
/** Displays for mastering have 1000 to 4000 cd/m². Beyond that a true value makes the picture darker or brighter than it looks. */
const TAKEN_PEAK = { least: 400, most: 4000 };

export function isHdr({ transfer }: ColorTags): boolean {
  return transfer !== undefined && HDR_TRANSFERS.has(transfer);
}

/**
 * SDR keeps its matrix: only the range becomes limited. A file that does not name its matrix gets the one that players assume for
 * its size, and every rung is labelled with it: an unlabelled 480p rung of an HD source would change colours on a switch.
 * @param pixelFormat FFmpeg's name. RGB has no matrix, whatever the file says.
 */
export function planColor(
  tags: ColorTags,
  shortSide: number,
  { pixelFormat, light }: { pixelFormat?: string | undefined; light?: LightLevels | undefined } = {},
): ColorPlan {
  const plan = planTags(tags, shortSide, { pixelFormat, light });
  return pixelFormat !== undefined && COARSE_RGB.test(pixelFormat) ? { ...plan, widen: true } : plan;
}

function planTags(
  tags: ColorTags,
  shortSide: number,
  { pixelFormat, light }: { pixelFormat: string | undefined; light: LightLevels | undefined },
): ColorPlan {
  const { primaries, transfer } = tags;
  const matrix = pixelFormat !== undefined && RGB_FORMAT.test(pixelFormat) ? 'gbr' : tags.matrix;
  const hdr = isHdr(tags);
  const isWide = WIDE_PRIMARIES.has(primaries ?? '') || WIDE_MATRICES.has(matrix ?? '');
  if (hdr || isWide) {
    const bt2020 = hdr || primaries === 'bt2020' || WIDE_MATRICES.has(matrix ?? '');
    const usual = bt2020 ? { transfer: 'bt2020-10', matrix: 'bt2020nc' } : BT709;
    return {
      output: BT709,
      convert: {
        primaries: primaries ?? 'bt2020',
        transfer: transfer ?? usual.transfer,
        matrix: matrix ?? usual.matrix,
        ...(hdr && { toneMap: { peak: peakOf(light) / 100 } }),
      },
    };
  }
  const assumed = matrix ?? (shortSide >= 720 ? 'bt709' : 'smpte170m');
  if (assumed === 'bt709') return { output: BT709 };
  if (!SD_MATRICES.has(assumed)) return { output: BT709, matrix: 'bt709' };
  const known = primaries === 'bt709' || (primaries !== undefined && SD_MATRICES.has(primaries));
  return {
    output: {
      matrix: assumed,
      primaries: known ? primaries : assumed,
      transfer: transfer === 'bt709' || transfer === 'iec61966-2-1' ? transfer : 'smpte170m',
    },
  };
}

/** In cd/m². Many files have values that their encoder was given as an example, or in another unit. */
function peakOf(light: LightLevels | undefined): number {
  const possible = [light?.brightestPixel, light?.masteringPeak].filter(
    (value) => value !== undefined && value >= POSSIBLE_PEAK.least && value <= POSSIBLE_PEAK.most,
  ) as number[];
  if (possible.length === 0) return USUAL_PEAK;
  return Math.min(TAKEN_PEAK.most, Math.max(TAKEN_PEAK.least, Math.min(...possible)));
}
