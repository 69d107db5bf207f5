import { z } from 'zod';

export interface Reply {
  status: number;
  /** A list for set-cookie. */
  headers: Record<string, string | string[]>;
  body: Buffer;
}

const Explicit = z.object({
  statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).nullish(),
  cookies: z.array(z.string()).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
});

/** A response of API Gateway itself: `{"message":"Not Found"}`. */
export function gatewayReply(status: number, message: string, headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify({ message })),
  };
}

/**
 * The client's response from a function's result: the result itself when it has a statusCode, else a 200 with the result as JSON.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 * @param payload what the function returned, as JSON
 */
export function replyFrom(payload: string): Reply {
  let result: unknown;
  try {
    result = JSON.parse(payload);
  } catch {
    return gatewayReply(500, 'Internal Server Error');
  }
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(payload) };
  }
  const explicit = Explicit.safeParse(result);
  if (!explicit.success) return gatewayReply(500, 'Internal Server Error');
  const { statusCode, headers, cookies, body, isBase64Encoded } = explicit.data;
  const lowerCase = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    status: statusCode,
    headers: {
      'content-type': 'text/plain;charset=UTF-8',
      ...Object.fromEntries(lowerCase),
      ...(cookies?.length ? { 'set-cookie': cookies } : {}),
    },
    body: Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8'),
  };
}
