import { Aws, Duration, Validations } from 'aws-cdk-lib';
import { HttpMethod, HttpNoneAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import {
  CachePolicy,
  Function as CloudFrontFunction,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Construct } from 'constructs';
import type { SignIn } from '../../core/contracts/env.ts';
import { PARTITIONS } from '../../core/contracts/table/keys.ts';
import type { Api } from '../api/api.ts';
import type { Cdn } from '../cdn/cdn.ts';
import { allowRows } from '../parts/allow.ts';
import { HandlerFunction } from '../parts/handler-function.ts';
import type { StageProps } from '../parts/stage-props.ts';
import type { Storage } from '../storage/storage.ts';

/** A page of the console has no file of its own: the same document shows each of them, by its address. */
const PAGES = `function handler(event) {
  const request = event.request;
  if (request.uri === '/console') {
    return { statusCode: 301, statusDescription: 'Moved Permanently', headers: { location: { value: '/console/' } } };
  }
  if (!/\\.[a-z]+$/.test(request.uri)) request.uri = '/console/index.html';
  return request;
}
`;

const ROUTES = [
  { path: '/console/{proxy+}', reason: 'The console is public; what it shows is not' },
  {
    path: '/embed/{creatorId}/{mediaId}',
    reason: 'Anyone may have the page; what is private plays with a signature only',
  },
];

/**
 * The console, beside the media that it plays: CloudFront asks the API's server, and a function answers from the files in its
 * bundle. docs/decisions/0700-console.md says why it is no bucket. And the page of each media item that other sites may frame.
 */
export class Pages extends Construct {
  readonly servePages: HandlerFunction;

  constructor(
    scope: Construct,
    id: string,
    stageProps: StageProps,
    { storage, api, cdn }: { storage: Storage; api: Api; cdn: Cdn },
  ) {
    super(scope, id);
    const { name } = stageProps.configuration;
    const signIn = api.identity?.signIn ?? foreignSignIn(stageProps);
    this.servePages = new HandlerFunction(this, 'ServePages', {
      stageProps,
      handler: 'serve-pages',
      timeout: Duration.seconds(10),
      memorySize: 512,
      environment: {
        API_URL: api.url,
        DELIVERY_URL: cdn.url,
        TABLE_NAME: storage.table.tableName,
        UPLOADS_BUCKET: storage.uploads.bucketName,
        ...(signIn && { SIGN_IN: JSON.stringify(signIn) }),
      },
      // What the page of a media item says of it, and which sites may frame that.
      permissions: [allowRows(storage.table, ['GetItem'], [PARTITIONS.media, PARTITIONS.creator])],
    });
    const integration = new HttpLambdaIntegration('Pages', this.servePages.fn);
    for (const { path, reason } of ROUTES) {
      const routes = api.httpApi.addRoutes({
        path,
        methods: [HttpMethod.GET, HttpMethod.HEAD],
        integration,
        authorizer: new HttpNoneAuthorizer(),
      });
      for (const route of routes) Validations.of(route).acknowledge({ id: 'AwsSolutions-APIG4', reason });
    }
    const pages = new CloudFrontFunction(this, 'Console', {
      functionName: `${name}-${Aws.REGION}-console`,
      comment: 'dropreel: each address of the console leads to its one document',
      runtime: FunctionRuntime.JS_2_0,
      code: FunctionCode.fromInline(PAGES),
    });
    const origin = new HttpOrigin(`${api.httpApi.httpApiId}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}`);
    const behavior = {
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      cachePolicy: CachePolicy.CACHING_OPTIMIZED,
      compress: true,
    };
    cdn.distribution.addBehavior('embed/*', origin, behavior);
    for (const pattern of ['console', 'console/*']) {
      cdn.distribution.addBehavior(pattern, origin, {
        ...behavior,
        functionAssociations: [{ eventType: FunctionEventType.VIEWER_REQUEST, function: pages }],
      });
    }
  }
}

/** At an issuer of one's own, which tells its addresses itself. */
function foreignSignIn({ configuration }: StageProps): SignIn | undefined {
  const { jwtIssuer, consoleClient } = configuration;
  if (!jwtIssuer || !consoleClient) return undefined;
  return { authority: jwtIssuer, clientId: consoleClient.id, scope: consoleClient.scope };
}
