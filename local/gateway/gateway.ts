import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CredentialStore } from '../iam/credentials.ts';
import { readBody } from '../kernel/aws-json.ts';
import type { Clock } from '../kernel/clock.ts';
import { listen } from '../kernel/http-server.ts';
import {
  AwsError,
  type Principal,
  type Service,
  type ServiceRequest,
  type ServiceResponse,
} from '../kernel/service.ts';
import { type RequestHead, readClaim, type Signed, verifyClaim } from './authenticate.ts';
import { isChunked, isPayloadHash, UNSIGNED, verifiedBody } from './body.ts';
import type { Calls } from './calls.ts';
import { foreignError, unknownService } from './errors.ts';
import { ChunkSigner, EMPTY_SHA256 } from './signature.ts';

/** One HTTP server for all services, selected by the scope of the signature. Unsigned requests go to S3. */
export interface Gateway {
  /** `http://127.0.0.1:4566`, for AWS_ENDPOINT_URL. */
  endpoint: string;
  /** Accepts no new requests and waits at most 5 s for running ones. */
  close(): Promise<void>;
  /** Cuts every connection. */
  crash(): Promise<void>;
}

export interface GatewayOptions {
  /** 0, the default: any free port. */
  port?: number;
  services: readonly Service[];
  credentials: CredentialStore;
  calls: Calls;
  /** The cloud's clock, ahead of the machine's when a test has advanced it. Default: the machine's. */
  clock?: Pick<Clock, 'now'>;
  /** Writes a line for the operator. */
  log: (line: string) => void;
}

const CLOSE_MS = 5000;

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const services = new Map(options.services.map((service) => [service.name, service]));
  const handler: RequestListener = (request, response) => {
    serve(request, response, services, options).catch((error: Error) => {
      // The client has disconnected, or an answer failed after its head.
      response.destroy();
      if (!isDisconnect(error)) options.log(`gateway: ${error.stack ?? error.message}`);
    });
  };
  const { url, close } = await listen(handler, {
    port: options.port ?? 0,
    pages: 'loopback',
    // Uploads may take any time.
    requestTimeout: 0,
    keepAliveTimeout: 60_000,
  });
  return { endpoint: url, close: () => close(CLOSE_MS), crash: () => close() };
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  services: ReadonlyMap<string, Service>,
  options: GatewayOptions,
): Promise<void> {
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  let service = services.get('s3');
  let answer: ServiceResponse;
  try {
    const head = readHead(incoming);
    // A browser's preflight goes to the presigned URL itself, whose signature is for the actual request.
    const claim = head.method === 'OPTIONS' ? undefined : readClaim(head);
    if (claim) service = services.get(claim.scope.service);
    if (!service) throw unknownService(claim?.scope.service ?? 's3');
    const source: AsyncIterable<Buffer> = incoming.iterator({ destroyOnReturn: false });
    answer =
      service.name === 's3'
        ? await serveStreaming(source, { service, head, requestId, claim, options })
        : await serveBuffered(incoming, { service, head, requestId, claim, options });
  } catch (error) {
    if (isDisconnect(error)) throw error;
    const told = asAwsError(error, requestId, options.log);
    answer = service
      ? service.renderError(service.name === 's3' ? told : foreignError(service.name, told), requestId)
      : { status: told.status, body: JSON.stringify({ __type: told.code, message: told.message }) };
  }
  await send(answer, incoming, outgoing, requestId);
}

/** Content types of AWS's JSON protocols 1.0 and 1.1, and of REST JSON. */
const JSON_TYPE = /^application\/(?:x-amz-json-1\.[01]|json)\s*(?:;|$)/i;

/** A request whose service and claim are known. */
interface Addressed {
  service: Service;
  head: RequestHead;
  requestId: string;
  claim: ReturnType<typeof readClaim>;
  options: GatewayOptions;
}

/** For S3: the payload's hash is in the head, so the signature is verified before the body is read. */
async function serveStreaming(
  source: AsyncIterable<Buffer>,
  { service, head, requestId, claim, options }: Addressed,
): Promise<ServiceResponse> {
  const declared = head.headers['x-amz-content-sha256'] ?? head.query.get('X-Amz-Content-Sha256');
  if (claim && declared === null && claim.expires === undefined) {
    throw new AwsError('InvalidRequest', 400, 'Missing required header for this request: x-amz-content-sha256');
  }
  const payloadHash = declared ?? UNSIGNED;
  if (!isPayloadHash(payloadHash)) {
    throw new AwsError(
      'InvalidArgument',
      400,
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
    );
  }
  const signed = claim && verifyClaim(claim, head, { payloadHash, ...verification(options) });
  const addressed = { ...head, path: pathStyle(head) };
  const operation = service.operation(addressed);
  // In CompleteMultipartUpload the checksum is that of the resulting object.
  const checked = operation === 'CompleteMultipartUpload' ? withoutChecksums(head.headers) : head.headers;
  const signer = signed && new ChunkSigner(signed.key, signed.claim.scope, signed.claim.time, signed.claim.signature);
  const principal = principalOf(signed);
  const verified = Readable.from(verifiedBody(source, checked, payloadHash, signer), { objectMode: false });
  const body = options.calls.body(principal, 'pushed', verified);
  try {
    const request = { ...addressed, headers: decodedHeaders(head.headers, payloadHash), body, requestId };
    const answer = await handle(service, request, { operation, principal, calls: options.calls });
    if (!(answer.body instanceof Readable)) return answer;
    return { ...answer, body: options.calls.body(principal, 'pulled', answer.body) };
  } finally {
    body.destroy();
  }
}

