import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { ServiceResponse } from '../../kernel/service.ts';

/** Of the connection, or of a body that fetch has decoded. */
const LEFT_OUT = new Set(['connection', 'content-encoding', 'keep-alive', 'transfer-encoding']);

/**
 * An answer of an HTTP origin, without the query and the headers of the viewer: what CloudFront forwards with CachingOptimized and no
 * policy for requests. https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
 * @param url with its path undecoded
 */
export async function fromServer(url: string, method: string): Promise<ServiceResponse> {
  // A redirect is the viewer's to follow.
  const response = await fetch(url, { method, redirect: 'manual', headers: { 'accept-encoding': 'identity' } });
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !LEFT_OUT.has(name)));
  const body = response.body as ReadableStream<Uint8Array> | null;
  return { status: response.status, headers, ...(body && { body: Readable.fromWeb(body) }) };
}
