/**
 * An API Gateway HTTP API with Lambda integrations (payload format 2.0), JWT authorizers and CORS, with its own server.
 *
 *     const api = await startHttpApi(context, {
 *       api, routes, integrations, authorizers, stages, // { id, properties }: id is what Ref gives, intrinsics resolved
 *       invoke, meter, port,
 *       locateIssuer: (issuer) => cognito.url, // where the issuer of the template is to be found here
 *     });
 *     api.url // http://127.0.0.1:…
 *
 * Functions are invoked as the service principal apigateway.amazonaws.com with the route's ARN as source, so that the function's
 * resource policy decides. There is no throttling, because one machine has one user.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { ACCOUNT_ID, REGION, type ServiceContext } from '../../kernel/account.ts';
import { listen } from '../../kernel/http-server.ts';
import type { Meter } from '../../kernel/meter.ts';
import { AwsError } from '../../kernel/service.ts';
import type { Lambda } from '../lambda/lambda.ts';
import { isPreflight, preflight, withCors } from './cors.ts';
import { proxyEvent, type Received } from './event.ts';
import { checkJwt, IssuerKeys, JwtRefused } from './jwt.ts';
import { gatewayReply, type Reply, replyFrom } from './response.ts';
import { matchRoute } from './routes.ts';
import { type ApiDefinition, type ApiResources, type Route, readApi } from './template.ts';

/** Bytes of a request's body. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const MAX_BODY = 10 * 1024 * 1024;
/** Bytes of request line and headers (same page). */
const MAX_HEAD = 10_240;
/** Each 512 KB of a call are billed. */
const BILLED_BYTES = 512 * 1024;

export interface HttpApiConfiguration extends ApiResources {
  invoke: Lambda['invoke'];
  /** Base URL under which the openid configuration of an issuer is fetched. */
  locateIssuer: (issuer: string) => string;
  meter: Meter;
  /** 0 for any. */
  port: number;
}

export interface HttpApi {
  url: string;
  /** Serves a request that another server has accepted. */
  handler: RequestListener;
  close(): Promise<void>;
}

interface ServedApi {
  configuration: HttpApiConfiguration;
  definition: ApiDefinition;
  keys: IssuerKeys;
}

/** @throws Error naming the resource that cannot be served */
export async function startHttpApi(context: ServiceContext, configuration: HttpApiConfiguration): Promise<HttpApi> {
  const definition = readApi(configuration);
  const keys = new IssuerKeys(configuration.locateIssuer, () => context.clock.now());
  const handler: RequestListener = (incoming, outgoing) => {
    respond(incoming, context, { configuration, definition, keys })
      .catch((error: unknown) => {
        context.log(`http-api: ${error instanceof Error ? error.stack : error}`);
        return gatewayReply(500, 'Internal Server Error');
      })
      .then((reply) => send(outgoing, reply, incoming.method === 'HEAD'));
  };
  const listening = await listen(handler, { port: configuration.port, pages: 'loopback', maxHeaderSize: 64 * 1024 });
  return { ...listening, handler };
}

async function respond(incoming: IncomingMessage, context: ServiceContext, api: ServedApi): Promise<Reply> {
  const { configuration, definition } = api;
  const { cors } = definition;
  const { headers, method = 'GET' } = incoming;
  const plainHeaders = { ...headers, 'set-cookie': undefined } as Record<string, string | undefined>;
  const head = (incoming.url?.length ?? 0) + incoming.rawHeaders.reduce((sum, text) => sum + text.length, 0);
  if (head > MAX_HEAD) return gatewayReply(431, 'Request Header Fields Too Large');
  const body = await readBody(incoming);
  configuration.meter.add('http-api:requests', Math.max(1, Math.ceil((body?.length ?? 0) / BILLED_BYTES)));
  if (!body) return gatewayReply(413, 'Request Entity Too Large');
  if (cors && isPreflight(method, plainHeaders)) return preflight(cors, plainHeaders);

  const [target = '/', query = ''] = split(incoming.url ?? '/', '?');
  const path = decodePath(target);
  const received: Received = {
    method,
    path: path ?? '',
    query,
    rawHeaders: incoming.rawHeaders,
    body,
    sourceIp: incoming.socket.remoteAddress ?? '127.0.0.1',
    requestId: randomUUID(),
    time: context.clock.now(),
  };
  const reply = path === undefined ? gatewayReply(400, 'Bad Request') : await route(received, api);
  const answered = { ...reply, headers: { ...reply.headers, 'apigw-requestid': received.requestId } };
  return cors ? withCors(answered, cors, headers.origin) : answered;
}

