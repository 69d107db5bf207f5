import { z } from 'zod';
import type { LoadedTemplate } from '../../template/load.ts';
import { byRef } from '../../template/read.ts';

/** The properties of AWS::ApiGatewayV2 resources, with intrinsics resolved. Properties not listed here are refused. */

const Inert = z.unknown().optional();

const ApiProperties = z.strictObject({
  Name: z.string(),
  ProtocolType: z.literal('HTTP'),
  CorsConfiguration: z
    .strictObject({
      AllowCredentials: z.boolean().optional(),
      AllowHeaders: z.array(z.string()).optional(),
      AllowMethods: z.array(z.string()).optional(),
      AllowOrigins: z.array(z.string()).optional(),
      ExposeHeaders: z.array(z.string()).optional(),
      MaxAge: z.number().int().optional(),
    })
    .optional(),
  Description: Inert,
  DisableExecuteApiEndpoint: z.literal(false).optional(),
  Tags: Inert,
});
export type Cors = NonNullable<z.infer<typeof ApiProperties>['CorsConfiguration']>;

const RouteProperties = z.strictObject({
  ApiId: Inert,
  RouteKey: z.string().regex(/^(\$default|(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|ANY) \/\S*)$/),
  /** `integrations/{id}` */
  Target: z.string().regex(/^integrations\//),
  AuthorizationType: z.enum(['NONE', 'JWT']).default('NONE'),
  AuthorizerId: z.string().optional(),
  AuthorizationScopes: z.array(z.string()).default([]),
  OperationName: Inert,
});

const IntegrationProperties = z.strictObject({
  ApiId: Inert,
  IntegrationType: z.literal('AWS_PROXY'),
  /** ARN of a function, bare or inside API Gateway's own ARN. */
  IntegrationUri: z.string().transform((uri) => /arn:aws:lambda:[^/]+/.exec(uri)?.[0] ?? uri),
  PayloadFormatVersion: z.literal('2.0'),
  IntegrationMethod: Inert,
  TimeoutInMillis: z.number().int().min(50).max(30_000).default(30_000),
  Description: Inert,
});

const AuthorizerProperties = z.strictObject({
  ApiId: Inert,
  Name: z.string(),
  AuthorizerType: z.literal('JWT'),
  IdentitySource: z.tuple([z.literal('$request.header.Authorization')]),
  // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html: 50 audiences.
  JwtConfiguration: z.strictObject({ Audience: z.array(z.string()).min(1).max(50), Issuer: z.url() }),
});

const StageProperties = z.strictObject({
  ApiId: Inert,
  StageName: z.literal('$default'),
  AutoDeploy: z.literal(true),
  StageVariables: z.record(z.string(), z.string()).optional(),
  AccessLogSettings: Inert,
  // Throttling settings: one machine has one user, and a limit reached by chance would make runs differ.
  DefaultRouteSettings: Inert,
  RouteSettings: Inert,
  Description: Inert,
  Tags: Inert,
});

/** A resource of the template: what Ref gives, and its resolved properties. */
export interface TemplateResource {
  id: string;
  properties: unknown;
}

export interface ApiResources {
  api: TemplateResource;
  routes: TemplateResource[];
  integrations: TemplateResource[];
  authorizers: TemplateResource[];
  stages: TemplateResource[];
}

export interface Authorizer {
  issuer: string;
  audience: string[];
}

export interface Route {
  key: string;
  functionArn: string;
  timeoutMs: number;
  authorizer: Authorizer | undefined;
  scopes: string[];
}

export interface ApiDefinition {
  id: string;
  cors: Cors | undefined;
  routes: Route[];
  stage: string;
  stageVariables: Record<string, string> | undefined;
}

/**
 * The template's resources; undefined when it has no HTTP API.
 * @throws Error as `readApi`
 */
export function readResources(template: LoadedTemplate): ApiResources | undefined {
  const ofType = (type: string) => byRef(template, `AWS::ApiGatewayV2::${type}`);
  const [api] = ofType('Api');
  if (!api) return undefined;
  const resources = {
    api,
    routes: ofType('Route'),
    integrations: ofType('Integration'),
    authorizers: ofType('Authorizer'),
    stages: ofType('Stage'),
  };
  readApi(resources);
  return resources;
}

/** @throws Error naming the resource and the part that is wrong or not served */
export function readApi(resources: ApiResources): ApiDefinition {
  const api = read(resources.api, ApiProperties);
  const integrations = new Map(resources.integrations.map((it) => [it.id, read(it, IntegrationProperties)]));
  const authorizers = new Map(resources.authorizers.map((it) => [it.id, read(it, AuthorizerProperties)]));
  const [stage, ...others] = resources.stages.map((it) => read(it, StageProperties));
  if (!stage || others.length > 0) throw new Error(`${resources.api.id}: one stage, $default, is served`);
  const routes = resources.routes.map((resource): Route => {
    const route = read(resource, RouteProperties);
    const integration = integrations.get(route.Target.slice('integrations/'.length));
    if (!integration) throw new Error(`${resource.id}: ${route.Target} does not exist`);
    const authorizer = route.AuthorizationType === 'JWT' ? authorizers.get(route.AuthorizerId ?? '') : undefined;
    if (route.AuthorizationType === 'JWT' && !authorizer) {
      throw new Error(`${resource.id}: the authorizer ${route.AuthorizerId} does not exist`);
    }
    return {
      key: route.RouteKey,
      functionArn: integration.IntegrationUri,
      timeoutMs: integration.TimeoutInMillis,
      authorizer: authorizer && {
        issuer: authorizer.JwtConfiguration.Issuer,
        audience: authorizer.JwtConfiguration.Audience,
      },
      scopes: route.AuthorizationScopes,
    };
  });
  return {
    id: resources.api.id,
    cors: api.CorsConfiguration,
    routes,
    stage: stage.StageName,
    stageVariables: stage.StageVariables,
  };
}

function read<T>(resource: TemplateResource, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(resource.properties);
  if (parsed.success) return parsed.data;
  throw new Error(`${resource.id}: ${z.prettifyError(parsed.error)}`);
}
