import { createSign } from 'node:crypto';
import type { PlaybackKey } from './playback-key.ts';

/**
 * CloudFront's signed cookies with a custom policy; the same three values serve as query parameters, without `CloudFront-`.
 * `resource` may contain `*`; `expires` is in whole seconds since the epoch.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-setting-signed-cookie-custom-policy.html
 */
export function playbackCookies(key: PlaybackKey, resource: string, expires: number): Record<string, string> {
  const policy = policyFor(resource, expires);
  return {
    'CloudFront-Policy': urlSafe(Buffer.from(policy)),
    'CloudFront-Signature': sign(key, policy),
    'CloudFront-Key-Pair-Id': key.keyPairId,
  };
}

/**
 * A URL that opens this one object until `expires`, by a canned policy: both sides build the same policy, so it is not sent.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-canned-policy.html
 * @param url without a query
 * @param expires in whole seconds since the epoch
 */
export function signedUrl(key: PlaybackKey, url: string, expires: number): string {
  const signature = sign(key, policyFor(url, expires));
  return `${url}?Expires=${Math.floor(expires)}&Signature=${signature}&Key-Pair-Id=${key.keyPairId}`;
}

function policyFor(resource: string, expires: number): string {
  return JSON.stringify({
    Statement: [{ Resource: resource, Condition: { DateLessThan: { 'AWS:EpochTime': Math.floor(expires) } } }],
  });
}

/** CloudFront checks SHA-1 signatures. */
function sign(key: PlaybackKey, policy: string): string {
  return urlSafe(createSign('SHA1').update(policy).sign(key.privateKey));
}

/** CloudFront's own variant of base64. */
function urlSafe(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('=', '_').replaceAll('/', '~');
}
