import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  CorsHttpMethod,
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { HandlerFunction } from '../parts/handler-function.ts';
import type { Surroundings } from '../parts/surroundings.ts';
import { Identity, type Issuer } from './identity.ts';
import { type ApiStages, apiEnvironment, apiPermissions } from './permissions.ts';

/** API Gateway gives up after 30 s; the function answers before that. */
const TIMEOUT = Duration.seconds(29);
/** Requests per second, and at once. */
const THROTTLE = { rateLimit: 100, burstLimit: 200 };
const OPEN_ROUTES = [
  {
    method: HttpMethod.POST,
    path: '/engine-callbacks/{jobId}',
    reason: 'The function verifies the signature of the callback itself',
  },
  { method: HttpMethod.GET, path: '/openapi.json', reason: 'The description of the API is public' },
];

/** Not OPTIONS: browsers send it without a token, and API Gateway answers it itself where no route takes it. */
const GUARDED_METHODS = [HttpMethod.GET, HttpMethod.POST, HttpMethod.PATCH, HttpMethod.DELETE];

/** Every route leads to one function, with a JWT authorizer in front of it. */
export class Api extends Construct {
  readonly api: HandlerFunction;
  readonly httpApi: HttpApi;
  readonly url: string;
  /** Absent where the configuration names an issuer of its own. */
  readonly identity: Identity | undefined;

  constructor(scope: Construct, id: string, surroundings: Surroundings, stages: ApiStages) {
    super(scope, id);
    const { jwtIssuer, jwtAudience, logRetentionDays } = surroundings.configuration;
    this.api = new HandlerFunction(this, 'Function', {
      surroundings,
      handler: 'api',
      timeout: TIMEOUT,
      memorySize: 1024,
      environment: apiEnvironment(surroundings.configuration, stages),
      permissions: apiPermissions(stages),
    });
    let issuer: Issuer;
    if (jwtIssuer && jwtAudience) {
      issuer = { url: jwtIssuer, audience: jwtAudience };
    } else {
      this.identity = new Identity(this, 'Identity');
      issuer = this.identity.issuer;
    }
    this.httpApi = new HttpApi(this, 'HttpApi', {
      createDefaultStage: false,
      defaultAuthorizer: new HttpJwtAuthorizer('Jwt', issuer.url, { jwtAudience: issuer.audience }),
      corsPreflight: {
        allowOrigins: ['*'],
        allowMethods: [CorsHttpMethod.ANY],
        allowHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-match'],
        exposeHeaders: ['etag', 'location', 'retry-after'],
        maxAge: Duration.hours(1),
      },
    });
    const integration = new HttpLambdaIntegration('Handler', this.api.fn);
    this.httpApi.addRoutes({ path: '/{proxy+}', methods: GUARDED_METHODS, integration });
    for (const { method, path, reason } of OPEN_ROUTES) {
      const routes = this.httpApi.addRoutes({
        path,
        methods: [method],
        integration,
        authorizer: new HttpNoneAuthorizer(),
      });
      for (const route of routes) Validations.of(route).acknowledge({ id: 'AwsSolutions-APIG4', reason });
    }
    const accessLog = new LogGroup(this, 'AccessLog', {
      retention: logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.httpApi,
      autoDeploy: true,
      throttle: THROTTLE,
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLog),
        format: AccessLogFormat.custom(ACCESS_LOG_LINE),
      },
    });
    this.url = stage.url;
  }
}

/** No token, no query: both may hold secrets. */
const ACCESS_LOG_LINE = JSON.stringify({
  requestId: '$context.requestId',
  time: '$context.requestTime',
  route: '$context.routeKey',
  path: '$context.path',
  status: '$context.status',
  ms: '$context.responseLatency',
  subject: '$context.authorizer.claims.sub',
  error: '$context.error.message',
});
