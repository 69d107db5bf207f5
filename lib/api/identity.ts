import { Aws, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  FeaturePlan,
  OAuthScope,
  ResourceServerScope,
  UserPool,
  UserPoolClient,
  UserPoolDomain,
} from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import type { SignIn } from '../../core/contracts/env.ts';
import { SCOPES } from '../../core/contracts/http/system.ts';
import type { StageProps } from '../parts/stage-props.ts';

/** The issuer whose tokens the API accepts. */
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
  /** The stack's outputs by name, for signing in. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly #console: UserPoolClient;
  readonly #domain: UserPoolDomain;

  /** @param deliveryUrl where the console is */
  constructor(scope: Construct, id: string, stageProps: StageProps, deliveryUrl: string) {
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
    const resourceScopes = (wanted: (scope: ResourceServerScope) => boolean) =>
      scopes.filter(wanted).map((scope) => OAuthScope.resourceServer(server, scope));
    const machines = Object.entries(stageProps.configuration.machineClients).map(([name, scope]) => {
      const title = name.charAt(0).toUpperCase() + name.slice(1);
      const client = new UserPoolClient(this, title, {
        userPool: pool,
        generateSecret: true,
        preventUserExistenceErrors: true,
        authFlows: {},
        // A token that is requested without a scope has all scopes of its client.
        oAuth: {
          flows: { clientCredentials: true },
          scopes: resourceScopes(scope === 'operator' ? () => true : isForCreators),
        },
      });
      return { title, id: client.userPoolClientId };
    });
    // Public, because a command on a user's machine cannot keep a secret; PKCE replaces it.
    const people = new UserPoolClient(this, 'People', {
      userPool: pool,
      generateSecret: false,
      preventUserExistenceErrors: true,
      authFlows: {},
      oAuth: {
        flows: { authorizationCodeGrant: true },
        // Cognito grants a client's scopes to every user who signs in: the operator's is for machines and other issuers.
        scopes: [OAuthScope.OPENID, ...resourceScopes(isForCreators)],
        callbackUrls: [SIGN_IN_CALLBACK],
      },
    });
    this.#console = new UserPoolClient(this, 'Console', {
      userPool: pool,
      generateSecret: false,
      preventUserExistenceErrors: true,
      // Named, because Cognito's default flows include ALLOW_REFRESH_TOKEN_AUTH, which rotation of refresh tokens does not go with:
      // https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
      authFlows: { userSrp: true },
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID, ...resourceScopes(isForCreators)],
        callbackUrls: [`${deliveryUrl}/console/`],
        logoutUrls: [`${deliveryUrl}/console/`],
      },
      // Each refresh gives a new refresh token; the one before is good for a minute more, for an answer that was lost.
      refreshTokenRotationGracePeriod: Duration.seconds(60),
      refreshTokenValidity: Duration.hours(12),
    });
    const domain = new UserPoolDomain(this, 'Domain', {
      userPool: pool,
      cognitoDomain: { domainPrefix: `${stageProps.configuration.name}-${Aws.ACCOUNT_ID}` },
    });
    this.#domain = domain;
    this.issuer = {
      url: pool.userPoolProviderUrl,
      audience: [...machines.map(({ id: client }) => client), people.userPoolClientId, this.#console.userPoolClientId],
    };
    this.outputs = {
      Issuer: pool.userPoolProviderUrl,
      UserPoolId: pool.userPoolId,
      TokenUrl: `${domain.baseUrl()}/oauth2/token`,
      PeopleClientId: people.userPoolClientId,
      ConsoleClientId: this.#console.userPoolClientId,
      ...Object.fromEntries(machines.map(({ title, id: client }) => [`${title}ClientId`, client])),
    };
  }

  /** How the console signs people in. */
  get signIn(): SignIn {
    const url = this.#domain.baseUrl();
    return {
      authority: this.issuer.url,
      clientId: this.#console.userPoolClientId,
      scope: `openid ${SCOPES.creator}`,
      authorizeUrl: `${url}/oauth2/authorize`,
      tokenUrl: `${url}/oauth2/token`,
      logoutUrl: `${url}/logout`,
    };
  }
}

const isForCreators = ({ scopeName }: ResourceServerScope) => SCOPES.creator === `dropreel/${scopeName}`;
