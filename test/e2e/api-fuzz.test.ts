import { BatchClient } from '@aws-sdk/client-batch';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { apply } from '../../aws/table.ts';
import { problemCodesOf } from '../../core/api/openapi.ts';
import type { Operation } from '../../core/api/operation.ts';
import { OPERATIONS } from '../../core/api/operations.ts';
import { ApiEnv } from '../../core/contracts/env.ts';
import { Problem } from '../../core/contracts/problems.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow, MediaState } from '../../core/contracts/table/media.ts';
import { connectBatchCpu } from '../../engines/batch/films.ts';
import { BatchEnv } from '../../engines/batch/names.ts';
import { Engines } from '../../engines/registry.ts';
import { type Api, createApi } from '../../functions/api/app.ts';
import { REGION } from '../../local/kernel/account.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { testCloud } from '../support/cloud.ts';

/** Requests in all, from the schemas and mutated. */
const REQUESTS = 5200;
const SECONDS = 300;

let booted: Awaited<ReturnType<typeof testCloud>>;
let api: Api;
/** Ids that exist, so that the fuzz comes past the 404s. */
const known: Record<string, string[]> = { media: [], collections: ['default'], webhooks: [] };

/** The handler's own code against the local S3, SQS and table, without the process of a Lambda between. */
beforeAll(async () => {
  booted = await testCloud();
  const { cloud } = booted;
  const client = { endpoint: cloud.endpoint, region: REGION, credentials: cloud.credentials };
  const { outputs } = cloud;
  const env = ApiEnv.parse({
    TABLE_NAME: outputs.Table,
    UPLOADS_BUCKET: outputs.UploadsBucket,
    MEDIA_BUCKET: outputs.MediaBucket,
    PUBLISH_QUEUE_URL: outputs.PublishQueueUrl,
    INGEST_QUEUE_URL: outputs.IngestQueueUrl,
    TRACK_QUEUE_URL: outputs.TrackQueueUrl,
    CHANGE_QUEUE_URL: outputs.WebhookQueueUrl,
    WEBHOOK_QUEUE_URL: outputs.WebhookQueueUrl,
    WORKER_LOG_GROUP: '/dropreel/worker',
    DELIVERY_URL: cloud.deliveryUrl,
    MAX_API_UPLOAD_BYTES: 200_000_000,
    MAX_UPLOAD_BYTES: 53_687_091_200,
    ALLOWED_CONTENT_TYPES: 'video/*,audio/*',
    MAX_ATTEMPTS: 2,
    GRACE_HOURS: 24,
    // Quotas have tests of their own: here no request may be refused by one.
    MAX_UPLOADS_PER_DAY: 1_000_000,
    MAX_MINUTES_PER_DAY: 1_000_000,
    JWT_SCOPE_CLAIMS: 'scope',
    JWT_CREATOR_CLAIMS: 'username',
    JWT_CREATOR_SCOPES: 'dropreel/creator',
    JWT_OPERATOR_SCOPES: 'dropreel/operator',
  });
  const batch = BatchEnv.parse({
    JOB_QUEUE: outputs.JobQueue,
    RETRANSCODE_JOB_QUEUE: outputs.RetranscodeJobQueue,
    ON_DEMAND_JOB_QUEUE: outputs.OnDemandJobQueue,
    JOB_VCPUS: 4,
    JOB_DEFINITION: outputs.JobDefinition,
    COMPUTE_ENVIRONMENTS: 'none',
    MAX_WORKERS: 16,
    JOB_BUCKET: outputs.MediaBucket,
  });
  const batchClient = new BatchClient(client);
  const table = { client: developerClients(cloud).table, name: env.TABLE_NAME };
  const s3 = new S3Client({ ...client, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' });
  api = createApi({
    env,
    table,
    s3,
    sqs: new SQSClient(client),
    cloudwatch: new CloudWatchClient(client),
    engines: new Engines({ 'batch-cpu': connectBatchCpu(batch, { submitting: batchClient, others: batchClient, s3 }) }),
  });
  const id = async (path: string, body: object) => {
    const answer = await send(request('POST', path, { body: JSON.stringify(body) }));
    return z.object({ id: z.string() }).parse(JSON.parse(answer.body)).id;
  };
  for (const size of [10, 70_000_000]) {
    known.media?.push(await id('/uploads', { fileName: 'a.mp4', size, contentType: 'video/mp4' }));
  }
  await id('/collections', { id: 'default' });
  known.webhooks?.push(await id('/webhooks', { url: 'https://example.com/' }));
  for (const state of ['ready', 'failed', 'retranscoding'] as const) {
    const row = mediaRow(state, env.UPLOADS_BUCKET);
    known.media?.push(row.mediaId);
    await apply(table, [{ op: 'put', key: rowKeys.media(row.mediaId), row }]);
  }
});
afterAll(() => booted[Symbol.asyncDispose]());

/** A media with two published versions, whatever its state. */
function mediaRow(state: MediaState, bucket: string): MediaRow {
  const mediaId = state.replace(/[^a-z]/g, '').padEnd(26, 'a');
  const at = new Date().toISOString();
  const source = { bucket, key: 'drop/ada/default/a.mp4', sequencer: '1', size: 10, etag: '"e"' };
  const version = (n: number) => ({
    version: n,
    jobId: `${mediaId}-${n}`,
    publishedAt: at,
    outputs: { master: `ada/hls/${mediaId}/master.m3u8` },
    renditions: [],
    preset: { name: 'standard', version: 1 },
    bytes: 5,
  });
  return {
    type: 'media',
    mediaId,
    creatorId: 'ada',
    collectionId: 'default',
    owner: 'ada',
    collection: 'ada#default',
    title: 'A',
    state,
    seq: 1,
    source,
    jobCount: 2,
    attempts: 0,
    current: version(2),
    previous: { ...version(1), expiresAt: new Date(Date.now() + 3_600_000).toISOString() },
    scheduleRetranscode: false,
    createdAt: at,
    updatedAt: at,
  };
}

interface Fuzzed {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
  body: string | undefined;
  claims: Record<string, unknown> | null;
}

const OPERATOR = { username: 'ada', scope: 'dropreel/creator dropreel/operator' };

function request(method: string, path: string, more: Partial<Fuzzed> = {}): Fuzzed {
  return {
    method,
    path,
    query: '',
    headers: { 'content-type': 'application/json' },
    body: undefined,
    claims: OPERATOR,
    ...more,
  };
}

async function send(fuzzed: Fuzzed) {
  const event = {
    version: '2.0',
    routeKey: '$default',
    rawPath: fuzzed.path,
    rawQueryString: fuzzed.query,
    headers: fuzzed.headers,
    requestContext: {
      accountId: '1',
      apiId: 'a',
      domainName: 'api.example.com',
      domainPrefix: 'api',
      http: {
        method: fuzzed.method,
        path: fuzzed.path,
        protocol: 'HTTP/1.1',
        sourceIp: '192.0.2.1',
        userAgent: 'fuzz',
      },
      requestId: 'fuzz',
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: Date.now(),
      ...(fuzzed.claims && { authorizer: { jwt: { claims: fuzzed.claims, scopes: null } } }),
    },
    ...(typeof fuzzed.body === 'string' && { body: fuzzed.body }),
    isBase64Encoded: false,
  } as unknown as APIGatewayProxyEventV2;
  const { statusCode = 0, headers = {}, body = '' } = await api(event, {} as Context);
  return { status: statusCode, headers, body };
}

/** What no pattern would hit upon by chance. */
const LIKELY: Readonly<Record<string, fc.Arbitrary<unknown>[]>> = {
  contentType: [fc.constantFrom('video/mp4', 'audio/mpeg')],
  url: [fc.constantFrom('https://example.com/hook', 'https://127.0.0.1/', 'http://example.com/')],
  creatorId: [fc.constantFrom('ada', 'eve'), fc.constant(undefined)],
  partNumbers: [fc.constantFrom([1], [1, 2, 5])],
  cursor: [fc.constant(undefined)],
};

/** Values for a JSON Schema as zod writes it; only what our schemas use. */
function fromSchema(schema: Record<string, unknown>): fc.Arbitrary<unknown> {
  const {
    type,
    properties,
    required = [],
    items,
  } = schema as {
    type?: string | string[];
    properties?: Record<string, Record<string, unknown>>;
    required?: string[];
    items?: Record<string, unknown>;
  };
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  if (typeof schema.pattern === 'string') return fc.stringMatching(new RegExp(schema.pattern), { size: 'small' });
  if (schema.format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  switch (type) {
    case 'object': {
      const entries = Object.entries(properties ?? {}).map(
        ([name, value]) => [name, fc.oneof(...(LIKELY[name] ?? []), fromSchema(value))] as const,
      );
      return fc.record(Object.fromEntries(entries), { requiredKeys: required });
    }
    case 'array':
      return fc.array(fromSchema(items ?? {}), { maxLength: 5 });
    case 'string':
      return fc.string({
        minLength: Number(schema.minLength ?? 0),
        maxLength: Math.min(Number(schema.maxLength ?? 40), 40),
        unit: 'grapheme',
      });
    case 'integer':
    case 'number':
      return fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 300_000_000 }));
    case 'boolean':
      return fc.boolean();
    default:
      return fc.jsonValue();
  }
}

