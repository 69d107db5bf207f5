import { z } from 'zod';
import { isLoopbackUrl } from '../../kernel/loopback.ts';
import type { LoadedTemplate } from '../../template/load.ts';
import { byRef } from '../../template/read.ts';

/** The properties of AWS::CloudFront resources, with intrinsics resolved. Properties not listed here are refused. */

const Inert = z.unknown().optional();
/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html */
const CORS_S3_ORIGIN = '88a5eaf4-2fd4-4709-b370-b4c650ea3fcf';
const FORWARDED: Readonly<Record<string, readonly string[]>> = {
  [CORS_S3_ORIGIN]: ['origin', 'access-control-request-headers', 'access-control-request-method'],
};
const Items = z.strictObject({ Items: z.array(z.string()) });

const Behavior = z.strictObject({
  TargetOriginId: z.string(),
  AllowedMethods: z.array(z.string()).default(['GET', 'HEAD']),
  ResponseHeadersPolicyId: z.string().optional(),
  TrustedKeyGroups: z.array(z.string()).default([]),
  FunctionAssociations: z
    .array(z.strictObject({ EventType: z.enum(['viewer-request', 'viewer-response']), FunctionARN: z.string() }))
    .default([]),
  // There is no cache here: each request reads the bucket, so a run counts and gets its current content.
  CachedMethods: Inert,
  CachePolicyId: Inert,
  OriginRequestPolicyId: z.enum([CORS_S3_ORIGIN]).optional(),
  Compress: z.boolean().default(false),
  // Loopback is plain HTTP.
  ViewerProtocolPolicy: Inert,
});

/** The default behaviour has no pattern. */
const PathBehavior = Behavior.extend({ PathPattern: z.string().optional() });

const Origin = z
  .strictObject({
    Id: z.string(),
    /** `{bucket}.s3.{region}.amazonaws.com`, or the host of an HTTP server of this cloud. */
    DomainName: z.string().regex(/^[^/]+$/),
    OriginPath: z.string().default(''),
    OriginAccessControlId: z.string().optional(),
    S3OriginConfig: Inert,
    // Loopback is plain HTTP.
    CustomOriginConfig: z
      .strictObject({ OriginProtocolPolicy: z.literal('https-only'), OriginSSLProtocols: Inert })
      .optional(),
    ConnectionAttempts: Inert,
    ConnectionTimeout: Inert,
  })
  .refine(
    ({ DomainName, CustomOriginConfig }) => /\.s3[.-]/.test(DomainName) || CustomOriginConfig !== undefined,
    'an origin is a bucket, or has a CustomOriginConfig',
  )
  .refine(
    ({ DomainName, CustomOriginConfig }) => CustomOriginConfig === undefined || isLoopbackUrl(`http://${DomainName}`),
    'of HTTP servers, those of this cloud are served',
  );

const DistributionProperties = z.strictObject({
  DistributionConfig: z.strictObject({
    DefaultCacheBehavior: Behavior,
    CacheBehaviors: z.array(PathBehavior).default([]),
    Origins: z.array(Origin).min(1),
    DefaultRootObject: z.string().default(''),
    Enabled: z.literal(true),
    Aliases: Inert,
    Comment: Inert,
    HttpVersion: Inert,
    IPV6Enabled: Inert,
    Logging: Inert,
    PriceClass: Inert,
    ViewerCertificate: Inert,
    WebACLId: Inert,
  }),
  Tags: Inert,
});

const ResponseHeadersPolicyProperties = z.strictObject({
  ResponseHeadersPolicyConfig: z.strictObject({
    Name: z.string(),
    Comment: Inert,
    CorsConfig: z
      .strictObject({
        AccessControlAllowCredentials: z.boolean(),
        AccessControlAllowHeaders: Items,
        AccessControlAllowMethods: Items,
        AccessControlAllowOrigins: Items,
        AccessControlExposeHeaders: Items.optional(),
        AccessControlMaxAgeSec: z.number().optional(),
        OriginOverride: z.boolean(),
      })
      .optional(),
    CustomHeadersConfig: z
      .strictObject({
        Items: z.array(z.strictObject({ Header: z.string(), Value: z.string(), Override: z.boolean() })),
      })
      .optional(),
    SecurityHeadersConfig: z
      .strictObject({
        ContentTypeOptions: z.strictObject({ Override: z.boolean() }).optional(),
        FrameOptions: z.strictObject({ FrameOption: z.string(), Override: z.boolean() }).optional(),
        ReferrerPolicy: z.strictObject({ ReferrerPolicy: z.string(), Override: z.boolean() }).optional(),
        ContentSecurityPolicy: z.strictObject({ ContentSecurityPolicy: z.string(), Override: z.boolean() }).optional(),
        StrictTransportSecurity: z
          .strictObject({
            AccessControlMaxAgeSec: z.number(),
            IncludeSubdomains: z.boolean().default(false),
            Preload: z.boolean().default(false),
            Override: z.boolean(),
          })
          .optional(),
      })
      .optional(),
  }),
});
export type ResponseHeadersPolicy = z.infer<typeof ResponseHeadersPolicyProperties>['ResponseHeadersPolicyConfig'];

const OriginAccessControlProperties = z.strictObject({
  OriginAccessControlConfig: z.strictObject({
    Name: z.string(),
    Description: Inert,
    OriginAccessControlOriginType: z.literal('s3'),
    SigningBehavior: z.literal('always'),
    SigningProtocol: z.literal('sigv4'),
  }),
});

const FunctionProperties = z.strictObject({
  Name: Inert,
  AutoPublish: Inert,
  FunctionCode: z.string(),
  FunctionConfig: Inert,
});

const PublicKeyProperties = z.strictObject({
  PublicKeyConfig: z.strictObject({ EncodedKey: z.string(), CallerReference: Inert, Name: Inert, Comment: Inert }),
});

