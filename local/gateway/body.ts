import { createHash } from 'node:crypto';
import { AwsError } from '../kernel/service.ts';
import {
  CHECKSUM_ALGORITHMS,
  CHECKSUM_LENGTH,
  type ChecksumAlgorithm,
  checksumHeader,
  createDigest,
  type Digest,
} from './checksums.ts';
import { decodeChunked } from './chunked.ts';
import type { ChunkSigner } from './signature.ts';

/** Values of the payload hash that a request can declare instead of a hash. */
export const UNSIGNED = 'UNSIGNED-PAYLOAD';
const SIGNED_CHUNKS = ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'];
const UNSIGNED_CHUNKS = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

export function isPayloadHash(text: string): boolean {
  return text === UNSIGNED || isChunked(text) || /^[0-9a-f]{64}$/i.test(text);
}

export function isChunked(payloadHash: string): boolean {
  return payloadHash === UNSIGNED_CHUNKS || SIGNED_CHUNKS.includes(payloadHash);
}

/** A value that the body must match, known before the body (a header) or after it (a trailer). */
interface Expectation {
  digest: Digest;
  value: () => string | undefined;
  encoding: 'base64' | 'hex';
  mismatch: AwsError;
}

/**
 * The bytes of a request's body, without framing, in constant memory.
 * @throws AwsError at the last byte when a hash, checksum or signature does not match, or when it is cut short.
 */
export async function* verifiedBody(
  source: AsyncIterable<Buffer>,
  headers: Readonly<Record<string, string>>,
  payloadHash: string,
  signer: ChunkSigner | undefined,
): AsyncGenerator<Buffer> {
  const trailers: Record<string, string> = {};
  const expectations = expected(headers, payloadHash, trailers);
  const bytes = isChunked(payloadHash)
    ? decodeChunked(source, trailers, SIGNED_CHUNKS.includes(payloadHash) ? signer : undefined)
    : source;
  const length = isChunked(payloadHash) ? headers['x-amz-decoded-content-length'] : undefined;
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    for (const { digest } of expectations) digest.update(chunk);
    yield chunk;
  }
  if (length !== undefined && Number(length) !== size) {
    throw new AwsError(
      'IncompleteBody',
      400,
      'You did not provide the number of bytes specified by the Content-Length HTTP header',
    );
  }
  for (const { digest, value, encoding, mismatch } of expectations) {
    const given = value();
    const bytes = digest.digest();
    const want = given === undefined ? undefined : Buffer.from(given, encoding);
    if (want === undefined || !want.equals(bytes)) throw mismatch;
  }
}

/** @throws AwsError InvalidDigest, InvalidRequest for malformed values */
function expected(
  headers: Readonly<Record<string, string>>,
  payloadHash: string,
  trailers: Readonly<Record<string, string>>,
): Expectation[] {
  const expectations: Expectation[] = [];
  if (/^[0-9a-f]{64}$/i.test(payloadHash)) {
    expectations.push({
      digest: createHash('sha256'),
      value: () => payloadHash,
      encoding: 'hex',
      mismatch: new AwsError(
        'XAmzContentSHA256Mismatch',
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      ),
    });
  }
  const md5 = headers['content-md5'];
  if (md5 !== undefined) {
    if (!isBase64(md5, 16)) throw new AwsError('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.');
    expectations.push({
      digest: createDigest('MD5'),
      value: () => md5,
      encoding: 'base64',
      mismatch: new AwsError('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.'),
    });
  }
  const checksum = declaredChecksum(headers);
  if (checksum) {
    const name = checksumHeader(checksum);
    const inTrailer = headers[name] === undefined;
    expectations.push({
      digest: createDigest(checksum),
      value: () => (inTrailer ? trailers[name] : headers[name]),
      encoding: 'base64',
      mismatch: new AwsError('BadDigest', 400, `The ${checksum} you specified did not match the calculated checksum.`),
    });
  }
  return expectations;
}

/**
 * The checksum algorithm for which a request has a value, in a header or in its trailer.
 * @throws AwsError InvalidRequest when there are several, or a value is not a valid checksum
 */
export function declaredChecksum(headers: Readonly<Record<string, string>>): ChecksumAlgorithm | undefined {
  const trailer =
    headers['x-amz-trailer']
      ?.toLowerCase()
      .split(',')
      .map((name) => name.trim()) ?? [];
  const declared = CHECKSUM_ALGORITHMS.filter((algorithm) => {
    const name = checksumHeader(algorithm);
    const value = headers[name];
    if (value !== undefined && !isBase64(value, CHECKSUM_LENGTH[algorithm])) {
      throw new AwsError('InvalidRequest', 400, `Value for ${name} header is invalid.`);
    }
    return value !== undefined || trailer.includes(name);
  });
  if (declared.length > 1) {
    throw new AwsError(
      'InvalidRequest',
      400,
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  return declared[0];
}

function isBase64(text: string, bytes: number): boolean {
  const decoded = Buffer.from(text, 'base64');
  return decoded.length === bytes && decoded.toString('base64') === text;
}
