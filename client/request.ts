import type { z } from 'zod';
import type { OPERATIONS, OperationId } from '../core/api/operations.ts';

type Schema<K extends OperationId, Part extends 'params' | 'query' | 'body' | 'answer'> = (typeof OPERATIONS)[K][Part];

/** Input type of a schema, with its output types: a number that is text in a URL is a number here. */
type Given<S> = S extends z.ZodType
  ? { [Name in keyof z.input<S>]: Name extends keyof z.output<S> ? z.output<S>[Name] : never }
  : unknown;

/**
 * The request of one operation: the parameters of its path by name, beside them `query` and `body`.
 * `Request<'patchMedia'>` is `{ id: string; body: { title?: string; … } }`.
 */
export type Request<K extends OperationId> = Given<Schema<K, 'params'>> &
  (Schema<K, 'query'> extends z.ZodType ? { query?: Given<Schema<K, 'query'>> } : unknown) &
  BodyOf<Schema<K, 'body'>> &
  Preconditions<(typeof OPERATIONS)[K]>;

/** Headers of a change of something that has an ETag. */
type Preconditions<O> = O extends { etag: true; method: 'PUT' | 'PATCH' }
  ? { ifMatch?: string | undefined; ifNoneMatch?: '*' | undefined }
  : unknown;

/** May be left out where nothing in it is required. */
type BodyOf<S> = S extends z.ZodType
  ? Record<never, never> extends z.input<S>
    ? { body?: z.input<S> }
    : { body: z.input<S> }
  : unknown;

/** The answer of one operation; undefined for an answer without a body. */
export type Answer<K extends OperationId> =
  Schema<K, 'answer'> extends z.ZodType ? z.output<Schema<K, 'answer'>> : undefined;

/** A request may be left out where nothing in it is required. */
export type Arguments<K extends OperationId> =
  Record<never, never> extends Request<K> ? [request?: Request<K>] : [request: Request<K>];

/** `/media/{id}` and `{ id: 'abc' }` → `/media/abc`, with the query appended. Values that are undefined are left out. */
export function pathOf(template: string, request: Readonly<Record<string, unknown>>): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(request[name])));
  const given = Object.entries(request.query ?? {}).filter(([, value]) => value !== undefined);
  if (given.length === 0) return path;
  return `${path}?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}