/** For other services: small bodies, whose hash is often only in the signature. */
async function serveBuffered(
  incoming: IncomingMessage,
  { service, head, requestId, claim, options }: Addressed,
): Promise<ServiceResponse> {
  // A web page can send either without a preflight. SDKs send neither.
  if (claim?.expires !== undefined) {
    throw new AwsError('InvalidRequest', 400, `The local ${service.name} accepts no presigned requests; S3 does.`);
  }
  if (head.method === 'POST' && !service.takesForms && !JSON_TYPE.test(head.headers['content-type'] ?? '')) {
    throw new AwsError('UnsupportedMediaTypeException', 415, `The local ${service.name} accepts JSON only.`);
  }
  const text = await readBody(incoming);
  const payloadHash = text === '' ? EMPTY_SHA256 : createHash('sha256').update(text).digest('hex');
  const signed = claim && verifyClaim(claim, head, { payloadHash, ...verification(options) });
  const body = Readable.from([Buffer.from(text)], { objectMode: false });
  const by = { operation: service.operation(head), principal: principalOf(signed), calls: options.calls };
  return handle(service, { ...head, body, requestId }, by);
}

function handle(
  service: Service,
  request: Omit<ServiceRequest, 'principal' | 'authorize'>,
  { operation, principal, calls }: { operation: string; principal: Principal; calls: Calls },
): Promise<ServiceResponse> {
  return calls.run(
    { service: service.name, operation, principal, invocation: request.headers['amz-sdk-invocation-id'], request },
    (caller) => service.handle({ ...request, ...caller }),
    {
      'aws:SourceIp': '127.0.0.1',
    },
  );
}

/** Functions use the cloud's clock, the developer's tools the machine's: a request may be signed with either. */
function verification({ credentials, clock }: GatewayOptions) {
  const machine = Date.now();
  return { credentials, times: { cloud: clock?.now() ?? machine, machine } };
}

function principalOf(signed: Signed | undefined): Principal {
  return signed?.principal ?? { type: 'anonymous' };
}

function readHead(incoming: IncomingMessage): RequestHead {
  const url = incoming.url ?? '/';
  const mark = url.indexOf('?');
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
    const name = (incoming.rawHeaders[i] ?? '').toLowerCase();
    const value = incoming.rawHeaders[i + 1] ?? '';
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  return {
    method: incoming.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    headers,
  };
}

/** `bucket.localhost:4566/key` is `/bucket/key`. */
function pathStyle({ path, headers: { host = '' } }: RequestHead): string {
  const bucket = /^(.+)\.localhost(:\d+)?$/.exec(host)?.[1];
  return bucket === undefined ? path : `/${bucket}${path}`;
}

/** The headers as if the body had no framing. */
function decodedHeaders(headers: Readonly<Record<string, string>>, payloadHash: string): Record<string, string> {
  const { 'content-encoding': encoding = '', ...rest } = headers;
  const codings = encoding
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'aws-chunked');
  const length = isChunked(payloadHash) ? headers['x-amz-decoded-content-length'] : undefined;
  return {
    ...rest,
    ...(codings.length > 0 && { 'content-encoding': codings.join(',') }),
    ...(length !== undefined && { 'content-length': length }),
  };
}

function withoutChecksums(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('x-amz-checksum-')));
}

async function send(
  answer: ServiceResponse,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  requestId: string,
): Promise<void> {
  outgoing.writeHead(answer.status, {
    'x-amz-request-id': requestId,
    'x-amzn-requestid': requestId,
    'x-amz-id-2': requestId,
    server: 'local-cloud',
    ...(answer.body instanceof Readable || answer.status === 204 || answer.status === 304
      ? {}
      : { 'content-length': Buffer.byteLength(answer.body ?? '') }),
    ...answer.headers,
  });
  if (answer.body instanceof Readable && incoming.method !== 'HEAD') await pipeline(answer.body, outgoing);
  else outgoing.end(incoming.method === 'HEAD' || answer.body instanceof Readable ? undefined : answer.body);
}

function asAwsError(error: unknown, requestId: string, log: (line: string) => void): AwsError {
  if (error instanceof AwsError) return error;
  log(
    `gateway: request ${requestId} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return new AwsError('InternalError', 500, 'We encountered an internal error. Please try again.');
}

function isDisconnect(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
