import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hooks } from '../../local/gateway/hooks.ts';
import { LOCAL_CLOUD } from '../../scripts/local-cloud.ts';
import { numbered } from './chunks.ts';
import { testCloud } from './cloud.ts';
import { make, tone } from './media.ts';

const MIB = 2 ** 20;
/** Pictures a second. */
export const RATE = 10;
export const SECONDS = 44;

/** A film whose pictures show their numbers, as large as what is read in place, by a box that no demuxer reads. */
export async function makeFilm(directory: string): Promise<string> {
  const scaled = ['-vf', 'scale=160:90', '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '53'];
  const inputs = [...numbered(String(RATE), SECONDS), ...tone(SECONDS)];
  const file = await make(directory, ...inputs, ...scaled, '-pix_fmt', 'yuv420p', '-c:a', 'aac', 'film.mp4');
  const free = Buffer.alloc(65 * MIB);
  free.writeUInt32BE(free.length);
  free.write('free', 4);
  await appendFile(file, free);
  return join(directory, 'film.mp4');
}

/** A cloud whose workers cut that film into three chunks, until `cut` says otherwise of those that start from then on. */
export async function filmCloud({
  chunkSeconds = 12,
  ...options
}: {
  slots: number;
  hooks?: Hooks;
  chunkSeconds?: number;
  adverse?: false;
}) {
  const { jobs } = LOCAL_CLOUD;
  const inherited = [...(jobs?.inherited ?? []), 'CHUNK_SECONDS'];
  const booted = await testCloud({ ...options, jobs: { ...jobs, inherited } });
  const cut = (isCut: boolean) => {
    if (isCut) process.env.CHUNK_SECONDS = String(chunkSeconds);
    else delete process.env.CHUNK_SECONDS;
  };
  cut(true);
  return {
    ...booted,
    cut,
    [Symbol.asyncDispose]: async () => {
      cut(false);
      await booted[Symbol.asyncDispose]();
    },
  };
}
