import { createHash } from 'node:crypto';
import { Aws, Duration, Validations } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  type BehaviorOptions,
  CachePolicy,
  Function as CloudFrontFunction,
  Distribution,
  type FunctionAssociation,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HttpVersion,
  type IKeyGroup,
  type IOriginAccessControl,
  type IPublicKey,
  KeyGroup,
  OriginRequestPolicy,
  PriceClass,
  PublicKey,
  ResponseHeadersPolicy,
  type ResponseSecurityHeadersBehavior,
  S3OriginAccessControl,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { PRIVATE_BUT_OPEN, PRIVATE_PREFIX, TMP_PREFIX } from '../../core/contracts/keys.ts';
import type { StageProps } from '../parts/stage-props.ts';
import { redirects } from './redirects.ts';

/** The name of a CloudFront resource in this deployment. */
type Named = (what: string) => string;

const SIGNATURE_PARAMETERS = ['Policy', 'Expires', 'Signature', 'Key-Pair-Id', 'Hash-Algorithm'];
const QUERY_GUARD = `const ALLOWED = ${JSON.stringify(SIGNATURE_PARAMETERS)};
function handler(event) {
  for (const name in event.request.querystring) {
    if (!ALLOWED.includes(name)) return { statusCode: 403, statusDescription: 'Forbidden' };
  }
  return event.request;
}
`;

const EXPOSED = ['Accept-Ranges', 'Content-Length', 'Content-Range', 'ETag'];
const METHODS = ['GET', 'HEAD', 'OPTIONS'];
const PREFLIGHT_SECONDS = 3600;

/**
 * CORS headers of the private paths where cookies open them: a page of the cookies' domain gets its own name, because browsers take no
 * answer with `*` for a request with cookies; another page, whose player signs by query, gets the `*` that all other paths have. Chromium's
 * HLS player reads ranges of another origin's file only with CORS.
 */
function cookieCors(cookieDomain: string): string {
  // Loopback has no TLS.
  const scheme = cookieDomain.endsWith('.localhost') ? 'http' : 'https';
  return `const OWN = /^${scheme}:\\/\\/([a-z0-9-]+\\.)*${cookieDomain.replaceAll('.', '\\.')}(:[0-9]+)?$/;
function handler(event) {
  const origin = event.request.headers.origin;
  const headers = event.response.headers;
  if (!origin) return event.response;
  const own = OWN.test(origin.value);
  headers['access-control-allow-origin'] = { value: own ? origin.value : '*' };
  headers['access-control-expose-headers'] = { value: '${EXPOSED.join(', ')}' };
  headers['vary'] = { value: 'Origin' };
  if (own) headers['access-control-allow-credentials'] = { value: 'true' };
  if (event.request.method === 'OPTIONS') {
    headers['access-control-allow-methods'] = { value: '${METHODS.join(', ')}' };
    headers['access-control-allow-headers'] = { value: own ? 'Range' : '*' };
    headers['access-control-max-age'] = { value: '${PREFLIGHT_SECONDS}' };
  }
  return event.response;
}
`;
}

/** CloudFront in front of the media bucket. How private playback works: docs/decisions/0101-private-playback.md. */
export class Cdn extends Construct {
  readonly url: string;
  readonly distribution: Distribution;
  /** PLAYBACK_KEYS of core/contracts/env.ts: each public key's fingerprint, and CloudFront's id of it. */
  readonly playbackKeyIds: string | undefined;

  constructor(scope: Construct, id: string, stageProps: StageProps, media: IBucket) {
    super(scope, id);
    const { name, playbackPublicKeyPem, deliveryDomain, deliveryCertificateArn, cookieDomain } =
      stageProps.configuration;
    // CloudFront is global: its names are unique in the account.
    const named = (what: string) => `${name}-${Aws.REGION}-${what}`;
    const keys = playbackPublicKeyPem?.map((pem) => playbackKey(this, named, pem));
    this.playbackKeyIds = keys?.map(({ fingerprint, key }) => `${fingerprint}=${key.publicKeyId}`).join(',');
    const behavior: BehaviorOptions = {
      origin: S3BucketOrigin.withOriginAccessControl(media, {
        originAccessControl: new S3OriginAccessControl(this, 'OriginAccess', {
          originAccessControlName: named('media'),
        }) as IOriginAccessControl,
      }),
      viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
      allowedMethods: AllowedMethods.ALLOW_GET_HEAD_OPTIONS,
      cachePolicy: CachePolicy.CACHING_OPTIMIZED,
      // The Origin and Access-Control-Request-* headers, without which S3 cannot answer a preflight.
      originRequestPolicy: OriginRequestPolicy.CORS_S3_ORIGIN,
      compress: true,
      responseHeadersPolicy: responseHeaders(this, named),
    };
    this.distribution = new Distribution(this, 'Distribution', {
      comment: `${name}: published media`,
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_100,
      ...(deliveryDomain &&
        deliveryCertificateArn && {
          domainNames: [deliveryDomain],
          certificate: Certificate.fromCertificateArn(this, 'Certificate', deliveryCertificateArn),
          minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
        }),
      defaultBehavior: behavior,
      additionalBehaviors: {
        // The private ones first: no pattern of public paths may open one of theirs.
        ...(keys &&
          privateBehaviors(behavior, {
            trustedKeyGroups: [keyGroup(this, named, keys)],
            ...(cookieDomain
              ? {
                  responseHeadersPolicy: securityHeaders(this, named),
                  functionAssociations: [queryGuard(this, named), corsFunction(this, named, cookieDomain)],
                }
              : { functionAssociations: [queryGuard(this, named)] }),
          })),
        ...redirects(this, named, behavior),
      },
    });
    Validations.of(this.distribution).acknowledge(
      { id: 'AwsSolutions-CFR1', reason: 'Viewers may be anywhere' },
      { id: 'AwsSolutions-CFR2', reason: 'Static objects, GET only: a web application firewall has nothing to guard' },
      {
        id: 'AwsSolutions-CFR3',
        reason: 'The access log of the media bucket has what CloudFront read; cache hits are metrics',
      },
      { id: 'AwsSolutions-CFR4', reason: 'CloudFront fixes the TLS versions of its own cloudfront.net certificate' },
    );
    // Without a key to check signatures with, private media are not served at all.
    const unserved = keys ? [TMP_PREFIX] : [TMP_PREFIX, PRIVATE_PREFIX];
    media.addToResourcePolicy(
      new PolicyStatement({
        sid: 'NotForViewers',
        effect: Effect.DENY,
        principals: [new ServicePrincipal('cloudfront.amazonaws.com')],
        actions: ['s3:GetObject'],
        resources: unserved.map((prefix) => media.arnForObjects(`${prefix}*`)),
      }),
    );
    this.url = `https://${deliveryDomain ?? this.distribution.distributionDomainName}`;
  }
}

