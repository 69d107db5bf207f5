import { basename } from 'node:path';
import { warningLine } from '../../cli/describe-media.ts';
import { table } from '../../cli/table.ts';
import { bytes } from '../../cli/units.ts';
import { pricesIn } from '../../core/contracts/prices.ts';
import { printableLine } from '../../core/contracts/text.ts';
import { costOf } from '../../local/cost/cost.ts';
import type { Report } from './report.ts';

/**
 * The closing table: one row per file, then why files failed and what of the others was lost, where to play the others, and the run's cost on AWS.
 * @param stayUp whether the cloud keeps running, so that the player's addresses work
 */
export function renderTable(reports: Report[], stayUp: boolean, metered: Record<string, number>): string {
  const atEndpoint = reports.some(({ line }) => line.engine === 'http');
  const header = ['file', 'state', 'duration', 'renditions', 'bytes', 'time', 'engine', 'estimate', 'cost'];
  const rows = reports.map(({ line, bytes: size }) => [
    nameOf(line),
    line.state,
    typeof line.source.durationSeconds === 'number' ? `${line.source.durationSeconds.toFixed(1)} s` : '–',
    line.renditions.map((rendition) => rendition.name).join(' ') || '–',
    size > 0 ? bytes(size) : '–',
    `${line.timings.total.toFixed(1)} s`,
    line.engine ?? '–',
    estimateOf(line),
    line.cost.usd === null ? '–' : `$${line.cost.usd.toFixed(5)}`,
  ]);
  const lines = ['', table(header, rows), ''];
  for (const { line } of reports) {
    if (line.error) lines.push(printableLine(`${nameOf(line)}: ${line.error.code}: ${line.error.message}`));
    if (line.gpu?.encode === false) lines.push(`${nameOf(line)}: encoded in software. ${line.gpu.why ?? ''}`.trim());
    lines.push(...line.warnings.map((each) => printableLine(`${nameOf(line)}: ${warningLine(each)}`)));
  }
  for (const { line, playerUrl } of reports) {
    if (playerUrl) lines.push(nameOf(line), printableLine(`  files  ${line.dir}`), `  plays  ${playerUrl}`);
  }
  if (!stayUp)
    lines.push('', 'The local cloud ends now, and the addresses with it. On a terminal it stays up until Ctrl-C.');
  const { region, prices } = pricesIn('us-east-1');
  const { usd } = costOf(metered, prices);
  lines.push(
    '',
    `On AWS (${region}, list prices) this run would cost about $${usd.toFixed(4)}${atEndpoint ? ', beside the encodes at the endpoint' : ''}.`,
    '',
  );
  return lines.join('\n');
}

/** What the encode was expected to take: `18 s, $0.00100`. */
function estimateOf({ estimate: { seconds, usd } }: Report['line']): string {
  return seconds === null || usd === null ? '–' : `${seconds.toFixed(0)} s, $${usd.toFixed(5)}`;
}

function nameOf(line: Report['line']): string {
  return printableLine(basename(line.file));
}
