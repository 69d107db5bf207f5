import { readFile, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { H264_AAC, TOOLS } from './media.ts';

/** A message with one pair of CEA-608 bytes ("resume caption loading"), as ATSC A/53 part 4 puts it before a picture of H.264. */
export const CAPTION = Buffer.from(
  '000000010604' + '0e' + 'b50031' + '47413934' + '03' + 'c1ff' + 'fc9420' + 'ff' + '80',
  'hex',
);

/** The same raw H.264 with that message before each picture from that number on. */
export async function captioned(path: string, first: number): Promise<string> {
  const bytes = await readFile(path);
  const parts: Buffer[] = [];
  let [from, pictures] = [0, 0];
  for (let at = bytes.indexOf('000001', 0, 'hex'); at >= 0; at = bytes.indexOf('000001', at + 3, 'hex')) {
    const type = (bytes[at + 3] ?? 0) & 31;
    if (type !== 1 && type !== 5) continue;
    pictures += 1;
    if (pictures <= first) continue;
    parts.push(bytes.subarray(from, at), CAPTION);
    from = at;
  }
  await writeFile(path, Buffer.concat([...parts, bytes.subarray(from)]));
  return path;
}

/** How many pictures of a file have captions. */
export async function captionsIn(file: string): Promise<number> {
  const entries = ['-show_frames', '-show_entries', 'frame_side_data=side_data_type', '-of', 'csv=p=0'];
  const { stdout } = await execa(TOOLS.ffprobe, ['-v', 'error', '-select_streams', 'v', ...entries, file]);
  return stdout.match(/ATSC A53/g)?.length ?? 0;
}

/** A picture is one unit, so that a message before each unit is one before each picture. */
export const ONE_SLICE = [...H264_AAC, '-x264-params', 'slices=1'];
