import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { make, picture, tone } from '../support/media.ts';
import type { HostileFile, Outcome, Workshop } from './harness.ts';

/** What a damaged file may become: any end that is the file's. */
export const ANY_REFUSAL: readonly Outcome[] = [
  'not_media',
  'no_tracks',
  'corrupt',
  'truncated',
  'encode_failed',
  'unsupported_codec',
  'limit_pixels',
  'limit_duration',
  'limit_tracks',
];
export const READY_OR_REFUSED: readonly Outcome[] = ['ready', ...ANY_REFUSAL];

let count = 0;

/** Writes bytes under a name that no other case has. */
export async function write({ directory }: Workshop, content: string | Uint8Array): Promise<string> {
  const path = join(directory, `file-${++count}`);
  await writeFile(path, content);
  return path;
}

/** What ffmpeg makes of these arguments, the last of which is an ending. */
export async function made({ directory }: Workshop, ...args: string[]): Promise<string> {
  return make(directory, ...args.slice(0, -1), `file-${++count}.${args.at(-1)}`);
}

export async function madeBytes(workshop: Workshop, ...args: string[]): Promise<Buffer> {
  return readFile(await made(workshop, ...args));
}

const FAST = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

/** A film of 0.4 s. */
export const film = (workshop: Workshop, ending: string, ...more: string[]) =>
  madeBytes(workshop, ...picture('160x120', '25', 0.4), ...tone(0.4), ...FAST, '-c:a', 'aac', ...more, ending);
/** Its picture alone. */
export const silent = (workshop: Workshop, ending: string, ...more: string[]) =>
  madeBytes(workshop, ...picture('160x120', '25', 0.4), ...FAST, ...more, ending);

/** A case that changes a file's bytes. */
export function changed(
  title: string,
  becomes: HostileFile['becomes'],
  from: (workshop: Workshop) => Promise<Buffer>,
  change: (bytes: Buffer) => Uint8Array,
  short?: true,
): HostileFile {
  return {
    title,
    becomes,
    make: async (workshop) => write(workshop, change(await from(workshop))),
    ...(short && { short }),
  };
}

/** A case that is bytes. */
export function plain(
  title: string,
  becomes: HostileFile['becomes'],
  content: string | Uint8Array | ((workshop: Workshop) => string | Uint8Array),
  short?: true,
): HostileFile {
  const bytes = (workshop: Workshop) => (typeof content === 'function' ? content(workshop) : content);
  return { title, becomes, make: (workshop) => write(workshop, bytes(workshop)), ...(short && { short }) };
}
