/** Results go to stdout, as text or, with --json, one JSON value per line; everything else goes to stderr. */
export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** `text` is made only when it is wanted. */
  result(value: unknown, text: () => string): void {
    process.stdout.write(this.json ? `${JSON.stringify(value)}\n` : `${text()}\n`);
  }

  note(line: string): void {
    process.stderr.write(`${line}\n`);
  }
}

/** Columns as wide as their widest cell; the header is left out when there are no rows. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '(none)';
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map(line)].join('\n');
}

/** `label  value` lines; empty values are left out. */
export function fields(entries: readonly (readonly [string, string | undefined])[]): string {
  const there = entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
  const width = Math.max(...there.map(([label]) => label.length));
  return there.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join('\n');
}

/** 1536 → `1.5 KiB` */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = n < 1 ? 0 : Math.min(Math.floor(Math.log2(n) / 10), units.length - 1);
  const value = n / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[power]}`;
}

/** 3725 → `1:02:05` */
export function duration(seconds: number | undefined): string {
  if (seconds === undefined) return '';
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
