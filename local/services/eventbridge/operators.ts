import { BlockList, isIP } from 'node:net';
import { isRecord } from '../../template/json.ts';
import { compileWildcard } from './wildcard.ts';

export type Leaf = string | number | boolean | null;

/** A pattern that EventBridge refuses. */
export class PatternError extends Error {
  override readonly name = 'PatternError';

  constructor(path: string, reason: string) {
    super(`Event pattern is not valid. Reason: ${path === '' ? '' : `"${path}" `}${reason}`);
  }
}

type Test = (leaf: Leaf) => boolean;

/**
 * One item of a pattern's array, as a test of an event's leaf values at that path.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export function leafMatcher(item: unknown, path: string): (leaves: readonly Leaf[]) => boolean {
  if (isRecord(item) && 'exists' in item) {
    const { exists } = item;
    if (typeof exists !== 'boolean') throw new PatternError(path, 'exists takes true or false');
    return (leaves) => leaves.length > 0 === exists;
  }
  const test = isRecord(item) ? operator(item, path) : equals(item, path);
  return (leaves) => leaves.some(test);
}

function equals(expected: unknown, path: string): Test {
  if (isLeaf(expected)) return (leaf) => leaf === expected;
  throw new PatternError(path, 'match value must be a string, number, boolean or null');
}

function operator(item: Record<string, unknown>, path: string): Test {
  const [[name, argument] = ['', undefined], ...others] = Object.entries(item);
  if (others.length > 0) throw new PatternError(path, 'only one key is allowed in a match expression');
  switch (name) {
    case 'prefix':
    case 'suffix':
    case 'equals-ignore-case':
    case 'wildcard':
      return text(name, argument, path);
    case 'anything-but':
      return anythingBut(argument, path);
    case 'numeric':
      return numeric(argument, path);
    case 'cidr':
      return cidr(argument, path);
    default:
      throw new PatternError(path, `unrecognized match type ${name}`);
  }
}

/** The text operators, which `anything-but` accepts too. */
function text(name: string, argument: unknown, path: string): Test {
  if (isRecord(argument) && (name === 'prefix' || name === 'suffix')) {
    const expected = string(argument['equals-ignore-case'], `${name} equals-ignore-case`, path).toLowerCase();
    return onText((value) => hasEdge(name, value.toLowerCase(), expected));
  }
  const expected = string(argument, name, path);
  if (name === 'equals-ignore-case') return onText((value) => value.toLowerCase() === expected.toLowerCase());
  if (name === 'prefix' || name === 'suffix') return onText((value) => hasEdge(name, value, expected));
  if (name !== 'wildcard') throw new PatternError(path, `unsupported anything-but pattern: ${name}`);
  return onText(compileWildcard(expected, (reason) => new PatternError(path, reason)));
}

function hasEdge(name: 'prefix' | 'suffix', value: string, edge: string): boolean {
  return name === 'prefix' ? value.startsWith(edge) : value.endsWith(edge);
}

function anythingBut(argument: unknown, path: string): Test {
  if (!isRecord(argument)) {
    const excluded = list(argument, 'anything-but', path);
    if (excluded.some((value) => typeof value !== typeof excluded[0])) {
      throw new PatternError(path, 'inside anything-but list, either all values are numbers or strings');
    }
    return (leaf) => !excluded.includes(leaf);
  }
  const [[name, operand] = ['', undefined], ...others] = Object.entries(argument);
  if (others.length > 0) throw new PatternError(path, 'only one key is allowed in anything-but');
  const tests = list(operand, `anything-but ${name}`, path).map((value) => text(name, value, path));
  return (leaf) => !tests.some((test) => test(leaf));
}

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** EventBridge compares numbers from -5 to 5 billion, with 15 digits. */
const MAX_NUMBER = 5_000_000_000;

function numeric(argument: unknown, path: string): Test {
  const parts = Array.isArray(argument) ? argument : [];
  if (parts.length !== 2 && parts.length !== 4) throw new PatternError(path, 'numeric takes one or two comparisons');
  const tests: ((value: number) => boolean)[] = [];
  for (let i = 0; i < parts.length; i += 2) {
    const compare = COMPARISONS[String(parts[i])];
    const bound: unknown = parts[i + 1];
    if (!compare) throw new PatternError(path, `unrecognized numeric range operator ${parts[i]}`);
    if (typeof bound !== 'number') throw new PatternError(path, 'the value of a numeric comparison must be a number');
    if (Math.abs(bound) > MAX_NUMBER) throw new PatternError(path, 'numeric values must be from -5.0e9 to 5.0e9');
    tests.push((value) => compare(value, bound));
  }
  return (leaf) => typeof leaf === 'number' && Math.abs(leaf) <= MAX_NUMBER && tests.every((test) => test(leaf));
}

function cidr(argument: unknown, path: string): Test {
  const [address = '', bits = ''] = string(argument, 'cidr', path).split('/');
  const family = isIP(address);
  const length = Number(bits);
  if (family === 0 || !/^[0-9]+$/.test(bits) || length > (family === 4 ? 32 : 128)) {
    throw new PatternError(path, `malformed CIDR ${argument}`);
  }
  const range = new BlockList();
  range.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
  return onText((value) => isIP(value) === family && range.check(value, family === 4 ? 'ipv4' : 'ipv6'));
}

function onText(test: (value: string) => boolean): Test {
  return (leaf) => typeof leaf === 'string' && test(leaf);
}

function list(argument: unknown, name: string, path: string): Leaf[] {
  const values: unknown[] = Array.isArray(argument) ? argument : [argument];
  if (values.length === 0) throw new PatternError(path, `${name} takes at least one value`);
  return values.map((value) => {
    if (typeof value === 'string' || typeof value === 'number') return value;
    throw new PatternError(path, `${name} takes strings or numbers`);
  });
}

function string(value: unknown, name: string, path: string): string {
  if (typeof value === 'string') return value;
  throw new PatternError(path, `${name} takes a string`);
}

function isLeaf(value: unknown): value is Leaf {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
