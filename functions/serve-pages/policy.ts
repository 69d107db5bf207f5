import type { ServePagesEnv } from '../../core/contracts/env.ts';

/**
 * What the console's pages may do: no script but the console's own files, and no requests but to this server, the API, the uploads bucket
 * and the issuer.
 * @param uploads origin of the uploads bucket
 */
export function contentPolicy(
  { API_URL, SIGN_IN }: Pick<ServePagesEnv, 'API_URL' | 'SIGN_IN'>,
  uploads: string,
): string {
  const connect = [API_URL, uploads, ...(SIGN_IN ? [SIGN_IN.tokenUrl ?? SIGN_IN.authority] : [])].map(originOf);
  return policy([...new Set(connect)], []);
}

/** What the page of a media item may do: nothing but play it. @param framers sources of `frame-ancestors`; empty: none */
export function embedPolicy(framers: readonly string[]): string {
  return policy([], framers);
}

/** Styles may be inline, because the player's elements bring theirs; hls.js hands media to the player as blobs. */
function policy(connect: readonly string[], framers: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    `connect-src ${["'self'", ...connect].join(' ')}`,
    "img-src 'self' data:",
    "media-src 'self' blob:",
    'worker-src blob:',
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${framers.length === 0 ? "'none'" : framers.join(' ')}`,
  ].join('; ');
}

const originOf = (url: string) => new URL(url).origin;
