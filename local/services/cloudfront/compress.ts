import { Readable } from 'node:stream';
import { createBrotliCompress, createGzip } from 'node:zlib';
import type { ServiceResponse } from '../../kernel/service.ts';

/** Of the types that CloudFront compresses, those that a media bucket or a page may have. */
const TYPES = new Set([
  'application/dash+xml',
  'application/json',
  'application/vnd.apple.mpegurl',
  'application/x-mpegurl',
  'image/svg+xml',
  'text/css',
  'text/html',
  'text/javascript',
  'text/plain',
]);
const LEAST_BYTES = 1_000;
const MOST_BYTES = 10_000_000;

/**
 * The answer as a behaviour with Compress and a cache policy with both encodings sends it: a whole object of a type and size that CloudFront
 * compresses, to a viewer that takes Brotli, else gzip. A strong ETag becomes weak.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html
 */
export function compressed(response: ServiceResponse, method: string, acceptEncoding = ''): ServiceResponse {
  const { status, headers = {}, body } = response;
  const offered = acceptEncoding.split(',').map((coding) => coding.split(';')[0]?.trim());
  const coding = ['br', 'gzip'].find((name) => offered.includes(name));
  const { 'content-length': length = '', 'content-type': type = '', etag, ...rest } = headers;
  const fits = Number(length) >= LEAST_BYTES && Number(length) <= MOST_BYTES;
  const applies = status === 200 && fits && TYPES.has(type.split(';')[0]?.trim() ?? '') && !headers['content-encoding'];
  if (!coding || !applies || body === undefined) return response;
  const weak = etag?.startsWith('"') ? `W/${etag}` : etag;
  const sent = { ...rest, 'content-type': type, 'content-encoding': coding, vary: 'Accept-Encoding' };
  const answer = { status, headers: { ...sent, ...(weak && { etag: weak }) } };
  if (method === 'HEAD') return { ...answer, ...(body instanceof Readable ? { body } : {}) };
  const plain = body instanceof Readable ? body : Readable.from([body]);
  const encoder = coding === 'br' ? createBrotliCompress() : createGzip();
  plain.on('error', (error) => encoder.destroy(error));
  encoder.on('close', () => plain.destroy());
  return { ...answer, body: plain.pipe(encoder) };
}