async function route(received: Received, { configuration, definition, keys }: ServedApi): Promise<Reply> {
  const match = matchRoute(definition.routes, received.method, received.path);
  if (!match) return gatewayReply(404, 'Not Found');
  const { authorizer, scopes } = match.route;
  let jwt: Awaited<ReturnType<typeof checkJwt>> | undefined;
  try {
    const authorization = header(received.rawHeaders, 'authorization');
    jwt = authorizer && (await checkJwt({ authorization, authorizer, scopes, keys, now: received.time }));
  } catch (error) {
    if (!(error instanceof JwtRefused)) throw error;
    return refusal(error);
  }
  const event = proxyEvent(received, {
    apiId: definition.id,
    key: match.route.key,
    stage: definition.stage,
    stageVariables: definition.stageVariables,
    pathParameters: match.pathParameters,
    jwt,
  });
  return integrate(match.route, event, configuration, definition);
}

function refusal(error: JwtRefused): Reply {
  if (error.kind === 'forbidden') {
    const challenge = `Bearer scope="${error.message}" error="insufficient_scope"`;
    return gatewayReply(403, 'Forbidden', { 'www-authenticate': challenge });
  }
  const reason = error.message === 'no token' ? '' : ` error="invalid_token" error_description="${error.message}"`;
  return gatewayReply(401, 'Unauthorized', { 'www-authenticate': `Bearer${reason}` });
}

async function integrate(
  { functionArn, key, timeoutMs }: Route,
  event: unknown,
  { invoke }: HttpApiConfiguration,
  { id, stage }: ApiDefinition,
): Promise<Reply> {
  const sourceArn = `arn:aws:execute-api:${REGION}:${ACCOUNT_ID}:${id}/${stage}/${key.replace(' ', '')}`;
  const invoked = invoke(functionArn, event, { type: 'service', service: 'apigateway.amazonaws.com', sourceArn });
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    const result = await Promise.race([invoked, timeout]);
    if (!result) return gatewayReply(503, 'Service Unavailable');
    return result.ok ? replyFrom(result.payload) : gatewayReply(500, 'Internal Server Error');
  } catch (error) {
    // Lambda accepts less than API Gateway. Measured on a REST API, whose text differs:
    // https://github.com/koki-develop/lgtm-generator/issues/10
    if (error instanceof AwsError && error.status === 413) return gatewayReply(413, 'Request Entity Too Large');
    // No permission to invoke, or no such function: the response does not distinguish them.
    return gatewayReply(500, 'Internal Server Error');
  } finally {
    clearTimeout(timer);
  }
}

/** Undefined when it is too large. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    // Read to the end, so that the client can read the answer, but not stored.
    if (size <= MAX_BODY) chunks.push(chunk);
    else chunks.length = 0;
  }
  return size > MAX_BODY ? undefined : Buffer.concat(chunks);
}

function send(outgoing: ServerResponse, reply: Reply, headOnly: boolean): void {
  outgoing.writeHead(reply.status, { ...reply.headers, 'content-length': reply.body.length });
  outgoing.end(headOnly ? undefined : reply.body);
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** HTTP APIs pass the path decoded. Undefined when it is not valid UTF-8. */
function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function header(raw: readonly string[], name: string): string | undefined {
  for (let i = 0; i + 1 < raw.length; i += 2) if (raw[i]?.toLowerCase() === name) return raw[i + 1];
  return undefined;
}