/** The first matching pattern decides: previews and pictures are public, the rest requires a signature. */
function privateBehaviors(
  behavior: BehaviorOptions,
  closed: Partial<BehaviorOptions>,
): Record<string, BehaviorOptions> {
  return {
    ...Object.fromEntries(PRIVATE_BUT_OPEN.map((pattern) => [pattern, behavior])),
    [`${PRIVATE_PREFIX}*`]: { ...behavior, ...closed },
  };
}

/**
 * A custom policy is compared with the whole URL, "including your own query string parameters", so none of a viewer's own may be
 * included. The signature's are CloudFront's.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-custom-policy.html
 */
function queryGuard(scope: Construct, named: Named): FunctionAssociation {
  const guard = new CloudFrontFunction(scope, 'QueryGuard', {
    functionName: named('query-guard'),
    comment: 'dropreel: private paths accept only the query of a signature',
    runtime: FunctionRuntime.JS_2_0,
    code: FunctionCode.fromInline(QUERY_GUARD),
  });
  return { eventType: FunctionEventType.VIEWER_REQUEST, function: guard };
}

function corsFunction(scope: Construct, named: Named, cookieDomain: string): FunctionAssociation {
  const cors = new CloudFrontFunction(scope, 'CookieCors', {
    functionName: named('cookie-cors'),
    comment: 'dropreel: pages of the cookie domain may read private media with cookies',
    runtime: FunctionRuntime.JS_2_0,
    code: FunctionCode.fromInline(cookieCors(cookieDomain)),
  });
  return { eventType: FunctionEventType.VIEWER_RESPONSE, function: cors };
}

interface NamedKey {
  /** The first 16 hexadecimal digits of the SHA-256 of its SubjectPublicKeyInfo. */
  fingerprint: string;
  key: IPublicKey;
}

/**
 * A public key in CloudFront cannot be changed, though CloudFormation tries to: another key is another resource, with another name.
 * https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/924
 */
function playbackKey(scope: Construct, named: Named, encodedKey: string): NamedKey {
  const lines = encodedKey.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
  const der = Buffer.from(lines.join(''), 'base64');
  const fingerprint = createHash('sha256').update(der).digest('hex').slice(0, 16);
  const key = new PublicKey(scope, `PlaybackKey${fingerprint}`, {
    publicKeyName: named(`playback-${fingerprint}`),
    encodedKey,
    comment: 'dropreel: signs private playback',
  }) as IPublicKey;
  return { fingerprint, key };
}

function keyGroup(scope: Construct, named: Named, keys: readonly NamedKey[]): IKeyGroup {
  return new KeyGroup(scope, 'PlaybackKeys', {
    keyGroupName: named('playback'),
    items: keys.map(({ key }) => key),
    comment: 'dropreel: private playback',
  });
}

const SECURITY: ResponseSecurityHeadersBehavior = {
  contentTypeOptions: { override: true },
  strictTransportSecurity: { accessControlMaxAge: Duration.days(365), includeSubdomains: true, override: true },
};

function responseHeaders(scope: Construct, named: Named): ResponseHeadersPolicy {
  return new ResponseHeadersPolicy(scope, 'Headers', {
    responseHeadersPolicyName: named('headers'),
    comment: 'dropreel: players on any site may read; browsers must not guess types',
    corsBehavior: {
      accessControlAllowCredentials: false,
      accessControlAllowHeaders: ['*'],
      accessControlAllowMethods: METHODS,
      accessControlAllowOrigins: ['*'],
      accessControlExposeHeaders: EXPOSED,
      accessControlMaxAge: Duration.seconds(PREFLIGHT_SECONDS),
      originOverride: true,
    },
    securityHeadersBehavior: SECURITY,
  });
}

/** Without CORS, which a function decides by the page that asks. */
function securityHeaders(scope: Construct, named: Named): ResponseHeadersPolicy {
  return new ResponseHeadersPolicy(scope, 'PrivateHeaders', {
    responseHeadersPolicyName: named('private-headers'),
    comment: 'dropreel: browsers must not guess types',
    securityHeadersBehavior: SECURITY,
  });
}
