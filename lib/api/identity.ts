import { Aws, RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  FeaturePlan,
  OAuthScope,
  ResourceServerScope,
  UserPool,
  UserPoolClient,
  UserPoolDomain,
} from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import { SCOPES } from '../../core/contracts/api.ts';

/** Whose tokens the API takes. */
export interface Issuer {
  /** `iss` of the tokens. */
  url: string;
  audience: string[];
}

/** Where `dropreel login` waits for the browser. */
const SIGN_IN_CALLBACK = 'http://localhost:8912/callback';

/** The default issuer: a user pool with dropreel's two scopes, a client for machines and one for `dropreel login`. */
export class Identity extends Construct {
  readonly issuer: Issuer;
  readonly tokenUrl: string;
  readonly machineClientId: string;
  readonly peopleClientId: string;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const pool = new UserPool(this, 'Users', {
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      passwordPolicy: {
        minLength: 14,
        requireLowercase: true,
        requireUppercase: true,
        requireDigits: true,
        requireSymbols: true,
      },
      featurePlan: FeaturePlan.ESSENTIALS,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(pool).acknowledge(
      {
        id: 'AwsSolutions-COG2',
        reason: 'A team with many people names its own issuer (jwtIssuer); the pool is for machines and the operators',
      },
      { id: 'AwsSolutions-COG8', reason: 'The plus plan protects passwords of people, and is billed per user' },
    );
    const scopes = Object.values(SCOPES).map(
      (scope) => new ResourceServerScope({ scopeName: scope.slice('dropreel/'.length), scopeDescription: scope }),
    );
    const server = pool.addResourceServer('Api', { identifier: 'dropreel', scopes });
    const machine = new UserPoolClient(this, 'Machine', {
      userPool: pool,
      generateSecret: true,
      preventUserExistenceErrors: true,
      authFlows: {},
      oAuth: {
        flows: { clientCredentials: true },
        scopes: scopes.map((scope) => OAuthScope.resourceServer(server, scope)),
      },
    });
    // Public, for a command on somebody's machine keeps no secret; PKCE takes its place.
    const people = new UserPoolClient(this, 'People', {
      userPool: pool,
      generateSecret: false,
      preventUserExistenceErrors: true,
      authFlows: {},
      oAuth: {
        flows: { authorizationCodeGrant: true },
        // Cognito gives a client's scopes to whoever signs in: the operator's is for machines and other issuers.
        scopes: [
          OAuthScope.OPENID,
          ...scopes.filter(isForCreators).map((scope) => OAuthScope.resourceServer(server, scope)),
        ],
        callbackUrls: [SIGN_IN_CALLBACK],
      },
    });
    const domain = new UserPoolDomain(this, 'Domain', {
      userPool: pool,
      cognitoDomain: { domainPrefix: `dropreel-${Aws.ACCOUNT_ID}` },
    });
    this.issuer = { url: pool.userPoolProviderUrl, audience: [machine.userPoolClientId, people.userPoolClientId] };
    this.tokenUrl = `${domain.baseUrl()}/oauth2/token`;
    this.machineClientId = machine.userPoolClientId;
    this.peopleClientId = people.userPoolClientId;
  }
}

const isForCreators = ({ scopeName }: ResourceServerScope) => SCOPES.creator === `dropreel/${scopeName}`;
