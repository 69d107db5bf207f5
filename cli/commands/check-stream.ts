import { open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { checkStream, type Finding, RULES } from '../../core/media/hls-rules/rules.ts';
import type { Stream } from '../../core/media/hls-rules/stream.ts';
import { readStream } from '../check-stream/read-stream.ts';
import { Budget, folderSource, webSource } from '../check-stream/source.ts';
import { outputOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';

export function addCheckStream(program: Command): void {
  program
    .command('check-stream')
    .description("check an HLS stream, dropreel's or any other, against RFC 8216 and Apple's authoring specification")
    .argument('[stream]', 'the URL of a master playlist, or a file or folder on disk')
    .option('--strict', 'end with 1 also for what is recommended only, and where dropreel departs on purpose')
    .option('--rules', 'print the list of rules instead')
    .action(async (where: string | undefined, options: { strict?: boolean; rules?: boolean }, command: Command) => {
      const out = outputOf(command);
      if (options.rules) {
        const list = RULES.map(({ check: _, ...rule }) => rule);
        return out.result(list, () => list.map((rule) => `${rule.id}: ${rule.title} (${rule.source})`).join('\n'));
      }
      if (where === undefined) throw new CliError(EXIT.usage, 'Name a stream, or pass --rules.');
      const stream = await streamAt(where);
      const findings = checkStream(stream);
      const bad = findings.filter(({ rule }) => options.strict || (rule.level === 'must' && !rule.departure));
      out.result(jsonOf(stream, findings), () => textOf(stream, findings));
      const rules = [...new Set(bad.map(({ rule }) => rule.id))];
      if (rules.length > 0) throw new CliError(EXIT.failed, `Broken: ${rules.join(', ')}.`);
      if (!stream.complete) throw new CliError(EXIT.failed, 'The stream is too large to be checked whole.');
    });
}

/**
 * Reads the stream at a URL, or a path of a file or folder.
 * @throws CliError when there is none
 */
export async function streamAt(where: string): Promise<Stream> {
  const budget = new Budget();
  if (/^https?:\/\//i.test(where)) {
    return readStream(webSource(budget), new URL(where).href).catch(failWith(EXIT.unreachable, where));
  }
  const path = await playlistAt(where);
  return readStream(await folderSource(dirname(path), budget), path).catch(failWith(EXIT.usage, where));
}

function failWith(exitCode: number, where: string) {
  return (error: unknown): never => {
    throw new CliError(exitCode, `${where}: ${error instanceof Error ? error.message : String(error)}.`);
  };
}

/** The master playlist of a folder, or the only one in it. */
async function playlistAt(where: string): Promise<string> {
  const path = await realpath(where).catch(() => null);
  if (path === null)
    throw new CliError(EXIT.usage, `${where} is neither a URL of http or https, nor a file or folder.`);
  if ((await stat(path)).isFile()) return path;
  const names = (await readdir(path)).filter((name) => name.endsWith('.m3u8'));
  const [only, second] = names;
  if (only !== undefined && second === undefined) return join(path, only);
  for (const name of names) {
    const file = await open(join(path, name));
    const { buffer } = await file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, 0).finally(() => file.close());
    if (buffer.includes('#EXT-X-STREAM-INF')) return join(path, name);
  }
  throw new CliError(EXIT.usage, `${where} has no master playlist.`);
}

function jsonOf(stream: Stream, findings: readonly Finding[]) {
  return {
    playlists: stream.media.length + (stream.master ? 1 : 0),
    segments: stream.media.reduce((sum, { segments }) => sum + segments.length, 0),
    complete: stream.complete,
    findings: findings.map(({ rule: { id, source, level, departure }, ...rest }) => ({
      ...{ rule: id, source, level, ...rest },
      ...(departure !== undefined && { departure }),
    })),
  };
}

function textOf(stream: Stream, findings: readonly Finding[]): string {
  const { playlists, segments } = jsonOf(stream, findings);
  const blocks = [...new Set(findings.map(({ rule }) => rule))].map((rule) => {
    const own = findings.filter((finding) => finding.rule === rule);
    const shown = own.slice(0, 10).map((one) => `  ${one.playlist}:${one.line}: ${one.found}; right: ${one.right}`);
    const more = own.length > 10 ? [`  and ${own.length - 10} more`] : [];
    const mark = rule.departure !== undefined ? '–' : rule.level === 'must' ? '✗' : '!';
    const why = rule.departure === undefined ? [] : [`  dropreel departs from it: ${rule.departure}`];
    return [`${mark} ${rule.title} (${rule.source}, ${rule.level.toUpperCase()})`, ...shown, ...more, ...why].join(
      '\n',
    );
  });
  const kept = RULES.length - blocks.length;
  const summary = `${kept} of ${RULES.length} rules are kept: ${playlists} playlists, ${segments} segments.`;
  return [...blocks, summary].join('\n');
}
