import { readFile, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { H264_AAC, TOOLS } from './media.ts';

/** "Resume caption loading" in CC1: a triplet of cc_data(). */
const CC1 = 'fc9420';

/** A message with triplets of cc_data(), in hexadecimal, as ATSC A/53 part 4 puts it before a picture of H.264. */
export function captionMessage(triplets: readonly string[]): Buffer {
  const body = Buffer.from(`b50031${'47413934'}03${byte(0xc0 + triplets.length)}ff${triplets.join('')}ff`, 'hex');
  return Buffer.concat([Buffer.from(`000000010604${byte(body.length)}`, 'hex'), body, Buffer.from([0x80])]);
}

function byte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

export const CAPTION = captionMessage([CC1]);

/** The same raw H.264 with a message before each picture from that number on. */
export async function captioned(path: string, first: number, message = CAPTION): Promise<string> {
  const bytes = await readFile(path);
  const parts: Buffer[] = [];
  let [from, pictures] = [0, 0];
  for (let at = bytes.indexOf('000001', 0, 'hex'); at >= 0; at = bytes.indexOf('000001', at + 3, 'hex')) {
    const type = (bytes[at + 3] ?? 0) & 31;
    if (type !== 1 && type !== 5) continue;
    pictures += 1;
    if (pictures <= first) continue;
    parts.push(bytes.subarray(from, at), message);
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