const KeyGroupProperties = z.strictObject({
  KeyGroupConfig: z.strictObject({ Items: z.array(z.string()), Name: Inert, Comment: Inert }),
});

/** A resource of the template: what Ref gives (a function's: its ARN), and its resolved properties. */
export interface TemplateResource {
  id: string;
  properties: unknown;
}

export interface DistributionResources {
  distribution: TemplateResource;
  originAccessControls: TemplateResource[];
  responseHeadersPolicies: TemplateResource[];
  functions: TemplateResource[];
  publicKeys: TemplateResource[];
  keyGroups: TemplateResource[];
}

export interface CacheBehavior {
  /** Absent for the default. */
  pathPattern?: string;
  allowedMethods: string[];
  /** Headers forwarded to the origin in addition to those that CloudFront always forwards. */
  forwarded: readonly string[];
  /** Where `httpHost` is absent. */
  bucket: string;
  /** `127.0.0.1:4567` of an origin that is no bucket. */
  httpHost: string | undefined;
  originPath: string;
  /** Whether CloudFront signs its requests to the bucket. */
  signed: boolean;
  headers: ResponseHeadersPolicy | undefined;
  /** With Brotli and gzip both: the managed cache policies that cache have both enabled. */
  compress: boolean;
  /** Public keys (PEM) by id that may sign cookies; undefined if no signature is required. */
  trustedKeys: Map<string, string> | undefined;
  viewerRequest: string | undefined;
  viewerResponse: string | undefined;
}

export interface DistributionDefinition {
  id: string;
  defaultRootObject: string;
  /** In order of precedence, the default last. */
  behaviors: CacheBehavior[];
}

/**
 * The template's resources; undefined when it has no distribution.
 * @throws Error as `readDistribution`
 */
export function readResources(template: LoadedTemplate): DistributionResources | undefined {
  const ofType = (type: string) => byRef(template, `AWS::CloudFront::${type}`);
  const [distribution] = ofType('Distribution');
  if (!distribution) return undefined;
  const resources = {
    distribution,
    originAccessControls: ofType('OriginAccessControl'),
    responseHeadersPolicies: ofType('ResponseHeadersPolicy'),
    functions: ofType('Function'),
    publicKeys: ofType('PublicKey'),
    keyGroups: ofType('KeyGroup'),
  };
  readDistribution(resources);
  return resources;
}

/** @throws Error naming the resource and the part that is wrong or not served */
export function readDistribution(resources: DistributionResources): DistributionDefinition {
  const { DistributionConfig: config } = read(resources.distribution, DistributionProperties);
  const controls = byId(resources.originAccessControls, OriginAccessControlProperties);
  const policies = byId(resources.responseHeadersPolicies, ResponseHeadersPolicyProperties);
  const functions = byId(resources.functions, FunctionProperties);
  const keys = byId(resources.publicKeys, PublicKeyProperties);
  const groups = byId(resources.keyGroups, KeyGroupProperties);
  const wrong = (what: string): Error => new Error(`${resources.distribution.id}: ${what}`);

  const all: z.infer<typeof PathBehavior>[] = [...config.CacheBehaviors, config.DefaultCacheBehavior];
  const behaviors = all.map((it): CacheBehavior => {
    const origin = config.Origins.find(({ Id }) => Id === it.TargetOriginId);
    if (!origin) throw wrong(`the origin ${it.TargetOriginId} does not exist`);
    const policy = it.ResponseHeadersPolicyId === undefined ? undefined : policies.get(it.ResponseHeadersPolicyId);
    if (it.ResponseHeadersPolicyId !== undefined && !policy) {
      throw wrong(`the response headers policy ${it.ResponseHeadersPolicyId} is not one of this template`);
    }
    const control = origin.OriginAccessControlId;
    if (control !== undefined && !controls.has(control))
      throw wrong(`the origin access control ${control} does not exist`);
    const code = (event: string): string | undefined => {
      const arn = it.FunctionAssociations.find(({ EventType }) => EventType === event)?.FunctionARN;
      if (arn !== undefined && !functions.has(arn)) throw wrong(`the function ${arn} does not exist`);
      return arn === undefined ? undefined : functions.get(arn)?.FunctionCode;
    };
    const trusted = it.TrustedKeyGroups.flatMap((group) => groups.get(group)?.KeyGroupConfig.Items ?? []);
    return {
      ...(it.PathPattern === undefined ? {} : { pathPattern: it.PathPattern }),
      allowedMethods: it.AllowedMethods,
      compress: it.Compress,
      forwarded: FORWARDED[it.OriginRequestPolicyId ?? ''] ?? [],
      httpHost: origin.CustomOriginConfig && origin.DomainName,
      bucket: origin.DomainName.replace(/\.s3[.-].*$/, ''),
      originPath: origin.OriginPath,
      signed: control !== undefined,
      headers: policy?.ResponseHeadersPolicyConfig,
      trustedKeys:
        it.TrustedKeyGroups.length === 0
          ? undefined
          : new Map(trusted.map((id) => [id, keys.get(id)?.PublicKeyConfig.EncodedKey ?? ''])),
      viewerRequest: code('viewer-request'),
      viewerResponse: code('viewer-response'),
    };
  });
  return { id: resources.distribution.id, defaultRootObject: config.DefaultRootObject, behaviors };
}

function byId<T>(resources: TemplateResource[], schema: z.ZodType<T>): Map<string, T> {
  return new Map(resources.map((it) => [it.id, read(it, schema)]));
}

function read<T>(resource: TemplateResource, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(resource.properties);
  if (parsed.success) return parsed.data;
  throw new Error(`${resource.id}: ${z.prettifyError(parsed.error)}`);
}
