import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { Clock } from '../../kernel/clock.ts';
import { AwsError, type ServiceRequest } from '../../kernel/service.ts';
import { createDynamoDb, type DynamoDb } from '../../services/dynamodb/dynamodb.ts';
import type { TableConfiguration } from '../../services/dynamodb/template.ts';

export const TABLE_ARN = 'arn:aws:dynamodb:us-east-1:123456789012:table/media';
export const STREAM_ARN = `${TABLE_ARN}/stream/2026-01-01T00:00:00.000`;

export const TABLE: TableConfiguration = {
  name: 'media',
  arn: TABLE_ARN,
  streamArn: STREAM_ARN,
  properties: {
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
      { AttributeName: 'todo', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'todo',
        KeySchema: [{ AttributeName: 'todo', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
    TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
  },
};

export interface Fixture {
  dir: string;
  clock: Clock;
  dynamodb: DynamoDb;
  /** Each check that was asked for, as `dynamodb:GetItem arn`. */
  checks: string[];
  log: string[];
  /** A request as the gateway passes it on. `may` false: no permission. */
  send(operation: string, input: object, may?: boolean): Promise<{ status: number; body: Record<string, unknown> }>;
}

export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'dropreel-dynamodb-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export async function boot(
  dir: string,
  table: TableConfiguration = TABLE,
  indexLag?: (table: string) => number,
  transactionTime?: () => number,
): Promise<Fixture> {
  const clock = new Clock();
  const log: string[] = [];
  const checks: string[] = [];
  const options = { tables: [table], indexLag, transactionTime };
  const dynamodb = await createDynamoDb({ dir, clock, log: (line) => log.push(line) }, options);
  onTestFinished(() => dynamodb.close());
  return {
    dir,
    clock,
    dynamodb,
    checks,
    log,
    async send(operation, input, may = true) {
      const streams = /Stream|Shard|Records/.test(operation);
      const request: ServiceRequest = {
        requestId: 'r',
        method: 'POST',
        path: '/',
        query: new URLSearchParams(),
        headers: { 'x-amz-target': `${streams ? 'DynamoDBStreams' : 'DynamoDB'}_20120810.${operation}` },
        body: Readable.from([Buffer.from(JSON.stringify(input))]),
        principal: { type: 'developer' },
        authorize({ action, resource }) {
          checks.push(`${action} ${resource}`);
          if (!may) throw new AwsError('AccessDenied', 403, `may not ${action}`);
        },
      };
      const response = await dynamodb.handle(request).catch((error) => {
        if (error instanceof AwsError) return dynamodb.renderError(error, 'r');
        throw error;
      });
      const body = response.body ?? '';
      const json = typeof body === 'string' ? body : body instanceof Readable ? await text(body) : String(body);
      return { status: response.status, body: JSON.parse(json) };
    },
  };
}

export const item = (pk: string, more: object = {}) => ({ pk: { S: pk }, sk: { S: 'MEDIA' }, ...more });
export const key = (pk: string) => ({ pk: { S: pk }, sk: { S: 'MEDIA' } });

/** Polls until the value is there. */
export async function until<T>(probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const value = await probe();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not come to be within 10 s');
}
