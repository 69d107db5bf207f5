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

/** The default issuer: a user pool with dropreel's two scopes, and a client for machines (client credentials). */
export class Identity extends Construct {
  readonly issuer: Issuer;
  readonly tokenUrl: string;
  readonly machineClientId: string;

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
        reason: 'People sign in by an issuer of their own (jwtIssuer); the pool serves machines',
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
    const domain = new UserPoolDomain(this, 'Domain', {
      userPool: pool,
      cognitoDomain: { domainPrefix: `dropreel-${Aws.ACCOUNT_ID}` },
    });
    this.issuer = { url: pool.userPoolProviderUrl, audience: [machine.userPoolClientId] };
    this.tokenUrl = `${domain.baseUrl()}/oauth2/token`;
    this.machineClientId = machine.userPoolClientId;
  }
}
