import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { streamAt } from '../../cli/commands/check-stream.ts';
import type { Transcoded } from '../../containers/transcoder/transcode.ts';
import { checkStream } from '../../core/media/hls-rules/rules.ts';
import { masterPlaylist } from '../../core/media/master-playlist.ts';

/** Rules that ours depart from for some sources only: a test of such a source names them. */
const USUALLY_KEPT = ['target-of-6', 'segments-of-6', 'same-boundaries', 'same-duration'];

/** What is found broken of the rules that are not departed from on purpose, and of those named. */
async function brokenOf(where: string, named: readonly string[]): Promise<string[]> {
  const stream = await streamAt(where);
  const broken = checkStream(stream).filter(({ rule }) => rule.departure === undefined || named.includes(rule.id));
  const lines = broken.map(({ rule, playlist, line, found, right }) => {
    return `${rule.id} ${playlist}:${line}: ${found}; right: ${right}`;
  });
  return stream.complete ? lines : [...lines, 'not checked whole'];
}

/**
 * The rules of docs/streams.md that a stream breaks, as `dropreel check-stream` finds them; without those that ours depart from on purpose.
 * @param where a URL, or a folder
 * @returns `rule playlist:line: found; right: right`
 */
export function brokenRules(where: string): Promise<string[]> {
  return brokenOf(where, USUALLY_KEPT);
}

/** The same of what a worker leaves, which gets its master playlist when it is published. */
export async function brokenRulesOf(made: Made): Promise<string[]> {
  return withMaster(made, brokenRules);
}

/** @throws Error when what a worker leaves breaks a rule that is kept whatever the source */
export async function keepToTheBook(made: Made): Promise<void> {
  const broken = await withMaster(made, (master) => brokenOf(master, []));
  if (broken.length > 0) throw new Error(`Rules of docs/streams.md are broken:\n${broken.join('\n')}`);
}

interface Made {
  result: Transcoded;
  out: string;
}

async function withMaster<T>({ result, out }: Made, look: (master: string) => Promise<T>): Promise<T> {
  const master = join(out, 'master.m3u8');
  await writeFile(master, masterPlaylist(result, ''));
  try {
    return await look(master);
  } finally {
    await rm(master);
  }
}
