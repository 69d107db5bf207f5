/** A pattern in which `*` stands for any number of characters and `?` for one. */
export function glob(pattern: string, flags = ''): (value: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, `s${flags}`);
  return (value) => expression.test(value);
}

/** Parts of an ARN: `arn`, partition, service, region, account and the rest, which may hold colons. */
const PARTS = 6;

/** A pattern for ARNs: wildcards do not reach over the colons between the parts. */
export function arnGlob(pattern: string): (value: string) => boolean {
  const parts = splitArn(pattern);
  if (parts.length < PARTS) return glob(pattern);
  const globs = parts.map((part) => glob(part));
  return (value) => {
    const values = splitArn(value);
    return values.length === PARTS && globs.every((matches, i) => matches(values[i] ?? ''));
  };
}

function splitArn(arn: string): string[] {
  const parts = arn.split(':');
  return parts.length <= PARTS ? parts : [...parts.slice(0, PARTS - 1), parts.slice(PARTS - 1).join(':')];
}
