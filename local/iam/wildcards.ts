/** The policy variables for literal characters: `${*}`, `${?}` and `${$}`. */
export const LITERALS = /\$\{([*?$])\}/g;

const quote = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A pattern in which `*` matches any number of characters, `?` one, and `${*}` an asterisk. */
export function glob(pattern: string, flags = ''): (value: string) => boolean {
  const source = pattern
    .split(LITERALS)
    // Every second part is a capture of the split.
    .map((part, i) =>
      i % 2 === 1
        ? quote(part)
        : quote(part)
            .replace(/(?:\\\*)+/g, '.*')
            .replaceAll('\\?', '.'),
    )
    .join('');
  const expression = new RegExp(`^${source}$`, `s${flags}`);
  return (value) => expression.test(value);
}

/** Parts of an ARN: `arn`, partition, service, region, account and the rest, which may contain colons. */
const PARTS = 6;

/** A pattern for ARNs: wildcards do not match the colons between the parts. */
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
