import type { Reply } from './response.ts';
import type { Cors } from './template.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html */

/** The response to a preflight request, which API Gateway itself sends when CORS is configured. */
export function preflight(cors: Cors, headers: Readonly<Record<string, string | undefined>>): Reply {
  const allowed = corsHeaders(cors, headers.origin);
  if (allowed['access-control-allow-origin'] !== undefined) {
    set(allowed, 'access-control-allow-methods', cors.AllowMethods);
    set(allowed, 'access-control-allow-headers', cors.AllowHeaders);
    if (cors.MaxAge !== undefined) allowed['access-control-max-age'] = String(cors.MaxAge);
  }
  return { status: 204, headers: allowed, body: Buffer.alloc(0) };
}

export function isPreflight(method: string, headers: Readonly<Record<string, string | undefined>>): boolean {
  return method === 'OPTIONS' && Boolean(headers.origin && headers['access-control-request-method']);
}

/** Replaces the CORS headers of the integration by the configured ones. */
export function withCors(reply: Reply, cors: Cors, origin: string | undefined): Reply {
  const kept = Object.entries(reply.headers).filter(([name]) => !name.startsWith('access-control-'));
  const added = corsHeaders(cors, origin);
  if (added['access-control-allow-origin']) set(added, 'access-control-expose-headers', cors.ExposeHeaders);
  return { ...reply, headers: { ...Object.fromEntries(kept), ...added } };
}

function corsHeaders(cors: Cors, origin: string | undefined): Record<string, string> {
  const match = origin && cors.AllowOrigins?.find((pattern) => matches(pattern, origin));
  if (!origin || !match) return {};
  return {
    'access-control-allow-origin': match === '*' && !cors.AllowCredentials ? '*' : origin,
    ...(cors.AllowCredentials ? { 'access-control-allow-credentials': 'true' } : {}),
    ...(match === '*' ? {} : { vary: 'origin' }),
  };
}

/** `*`, an origin, or every origin of a scheme: `https://*`. */
function matches(pattern: string, origin: string): boolean {
  return pattern.endsWith('*') ? origin.startsWith(pattern.slice(0, -1)) : pattern === origin;
}

function set(headers: Record<string, string>, name: string, values: readonly string[] | undefined): void {
  if (values?.length) headers[name] = values.join(',');
}
