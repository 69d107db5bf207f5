import { streamAt } from '../../cli/commands/check-stream.ts';
import { checkStream } from '../../core/media/hls-rules/rules.ts';

/**
 * The rules of docs/streams.md that a stream breaks, as `dropreel check-stream` finds them; without those that ours depart from on purpose.
 * @param where a URL, or a folder
 * @returns `rule playlist:line: found; right: right`
 */
export async function brokenRules(where: string): Promise<string[]> {
  const stream = await streamAt(where);
  const broken = checkStream(stream).filter(({ rule }) => rule.departure === undefined);
  const lines = broken.map(({ rule, playlist, line, found, right }) => {
    return `${rule.id} ${playlist}:${line}: ${found}; right: ${right}`;
  });
  return stream.complete ? lines : [...lines, 'not checked whole'];
}
