import { printableLine } from '../core/contracts/text.ts';

/** Columns as wide as their widest cell, `(none)` without rows. Cells are made printable. */
export function table(header: readonly string[], cells: readonly (readonly string[])[]): string {
  if (cells.length === 0) return '(none)';
  const rows = cells.map((row) => row.map(printableLine));
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map(line)].join('\n');
}

/** `label  value` lines; those without a value are left out. */
export function fields(entries: readonly (readonly [string, string | undefined])[]): string {
  const there = entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
  const width = Math.max(...there.map(([label]) => label.length));
  return there.map(([label, value]) => `${label.padEnd(width)}  ${printableLine(value)}`).join('\n');
}
