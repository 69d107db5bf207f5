/**
 * A CloudFront distribution in front of S3, as a server of its own.
 *
 *     const delivery = await startDelivery(surroundings, {
 *       distribution, originAccessControls, responseHeadersPolicies, functions, publicKeys, keyGroups,
 *                                     // { id, properties }: id is what Ref gives (a function's: its ARN), intrinsics resolved
 *       origin: (request) => …,       // the S3 service, with the bucket's policy evaluated for `request.principal`
 *       extra: { '/player/': 'web/player' }, // static files beside the distribution
 *       port,
 *     });
 *
 * The bucket is read as the service principal cloudfront.amazonaws.com with the distribution's ARN as source. Nothing is
 * cached: what CloudFront would have answered itself is asked of the bucket. Loopback is plain HTTP.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ACCOUNT_ID, type Surroundings } from '../account.ts';
import { listen } from '../http-server.ts';
import type { Principal, ServiceResponse } from '../service.ts';
import { chooseBehavior } from './behaviors.ts';
import { serveFile } from './files.ts';
import { applyPolicy } from './headers.ts';
import { checkSignature, SIGNATURE_PARAMETERS } from './signed.ts';
import { type DeliveryBehavior, type DeliveryDefinition, type DeliveryResources, readDelivery } from './template.ts';
import { runViewerFunction, type ViewerRequest } from './viewer-function.ts';

/** What CloudFront asks of S3. An error of S3 is a response too, in S3's words. */
export interface OriginRequest {
  principal: Principal;
  method: string;
  /** `/{bucket}/{key}`, undecoded. */
  path: string;
  /** Names in lower case. */
  headers: Record<string, string>;
}

export interface DeliveryConfiguration extends DeliveryResources {
  origin: (request: OriginRequest) => Promise<ServiceResponse>;
  /** Directories by the path under which their files are served. */
  extra?: Record<string, string>;
  port: number;
}

export interface Delivery {
  url: string;
  close(): Promise<void>;
}

/** Of the viewer's headers, those that reach the bucket. */
const FORWARDED = ['range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'];

/** @throws Error naming the resource that cannot be served */
export async function startDelivery(
  surroundings: Surroundings,
  configuration: DeliveryConfiguration,
): Promise<Delivery> {
  const definition = readDelivery(configuration);
  const server = createServer(async (incoming, outgoing) => {
    const response = await respond(incoming, surroundings, configuration, definition).catch((error: unknown) => {
      surroundings.log(`delivery: ${error instanceof Error ? error.stack : error}`);
      return failure(502, 'BadGateway', 'The request could not be satisfied');
    });
    await send(outgoing, response, incoming.method === 'HEAD').catch(() => outgoing.destroy());
  });
  return listen(server, configuration.port);
}

async function respond(
  incoming: IncomingMessage,
  surroundings: Surroundings,
  configuration: DeliveryConfiguration,
  definition: DeliveryDefinition,
): Promise<ServiceResponse> {
  const { method = 'GET', url = '/', headers } = incoming;
  const [rawPath = '/', rawQuery = ''] = url.split(/\?(.*)/s);
  const path = normalize(rawPath);
  if (path === undefined) return failure(400, 'BadRequest', 'The path is not valid');
  for (const [prefix, directory] of Object.entries(configuration.extra ?? {})) {
    if (path.startsWith(prefix) && (method === 'GET' || method === 'HEAD')) {
      return serveFile(directory, path.slice(prefix.length));
    }
  }
  const behavior = chooseBehavior(definition.behaviors, path);
  if (!behavior?.allowedMethods.includes(method)) {
    return failure(403, 'MethodNotAllowed', 'This distribution is not configured to allow this HTTP request method');
  }
  const query = new URLSearchParams(rawQuery);
  const sourceIp = incoming.socket.remoteAddress ?? '127.0.0.1';
  const cookies = readCookies(headers.cookie);
  const refused =
    behavior.trustedKeys &&
    checkSignature({
      cookies,
      query,
      urls: signedUrls(headers.host ?? '', rawPath, rawQuery),
      sourceIp,
      nowSeconds: surroundings.clock.now() / 1000,
      trustedKeys: behavior.trustedKeys,
    });
  const response = refused
    ? failure(403, refused.code, refused.message)
    : await fromOrigin(incoming, rawPath, query, cookies, sourceIp, behavior, configuration, definition);
  return {
    ...response,
    headers: {
      ...applyPolicy(response.headers ?? {}, behavior.headers, { method, origin: headers.origin }),
      'x-cache': `${response.status < 400 ? 'Miss' : 'Error'} from cloudfront`,
      'x-amz-cf-id': randomUUID(),
    },
  };
}

