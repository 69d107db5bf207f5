import { ACCOUNT_ID, REGION } from '../../kernel/account.ts';

/** Bodies of these types are passed as text, all others (including forms and bodies without a type) in base64, as measured on AWS. */
const TEXT_TYPES = /^(text\/.*|application\/(json|xml|javascript))$/;

export interface Received {
  method: string;
  /** Decoded. */
  path: string;
  /** Undecoded, without the question mark. */
  query: string;
  /** As sent: name, value, name, value… */
  rawHeaders: readonly string[];
  body: Buffer;
  sourceIp: string;
  requestId: string;
  /** Milliseconds since the epoch. */
  time: number;
}

/**
 * The event of payload format 2.0.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function proxyEvent(
  received: Received,
  route: {
    apiId: string;
    key: string;
    stage: string;
    stageVariables: Record<string, string> | undefined;
    pathParameters: Record<string, string> | undefined;
    jwt: { claims: Record<string, string>; scopes: string[] | null } | undefined;
  },
): Record<string, unknown> {
  const { headers, cookies } = joinHeaders(received.rawHeaders);
  const domainName = headers.host ?? `${route.apiId}.execute-api.${REGION}.amazonaws.com`;
  const isText = TEXT_TYPES.test((headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '');
  const query = joinQuery(received.query);
  return {
    version: '2.0',
    routeKey: route.key,
    rawPath: received.path,
    rawQueryString: received.query,
    ...(cookies.length > 0 ? { cookies } : {}),
    headers: {
      ...headers,
      'x-amzn-trace-id': `Root=1-${Math.floor(received.time / 1000).toString(16)}-${received.requestId.replaceAll('-', '').slice(0, 24)}`,
      'x-forwarded-for': received.sourceIp,
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
    },
    ...(query ? { queryStringParameters: query } : {}),
    requestContext: {
      accountId: ACCOUNT_ID,
      apiId: route.apiId,
      ...(route.jwt ? { authorizer: { jwt: route.jwt } } : {}),
      domainName,
      domainPrefix: domainName.split('.')[0],
      http: {
        method: received.method,
        path: received.path,
        protocol: 'HTTP/1.1',
        sourceIp: received.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: received.requestId,
      routeKey: route.key,
      stage: route.stage,
      time: requestTime(received.time),
      timeEpoch: received.time,
    },
    ...(route.pathParameters ? { pathParameters: route.pathParameters } : {}),
    ...(route.stageVariables ? { stageVariables: route.stageVariables } : {}),
    ...(received.body.length > 0 ? { body: received.body.toString(isText ? 'utf8' : 'base64') } : {}),
    isBase64Encoded: received.body.length > 0 && !isText,
  };
}

/** Names in lower case, several values joined by commas; cookies are separate. */
function joinHeaders(raw: readonly string[]): { headers: Record<string, string>; cookies: string[] } {
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    const value = raw[i + 1] ?? '';
    if (name === 'cookie') cookies.push(...value.split(/;\s*/).filter(Boolean));
    else headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  return { headers, cookies };
}

function joinQuery(query: string): Record<string, string> | undefined {
  const joined = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before},${value}`);
  }
  return joined.size > 0 ? Object.fromEntries(joined) : undefined;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `12/Mar/2020:19:03:58 +0000` */
function requestTime(time: number): string {
  const iso = new Date(time).toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
