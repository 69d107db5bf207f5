import { z } from 'zod';

/**
 * Every refusal of the API: RFC 9457 problem details with one of these codes. Per code: the HTTP status, a short title, and
 * when it is returned. docs/api.md is checked against this list.
 */
export const PROBLEMS = {
  malformed_request: {
    status: 400,
    title: 'The request cannot be read',
    when: 'The body is not JSON, or the path or query is not valid URL encoding.',
  },
  invalid_request: {
    status: 400,
    title: 'The request is not valid',
    when: 'A field of the path, query, headers or body does not fit its schema; `errors` lists them.',
  },
  invalid_cursor: {
    status: 400,
    title: 'The cursor is not valid here',
    when: 'A cursor was altered, or used with other filters than the page it came from.',
  },
  unauthenticated: {
    status: 401,
    title: 'Authentication required',
    when: 'The request has no valid token, or a callback has no valid signature.',
  },
  forbidden: {
    status: 403,
    title: 'Not allowed',
    when: 'The token lacks the scope that this needs, or names no creator.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    when: 'It does not exist, or it belongs to another creator.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    when: 'The path exists, but not with this method; `Allow` lists those it has.',
  },
  wrong_state: {
    status: 409,
    title: 'Not possible in the present state',
    when: 'The media item is in a state in which this cannot be done; `detail` names both.',
  },
  attempts_exhausted: {
    status: 409,
    title: 'Attempts exhausted',
    when: 'A failed media item has been tried as often as the configuration allows (MAX_ATTEMPTS, 2 by default).',
  },
  no_previous_version: {
    status: 409,
    title: 'Nothing to roll back to',
    when: 'The media item has no previous version, or its grace period is over.',
  },
  original_gone: {
    status: 409,
    title: 'The original is gone',
    when: 'A new encode was asked for, the original was deleted, and the collection does not allow encoding from an output, or there is none.',
  },
  original_deleted: {
    status: 409,
    title: 'The original is deleted',
    when: 'An original cannot be put back: its days in the archive are over, or S3 does not have it any more.',
  },
  already_exists: { status: 409, title: 'Already exists', when: 'A collection of this id exists.' },
  read_only: {
    status: 409,
    title: 'Built in',
    when: 'A built-in preset is neither changed nor deleted. Make one of another name.',
  },
  preset_in_use: {
    status: 409,
    title: 'Collections use it',
    when: 'A preset that collections use is not deleted, and is changed only with `confirm=true`; `errors` names them.',
  },
  too_many_presets: {
    status: 409,
    title: 'Too many presets',
    when: 'A creator has 100 presets already, or has made 10,000 versions of presets.',
  },
  not_empty: { status: 409, title: 'Not empty', when: 'A collection that holds media is not deleted.' },
  upload_incomplete: {
    status: 409,
    title: 'The upload is incomplete',
    when: 'Not every byte that was announced has arrived; `detail` says what is missing.',
  },
  upload_closed: {
    status: 409,
    title: 'The upload is closed',
    when: 'The upload was finished, aborted or has expired.',
  },
  too_many_webhooks: {
    status: 409,
    title: 'Too many webhook endpoints',
    when: 'A creator has 10 endpoints already.',
  },
  webhook_unverified: {
    status: 409,
    title: 'The endpoint has not answered a ping',
    when: 'A delivery cannot be sent again to an endpoint that has not answered a ping; `POST /webhooks/{id}/verify` pings it.',
  },
  in_progress: {
    status: 409,
    title: 'Request in progress',
    when: 'Another request with this Idempotency-Key has not ended; `Retry-After` says when to ask again.',
  },
  conflict: {
    status: 409,
    title: 'Conflicting change',
    when: 'Something else changed the same thing at the same moment. Read it, then try again.',
  },
  precondition_failed: {
    status: 412,
    title: 'Changed since it was read',
    when: 'If-Match names another version than the present one, or If-None-Match the present one.',
  },
  too_large: {
    status: 413,
    title: 'Too large',
    when: 'The announced file is larger than this path allows; larger files go straight to the uploads bucket.',
  },
  type_not_allowed: {
    status: 415,
    title: 'Content type not allowed',
    when: 'The announced content type is not on the list (ALLOWED_CONTENT_TYPES).',
  },
  not_json: {
    status: 415,
    title: 'The body has to be JSON',
    when: 'A body was sent with another Content-Type than application/json.',
  },
  key_reused: {
    status: 422,
    title: 'The Idempotency-Key was used for something else',
    when: 'The same key came with another body, within 24 hours.',
  },
  quota_exceeded: {
    status: 429,
    title: 'The quota is used up',
    when: "A creator's uploads or minutes of a day, or pings of an hour, are used up; `detail` says which, `Retry-After` when there are more.",
  },
  not_implemented: {
    status: 501,
    title: 'Not implemented',
    when: '`GET /oembed` is asked for another format than JSON.',
  },
  internal: { status: 500, title: 'Internal error', when: 'An unexpected error. The log has it under the `instance`.' },
  unavailable: {
    status: 503,
    title: 'Service unavailable',
    when: 'A service that the request depends on did not answer; `Retry-After` says when to try again.',
  },
} as const satisfies Record<string, { status: number; title: string; when: string }>;

export type ProblemCode = keyof typeof PROBLEMS;
export const ProblemCode = z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]);

export const PROBLEM_TYPE = 'application/problem+json';

export const Problem = z
  .object({
    /** `urn:dropreel:problem:{code}` */
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: ProblemCode,
    /** A sentence for the person who sent the request. */
    detail: z.string(),
    /** The request's id, as in the log. */
    instance: z.string().optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });
export type Problem = z.infer<typeof Problem>;
