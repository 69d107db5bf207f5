import type { ResponseHeadersPolicy } from './template.ts';

export type Headers = Record<string, string>;

/**
 * The response's headers with those of the policy. CORS headers are added only to responses to requests with an `Origin`.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html
 */
export function applyPolicy(
  headers: Readonly<Headers>,
  policy: ResponseHeadersPolicy | undefined,
  request: { method: string; origin: string | undefined },
): Headers {
  const result: Headers = { ...headers };
  const put = (name: string, value: string | undefined, override: boolean): void => {
    if (value !== undefined && (override || result[name] === undefined)) result[name] = value;
  };
  const { CorsConfig: cors, SecurityHeadersConfig: security, CustomHeadersConfig: custom } = policy ?? {};
  if (cors && request.origin !== undefined) {
    const own = corsHeaders(cors, request.origin, request.method === 'OPTIONS');
    // The origin's CORS headers stay only if it sent some and the policy does not override them.
    const originSent = result['access-control-allow-origin'] !== undefined;
    if (cors.OriginOverride || !originSent) {
      for (const name of Object.keys(result)) if (name.startsWith('access-control-')) delete result[name];
      Object.assign(result, own);
    }
  }
  const transport = security?.StrictTransportSecurity;
  put(
    'x-content-type-options',
    security?.ContentTypeOptions && 'nosniff',
    security?.ContentTypeOptions?.Override ?? false,
  );
  put('x-frame-options', security?.FrameOptions?.FrameOption, security?.FrameOptions?.Override ?? false);
  put('referrer-policy', security?.ReferrerPolicy?.ReferrerPolicy, security?.ReferrerPolicy?.Override ?? false);
  const csp = security?.ContentSecurityPolicy;
  put('content-security-policy', csp?.ContentSecurityPolicy, csp?.Override ?? false);
  if (transport) {
    const value = `max-age=${transport.AccessControlMaxAgeSec}${transport.IncludeSubdomains ? '; includeSubDomains' : ''}${transport.Preload ? '; preload' : ''}`;
    put('strict-transport-security', value, transport.Override);
  }
  for (const { Header, Value, Override } of custom?.Items ?? []) put(Header.toLowerCase(), Value, Override);
  return result;
}

function corsHeaders(
  cors: NonNullable<ResponseHeadersPolicy['CorsConfig']>,
  origin: string,
  preflight: boolean,
): Headers {
  const all = cors.AccessControlAllowOrigins.Items.includes('*');
  if (!all && !cors.AccessControlAllowOrigins.Items.includes(origin)) return {};
  const own: Headers = { 'access-control-allow-origin': all ? '*' : origin };
  if (!all) own.vary = 'Origin';
  if (cors.AccessControlAllowCredentials) own['access-control-allow-credentials'] = 'true';
  const exposed = cors.AccessControlExposeHeaders?.Items ?? [];
  if (exposed.length > 0) own['access-control-expose-headers'] = exposed.join(', ');
  if (preflight) {
    own['access-control-allow-methods'] = cors.AccessControlAllowMethods.Items.join(', ');
    own['access-control-allow-headers'] = cors.AccessControlAllowHeaders.Items.join(', ');
    if (cors.AccessControlMaxAgeSec !== undefined) own['access-control-max-age'] = String(cors.AccessControlMaxAgeSec);
  }
  return own;
}
