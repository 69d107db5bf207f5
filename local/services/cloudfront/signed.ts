import { verify } from 'node:crypto';
import { z } from 'zod';
import { matchesWildcard } from './behaviors.ts';

/** CloudFront's refusal of a request to a behaviour with trusted key groups: the code and message of its 403. */
export interface Refusal {
  code: 'MissingKey' | 'InvalidKey' | 'AccessDenied';
  message: string;
}

const Policy = z.object({
  Statement: z.tuple([
    z.object({
      Resource: z.string().optional(),
      Condition: z.object({
        DateLessThan: z.object({ 'AWS:EpochTime': z.number() }),
        DateGreaterThan: z.object({ 'AWS:EpochTime': z.number() }).optional(),
        IpAddress: z.object({ 'AWS:SourceIp': z.string() }).optional(),
      }),
    }),
  ]),
});

const DENIED: Refusal = { code: 'AccessDenied', message: 'Access denied' };

/** Query parameters of signed URLs; they are not forwarded to the bucket. */
export const SIGNATURE_PARAMETERS = ['Expires', 'Policy', 'Signature', 'Key-Pair-Id', 'Hash-Algorithm'] as const;

/**
 * Checks a signed URL, or signed cookies when the URL has no signature, with a custom policy or a canned one.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-signed-cookies.html
 * @returns undefined when access is allowed
 */
export function checkSignature(request: {
  cookies: ReadonlyMap<string, string>;
  query: URLSearchParams;
  /** Forms of this URL that the signer may have used, without the signature's parameters. */
  urls: readonly string[];
  sourceIp: string;
  nowSeconds: number;
  /** Public keys in PEM. */
  trustedKeys: ReadonlyMap<string, string>;
}): Refusal | undefined {
  const { cookies, query } = request;
  const inUrl = query.has('Signature') || query.has('Key-Pair-Id');
  const value = (name: string) => (inUrl ? query.get(name) : cookies.get(`CloudFront-${name}`)) ?? undefined;

  const keyId = value('Key-Pair-Id');
  if (!keyId) return { code: 'MissingKey', message: 'Missing Key-Pair-Id query parameter or cookie value' };
  const key = request.trustedKeys.get(keyId);
  if (!key) return { code: 'InvalidKey', message: 'Unknown Key' };
  const signature = value('Signature');
  const hash = { SHA1: 'RSA-SHA1', SHA256: 'RSA-SHA256' }[value('Hash-Algorithm') ?? 'SHA1'];
  if (!signature || !hash) return DENIED;

  const encoded = value('Policy');
  const candidates = encoded === undefined ? cannedPolicies(request.urls, value('Expires')) : [decode(encoded)];
  const signed = candidates.find((text) => verify(hash, text, key, decode(signature)));
  return signed && permits(signed, request) ? undefined : DENIED;
}

/** A canned policy is not sent: both sides construct the same text. */
function cannedPolicies(urls: readonly string[], expires: string | undefined): Buffer[] {
  if (!expires || !/^\d+$/.test(expires)) return [];
  return urls.map((url) =>
    Buffer.from(`{"Statement":[{"Resource":"${url}","Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}}]}`),
  );
}

function permits(
  policy: Buffer,
  { urls, sourceIp, nowSeconds }: { urls: readonly string[]; sourceIp: string; nowSeconds: number },
): boolean {
  const parsed = Policy.safeParse(parse(policy));
  if (!parsed.success) return false;
  const [{ Resource: resource = '*', Condition: condition }] = parsed.data.Statement;
  // Wildcards of the policy's resource may cover the protocol's s or the whole protocol; the resource includes the URL's query.
  if (!urls.some((url) => matchesWildcard(resource, url))) return false;
  if (nowSeconds >= condition.DateLessThan['AWS:EpochTime']) return false;
  if (condition.DateGreaterThan && nowSeconds < condition.DateGreaterThan['AWS:EpochTime']) return false;
  return !condition.IpAddress || inRange(sourceIp, condition.IpAddress['AWS:SourceIp']);
}

/** IPv4 only, like CloudFront. */
function inRange(ip: string, range: string): boolean {
  const [base = '', bits = '32'] = range.split('/');
  const mask = bits === '0' ? 0 : (-1 << (32 - Number(bits))) >>> 0;
  return (toNumber(ip) & mask) >>> 0 === (toNumber(base) & mask) >>> 0;
}

function toNumber(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** CloudFront's base64 has `-_~` instead of `+=/`. */
function decode(text: string): Buffer {
  const usual: Record<string, string> = { '-': '+', _: '=', '~': '/' };
  return Buffer.from(
    text.replace(/[-_~]/g, (character) => usual[character] ?? character),
    'base64',
  );
}

function parse(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    return undefined;
  }
}
