import { execa } from 'execa';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import type { Cloud } from '../../local/boot.ts';
import { TOOLS } from './media.ts';

/** What two engines have to make alike of one source: everything but sizes and bit rates. */
export async function shapeOf({ deliveryUrl }: Cloud, { mediaId, current }: MediaRow) {
  if (!current) throw new Error(`${mediaId} has no version.`);
  const playlists: Record<string, string[]> = {};
  const read = async (key: string) => {
    const text = await (await fetch(`${deliveryUrl}/${key}`)).text();
    return text.split('\n').map((line) => line.replace(SIZES, '$1='));
  };
  for (const { name } of current.renditions)
    playlists[name] = await read(`${root(mediaId)}/v${current.version}/${name}.m3u8`);
  return {
    outputs: Object.keys(current.outputs).sort(),
    renditions: current.renditions.map(({ bytes: _, averageBandwidth: __, bandwidth: ___, ...same }) => same),
    master: (await read(current.outputs.master ?? '')).filter((line) => !/^# /.test(line)),
    playlists,
  };
}

const SIZES = /\b(BANDWIDTH|AVERAGE-BANDWIDTH|BYTERANGE)[=:]"?[\d@]+"?/g;
const root = (mediaId: string) => `ann/hls/${mediaId}`;

/** The times of a rendition's pictures, in the order in which they are shown, in seconds. */
export async function pictureTimes(url: string): Promise<number[]> {
  const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0', url];
  const { stdout } = await execa(TOOLS.ffprobe, args);
  // A frame with side data, such as the first, has an empty line more.
  return stdout
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map(Number.parseFloat);
}