function schemaOf(schema: z.ZodType): Record<string, unknown> {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;
  const definitions = json.$defs as Record<string, Record<string, unknown>> | undefined;
  return typeof json.$ref === 'string' ? (definitions?.[json.$ref.split('/').at(-1) ?? ''] ?? {}) : json;
}

/** Anything that a client could put in the place of a right value. */
const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '../..',
    '%00',
    '%',
    '\ud800',
    '1e999',
    -1,
    2 ** 53,
    1e308,
    null,
    [],
    {},
    '__proto__',
  ),
  fc.string({ unit: 'binary', maxLength: 300 }),
);

function requestOf(operation: Operation): fc.Arbitrary<Fuzzed> {
  const tag = operation.tag === 'Uploads' ? 'media' : operation.tag.toLowerCase();
  const own = fc.constantFrom(...(known[tag] ?? ['x']), 'nothing');
  const parameter = (name: string, schema: z.ZodType) =>
    fc.oneof(
      { weight: 6, arbitrary: name === 'id' ? own : fc.constant(`${known.media?.[0]}-1`) },
      { weight: 3, arbitrary: fromSchema(schemaOf(schema)).map((value) => encodeURIComponent(String(value))) },
      { weight: 1, arbitrary: anything.map((value) => encodeURIComponent(String(value)) || '%') },
    );
  const params = Object.entries(operation.params?.shape ?? {}).map(([name, schema]) =>
    fc.tuple(fc.constant(name), parameter(name, schema)),
  );
  const path = fc
    .tuple(...params)
    .map((pairs) => pairs.reduce((text, [name, value]) => text.replace(`{${name}}`, () => value), operation.path));
  const query = operation.query
    ? fc.oneof(
        { weight: 3, arbitrary: fromSchema(schemaOf(operation.query)) },
        { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...Object.keys(operation.query.shape), 'x'), anything) },
      )
    : fc.constant({});
  const valid = operation.body ? fromSchema(schemaOf(operation.body)) : fc.constant(undefined);
  const mutated = fc.tuple(valid, fc.string({ maxLength: 10 }), anything).map(([value, name, other]) => {
    if (typeof value !== 'object' || value === null) return other;
    const names = Object.keys(value);
    const target = names[name.length % Math.max(names.length, 1)] ?? name;
    return { ...value, [name.length > 7 ? name : target]: other };
  });
  const body = fc.oneof(
    { weight: 5, arbitrary: valid.map((value) => value && JSON.stringify(value)) },
    { weight: 4, arbitrary: mutated.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  );
  const headers = fc.record(
    {
      'content-type': fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom('application/json', 'application/json; charset=utf-8') },
        { weight: 1, arbitrary: fc.constantFrom('text/plain', '') },
      ),
      'idempotency-key': fc.oneof(
        fc.constantFrom('a', 'b', 'c'),
        fc.string({ minLength: 1, maxLength: 300, unit: 'grapheme-ascii' }),
      ),
      'if-match': fc.constantFrom('*', '"x"', 'W/"x"', ''),
      'webhook-id': fc.constantFrom('m', ''),
      'webhook-timestamp': fc.constantFrom('0', 'x', String(Math.floor(Date.now() / 1000))),
      'webhook-signature': fc.constantFrom('v1,x', 'v1', ''),
    },
    { requiredKeys: [] },
  );
  const claims = fc.oneof(
    { weight: 12, arbitrary: fc.constant<Fuzzed['claims']>(OPERATOR) },
    { weight: 4, arbitrary: fc.constant({ username: 'eve', scope: 'dropreel/creator' }) },
    { weight: 1, arbitrary: fc.constantFrom(null, {}, { scope: 'dropreel/creator', sub: '../x' }) },
  );
  const method = fc.oneof(
    { weight: 30, arbitrary: fc.constant(operation.method) },
    { weight: 1, arbitrary: fc.constantFrom('HEAD', 'PUT', 'OPTIONS', 'TRACE', 'GET', 'POST') },
  );
  return fc
    .record({ method, path, query, headers, body, claims })
    .map((parts) => ({ ...parts, query: asQuery(parts.query), body: parts.body }) as Fuzzed);
}

