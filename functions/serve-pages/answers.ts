import { readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Names of these files hold a hash of their content. */
const HASHED = /^assets\//;
const FOREVER = 'public, max-age=31536000, immutable';
/** Caches ask each time, so that a new release is there at once. */
const FRESH = 'no-cache';

/** A file below `folder`; 404 for any other name. @param name from an address, untrusted */
export async function answerFile(
  folder: string,
  name: string,
  policy: string,
): Promise<APIGatewayProxyStructuredResultV2> {
  const file = join(folder, name);
  const type = TYPES[extname(file)];
  const inside = file.startsWith(join(folder, sep)) && !name.includes('\0');
  const body = type && inside ? await readFile(file, 'utf8').catch(notThere) : null;
  if (!type || body === null) {
    return { statusCode: 404, headers: headers('text/plain', FRESH, policy), body: 'Not found\n' };
  }
  return { statusCode: 200, headers: headers(type, HASHED.test(name) ? FOREVER : FRESH, policy), body };
}

export function answerJson(value: unknown, policy: string): APIGatewayProxyStructuredResultV2 {
  return { statusCode: 200, headers: headers('application/json', FRESH, policy), body: JSON.stringify(value) };
}

/** @throws errors other than that there is no such file */
function notThere(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'EISDIR' || error.code === 'ENOTDIR') return null;
  throw error;
}

/** A page that other sites may frame, as far as its policy lets them. Caches ask each time, so that a new rule holds at once. */
export function answerPage(statusCode: number, body: string, policy: string): APIGatewayProxyStructuredResultV2 {
  const { 'x-frame-options': _, ...rest } = headers('text/html; charset=utf-8', FRESH, policy);
  return { statusCode, headers: rest, body };
}

function headers(type: string, cacheControl: string, policy: string): Record<string, string> {
  return {
    'content-type': type,
    'cache-control': cacheControl,
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'strict-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  };
}
