/**
 * A CloudFront distribution in front of S3 and of HTTP servers, with its own server.
 *
 *     const distribution = await startDistribution(context, {
 *       distribution, originAccessControls, responseHeadersPolicies, functions, publicKeys, keyGroups,
 *                                     // { id, properties }: id is what Ref gives (a function's: its ARN), intrinsics resolved
 *       origin: (request) => …,       // the S3 service, with the bucket's policy evaluated for `request.principal`
 *       extra: { '/player/': 'web/player' }, // static files beside the distribution
 *       port,
 *     });
 *
 * The bucket is read as the service principal cloudfront.amazonaws.com with the distribution's ARN as source. There is no
 * cache: every request goes to the bucket. Loopback is plain HTTP.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ACCOUNT_ID, type ServiceContext } from '../../kernel/account.ts';
import { listen } from '../../kernel/http-server.ts';
import type { Principal, ServiceResponse } from '../../kernel/service.ts';
import { chooseBehavior } from './behaviors.ts';
import { compressed } from './compress.ts';
import { serveFile } from './files.ts';
import { applyPolicy } from './headers.ts';
import { fromServer } from './http-origin.ts';
import { checkSignature, SIGNATURE_PARAMETERS } from './signed.ts';
import {
  type CacheBehavior,
  type DistributionDefinition,
  type DistributionResources,
  readDistribution,
} from './template.ts';
import { runViewerFunction, type ViewerRequest } from './viewer-function.ts';

/** A request of CloudFront to S3. An error of S3 is also a response, in S3's wording. */
export interface OriginRequest {
  principal: Principal;
  method: string;
  /** `/{bucket}/{key}`, undecoded. */
  path: string;
  /** Names in lower case. */
  headers: Record<string, string>;
}

export interface DistributionConfiguration extends DistributionResources {
  origin: (request: OriginRequest) => Promise<ServiceResponse>;
  /** Directories of static files by URL path. */
  extra?: Record<string, string>;
  port: number;
}

export interface Distribution {
  url: string;
  /** Serves a request that another server has accepted. */
  handler: RequestListener;
  close(): Promise<void>;
}

/** The viewer's headers that are forwarded to the bucket. */
const FORWARDED = ['range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'];

/** @throws Error naming the resource that cannot be served */
export async function startDistribution(
  context: ServiceContext,
  configuration: DistributionConfiguration,
): Promise<Distribution> {
  const definition = readDistribution(configuration);
  const handler: RequestListener = async (incoming, outgoing) => {
    const response = await respond(incoming, context, configuration, definition).catch((error: unknown) => {
      context.log(`cloudfront: ${error instanceof Error ? error.stack : error}`);
      return failure(502, 'BadGateway', 'The request could not be satisfied');
    });
    await send(outgoing, response, incoming.method === 'HEAD').catch(() => outgoing.destroy());
  };
  return { ...(await listen(handler, { port: configuration.port, pages: 'loopback' })), handler };
}

async function respond(
  incoming: IncomingMessage,
  context: ServiceContext,
  configuration: DistributionConfiguration,
  definition: DistributionDefinition,
): Promise<ServiceResponse> {
  const { method = 'GET', url = '/', headers } = incoming;
  const [rawPath = '/', rawQuery = ''] = url.split(/\?(.*)/s);
  const path = normalize(rawPath);
  if (path === undefined) return failure(400, 'BadRequest', 'The path is not valid');
  for (const [prefix, directory] of Object.entries(configuration.extra ?? {})) {
    if (`${path}/` === prefix) return redirect(`${prefix}${rawQuery && `?${rawQuery}`}`);
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
      nowSeconds: context.clock.now() / 1000,
      trustedKeys: behavior.trustedKeys,
    });
  const answer = refused
    ? failure(403, refused.code, refused.message)
    : await fromOrigin(viewerRequest(incoming, { uri: rawPath, query, cookies }), {
        ip: sourceIp,
        behavior,
        origin: configuration.origin,
        definition,
      });
  const response = behavior.compress ? compressed(answer, method, headers['accept-encoding']) : answer;
  return {
    ...response,
    headers: {
      ...applyPolicy(response.headers ?? {}, behavior.headers, { method, origin: headers.origin }),
      'x-cache': `${response.status < 400 ? 'Miss' : 'Error'} from cloudfront`,
      'x-amz-cf-id': randomUUID(),
    },
  };
}

function redirect(location: string): ServiceResponse {
  return { status: 301, headers: { location, 'content-length': '0' }, body: '' };
}

function values(entries: Iterable<[string, string]>): Record<string, { value: string }> {
  return Object.fromEntries([...entries].map(([name, value]) => [name, { value }]));
}

function viewerRequest(
  { method = 'GET', headers }: IncomingMessage,
  { uri, query, cookies }: { uri: string; query: URLSearchParams; cookies: Map<string, string> },
): ViewerRequest {
  const plain = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  return {
    method,
    uri,
    querystring: values(query),
    headers: values(plain.filter(([name]) => name !== 'cookie')),
    cookies: values(cookies),
  };
}

async function fromOrigin(
  received: ViewerRequest,
  {
    ip,
    behavior,
    origin,
    definition,
  }: {
    ip: string;
    behavior: CacheBehavior;
    origin: DistributionConfiguration['origin'];
    definition: DistributionDefinition;
  },
): Promise<ServiceResponse> {
  let request = received;
  if (behavior.viewerRequest !== undefined) {
    const result = await runViewerFunction(behavior.viewerRequest, { type: 'viewer-request', ip, request });
    if ('response' in result) return fromFunction(result.response);
    request = result.request;
  }
  const key = request.uri === '/' ? `/${definition.defaultRootObject}` : request.uri;
  const { httpHost } = behavior;
  if (httpHost !== undefined) return fromServer(`http://${httpHost}${behavior.originPath}${key}`, request.method);
  const response = await origin({
    principal: behavior.signed
      ? { type: 'service', service: 'cloudfront.amazonaws.com', sourceArn: distributionArn(definition.id) }
      : { type: 'anonymous' },
    method: request.method,
    path: `/${behavior.bucket}${behavior.originPath}${key}`,
    headers: Object.fromEntries(
      [...FORWARDED, ...behavior.forwarded].flatMap((name) =>
        request.headers[name] ? [[name, request.headers[name].value]] : [],
      ),
    ),
  });
  // CloudFront runs no function for a response of 400 or more.
  if (behavior.viewerResponse === undefined || response.status >= 400) return response;
  const result = await runViewerFunction(behavior.viewerResponse, {
    type: 'viewer-response',
    ip,
    request,
    response: { statusCode: response.status, headers: values(Object.entries(response.headers ?? {})), cookies: {} },
  });
  // A function cannot change the body of the origin's response.
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
 * The URL in the forms that the signer may have used: https on AWS, http here. The signature's own parameters
 * are not signed.
 */
function signedUrls(host: string, rawPath: string, rawQuery: string): string[] {
  const kept = rawQuery
    .split('&')
    .filter((pair) => pair !== '' && !SIGNATURE_PARAMETERS.some((name) => pair.startsWith(`${name}=`)));
  const rest = `${host}${rawPath}${kept.length > 0 ? `?${kept.join('&')}` : ''}`;
  return [`http://${rest}`, `https://${rest}`];
}

/** Decoded and without dot segments, because the spelling of a path must not change its behaviour. Undefined when it is not UTF-8. */
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

/** An error in the format of CloudFront and S3. */
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
