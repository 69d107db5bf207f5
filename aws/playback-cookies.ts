import { createSign } from 'node:crypto';

/** The private half of a key of the distribution's key group, and CloudFront's id of the public one. */
export interface PlaybackKey {
  keyPairId: string;
  privateKey: string;
}

/**
 * CloudFront's signed cookies with a custom policy; the same three values do as query parameters, without `CloudFront-`.
 * `resource` may have `*`; `expires` is in whole seconds since the epoch.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-setting-signed-cookie-custom-policy.html
 */
export function playbackCookies(key: PlaybackKey, resource: string, expires: number): Record<string, string> {
  const policy = JSON.stringify({
    Statement: [{ Resource: resource, Condition: { DateLessThan: { 'AWS:EpochTime': Math.floor(expires) } } }],
  });
  // SHA-1 is what CloudFront checks.
  const signature = createSign('SHA1').update(policy).sign(key.privateKey);
  return {
    'CloudFront-Policy': urlSafe(Buffer.from(policy)),
    'CloudFront-Signature': urlSafe(signature),
    'CloudFront-Key-Pair-Id': key.keyPairId,
  };
}

/** CloudFront's own base64. */
function urlSafe(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('=', '_').replaceAll('/', '~');
}
