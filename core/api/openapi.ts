import { z } from 'zod';
import { SCOPES } from '../contracts/http/system.ts';
import { PROBLEM_TYPE, PROBLEMS, Problem, type ProblemCode } from '../contracts/problems.ts';
import type { Operation } from './operation.ts';
import { OPERATIONS } from './operations.ts';

type Json = Record<string, unknown>;

const TAGS: Readonly<Record<Operation['tag'], string>> = {
  Uploads: 'Uploads in progress: one PUT up to 64 MiB, parts above.',
  Media: 'Media items, and what can be done with them.',
  Collections: 'Settings shared by many media items: preset, playback, what happens to originals.',
  Presets: 'What is made of a source: sizes, rates and outputs. Some are built in, creators make others.',
  Archive: 'Originals that make room: denser copies that have proved themselves, and cheaper storage.',
  Webhooks: 'Endpoints that are notified of changes, and their deliveries.',
  Operations: 'Health, statistics, and the reports of engines.',
};

/** The API as OpenAPI 3.1, generated from the same schemas that check the requests. */
export function openApi(): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const [id, operation] of Object.entries<Operation>(OPERATIONS)) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method.toLowerCase()]: operationObject(id, operation, schemas),
    };
  }
  schemaOf(Problem, 'output', schemas);
  return {
    openapi: '3.1.0',
    info: {
      title: 'dropreel',
      version: '1.0.0',
      description: 'A file dropped in becomes streams, previews, posters and waveforms, and stays right.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    // Relative, so that the document works from any address.
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: [{ jwt: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        jwt: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: `An access token of the configured OIDC issuer with the scope ${SCOPES.creator} or ${SCOPES.operator}.`,
        },
      },
    },
  };
}

function operationObject(id: string, operation: Operation, schemas: Json): Json {
  const parameters = [
    ...parametersOf('path', operation.params),
    ...parametersOf('query', operation.query),
    ...headersOf(operation),
  ];
  return {
    operationId: id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.who === 'anyone' && { security: [] }),
    ...(operation.who === 'operator' && { description: `Needs the scope ${SCOPES.operator}.` }),
    ...(parameters.length > 0 && { parameters }),
    ...(operation.body && {
      requestBody: {
        required: !operation.body.safeParse({}).success,
        content: { 'application/json': { schema: schemaOf(operation.body, 'input', schemas) } },
      },
    }),
    responses: { [operation.status]: success(operation, schemas), ...problemsOf(operation) },
  };
}

function success(operation: Operation, schemas: Json): Json {
  return {
    description: operation.summary,
    ...(operation.etag && { headers: { ETag: { schema: { type: 'string' } } } }),
    ...(operation.answer && {
      content: { 'application/json': { schema: schemaOf(operation.answer, 'output', schemas) } },
    }),
  };
}

/** Codes that an operation may answer with, by status. */
export function problemCodesOf(operation: Operation): ProblemCode[] {
  return [
    ...new Set<ProblemCode>([
      'malformed_request',
      'invalid_request',
      ...(operation.who === 'anyone' ? [] : (['unauthenticated', 'forbidden'] as const)),
      ...(operation.method === 'POST' ? (['in_progress', 'key_reused'] as const) : []),
      ...(operation.body ? (['not_json'] as const) : []),
      ...operation.problems,
      'internal',
      'unavailable',
    ]),
  ];
}

function problemsOf(operation: Operation): Json {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problemCodesOf(operation)) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const responses = [...byStatus].map(([status, codes]) => [
    status,
    {
      description: codes.map((code) => `\`${code}\``).join(', '),
      content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  ]);
  return Object.fromEntries(responses);
}

function parametersOf(where: 'path' | 'query', schema: z.ZodObject | null): Json[] {
  if (!schema) return [];
  return Object.entries(schema.shape).map(([name, type]) => ({
    name,
    in: where,
    required: where === 'path' || !type.safeParse(undefined).success,
    schema: schemaOf(type, 'input', {}),
  }));
}

function headersOf({ method, etag, repeatable }: Operation): Json[] {
  const header = (name: string, description: string, maxLength: number) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string', minLength: 1, maxLength },
  });
  return [
    ...(method === 'POST' && !repeatable
      ? [header('Idempotency-Key', 'The same key with the same body gives the same answer, for 24 hours.', 255)]
      : []),
    ...((method === 'PATCH' || method === 'PUT') && etag ? [header('If-Match', 'The ETag that was read.', 1000)] : []),
    ...(method === 'PUT' && etag ? [header('If-None-Match', '`*`: only if there is none yet.', 1000)] : []),
  ];
}

/** A schema's JSON Schema. Schemas with an id go to `schemas` and are referenced. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const {
    $schema: _,
    $defs,
    ...root
  } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // Clients must accept fields that are added later.
      if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      delete jsonSchema.id;
      // openapi-typescript takes what has a default for always present, so a client would have to send it.
      if (io === 'input' && jsonSchema.default !== undefined) {
        jsonSchema.description = `Default: ${JSON.stringify(jsonSchema.default)}.`;
        delete jsonSchema.default;
      }
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      // The format is enough; zod's pattern for it has 300 characters.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
    },
  }) as Json & { $defs?: Json };
  const withRefs = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value).replaceAll('"#/$defs/', '"#/components/schemas/'));
  for (const [name, definition] of Object.entries($defs ?? {})) schemas[name] = withRefs(definition);
  const id = z.globalRegistry.get(schema)?.id;
  if (id && !('$ref' in root)) {
    schemas[id] = withRefs(root);
    return { $ref: `#/components/schemas/${id}` };
  }
  return withRefs(root) as Json;
}
