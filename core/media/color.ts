/** How a video's colours become 8-bit SDR with a limited range, and how the result is labelled. */

export interface ColorTags {
  /** FFmpeg's names: `bt709`, `smpte170m`, `smpte2084`… Undefined where the file does not say. */
  primaries: string | undefined;
  transfer: string | undefined;
  matrix: string | undefined;
}

export interface ColorPlan {
  /** Labels of the output. */
  output: { primaries: string; transfer: string; matrix: string };
  /** Set when the colours have to be converted to BT.709: what they are now. */
  convert?: { primaries: string; transfer: string; matrix: string; toneMap: boolean };
  /** Set when swscale must compute another matrix (RGB and rare ones). */
  matrix?: 'bt709';
}

const HDR_TRANSFERS = new Set(['smpte2084', 'arib-std-b67']);
const SD_MATRICES = new Set(['smpte170m', 'bt470bg']);
const BT709 = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' };

/**
 * SDR keeps its matrix: only the range is made limited. A file that does not name its matrix gets the one that players assume for
 * its size, and every rung is labelled with it: an unlabelled 480p rung of an HD source would change colours on a switch.
 */
export function planColor(tags: ColorTags, shortSide: number): ColorPlan {
  const { primaries, transfer, matrix } = tags;
  const wide = primaries === 'bt2020' || matrix === 'bt2020nc' || matrix === 'bt2020c';
  const toneMap = transfer !== undefined && HDR_TRANSFERS.has(transfer);
  if (toneMap || wide) {
    return {
      output: BT709,
      convert: {
        primaries: primaries ?? 'bt2020',
        transfer: transfer ?? 'bt2020-10',
        matrix: matrix === 'bt2020c' ? 'bt2020c' : (matrix ?? 'bt2020nc'),
        toneMap,
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
