import { arnGlob, glob } from './wildcards.ts';

/**
 * Values of condition keys. The keys' names are in lower case because they are case-insensitive. A multi-valued key
 * has a list, even if the request gives it only one value.
 */
export type ConditionContext = ReadonlyMap<string, string | readonly string[]>;

export type Condition = (context: ConditionContext) => boolean;

/** An operator's comparison: takes the policy's value, returns a test of the request's value. */
type Compare = (expected: string) => (actual: string) => boolean;

const number =
  (compare: (actual: number, expected: number) => boolean): Compare =>
  (expected) =>
  (actual) =>
    // Without digits Number('') would be 0.
    actual.trim() !== '' && compare(Number(actual), Number(expected));

const equals: Compare = (expected) => (actual) => actual === expected;
const equalsAnyCase: Compare = (expected) => (actual) => actual.toLowerCase() === expected.toLowerCase();
const numberEquals = number((actual, expected) => actual === expected);

/** A negated operator is true when no value of the policy matches. */
const OPERATORS: Readonly<Record<string, { compare: Compare; negated?: true }>> = {
  StringEquals: { compare: equals },
  StringNotEquals: { compare: equals, negated: true },
  StringEqualsIgnoreCase: { compare: equalsAnyCase },
  StringNotEqualsIgnoreCase: { compare: equalsAnyCase, negated: true },
  StringLike: { compare: (pattern) => glob(pattern) },
  StringNotLike: { compare: (pattern) => glob(pattern), negated: true },
  // AWS compares ArnEquals as ArnLike.
  ArnEquals: { compare: arnGlob },
  ArnLike: { compare: arnGlob },
  ArnNotEquals: { compare: arnGlob, negated: true },
  ArnNotLike: { compare: arnGlob, negated: true },
  Bool: { compare: equalsAnyCase },
  NumericEquals: { compare: numberEquals },
  NumericNotEquals: { compare: numberEquals, negated: true },
  NumericLessThan: { compare: number((actual, expected) => actual < expected) },
  NumericLessThanEquals: { compare: number((actual, expected) => actual <= expected) },
  NumericGreaterThan: { compare: number((actual, expected) => actual > expected) },
  NumericGreaterThanEquals: { compare: number((actual, expected) => actual >= expected) },
};

/**
 * One line of a Condition block: `compileCondition('StringLike', 's3:prefix', ['tmp/*'])`. A key that the request does not
 * have makes a negated operator true, and any other false unless it ends in IfExists. Multi-valued keys need
 * ForAllValues, which is true without values, or ForAnyValue, which then is false.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 * @throws Error when the operator is not served
 */
export function compileCondition(name: string, key: string, values: readonly string[]): Condition {
  const [, set, bare = ''] = /^(?:(ForAnyValue|ForAllValues):)?(.*)$/.exec(name) ?? [];
  const lowerKey = key.toLowerCase();
  if (name === 'Null') {
    return (context) => values.some((value) => (value.toLowerCase() === 'true') !== context.has(lowerKey));
  }
  const ifExists = bare.endsWith('IfExists');
  const plain = ifExists ? bare.slice(0, -'IfExists'.length) : bare;
  const operator = Object.hasOwn(OPERATORS, plain) ? OPERATORS[plain] : undefined;
  if (!operator) throw new Error(`the condition operator ${name} is not served`);
  const negated = operator.negated ?? false;
  const whenMissing = ifExists || set === 'ForAllValues' || (negated && set === undefined);
  const comparisons = values.map(operator.compare);
  const holds = (actual: string) => comparisons.some((matches) => matches(actual)) !== negated;
  return (context) => {
    const actual = context.get(lowerKey);
    if (actual === undefined) return whenMissing;
    if (typeof actual === 'string') return holds(actual);
    if (set === 'ForAllValues') return actual.every(holds);
    if (set === 'ForAnyValue') return actual.some(holds);
    // AWS does not document how a plain operator treats several values, so a policy must not depend on it.
    return actual.length === 1 && actual.every(holds);
  };
}
