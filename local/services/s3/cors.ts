import { AwsError, type ServiceRequest, type ServiceResponse } from '../../kernel/service.ts';
import type { CorsRule } from './model.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html */
const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method';

/** Patterns have at most one `*`. */
const matches = (pattern: string, text: string) => {
  const [start = '', end] = pattern.split('*');
  if (end === undefined) return pattern === text;
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end);
};

function headersOf(rule: CorsRule, origin: string): Record<string, string> {
  const any = rule.origins.includes('*');
  return {
    'access-control-allow-origin': any ? '*' : origin,
    'access-control-allow-methods': rule.methods.join(', '),
    ...(rule.exposed.length > 0 && { 'access-control-expose-headers': rule.exposed.join(', ') }),
    ...(rule.maxAge !== undefined && { 'access-control-max-age': String(rule.maxAge) }),
    ...(!any && { 'access-control-allow-credentials': 'true' }),
    vary: VARY,
  };
}

/** The first rule that allows the origin and method decides. */
const ruleFor = (rules: readonly CorsRule[], origin: string, method: string, asked: readonly string[]) =>
  rules.find(
    (rule) =>
      rule.origins.some((pattern) => matches(pattern, origin)) &&
      rule.methods.includes(method) &&
      asked.every((name) => rule.headers.some((pattern) => matches(pattern.toLowerCase(), name))),
  );

/**
 * The response to a preflight request.
 * @throws AwsError AccessForbidden
 */
export function preflight({ headers }: Pick<ServiceRequest, 'headers'>, rules: readonly CorsRule[]): ServiceResponse {
  const { origin, 'access-control-request-method': method } = headers;
  if (origin === undefined || method === undefined) {
    throw new AwsError('BadRequest', 400, 'Insufficient information. Origin request header needed.');
  }
  const asked = (headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  const rule = ruleFor(rules, origin, method, asked);
  if (!rule) {
    const why = rules.length === 0 ? 'CORS is not enabled for this bucket.' : 'This CORS request is not allowed.';
    throw new AwsError('AccessForbidden', 403, `CORSResponse: ${why}`);
  }
  const allowed = asked.length > 0 ? { 'access-control-allow-headers': asked.join(', ') } : {};
  return { status: 200, headers: { ...headersOf(rule, origin), ...allowed } };
}

/** Headers that let a browser read the response, including errors. */
export function corsHeaders(
  { method, headers: { origin } }: Pick<ServiceRequest, 'method' | 'headers'>,
  rules: readonly CorsRule[],
): Record<string, string> {
  const rule = origin === undefined ? undefined : ruleFor(rules, origin, method, []);
  return rule && origin !== undefined ? headersOf(rule, origin) : {};
}
