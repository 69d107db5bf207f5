import { type Description, type SideData, sideDataOf } from './inspection.ts';

/** FFmpeg's names of side data: libavutil/frame.c, libavcodec/avpacket.c. */
const MASTERING = 'Mastering display metadata';
const LIGHT_LEVEL = 'Content light level metadata';
const DYNAMIC = /^(?:DOVI configuration record|Dolby Vision|HDR Dynamic Metadata)/;

export function hasDynamicHdr(description: Description): boolean {
  return sideDataOf(description).some(({ side_data_type }) => DYNAMIC.test(side_data_type));
}

/** Mastering data of HDR10 in the units of x265 (SMPTE ST 2086): chromaticity in 1/50000, light in 1/10000 cd/m². */
export interface StaticHdr {
  /** `G(x,y)B(x,y)R(x,y)WP(x,y)L(most,least)` */
  masterDisplay?: string;
  /** `brightest pixel,brightest average`, cd/m² */
  maxCll?: string;
}

const CHROMATICITY = 50_000;
const LIGHT = 10_000;

/**
 * The mastering data of the first pictures; undefined where there is none.
 * @returns 'invalid' for values that make no sense
 */
export function staticHdr(description: Description): StaticHdr | 'invalid' | undefined {
  const found = sideDataOf(description);
  const mastering = found.find(({ side_data_type }) => side_data_type === MASTERING);
  const light = found.find(({ side_data_type }) => side_data_type === LIGHT_LEVEL);
  if (!mastering && !light) return undefined;
  const masterDisplay = mastering && masterDisplayOf(mastering);
  const maxCll = light && maxCllOf(light);
  if (masterDisplay === null || maxCll === null) return 'invalid';
  return { ...(masterDisplay && { masterDisplay }), ...(maxCll && { maxCll }) };
}

function masterDisplayOf(data: SideData): string | null {
  const value = (name: string, unit: number) => scaled(data[name], unit);
  const pair = (name: string) => `(${value(`${name}_x`, CHROMATICITY)},${value(`${name}_y`, CHROMATICITY)})`;
  const light = `L(${value('max_luminance', LIGHT)},${value('min_luminance', LIGHT)})`;
  const text = `G${pair('green')}B${pair('blue')}R${pair('red')}WP${pair('white_point')}${light}`;
  return text.includes('NaN') ? null : text;
}

function maxCllOf(data: SideData): string | null {
  const [content, average] = [scaled(data.max_content, 1), scaled(data.max_average, 1)];
  return Number.isNaN(content) || Number.isNaN(average) ? null : `${content},${average}`;
}

/** A fraction of ffprobe's, `13250/50000`, or a number. NaN for anything else, and for what no display has. */
function scaled(value: unknown, unit: number): number {
  const [num, den = 1] = String(value).split('/').map(Number);
  const result = Math.round(((num ?? Number.NaN) / den) * unit);
  return result >= 0 && result <= 0xffffffff ? result : Number.NaN;
}