function asQuery(query: unknown): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    search.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  return search.toString();
}

it(`the API answers ${REQUESTS} requests made from its schemas, and mutated ones, as documented and never with a 5xx`, {
  timeout: SECONDS * 1000,
}, async () => {
  const statuses = new Map<number, number>();
  const operations = Object.values<Operation>(OPERATIONS);
  const perOperation = Math.ceil(REQUESTS / operations.length);
  const fuzz = (operation: Operation) =>
    fc.assert(
      fc.asyncProperty(requestOf(operation), async (fuzzed) => {
        const { status, headers, body } = await send(fuzzed);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        // oembed.com, 2.3: 501 is the answer to a format that is not served.
        if (fuzzed.path !== '/oembed' || status !== 501) expect(status, body).toBeLessThan(500);
        if (status >= 400) {
          expect(headers['content-type']).toBe('application/problem+json');
          const { code } = Problem.parse(JSON.parse(body));
          if (fuzzed.method === operation.method && !['not_found', 'method_not_allowed'].includes(code)) {
            expect(problemCodesOf(operation)).toContain(code);
          }
        } else if (fuzzed.method === operation.method) {
          expect(status).toBe(operation.status);
          if (operation.answer) operation.answer.parse(JSON.parse(body));
          else expect(body).toBe('');
        }
      }),
      { numRuns: perOperation, seed: 20_261_121, endOnFailure: true },
    );
  const removes = ({ method }: Operation) => method === 'DELETE';
  // What those delete is there for the others.
  await Promise.all(operations.filter((operation) => !removes(operation)).map(fuzz));
  await Promise.all(operations.filter(removes).map(fuzz));
  const total = [...statuses.values()].reduce((sum, count) => sum + count, 0);
  console.log('fuzz:', total, Object.fromEntries(statuses));
  expect(total).toBeGreaterThanOrEqual(5000);
  // A fuzz that is refused all the time would prove little.
  expect((statuses.get(200) ?? 0) + (statuses.get(201) ?? 0) + (statuses.get(202) ?? 0)).toBeGreaterThan(total / 10);
});
