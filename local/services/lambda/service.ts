import { AwsError, type Service } from '../../kernel/service.ts';
import type { FunctionConfiguration } from './template.ts';

const PATH = /^\/2024-08-31\/functions\/([^/]+)\/recursion-config$/;

/** Serves GetFunctionRecursionConfig only; functions are invoked by their triggers. */
export function createLambdaApi(functions: readonly FunctionConfiguration[]): Service {
  return {
    name: 'lambda',
    operation: ({ method, path }) => (method === 'GET' && PATH.test(path) ? 'GetFunctionRecursionConfig' : 'Unknown'),
    async handle(request) {
      const name = decodeURIComponent(PATH.exec(request.path)?.[1] ?? '');
      if (request.method !== 'GET' || name === '') {
        throw new AwsError(
          'InvalidRequestContentException',
          400,
          'Of Lambda only GetFunctionRecursionConfig is served locally.',
        );
      }
      const found = functions.find((one) => one.name === name || one.arn === name);
      if (!found) throw new AwsError('ResourceNotFoundException', 404, `Function not found: ${name}`);
      request.authorize({ action: 'lambda:GetFunctionRecursionConfig', resource: found.arn });
      const body = JSON.stringify({ RecursiveLoop: found.recursiveLoop });
      return { status: 200, headers: { 'content-type': 'application/json' }, body };
    },
    renderError: ({ code, message, status }) => ({
      status,
      headers: { 'content-type': 'application/json', 'x-amzn-errortype': code },
      body: JSON.stringify({ Type: status < 500 ? 'User' : 'Service', Message: message }),
    }),
  };
}
