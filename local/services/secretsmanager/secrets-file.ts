import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Secrets } from './service.ts';

/** Reads a JSON file of secrets' names and values. Empty when the file does not exist. */
export async function readSecrets(file: string): Promise<Secrets> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  return z.record(z.string(), z.string()).parse(JSON.parse(text));
}
