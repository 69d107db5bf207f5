import { isRecord, type Json } from '../../template/json.ts';
import { type Leaf, leafMatcher, PatternError } from './operators.ts';

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const MAX_PATTERN_CHARACTERS = 2048;

export type Matches = (event: unknown) => boolean;

/**
 * An event pattern as a function of parsed events. Used by rules and by the filters of event source mappings.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html
 * @throws PatternError naming the field, if EventBridge would refuse the pattern
 */
export function compilePattern(pattern: unknown): Matches {
  if (!isRecord(pattern)) throw new PatternError('', 'a pattern is an object');
  if (Object.keys(pattern).length === 0) throw new PatternError('', 'a pattern has at least one field');
  if (JSON.stringify(pattern).length > MAX_PATTERN_CHARACTERS) {
    throw new PatternError('', `a pattern has at most ${MAX_PATTERN_CHARACTERS} characters`);
  }
  return compileObject(pattern, '');
}

function compileObject(pattern: Json, path: string): Matches {
  const fields = Object.entries(pattern).map(([name, value]) => {
    const at = path === '' ? name : `${path}.${name}`;
    // A field with the literal name $or has another value than a list of objects.
    return name === '$or' && Array.isArray(value) && value.every(isRecord)
      ? compileOr(value, at)
      : compileField(name, value, at);
  });
  // In a list of objects, all fields must match within one object.
  return (event) =>
    Array.isArray(event)
      ? event.some((item) => fields.every((field) => field(item)))
      : fields.every((field) => field(event));
}

function compileOr(alternatives: Json[], path: string): Matches {
  if (alternatives.length < 2) throw new PatternError(path, '$or needs two alternatives or more');
  const compiled = alternatives.map((alternative) => compileObject(alternative, path));
  return (event) => compiled.some((matches) => matches(event));
}

function compileField(name: string, value: unknown, path: string): Matches {
  const valueIn = (event: unknown) => (isRecord(event) && Object.hasOwn(event, name) ? event[name] : undefined);
  if (isRecord(value)) {
    if (Object.keys(value).length === 0) throw new PatternError(path, 'empty objects are not allowed');
    const inner = compileObject(value, path);
    return (event) => inner(valueIn(event));
  }
  if (!Array.isArray(value)) throw new PatternError(path, 'must be an object or an array');
  if (value.length === 0) throw new PatternError(path, 'empty arrays are not allowed');
  const alternatives = value.map((item) => leafMatcher(item, path));
  return (event) => {
    const leaves = leavesOf(valueIn(event));
    return alternatives.some((alternative) => alternative(leaves));
  };
}

/** Operators apply to leaves only: an object or an empty list counts as absent. */
function leavesOf(value: unknown): Leaf[] {
  if (Array.isArray(value)) return value.flatMap(leavesOf);
  return value === undefined || isRecord(value) ? [] : [value as Leaf];
}
