import { join } from 'node:path';
import { buildFunction } from '../../scripts/build.ts';
import { temporaryDirectory } from './media.ts';

/** The program that ingest-upload parses containers with, built as it is deployed; gone with `await using`. */
export async function builtParser(): Promise<AsyncDisposable & { path: string }> {
  const directory = await temporaryDirectory();
  await buildFunction('ingest-upload', directory.path);
  return { ...directory, path: join(directory.path, 'probe.child.mjs') };
}
