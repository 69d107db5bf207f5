import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openScratch } from '../../containers/transcoder/scratch.ts';
import { type Transcoded, transcode } from '../../containers/transcoder/transcode.ts';
import { PRESETS, type Preset } from '../../core/contracts/presets.ts';
import { keepToTheBook } from './by-the-book.ts';
import { TOOLS } from './media.ts';

export interface LocalTranscode {
  result: Transcoded;
  /** Where the outputs are. */
  out: string;
}

/** The worker's steps between pull and push, on a file of this machine. What they make is held to the rules of HLS. */
export async function transcodeFile(
  directory: string,
  file: string,
  preset = presetNamed('standard'),
  { tools = TOOLS, gpu = false } = {},
): Promise<LocalTranscode> {
  const scratch = await openScratch(join(directory, `job-${crypto.randomUUID()}`));
  await copyFile(file, scratch.source);
  const signal = new AbortController().signal;
  const result = await transcode({ tools, scratch, preset, gpu, signal, onProgress: () => undefined });
  const made = { result, out: scratch.out };
  await keepToTheBook(made);
  return made;
}

export function presetNamed(name: string): Preset {
  const preset = PRESETS[name];
  if (preset === undefined) throw new Error(`no preset ${name}`);
  return preset;
}
