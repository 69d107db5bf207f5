import { createContext, Script } from 'node:vm';
import { z } from 'zod';

/** CloudFront gives a function less than a millisecond of CPU time. Here it is wall time on a machine that may be busy encoding. */
const TIMEOUT_MS = 2000;

const Values = z.record(z.string(), z.object({ value: z.string() }));
const Request = z.object({
  method: z.string(),
  uri: z.string(),
  querystring: Values.default({}),
  headers: Values.default({}),
  cookies: Values.default({}),
});
const Response = z.object({
  statusCode: z.number().int(),
  statusDescription: z.string().optional(),
  headers: Values.default({}),
  cookies: Values.default({}),
  body: z.union([z.string(), z.object({ data: z.string() }).transform(({ data }) => data)]).optional(),
});
export type ViewerRequest = z.infer<typeof Request>;
export type ViewerResponse = z.infer<typeof Response>;

/**
 * Runs `handler` of a CloudFront function. The code is trusted (the template's own); node:vm only limits its run time.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html
 * @throws Error when the code throws, takes too long or returns neither a request nor a response
 */
export async function runViewerFunction(
  code: string,
  event: { type: 'viewer-request' | 'viewer-response'; ip: string; request: ViewerRequest; response?: ViewerResponse },
): Promise<{ request: ViewerRequest } | { response: ViewerResponse }> {
  const full = JSON.stringify({
    version: '1.0',
    context: { eventType: event.type },
    viewer: { ip: event.ip },
    request: event.request,
    response: event.response,
  });
  const context = createContext({ console: { log: () => {} } });
  const returned: unknown = new Script(`${code}\n;handler(${full});`).runInContext(context, { timeout: TIMEOUT_MS });
  const result = JSON.parse(JSON.stringify(await returned)) as unknown;
  const response = Response.safeParse(result);
  return response.success ? { response: response.data } : { request: Request.parse(result) };
}
