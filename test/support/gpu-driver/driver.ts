import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { TOOLS } from '../media.ts';

const HERE = import.meta.dirname;

/** Whether the drivers can be built: set-up installs gcc, unless a person does not want it. */
export const HAS_COMPILER =
  process.env.CI !== undefined || !(await execa('gcc', ['--version'], { reject: false })).failed;

/** Tools whose FFmpeg runs with these variables, as a script in the directory. */
async function toolsWith(directory: string, variables: Record<string, string>, command: string): Promise<typeof TOOLS> {
  const ffmpeg = join(directory, `ffmpeg-${crypto.randomUUID()}`);
  const set = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'\n`);
  await writeFile(ffmpeg, `#!/bin/sh\n${set.join('')}exec ${command} "$@"\n`);
  await chmod(ffmpeg, 0o755);
  return { ...TOOLS, ffmpeg };
}

/**
 * Tools whose FFmpeg finds drivers of NVIDIA that fail as `variables` say: see the sources.
 * @param libraries those that are there
 */
export async function failingDriver(
  directory: string,
  variables: Record<string, string>,
  libraries: readonly ('cuda' | 'encode')[] = ['cuda', 'encode'],
): Promise<typeof TOOLS> {
  const built = await Promise.all(libraries.map((name) => build(directory, name)));
  // Loaded before FFmpeg asks for them by these names, whatever its own search path.
  return toolsWith(directory, { ...variables, LD_PRELOAD: built.join(' ') }, TOOLS.ffmpeg);
}

async function build(directory: string, name: 'cuda' | 'encode'): Promise<string> {
  const file = name === 'cuda' ? 'libcuda.so.1' : 'libnvidia-encode.so.1';
  const path = join(directory, file);
  const options = ['-shared', '-fPIC', '-nostdlib', '-w', `-Wl,-soname,${file}`];
  await execa('gcc', [...options, '-o', path, join(HERE, `${name}.c`)]);
  return path;
}

/** Tools whose FFmpeg does on the CPU what it is told to do on a GPU. */
export function workingGpu(directory: string, fault = ''): Promise<typeof TOOLS> {
  const variables = { GPU_FFMPEG: TOOLS.ffmpeg, GPU_FAULT: fault };
  return toolsWith(directory, variables, `'${process.execPath}' '${join(HERE, 'works.mjs')}'`);
}
