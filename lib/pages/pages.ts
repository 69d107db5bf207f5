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
import type { Api } from '../api/api.ts';
import type { Cdn } from '../cdn/cdn.ts';
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

/**
 * The console, beside the media that it plays: CloudFront asks the API's server, and a function without any permission answers from the
 * files in its bundle. docs/decisions/0700-console.md says why it is no bucket.
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
        UPLOADS_BUCKET: storage.uploads.bucketName,
        ...(signIn && { SIGN_IN: JSON.stringify(signIn) }),
      },
      permissions: [],
    });
    const routes = api.httpApi.addRoutes({
      path: '/console/{proxy+}',
      methods: [HttpMethod.GET],
      integration: new HttpLambdaIntegration('Pages', this.servePages.fn),
      authorizer: new HttpNoneAuthorizer(),
    });
    for (const route of routes) {
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason: 'The console is public; what it shows is not',
      });
    }
    const pages = new CloudFrontFunction(this, 'Console', {
      functionName: `${name}-${Aws.REGION}-console`,
      comment: 'dropreel: each address of the console leads to its one document',
      runtime: FunctionRuntime.JS_2_0,
      code: FunctionCode.fromInline(PAGES),
    });
    const origin = new HttpOrigin(`${api.httpApi.httpApiId}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}`);
    for (const pattern of ['console', 'console/*']) {
      cdn.distribution.addBehavior(pattern, origin, {
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        cachePolicy: CachePolicy.CACHING_OPTIMIZED,
        compress: true,
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
