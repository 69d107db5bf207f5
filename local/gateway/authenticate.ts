import type { CredentialStore } from '../iam/credentials.ts';
import { AwsError, type Principal } from '../kernel/service.ts';
import { parseAmzDate, type Scope, sameSignature, signingKey, signRequest } from './signature.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html: RequestTimeTooSkewed */
const MAX_SKEW_MS = 15 * 60_000;
const MAX_PRESIGNED_SECONDS = 7 * 24 * 3600;
const ALGORITHM = 'AWS4-HMAC-SHA256';

/** A request's head, as received. */
export interface RequestHead {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Readonly<Record<string, string>>;
}

/** What a request declares about its signature, not yet verified. */
export interface Claim {
  accessKeyId: string;
  sessionToken: string | undefined;
  scope: Scope;
  signedHeaders: string[];
  signature: string;
  /** X-Amz-Date. */
  time: string;
  /** Validity of a presigned URL in seconds. */
  expires: number | undefined;
}

export interface Signed {
  principal: Principal;
  key: Buffer;
  claim: Claim;
}

/**
 * Undefined when the request is not signed at all.
 * @throws AwsError when it is malformed.
 */
export function readClaim(head: RequestHead): Claim | undefined {
  const { headers, query } = head;
  if (query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature')) return readPresigned(query);
  const authorization = headers.authorization;
  if (authorization?.startsWith('AWS ') || (query.has('AWSAccessKeyId') && query.has('Signature'))) {
    throw new AwsError(
      'InvalidRequest',
      400,
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    );
  }
  if (authorization === undefined) return undefined;
  const fields = new Map(
    authorization
      .slice(ALGORITHM.length)
      .split(',')
      .map((field): [string, string] => {
        const [name = '', value = ''] = field.trim().split(/=(.*)/s);
        return [name, value];
      }),
  );
  const [credential, signedHeaders, signature] = ['Credential', 'SignedHeaders', 'Signature'].map((n) => fields.get(n));
  if (!authorization.startsWith(`${ALGORITHM} `) || !credential || !signedHeaders || !signature) {
    throw new AwsError('AuthorizationHeaderMalformed', 400, 'The authorization header that you provided is not valid.');
  }
  const time = headers['x-amz-date'] ?? amzDate(headers.date);
  if (!time || Number.isNaN(parseAmzDate(time))) {
    throw new AwsError('AccessDenied', 403, 'AWS authentication requires a valid Date or x-amz-date header');
  }
  return {
    ...readCredential(credential, 'AuthorizationHeaderMalformed'),
    sessionToken: headers['x-amz-security-token'],
    signedHeaders: signedHeaders.toLowerCase().split(';'),
    signature,
    time,
    expires: undefined,
  };
}

function readPresigned(query: URLSearchParams): Claim {
  const malformed = (message: string) => new AwsError('AuthorizationQueryParametersError', 400, message);
  const [algorithm, credential, time, expires, signedHeaders, signature] = [
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
  ].map((name) => query.get(name) ?? '');
  if (!algorithm || !credential || !time || !expires || !signedHeaders || !signature) {
    throw malformed(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    );
  }
  if (algorithm !== ALGORITHM) throw malformed('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"');
  if (Number.isNaN(parseAmzDate(time))) {
    throw malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  if (!/^-?\d+$/.test(expires)) throw malformed('X-Amz-Expires should be a number');
  if (Number(expires) < 0) throw malformed('X-Amz-Expires must be non-negative');
  if (Number(expires) > MAX_PRESIGNED_SECONDS) {
    throw malformed(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  }
  return {
    ...readCredential(credential, 'AuthorizationQueryParametersError'),
    sessionToken: query.get('X-Amz-Security-Token') ?? undefined,
    signedHeaders: signedHeaders.toLowerCase().split(';'),
    signature,
    time,
    expires: Number(expires),
  };
}

function readCredential(credential: string, code: string): { accessKeyId: string; scope: Scope } {
  const parts = credential.split('/');
  const [date, region, service, terminal] = parts.slice(-4);
  const accessKeyId = parts.slice(0, -4).join('/');
  if (!accessKeyId || !date || !region || !service || terminal !== 'aws4_request') {
    throw new AwsError(
      code,
      400,
      'The Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  }
  return { accessKeyId, scope: { date, region, service } };
}

/**
 * @param against `times`: milliseconds; a presigned URL must be valid at `cloud`, other claims at either time or between them
 * @throws AwsError when the claim does not hold for this time and payload hash
 */
export function verifyClaim(
  claim: Claim,
  head: RequestHead,
  against: { payloadHash: string; credentials: CredentialStore; times: { cloud: number; machine: number } },
): Signed {
  const { payloadHash, credentials, times } = against;
  const known = credentials.lookup(claim.accessKeyId, claim.sessionToken);
  if (!known) {
    throw new AwsError('InvalidAccessKeyId', 403, 'The AWS Access Key Id you provided does not exist in our records.', {
      AWSAccessKeyId: claim.accessKeyId,
    });
  }
  const { principal, secretAccessKey } = known;
  checkTime(claim, times);
  if (principal.type === 'role' && principal.session && principal.session.expiresAt <= times.cloud) {
    throw new AwsError('ExpiredToken', 400, 'The provided token has expired.');
  }
  checkSignedHeaders(claim, head.headers);
  const key = signingKey(secretAccessKey, claim.scope);
  const query = [...head.query].filter(([name]) => name !== 'X-Amz-Signature' || claim.expires === undefined);
  let signature: string;
  try {
    signature = signRequest(
      { ...head, query, signedHeaders: claim.signedHeaders, payloadHash },
      key,
      claim.scope,
      claim.time,
    );
  } catch {
    throw new AwsError('InvalidURI', 400, "Couldn't parse the specified URI.");
  }
  if (!sameSignature(signature, claim.signature)) {
    throw new AwsError(
      'SignatureDoesNotMatch',
      403,
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      { AWSAccessKeyId: claim.accessKeyId, SignatureProvided: claim.signature },
    );
  }
  return { principal, key, claim };
}

function checkTime(claim: Claim, { cloud: now, machine }: { cloud: number; machine: number }): void {
  const signed = parseAmzDate(claim.time);
  if (claim.expires === undefined || signed - now > MAX_SKEW_MS) {
    // The cloud's clock is never behind the machine's, and a client may have adjusted its own to any time between the two.
    if (signed >= Math.min(now, machine) - MAX_SKEW_MS && signed <= now + MAX_SKEW_MS) return;
    if (claim.expires !== undefined) throw new AwsError('AccessDenied', 403, 'Request is not valid yet');
    throw new AwsError(
      'RequestTimeTooSkewed',
      403,
      'The difference between the request time and the current time is too large.',
      { RequestTime: claim.time, ServerTime: iso(now), MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS) },
    );
  }
  const end = signed + claim.expires * 1000;
  if (now > end) {
    throw new AwsError('AccessDenied', 403, 'Request has expired', {
      'X-Amz-Expires': String(claim.expires),
      Expires: iso(end),
      ServerTime: iso(now),
    });
  }
}

/** AWS requires these to be signed: the host, and each x-amz- header that was sent. */
function checkSignedHeaders(claim: Claim, headers: Readonly<Record<string, string>>): void {
  const signed = new Set(claim.signedHeaders);
  const missing = Object.keys(headers).filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signed.has(name),
  );
  // The payload's hash is always part of what is signed.
  const unsigned = missing.filter((name) => name !== 'x-amz-content-sha256');
  if (unsigned.length > 0) {
    throw new AwsError('AccessDenied', 403, 'There were headers present in the request which were not signed', {
      HeadersNotSigned: unsigned.join(', '),
    });
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

function amzDate(date: string | undefined): string | undefined {
  const ms = Date.parse(date ?? '');
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '');
}
