import { Duration, Validations } from 'aws-cdk-lib';
import {
  AllowedMethods,
  type BehaviorOptions,
  CachePolicy,
  Distribution,
  HttpVersion,
  type IKeyGroup,
  type IPublicKey,
  KeyGroup,
  PriceClass,
  PublicKey,
  ResponseHeadersPolicy,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { PRIVATE_PREFIX, TMP_PREFIX } from '../../core/contracts/keys.ts';
import type { Surroundings } from '../parts/surroundings.ts';

/** CloudFront in front of the media bucket. How private playback works: docs/decisions/0101-private-playback.md. */
export class Delivery extends Construct {
  readonly url: string;
  readonly distribution: Distribution;
  /** Of the key that signs private playback: CloudFront-Key-Pair-Id. */
  readonly playbackKeyId: string | undefined;

  constructor(scope: Construct, id: string, surroundings: Surroundings, media: IBucket) {
    super(scope, id);
    const { playbackPublicKeyPem } = surroundings.configuration;
    const key = playbackPublicKeyPem === undefined ? undefined : playbackKey(this, playbackPublicKeyPem);
    this.playbackKeyId = key?.publicKeyId;
    const behavior: BehaviorOptions = {
      origin: S3BucketOrigin.withOriginAccessControl(media),
      viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
      allowedMethods: AllowedMethods.ALLOW_GET_HEAD_OPTIONS,
      cachePolicy: CachePolicy.CACHING_OPTIMIZED,
      compress: true,
      responseHeadersPolicy: responseHeaders(this),
    };
    this.distribution = new Distribution(this, 'Distribution', {
      comment: 'dropreel: published media',
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_100,
      defaultBehavior: behavior,
      ...(key && { additionalBehaviors: privateBehaviors(behavior, keyGroup(this, key)) }),
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
    const unserved = key ? [TMP_PREFIX] : [TMP_PREFIX, PRIVATE_PREFIX];
    media.addToResourcePolicy(
      new PolicyStatement({
        sid: 'NotForViewers',
        effect: Effect.DENY,
        principals: [new ServicePrincipal('cloudfront.amazonaws.com')],
        actions: ['s3:GetObject'],
        resources: unserved.map((prefix) => media.arnForObjects(`${prefix}*`)),
      }),
    );
    this.url = `https://${this.distribution.distributionDomainName}`;
  }
}

/** The first pattern that matches decides: previews and pictures are for anyone, the rest wants a signature. */
function privateBehaviors(behavior: BehaviorOptions, trusted: IKeyGroup): Record<string, BehaviorOptions> {
  return {
    [`${PRIVATE_PREFIX}*/hls/*/preview/*`]: behavior,
    [`${PRIVATE_PREFIX}*/thumbnails/media/*`]: behavior,
    [`${PRIVATE_PREFIX}*`]: { ...behavior, trustedKeyGroups: [trusted] },
  };
}

function playbackKey(scope: Construct, encodedKey: string): IPublicKey {
  return new PublicKey(scope, 'PlaybackKey', { encodedKey, comment: 'dropreel: signs private playback' }) as IPublicKey;
}

function keyGroup(scope: Construct, key: IPublicKey): IKeyGroup {
  return new KeyGroup(scope, 'PlaybackKeys', { items: [key], comment: 'dropreel: private playback' });
}

function responseHeaders(scope: Construct): ResponseHeadersPolicy {
  return new ResponseHeadersPolicy(scope, 'Headers', {
    comment: 'dropreel: players on any site may read; browsers must not guess types',
    corsBehavior: {
      accessControlAllowCredentials: false,
      accessControlAllowHeaders: ['*'],
      accessControlAllowMethods: ['GET', 'HEAD', 'OPTIONS'],
      accessControlAllowOrigins: ['*'],
      accessControlExposeHeaders: ['Content-Length', 'Content-Range', 'ETag'],
      accessControlMaxAge: Duration.hours(1),
      originOverride: true,
    },
    securityHeadersBehavior: {
      contentTypeOptions: { override: true },
      strictTransportSecurity: { accessControlMaxAge: Duration.days(365), includeSubdomains: true, override: true },
    },
  });
}
