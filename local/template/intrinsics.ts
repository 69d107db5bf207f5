import { TemplateError } from './errors.ts';
import { isRecord } from './json.ts';

/** Resolves references of intrinsic functions. `ref` and `getAtt` throw a TemplateError for an unknown name. */
export interface Scope {
  ref(name: string): unknown;
  getAtt(logicalId: string, attribute: string): unknown;
  condition(name: string): boolean;
  findInMap(map: string, key: string, second: string): unknown;
}

const NO_VALUE = Symbol('AWS::NoValue');

/**
 * The value with its intrinsic functions resolved.
 * @throws TemplateError
 */
export function resolve(value: unknown, scope: Scope): unknown {
  const resolved = visit(value, scope);
  return resolved === NO_VALUE ? undefined : resolved;
}

/**
 * Evaluates the body of a condition: Fn::Equals, Fn::And, Fn::Or, Fn::Not, Condition.
 * @throws TemplateError
 */
export function evaluateCondition(value: unknown, scope: Scope): boolean {
  const call = asCall(value);
  if (call?.name === 'Condition') return scope.condition(String(call.argument));
  const operands = Array.isArray(call?.argument) ? call.argument : [];
  switch (call?.name) {
    case 'Fn::Equals':
      return JSON.stringify(resolve(operands[0], scope)) === JSON.stringify(resolve(operands[1], scope));
    case 'Fn::And':
      return operands.every((operand) => evaluateCondition(operand, scope));
    case 'Fn::Or':
      return operands.some((operand) => evaluateCondition(operand, scope));
    case 'Fn::Not':
      return !evaluateCondition(operands[0], scope);
    default:
      throw new TemplateError(`${JSON.stringify(value)} is not a condition that is served`);
  }
}

function visit(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) return value.map((item) => visit(item, scope)).filter((item) => item !== NO_VALUE);
  if (!isRecord(value)) return value;
  const call = asCall(value);
  if (call) return apply(call.name, call.argument, scope);
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, visit(item, scope)] as const)
      .filter(([, item]) => item !== NO_VALUE),
  );
}

function asCall(value: unknown): { name: string; argument: unknown } | undefined {
  if (!isRecord(value)) return undefined;
  const [entry, ...others] = Object.entries(value);
  if (!entry || others.length > 0) return undefined;
  const [name, argument] = entry;
  // IAM statements and rules also have a key named Condition, whose value is an object; the intrinsic's value is a name.
  if (name === 'Condition') return typeof argument === 'string' ? { name, argument } : undefined;
  return name === 'Ref' || name.startsWith('Fn::') ? { name, argument } : undefined;
}

function apply(name: string, argument: unknown, scope: Scope): unknown {
  switch (name) {
    case 'Ref':
      return argument === 'AWS::NoValue' ? NO_VALUE : scope.ref(String(argument));
    case 'Fn::GetAtt':
      return getAtt(argument, scope);
    case 'Fn::Sub':
      return sub(argument, scope);
    case 'Fn::Join': {
      const [separator, items] = list(name, argument);
      return list(name, visit(items, scope)).map(text).join(text(separator));
    }
    case 'Fn::Split': {
      const [separator, source] = list(name, visit(argument, scope));
      return text(source).split(text(separator));
    }
    case 'Fn::Select': {
      const [index, items] = list(name, visit(argument, scope));
      const chosen = list(name, items)[Number(index)];
      if (chosen === undefined)
        throw new TemplateError(`Fn::Select: no item ${text(index)} in ${JSON.stringify(items)}`);
      return chosen;
    }
    case 'Fn::If': {
      const [condition, whenTrue, whenFalse] = list(name, argument);
      return visit(scope.condition(text(condition)) ? whenTrue : whenFalse, scope);
    }
    case 'Fn::FindInMap': {
      const [map, key, second] = list(name, visit(argument, scope));
      return scope.findInMap(text(map), text(key), text(second));
    }
    case 'Fn::Base64':
      return Buffer.from(text(visit(argument, scope))).toString('base64');
    default:
      throw new TemplateError(`${name} is not served`);
  }
}

function getAtt(argument: unknown, scope: Scope): unknown {
  if (Array.isArray(argument)) return scope.getAtt(text(argument[0]), text(visit(argument[1], scope)));
  const [logicalId = '', ...attribute] = text(argument).split('.');
  return scope.getAtt(logicalId, attribute.join('.'));
}

function sub(argument: unknown, scope: Scope): string {
  const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
  const own = isRecord(variables) ? variables : {};
  return text(template).replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    if (name in own) return text(visit(own[name], scope));
    if (!name.includes('.')) return text(scope.ref(name));
    const [logicalId = '', ...attribute] = name.split('.');
    return text(scope.getAtt(logicalId, attribute.join('.')));
  });
}

function list(name: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new TemplateError(`${name} needs a list, not ${JSON.stringify(value)}`);
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TemplateError(`a text is needed where there is ${JSON.stringify(value)}`);
}
