import { z } from 'zod';
import type { LoadedTemplate } from '../../template/load.ts';
import { byRef } from '../../template/read.ts';

/** The properties of AWS::Cognito resources, with intrinsics resolved. Properties not listed here are refused. */

const Inert = z.unknown().optional();

/** Users, passwords and mail are not served, only tokens. */
const UserPoolProperties = z.strictObject({
  AccountRecoverySetting: Inert,
  AdminCreateUserConfig: Inert,
  AutoVerifiedAttributes: Inert,
  DeletionProtection: Inert,
  EmailVerificationMessage: Inert,
  EmailVerificationSubject: Inert,
  Policies: Inert,
  Schema: Inert,
  SmsVerificationMessage: Inert,
  UserPoolAddOns: Inert,
  UserPoolName: Inert,
  UserPoolTags: Inert,
  UserPoolTier: Inert,
  UsernameAttributes: Inert,
  UsernameConfiguration: Inert,
  VerificationMessageTemplate: Inert,
});

const Unit = z.enum(['seconds', 'minutes', 'hours', 'days']);

const REFRESH_FLOW = 'ALLOW_REFRESH_TOKEN_AUTH';
/** What a client has that names none. https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html */
const DEFAULT_AUTH_FLOWS = [REFRESH_FLOW, 'ALLOW_USER_SRP_AUTH', 'ALLOW_CUSTOM_AUTH'];

const ClientProperties = z.strictObject({
  UserPoolId: z.string(),
  ClientName: Inert,
  AllowedOAuthFlows: z.array(z.enum(['client_credentials', 'code', 'implicit'])).default([]),
  AllowedOAuthFlowsUserPoolClient: z.boolean().default(false),
  AllowedOAuthScopes: z.array(z.string()).default([]),
  GenerateSecret: z.boolean().default(false),
  AccessTokenValidity: z.number().int().optional(),
  RefreshTokenValidity: z.number().int().optional(),
  TokenValidityUnits: z.strictObject({ AccessToken: Unit.optional(), RefreshToken: Unit.optional() }).optional(),
  // Refresh tokens work once here, whatever it says; the grace period after one is not served.
  RefreshTokenRotation: z
    .strictObject({ Feature: z.enum(['ENABLED', 'DISABLED']), RetryGracePeriodSeconds: Inert })
    .optional(),
  CallbackURLs: z.array(z.string()).default([]),
  ExplicitAuthFlows: z.array(z.string()).default(DEFAULT_AUTH_FLOWS),
  LogoutURLs: z.array(z.string()).default([]),
  PreventUserExistenceErrors: Inert,
  SupportedIdentityProviders: Inert,
});

const ResourceServerProperties = z.strictObject({
  UserPoolId: z.string(),
  Identifier: z.string(),
  Name: z.string(),
  Scopes: z.array(z.strictObject({ ScopeName: z.string(), ScopeDescription: z.string() })).default([]),
});

const DomainProperties = z.strictObject({ UserPoolId: z.string(), Domain: z.string(), ManagedLoginVersion: Inert });

/** A resource of the template: what Ref gives, and its resolved properties. */
export interface TemplateResource {
  id: string;
  properties: unknown;
}

export interface CognitoResources {
  /** `issuer` is the pool's ProviderURL, as the template's authorizer names it. */
  userPools: (TemplateResource & { issuer: string })[];
  clients: TemplateResource[];
  resourceServers: TemplateResource[];
  domains: TemplateResource[];
}

export interface UserPool {
  id: string;
  issuer: string;
  /** `library/write` */
  scopes: string[];
}

export interface Client {
  id: string;
  pool: UserPool;
  hasSecret: boolean;
  mayUseClientCredentials: boolean;
  scopes: string[];
  /** Where a sign-in may lead, and a sign-out. */
  callbackUrls: string[];
  logoutUrls: string[];
  tokenSeconds: number;
  refreshSeconds: number;
}

const SECONDS = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 };

/**
 * The template's resources; undefined when it has no user pool.
 * @throws Error as `readCognito`
 */
export function readResources(template: LoadedTemplate): CognitoResources | undefined {
  const ofType = (type: string) => byRef(template, `AWS::Cognito::${type}`);
  const pools = template.ofType('AWS::Cognito::UserPool');
  if (pools.length === 0) return undefined;
  const resources = {
    userPools: pools.map(({ ref, attributes, properties }) => ({
      id: ref,
      properties,
      issuer: attributes.ProviderURL ?? '',
    })),
    clients: ofType('UserPoolClient'),
    resourceServers: ofType('UserPoolResourceServer'),
    domains: ofType('UserPoolDomain'),
  };
  readCognito(resources);
  return resources;
}

/** @throws Error naming the resource and the part that is wrong or not served */
export function readCognito(resources: CognitoResources): { pools: UserPool[]; clients: Client[] } {
  const servers = resources.resourceServers.map((it) => read(it, ResourceServerProperties));
  for (const domain of resources.domains) read(domain, DomainProperties);
  const pools = resources.userPools.map((resource): UserPool => {
    read(resource, UserPoolProperties);
    const own = servers.filter(({ UserPoolId }) => UserPoolId === resource.id);
    return {
      id: resource.id,
      issuer: resource.issuer,
      scopes: own.flatMap(({ Identifier, Scopes }) => Scopes.map(({ ScopeName }) => `${Identifier}/${ScopeName}`)),
    };
  });
  const clients = resources.clients.map((resource): Client => {
    const client = read(resource, ClientProperties);
    const pool = pools.find(({ id }) => id === client.UserPoolId);
    if (!pool) throw new Error(`${resource.id}: the user pool ${client.UserPoolId} does not exist`);
    // https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
    if (client.RefreshTokenRotation?.Feature === 'ENABLED' && client.ExplicitAuthFlows.includes(REFRESH_FLOW)) {
      throw new Error(`${resource.id}: rotation of refresh tokens and ${REFRESH_FLOW}, a default, exclude each other`);
    }
    // Validity is in hours if no unit is given, and one hour if it is not given at all.
    const unit = SECONDS[client.TokenValidityUnits?.AccessToken ?? 'hours'];
    return {
      id: resource.id,
      pool,
      hasSecret: client.GenerateSecret,
      mayUseClientCredentials:
        client.AllowedOAuthFlowsUserPoolClient && client.AllowedOAuthFlows.includes('client_credentials'),
      scopes: client.AllowedOAuthScopes,
      callbackUrls: client.CallbackURLs,
      logoutUrls: client.LogoutURLs,
      tokenSeconds: (client.AccessTokenValidity ?? 1) * unit,
      // Days if no unit is given, and 30 of them.
      refreshSeconds: (client.RefreshTokenValidity ?? 30) * SECONDS[client.TokenValidityUnits?.RefreshToken ?? 'days'],
    };
  });
  return { pools, clients };
}

function read<T>(resource: TemplateResource, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(resource.properties);
  if (parsed.success) return parsed.data;
  throw new Error(`${resource.id}: ${z.prettifyError(parsed.error)}`);
}
