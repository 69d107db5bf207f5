import { basename } from 'node:path';
import { costOf } from '../../local/cost.ts';
import type { Report } from './report.ts';

/** The closing table: one row per file, then why files failed, where to play the others, and the run's cost on AWS. */
export function renderTable(reports: Report[], dropped: number, metered: Record<string, number>): string {
  const header = ['file', 'state', 'duration', 'renditions', 'bytes', 'time', 'encode on AWS'];
  const rows = reports.map(({ line, bytes }) => [
    basename(line.file),
    line.state,
    typeof line.source.durationSeconds === 'number' ? `${line.source.durationSeconds.toFixed(1)} s` : '–',
    line.renditions.map((rendition) => rendition.name).join(' ') || '–',
    bytes > 0 ? formatBytes(bytes) : '–',
    `${line.timings.total.toFixed(1)} s`,
    line.cost.usd === null ? '–' : `$${line.cost.usd.toFixed(5)}`,
  ]);
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const render = (cells: string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  const lines = ['', render(header), ...rows.map(render), ''];
  for (const { line } of reports) {
    if (line.error) lines.push(`${basename(line.file)}: ${line.error.code}: ${line.error.message}`);
  }
  for (const { line, playerUrl } of reports) {
    if (playerUrl) lines.push(`${basename(line.file)}`, `  files  ${line.dir}`, `  plays  ${playerUrl}`);
  }
  const { usd } = costOf(metered);
  lines.push(
    '',
    `On AWS (us-east-1, list prices) this run of ${dropped} files would cost about $${usd.toFixed(4)}.`,
    '',
  );
  return lines.join('\n');
}

function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
