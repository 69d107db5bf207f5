import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import type { ServiceResponse } from '../../kernel/service.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** A page of these files may load only from this server. hls.js passes media data to the video element, and its worker, as blobs. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self'",
  "media-src 'self' blob:",
  'worker-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * A file below `directory`, or index.html for a path that ends in a slash; 404 for anything else.
 * @param path decoded
 */
export async function serveFile(directory: string, path: string): Promise<ServiceResponse> {
  const file = join(directory, path.endsWith('/') || path === '' ? `${path}index.html` : path);
  const inside = file.startsWith(join(directory, sep)) && !path.includes('\0');
  const found = inside ? await stat(file).catch(() => undefined) : undefined;
  if (!found?.isFile()) return { status: 404, headers: { 'content-type': 'text/plain' }, body: 'Not found\n' };
  return {
    status: 200,
    headers: {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-length': String(found.size),
      'cache-control': 'no-cache',
      'content-security-policy': PAGE_POLICY,
      'x-content-type-options': 'nosniff',
    },
    body: createReadStream(file),
  };
}
