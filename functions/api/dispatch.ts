import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { z } from 'zod';
import { type Caller, callerOf, requireOperator } from '../../core/api/caller.ts';
import type { Operation } from '../../core/api/operation.ts';
import { OPERATIONS, type OperationId } from '../../core/api/operations.ts';
import { ApiError, invalid } from '../../core/api/problem.ts';
import type { ApiAnswer, ApiCall, ApiServices, Route, Routes } from './call.ts';
import { once, type StoredAnswer } from './idempotency.ts';
import { loadNamed } from './load.ts';
import { problemResponse } from './refuse.ts';

export interface Incoming {
  req: Request;
  event: APIGatewayProxyEventV2;
  params: Record<string, string>;
}

/**
 * What the router takes beside a Response. API Gateway makes a Set-Cookie header of each member of `cookies`:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
interface ResultWithCookies {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  cookies: string[];
}

/** Parses a request, authenticates its caller, runs the operation's route and renders its answer. */
export async function answer<K extends OperationId>(
  id: K,
  incoming: Incoming,
  routes: Routes,
  services: ApiServices,
): Promise<Response | ResultWithCookies> {
  const { requestId, timeEpoch } = incoming.event.requestContext;
  try {
    const operation: Operation = OPERATIONS[id];
    const caller = await authenticate(operation, incoming.event, services);
    const rawBody = await incoming.req.text();
    const url = new URL(incoming.req.url);
    const body = operation.body ? parse('body', operation.body, readJson(incoming.req, rawBody)) : null;
    const call = {
      caller,
      params: operation.params && parse('path', operation.params, incoming.params),
      query: operation.query && parse('query', operation.query, Object.fromEntries(url.searchParams)),
      body,
      rawBody,
      headers: incoming.req.headers,
      now: new Date(timeEpoch).toISOString(),
      requestId,
    } as ApiCall<K>;
    const route = routes[id] as Route<K>;
    const run = async (): Promise<StoredAnswer> => render(operation, await route(call, services));
    const key = keyOf(operation, incoming.req.headers);
    if (key === null) return respond(await run());
    const target = `${operation.method} ${url.pathname}${url.search}`;
    const keyed = { ...caller, key, target, body, now: timeEpoch };
    const { replayed, ...kept } = await once(services.table, keyed, run, () =>
      loadNamed(operation.path, call, services),
    );
    return respond(kept, replayed ? { 'Idempotency-Replayed': 'true' } : {});
  } catch (error) {
    return problemResponse(error, requestId);
  }
}

const NOBODY: Caller = { creatorId: '', operator: false };

/** The authorizer has verified the token. Without a token there are no claims, whatever the route. */
async function authenticate(
  operation: Operation,
  event: APIGatewayProxyEventV2,
  { env }: ApiServices,
): Promise<Caller> {
  if (operation.who === 'anyone') return NOBODY;
  const { authorizer } = event.requestContext as { authorizer?: { jwt?: { claims?: Record<string, unknown> } } };
  const claims = authorizer?.jwt?.claims;
  if (!claims) throw new ApiError('unauthenticated', 'Send an access token as Authorization: Bearer …');
  const caller = await callerOf(claims, {
    scopeClaims: env.JWT_SCOPE_CLAIMS,
    creatorClaims: env.JWT_CREATOR_CLAIMS,
    creatorScopes: env.JWT_CREATOR_SCOPES,
    operatorScopes: env.JWT_OPERATOR_SCOPES,
  });
  if (operation.who === 'operator') requireOperator(caller);
  return caller;
}

function readJson(request: Request, rawBody: string): unknown {
  const type = request.headers.get('content-type');
  if (rawBody === '') return {};
  if (type && !/^application\/([a-z0-9.+-]+\+)?json\b/i.test(type)) {
    throw new ApiError('not_json', 'Send the body as JSON, with Content-Type: application/json.');
  }
  try {
    return JSON.parse(rawBody);
  } catch (cause) {
    throw new ApiError('malformed_request', 'The body is not JSON.', { cause });
  }
}

function parse<T>(where: string, schema: z.ZodType<T>, value: unknown): T {
  const { success, data, error } = schema.safeParse(value);
  if (!success) throw invalid(where, error.issues);
  return data;
}

function keyOf(operation: Operation, headers: Headers): string | null {
  const key = headers.get('idempotency-key');
  if (key === null || operation.method !== 'POST' || operation.who === 'anyone' || operation.repeatable) return null;
  if (key.length === 0 || key.length > 255) {
    throw new ApiError('invalid_request', 'Idempotency-Key has 1 to 255 characters.');
  }
  return key;
}

function render(operation: Operation, given: ApiAnswer<OperationId>): StoredAnswer {
  const json: Record<string, string> = given.body === null ? {} : { 'Content-Type': 'application/json' };
  return {
    status: operation.status,
    body: given.body === null ? '' : JSON.stringify(given.body),
    headers: { 'Cache-Control': 'no-store', ...json, ...given.headers },
    ...(given.cookies && { cookies: given.cookies }),
  };
}

function respond(
  { status, body, headers: own, cookies = [] }: StoredAnswer,
  more: Record<string, string> = {},
): Response | ResultWithCookies {
  const headers = { ...own, ...more };
  // The router keeps only the last of a Response's cookies. https://github.com/aws-powertools/powertools-lambda-typescript/issues/5674
  if (cookies.length > 0) return { statusCode: status, body, headers, cookies };
  return new Response(status === 204 ? null : body, { status, headers });
}
