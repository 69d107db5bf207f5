import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** AWS Signature Version 4. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */

export interface Scope {
  /** `20261121` */
  date: string;
  region: string;
  service: string;
}

/** A request as its signer saw it. */
export interface SignedRequest {
  method: string;
  /** As sent, without the query. */
  path: string;
  /** Decoded pairs, without X-Amz-Signature. */
  query: readonly (readonly [string, string])[];
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** Names in lower case, in their order. */
  signedHeaders: readonly string[];
  payloadHash: string;
}

export const EMPTY_SHA256 = createHash('sha256').digest('hex');

export function signingKey(secretAccessKey: string, scope: Scope): Buffer {
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  return hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, scope.date), scope.region), scope.service), 'aws4_request');
}

export function scopeText(scope: Scope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

/** Hex. `time` as in X-Amz-Date: `20261121T140720Z`. */
export function signRequest(request: SignedRequest, key: Buffer, scope: Scope, time: string): string {
  const canonical = canonicalRequest(request, scope.service);
  // Header values hold the bytes that were sent, one character each.
  const hash = createHash('sha256').update(canonical, 'latin1').digest('hex');
  return createHmac('sha256', key)
    .update(['AWS4-HMAC-SHA256', time, scopeText(scope), hash].join('\n'))
    .digest('hex');
}

function canonicalRequest(request: SignedRequest, service: string): string {
  const pairs = request.query.map(([name, value]): [string, string] => [encode(name), encode(value)]);
  pairs.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  const headers = request.signedHeaders.map(
    (name) => `${name}:${(request.headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`,
  );
  return [
    request.method,
    canonicalPath(request.path, service),
    pairs.map(([name, value]) => `${name}=${value}`).join('&'),
    headers.join(''),
    request.signedHeaders.join(';'),
    request.payloadHash,
  ].join('\n');
}

/**
 * S3 encodes a path once; every other service encodes what was sent once more.
 * @throws URIError
 */
function canonicalPath(path: string, service: string): string {
  const segments = path.split('/');
  if (service === 's3') return segments.map((segment) => encode(decodeURIComponent(segment))).join('/');
  return segments.map(encode).join('/');
}

/** Everything but letters, digits and `-._~` as upper-case percent escapes of UTF-8. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function sameSignature(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Milliseconds since the epoch of `20261121T140720Z`, or NaN. */
export function parseAmzDate(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return Number.NaN;
  const [, year, month, day, hour, minute, second] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** Signs the chunks of one aws-chunked body; each signature covers the previous one. */
export class ChunkSigner {
  readonly #key: Buffer;
  readonly #scope: Scope;
  readonly #time: string;
  #previous: string;

  constructor(key: Buffer, scope: Scope, time: string, seed: string) {
    this.#key = key;
    this.#scope = scope;
    this.#time = time;
    this.#previous = seed;
  }

  /** `dataHash`: SHA-256 of the chunk's data, hex. */
  chunk(dataHash: string): string {
    return this.#next('AWS4-HMAC-SHA256-PAYLOAD', [EMPTY_SHA256, dataHash]);
  }

  /** `trailerHash`: SHA-256 of the `name:value\n` lines, hex. */
  trailer(trailerHash: string): string {
    return this.#next('AWS4-HMAC-SHA256-TRAILER', [trailerHash]);
  }

  #next(algorithm: string, hashes: string[]): string {
    const text = [algorithm, this.#time, scopeText(this.#scope), this.#previous, ...hashes].join('\n');
    this.#previous = createHmac('sha256', this.#key).update(text).digest('hex');
    return this.#previous;
  }
}
