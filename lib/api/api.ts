import { Duration, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  ApiMapping,
  CorsHttpMethod,
  DomainName,
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  HttpStage,
  LogGroupLogDestination,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Construct } from 'constructs';
import { HandlerFunction } from '../parts/handler-function.ts';
import { logGroup } from '../parts/log-group.ts';
import type { StageProps } from '../parts/stage-props.ts';
import { Identity, type Issuer } from './identity.ts';
import { type ApiStages, apiEnvironment, apiPermissions } from './permissions.ts';

/** API Gateway gives up after 30 s; the function answers before that. */
const TIMEOUT = Duration.seconds(29);
/** Requests per second, and simultaneous requests. */
const THROTTLE = { rateLimit: 100, burstLimit: 200 };
const OPEN_ROUTES = [
  {
    method: HttpMethod.POST,
    path: '/engine-callbacks/{jobId}',
    reason: 'The function verifies the signature of the callback itself',
  },
  { method: HttpMethod.GET, path: '/openapi.json', reason: 'The description of the API is public' },
  { method: HttpMethod.GET, path: '/oembed', reason: 'It tells what the public page tells' },
];

/** Of a deployment whose workers may run outside of AWS. */
const ENGINE_ROUTES = ['urls', 'progress', 'hint'].map((path) => ({
  method: HttpMethod.POST,
  path: `/engine-jobs/{jobId}/${path}`,
  reason: 'The function verifies the secret of the job itself',
}));

/**
 * Not OPTIONS, which ANY has: browsers send it without a token, and API Gateway answers it itself where no route takes it. PUT and HEAD are
 * for the API's own 405, which names the methods of a path; without a route API Gateway answers 404. Routes cost nothing.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
 */
const GUARDED_METHODS = [
  HttpMethod.GET,
  HttpMethod.HEAD,
  HttpMethod.POST,
  HttpMethod.PUT,
  HttpMethod.PATCH,
  HttpMethod.DELETE,
];

/** Every route leads to one function, with a JWT authorizer in front of it. */
export class Api extends Construct {
  readonly api: HandlerFunction;
  readonly httpApi: HttpApi;
  readonly url: string;
  /** Absent where the configuration names another issuer. */
  readonly identity: Identity | undefined;
  /** Absent where the configuration names no domain. */
  readonly domain: DomainName | undefined;

  constructor(scope: Construct, id: string, stageProps: StageProps, stages: ApiStages) {
    super(scope, id);
    const { jwtIssuer, jwtAudience } = stageProps.configuration;
    this.api = new HandlerFunction(this, 'Function', {
      stageProps,
      handler: 'api',
      timeout: TIMEOUT,
      memorySize: 1024,
      environment: apiEnvironment(stageProps.configuration, stages),
      permissions: apiPermissions(this, stageProps.configuration, stages),
    });
    Validations.of(this.api.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'cloudwatch:GetMetricData takes no resource',
    });
    // Where delivery has a domain of its own, the function's environment does not refer to the distribution.
    this.api.fn.node.addDependency(stages.cdn.distribution);
    stages.engines.connect('api', this.api);
    let issuer: Issuer;
    if (jwtIssuer && jwtAudience) {
      issuer = { url: jwtIssuer, audience: jwtAudience };
    } else {
      this.identity = new Identity(this, 'Identity', stageProps, stages.cdn.url);
      issuer = this.identity.issuer;
    }
    this.httpApi = new HttpApi(this, 'HttpApi', {
      createDefaultStage: false,
      defaultAuthorizer: new HttpJwtAuthorizer('Jwt', issuer.url, { jwtAudience: issuer.audience }),
      corsPreflight: {
        allowOrigins: ['*'],
        allowMethods: [CorsHttpMethod.ANY],
        allowHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-match', 'if-none-match'],
        exposeHeaders: ['etag', 'idempotency-replayed', 'location', 'retry-after'],
        maxAge: Duration.hours(1),
      },
    });
    const integration = new HttpLambdaIntegration('Handler', this.api.fn);
    this.httpApi.addRoutes({ path: '/{proxy+}', methods: GUARDED_METHODS, integration });
    const open = [...OPEN_ROUTES, ...(stageProps.configuration.httpEngine ? ENGINE_ROUTES : [])];
    for (const { method, path, reason } of open) {
      const routes = this.httpApi.addRoutes({
        path,
        methods: [method],
        integration,
        authorizer: new HttpNoneAuthorizer(),
      });
      for (const route of routes) Validations.of(route).acknowledge({ id: 'AwsSolutions-APIG4', reason });
    }
    const accessLog = logGroup(this, 'AccessLog', stageProps, 'api-access', '/aws/vendedlogs');
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.httpApi,
      autoDeploy: true,
      throttle: THROTTLE,
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLog),
        format: AccessLogFormat.custom(ACCESS_LOG_LINE),
      },
    });
    const { apiDomain, apiCertificateArn } = stageProps.configuration;
    if (apiDomain && apiCertificateArn) {
      this.domain = new DomainName(this, 'Domain', {
        domainName: apiDomain,
        certificate: Certificate.fromCertificateArn(this, 'Certificate', apiCertificateArn),
        securityPolicy: SecurityPolicy.TLS_1_2,
      });
      new ApiMapping(this, 'DomainMapping', { api: this.httpApi, domainName: this.domain, stage });
    }
    this.url = apiDomain ? `https://${apiDomain}` : this.httpApi.apiEndpoint;
  }
}

/** No token and no query, because both may hold secrets. */
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
