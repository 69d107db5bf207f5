import {
  type BehaviorOptions,
  Function as CloudFrontFunction,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
} from 'aws-cdk-lib/aws-cloudfront';
import type { Construct } from 'constructs';
import { REDIRECTS } from '../../core/contracts/keys.ts';

/** A part, or what differs from an older copy, is asked for where the redirect leads: the pointer itself is a few bytes. */
const REQUEST = `function handler(event) {
  const headers = event.request.headers;
  for (const name of ['range', 'if-range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since']) {
    delete headers[name];
  }
  return event.request;
}
`;

/**
 * A function may change the status of a response of the cache or the bucket, and runs only where that is below 400.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html#functions-event-structure-response
 */
const RESPONSE = `function handler(event) {
  const response = event.response;
  const location = response.headers['x-amz-meta-location'];
  if (response.statusCode !== 200 || !location) return response;
  response.statusCode = 302;
  response.statusDescription = 'Found';
  response.headers['location'] = { value: location.value };
  delete response.headers['etag'];
  delete response.headers['last-modified'];
  return response;
}
`;

/** Behaviours of the pointers that are answered with a redirect to their version: docs/decisions/0008-stable-addresses.md. */
export function redirects(
  scope: Construct,
  named: (what: string) => string,
  behavior: BehaviorOptions,
): Record<string, BehaviorOptions> {
  const part = (id: string, name: string, comment: string, code: string) =>
    new CloudFrontFunction(scope, id, {
      functionName: named(name),
      comment: `dropreel: ${comment}`,
      runtime: FunctionRuntime.JS_2_0,
      code: FunctionCode.fromInline(code),
    });
  const functionAssociations = [
    {
      eventType: FunctionEventType.VIEWER_REQUEST,
      function: part('RedirectRequest', 'redirect-request', 'what redirects is asked for as a whole', REQUEST),
    },
    {
      eventType: FunctionEventType.VIEWER_RESPONSE,
      function: part('RedirectResponse', 'redirect-response', 'the address of an MP4 leads to its version', RESPONSE),
    },
  ];
  return Object.fromEntries(REDIRECTS.map((pattern) => [pattern, { ...behavior, functionAssociations }]));
}