async function fromOrigin(
  incoming: IncomingMessage,
  rawPath: string,
  query: URLSearchParams,
  cookies: Map<string, string>,
  ip: string,
  behavior: DeliveryBehavior,
  { origin }: DeliveryConfiguration,
  definition: DeliveryDefinition,
): Promise<ServiceResponse> {
  const values = (entries: Iterable<[string, string]>) =>
    Object.fromEntries([...entries].map(([name, value]) => [name, { value }]));
  const plain = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
  let request: ViewerRequest = {
    method: incoming.method ?? 'GET',
    uri: rawPath,
    querystring: values(query),
    headers: values(plain.filter(([name]) => name !== 'cookie')),
    cookies: values(cookies),
  };
  if (behavior.viewerRequest !== undefined) {
    const result = await runViewerFunction(behavior.viewerRequest, { type: 'viewer-request', ip, request });
    if ('response' in result) return fromFunction(result.response);
    request = result.request;
  }
  const key = request.uri === '/' ? `/${definition.defaultRootObject}` : request.uri;
  const response = await origin({
    principal: behavior.signed
      ? { type: 'service', service: 'cloudfront.amazonaws.com', sourceArn: distributionArn(definition.id) }
      : { type: 'anonymous' },
    method: request.method,
    path: `/${behavior.bucket}${behavior.originPath}${key}`,
    headers: Object.fromEntries(
      FORWARDED.flatMap((name) => (request.headers[name] ? [[name, request.headers[name].value]] : [])),
    ),
  });
  if (behavior.viewerResponse === undefined) return response;
  const result = await runViewerFunction(behavior.viewerResponse, {
    type: 'viewer-response',
    ip,
    request,
    response: { statusCode: response.status, headers: values(Object.entries(response.headers ?? {})), cookies: {} },
  });
  // A function cannot change the body of what came from the origin.
  return 'response' in result ? { ...fromFunction(result.response), ...bodyOf(response) } : response;
}

function fromFunction(response: {
  statusCode: number;
  headers: Record<string, { value: string }>;
  body?: string | undefined;
}): ServiceResponse {
  const headers = Object.entries(response.headers).map(([name, { value }]) => [name.toLowerCase(), value]);
  return {
    status: response.statusCode,
    headers: Object.fromEntries(headers),
    ...(response.body ? { body: response.body } : {}),
  };
}

function bodyOf({ body }: ServiceResponse): Pick<ServiceResponse, 'body'> {
  return body === undefined ? {} : { body };
}

function distributionArn(id: string): string {
  return `arn:aws:cloudfront::${ACCOUNT_ID}:distribution/${id}`;
}

/**
 * As the signer may have written it: the distribution's URL is https on AWS and http here. The signature's own parameters
 * are not part of what is signed.
 */
function signedUrls(host: string, rawPath: string, rawQuery: string): string[] {
  const kept = rawQuery
    .split('&')
    .filter((pair) => pair !== '' && !SIGNATURE_PARAMETERS.some((name) => pair.startsWith(`${name}=`)));
  const rest = `${host}${rawPath}${kept.length > 0 ? `?${kept.join('&')}` : ''}`;
  return [`http://${rest}`, `https://${rest}`];
}

/** Decoded and without dot segments: how it is written must not decide which behaviour guards it. Undefined when it is no UTF-8. */
function normalize(rawPath: string): string | undefined {
  try {
    return posix.normalize(decodeURIComponent(rawPath));
  } catch {
    return undefined;
  }
}

function readCookies(text = ''): Map<string, string> {
  const pairs = text.split(/;\s*/).filter((pair) => pair.includes('='));
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

/** In the form in which CloudFront and S3 tell errors. */
function failure(status: number, code: string, message: string): ServiceResponse {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return { status, headers: { 'content-type': 'text/xml', 'content-length': String(Buffer.byteLength(body)) }, body };
}

async function send(outgoing: ServerResponse, response: ServiceResponse, headOnly: boolean): Promise<void> {
  outgoing.writeHead(response.status, response.headers);
  const { body } = response;
  if (body instanceof Readable) {
    if (!headOnly) return pipeline(body, outgoing);
    body.destroy();
    outgoing.end();
  } else {
    outgoing.end(headOnly ? undefined : body);
  }
}
