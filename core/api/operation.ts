import { z } from 'zod';
import { CreatorId } from '../contracts/ids.ts';
import type { ProblemCode } from '../contracts/problems.ts';

export interface Operation {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Parameters as in OpenAPI: `/media/{id}`. */
  path: string;
  tag: 'Uploads' | 'Media' | 'Collections' | 'Presets' | 'Archive' | 'Webhooks' | 'Operations';
  summary: string;
  /** Who may call it: `anyone` needs no token, `creator` needs either scope, `operator` needs the operator's. */
  who: 'anyone' | 'creator' | 'operator';
  params: z.ZodObject | null;
  query: z.ZodObject | null;
  body: z.ZodType | null;
  status: 200 | 201 | 202 | 204;
  answer: z.ZodType | null;
  /** Answers with an ETag; a PATCH takes If-Match, a PUT also If-None-Match. */
  etag?: boolean;
  /** A POST that changes nothing: a repeated request gets a new answer, and no answer is kept for an Idempotency-Key. */
  repeatable?: boolean;
  /** Problems of this operation, besides those that any operation may have. */
  problems: readonly ProblemCode[];
}

const DEFAULTS = { who: 'creator', params: null, query: null, body: null, problems: [] } as const;
type Given = Omit<Operation, keyof typeof DEFAULTS> & Partial<Operation>;

/** An operation with its own literal types, so that a route has the types of its input and of its answer. */
export function op<const G extends Given>(given: G) {
  return { ...DEFAULTS, ...given } as Omit<typeof DEFAULTS, keyof G> & G;
}

/** For operators: the creator. */
export const owner = z.object({ creatorId: CreatorId.optional() });
export const page = owner.extend({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().max(1000).optional(),
});
