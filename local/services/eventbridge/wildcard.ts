/**
 * A wildcard of an event pattern: `*` matches any characters, `\*` an asterisk and `\\` a backslash.
 * @throws the error that `invalid` creates from a reason
 */
export function compileWildcard(wildcard: string, invalid: (reason: string) => Error): (value: string) => boolean {
  const literals: string[] = [''];
  let last = '';
  for (let i = 0; i < wildcard.length; i++) {
    const character = wildcard[i] ?? '';
    if (character === '*') {
      if (last === '*') throw invalid('consecutive wildcard characters are not allowed');
      literals.push('');
      last = '*';
      continue;
    }
    last = character;
    if (character === '\\') {
      const escaped = wildcard[++i];
      if (escaped !== '*' && escaped !== '\\') throw invalid('invalid escape character: only \\* and \\\\ are allowed');
      literals[literals.length - 1] += escaped;
    } else {
      literals[literals.length - 1] += character;
    }
  }
  return (value) => matchLiterals(value, literals);
}

/** Whether the literals occur in order, the first at the start and the last at the end. Linear in the text. */
function matchLiterals(value: string, literals: readonly string[]): boolean {
  const [first = '', ...rest] = literals;
  const end = rest.pop();
  if (end === undefined) return value === first;
  if (!value.startsWith(first)) return false;
  let position = first.length;
  for (const literal of rest) {
    const found = value.indexOf(literal, position);
    if (found < 0) return false;
    position = found + literal.length;
  }
  return value.length - end.length >= position && value.endsWith(end);
}
