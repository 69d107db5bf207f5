import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openApi } from '../../../../core/api/openapi.ts';
import { OPERATIONS, type OperationId } from '../../../../core/api/operations.ts';
import { PROBLEMS } from '../../../../core/contracts/problems.ts';
import { ROUTES } from '../../../../functions/api/app.ts';

interface Parameter {
  name: string;
  in: string;
  required: boolean;
}
interface Described {
  operationId: string;
  tags: string[];
  summary: string;
  parameters?: Parameter[];
  responses: Record<string, object>;
  requestBody?: object;
}

const document = openApi() as {
  openapi: string;
  tags: { name: string }[];
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, unknown> };
};
const described = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
);

/** What they answer is made anew, or a worker tells it again. */
/** Parameters of the query without which an operation does nothing. */
const REQUIRED: Readonly<Record<string, string[]>> = { hintEngine: ['token'], getOembed: ['url'] };
const REPEATABLE = [
  ...['createUploadParts', 'createPlaybackSession', 'createMediaLink', 'estimate'],
  ...['signEngineRequest', 'reportEngineProgress', 'hintEngine'],
];

describe('the OpenAPI document', () => {
  it('has every route that is served, and no other', () => {
    expect(described.map(({ operationId, method, path }) => [operationId, method, path]).sort()).toEqual(
      Object.entries(OPERATIONS)
        .map(([id, { method, path }]) => [id, method, path])
        .sort(),
    );
    expect(Object.keys(ROUTES).sort()).toEqual(Object.keys(OPERATIONS).sort());
  });

  it('refers only to schemas that it contains, and contains only those that are referred to', () => {
    const text = JSON.stringify(document);
    const refs = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name));
    expect([...refs].sort()).toEqual(Object.keys(document.components.schemas).sort());
    expect(text).not.toContain('$defs');
  });

  it('has no default in what is sent, which generated clients would require, and no bounds of JavaScript', () => {
    expect(document.components.schemas.UploadRequest).toMatchObject({
      required: ['fileName', 'size', 'contentType'],
      properties: {
        size: { type: 'integer', exclusiveMinimum: 0 },
        collectionId: { description: 'Default: "default".' },
      },
    });
    const sent = Object.entries(document.components.schemas).filter(([name]) => name.endsWith('Request'));
    expect(JSON.stringify(sent)).not.toContain('"default":');
    expect(JSON.stringify(document)).not.toContain(String(Number.MAX_SAFE_INTEGER));
  });

  it.each(described)('describes the parameters, answers and problems of $operationId', (operation) => {
    const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const parameters = operation.parameters ?? [];
    expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(inPath);
    expect(new Set(parameters.map((parameter) => `${parameter.in} ${parameter.name}`)).size).toBe(parameters.length);
    const required = parameters.filter((parameter) => parameter.required).map(({ name }) => name);
    expect(required).toEqual([...inPath, ...(REQUIRED[operation.operationId] ?? [])]);
    const statuses = Object.keys(operation.responses);
    expect(statuses.filter((status) => status.startsWith('2'))).toHaveLength(1);
    expect(statuses).toEqual(expect.arrayContaining(['400', '500']));
    expect(document.tags.map(({ name }) => name)).toContain(operation.tags[0]);
    expect(operation.requestBody !== undefined).toBe(OPERATIONS[operation.operationId as OperationId].body !== null);
  });

  it('offers Idempotency-Key on every POST that changes something, If-Match on every PATCH and PUT', () => {
    for (const { method, parameters = [], operationId } of described) {
      const headers = parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name);
      const repeatable = REPEATABLE.includes(operationId);
      const expected =
        method === 'POST'
          ? repeatable
            ? []
            : ['Idempotency-Key']
          : method === 'PATCH'
            ? ['If-Match']
            : method === 'PUT'
              ? ['If-Match', 'If-None-Match']
              : [];
      expect(headers, operationId).toEqual(expected);
    }
  });
});

it('has every code and status in docs/api.md', async () => {
  const text = await readFile('docs/api.md', 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \| (\d{3}) \| (.+) \|$/gm)].map(([, code, status, when]) => [
    code,
    status,
    when,
  ]);
  expect(rows).toEqual(Object.entries(PROBLEMS).map(([code, { status, when }]) => [code, String(status), when]));
});
