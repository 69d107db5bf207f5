import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const Words = z.array(z.string());

/** The start command of an image: its ENTRYPOINT and CMD, both in JSON form. */
export interface ImageStart {
  entrypoint: string[];
  command: string[];
}

/**
 * Reads the last ENTRYPOINT and CMD of a Dockerfile. Only the JSON form is served: the shell form needs the image's shell.
 * @throws Error naming the instruction that is not served
 */
export async function readImageStart(dockerFile: string): Promise<ImageStart> {
  // A line that ends in a backslash continues on the next one.
  const text = (await readFile(dockerFile, 'utf8')).replace(/\\\r?\n/g, ' ');
  const last = (instruction: string): string[] => {
    const line = text.split(/\r?\n/).findLast((it) => it.trimStart().toUpperCase().startsWith(`${instruction} `));
    if (line === undefined) return [];
    const words = Words.safeParse(parse(line.trimStart().slice(instruction.length)));
    if (!words.success)
      throw new Error(`${dockerFile}: ${instruction} is served in its JSON form only: ${line.trim()}`);
    return words.data;
  };
  const start = { entrypoint: last('ENTRYPOINT'), command: last('CMD') };
  if (start.entrypoint.length + start.command.length === 0) throw new Error(`${dockerFile} has no ENTRYPOINT or CMD`);
  return start;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
