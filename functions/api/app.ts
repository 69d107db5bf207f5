import { Router } from '@aws-lambda-powertools/event-handler/http';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type { Operation } from '../../core/api/operation.ts';
import { OPERATIONS, type OperationId } from '../../core/api/operations.ts';
import { ApiError, problemOf } from '../../core/api/problem.ts';
import { PROBLEM_TYPE } from '../../core/contracts/problems.ts';
import { logger } from '../shared/observability.ts';
import type { ApiServices, Routes } from './call.ts';
import { answer, type Incoming } from './dispatch.ts';
import { engineJobRoutes } from './engine-jobs.ts';
import { problemResponse } from './refuse.ts';
import { archiveRoutes } from './routes/archive.ts';
import { collectionRoutes } from './routes/collections.ts';
import { mediaRoutes } from './routes/media.ts';
import { presetRoutes } from './routes/presets.ts';
import { rollOutRoutes } from './routes/roll-outs.ts';
import { systemRoutes } from './routes/system.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { webhookRoutes } from './routes/webhooks.ts';

export const ROUTES: Routes = {
  ...uploadRoutes,
  ...mediaRoutes,
  ...collectionRoutes,
  ...presetRoutes,
  ...rollOutRoutes,
  ...archiveRoutes,
  ...webhookRoutes,
  ...systemRoutes,
  ...engineJobRoutes,
};

export type Api = (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

/** The API as a function from event to answer. It answers every event; problems are problem details. */
export function createApi(services: ApiServices): Api {
  const router = new Router({ logger });
  for (const id of Object.keys(OPERATIONS) as OperationId[]) {
    const { method, path } = OPERATIONS[id];
    router.route((request) => answer(id, request as Incoming, ROUTES, services), {
      method,
      path: routerPath(path),
    });
  }
  router.notFound(async (_error, request) => problemResponse(unknownRoute(request.req), requestIdOf(request)));
  router.errorHandler(Error, async (error, request) => problemResponse(error, requestIdOf(request)));

  return async (event, context) => {
    const { requestContext } = event;
    if (!METHODS.has(requestContext.http.method)) {
      return refused(new ApiError('method_not_allowed', 'This method is not served.'), requestContext.requestId);
    }
    try {
      return await router.resolve(asWebRequest(event), context);
    } catch (cause) {
      // The router cannot make a URL of the event.
      const error = new ApiError('malformed_request', 'The path or a header cannot be read.', { cause });
      return refused(error, requestContext.requestId);
    }
  };
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function refused(error: ApiError, requestId: string): APIGatewayProxyStructuredResultV2 {
  const problem = problemOf(error, requestId);
  return { statusCode: problem.status, headers: { 'content-type': PROBLEM_TYPE }, body: JSON.stringify(problem) };
}

/** The router makes a web Request of the event, which refuses a GET with a body and takes its URL from the Host header. */
function asWebRequest(event: APIGatewayProxyEventV2): APIGatewayProxyEventV2 {
  const { method } = event.requestContext.http;
  const { body, ...rest } = event;
  const bodiless = method === 'GET' || method === 'HEAD';
  const headers = { ...event.headers, host: event.requestContext.domainName };
  return { ...rest, headers, ...(body !== undefined && !bodiless && { body }) };
}

function unknownRoute(request: Request): ApiError {
  const { pathname } = new URL(request.url);
  const allowed = Object.values<Operation>(OPERATIONS)
    .filter(({ path }) => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`).test(pathname))
    .map(({ method }) => method);
  if (allowed.length === 0) return new ApiError('not_found', 'This path does not exist. See /openapi.json.');
  const methods = [...new Set(allowed)].join(', ');
  return new ApiError('method_not_allowed', `This path allows ${methods}.`, { headers: { Allow: methods } });
}

function routerPath(path: string): `/${string}` {
  return `/${path.slice(1).replace(/\{(\w+)\}/g, ':$1')}`;
}

function requestIdOf(request: { event: unknown }): string {
  return (request.event as APIGatewayProxyEventV2).requestContext.requestId;
}
