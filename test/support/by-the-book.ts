import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { streamAt } from '../../cli/commands/check-stream.ts';
import type { Transcoded } from '../../containers/transcoder/transcode.ts';
import { checkStream } from '../../core/media/hls-rules/rules.ts';
import { masterPlaylist } from '../../core/media/master-playlist.ts';

/** Rules that ours depart from for some sources only: a test of such a source names them. */
const USUALLY_KEPT = ['target-of-6', 'segments-of-6', 'same-boundaries', 'same-duration'];

/**
 * The rules of docs/streams.md that a stream breaks, as `dropreel check-stream` finds them; without those that ours depart from on purpose.
 * @param where a URL, or a folder
 * @returns `rule playlist:line: found; right: right`
 */
export async function brokenRules(where: string): Promise<string[]> {
  const stream = await streamAt(where);
  const broken = checkStream(stream).filter(
    ({ rule }) => rule.departure === undefined || USUALLY_KEPT.includes(rule.id),
  );
  const lines = broken.map(({ rule, playlist, line, found, right }) => {
    return `${rule.id} ${playlist}:${line}: ${found}; right: ${right}`;
  });
  return stream.complete ? lines : [...lines, 'not checked whole'];
}

/** The same of what a worker leaves, which gets its master playlist when it is published. */
export async function brokenRulesOf({ result, out }: { result: Transcoded; out: string }): Promise<string[]> {
  await writeFile(join(out, 'master.m3u8'), masterPlaylist(result, ''));
  return brokenRules(join(out, 'master.m3u8'));
}
