import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteObjectsCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { PurgeQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DeleteCommand, DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { eachLimit } from '../../aws/concurrency.ts';
import type { Table } from '../../aws/table.ts';
import { INDEXES } from '../../core/contracts/table/keys.ts';
import { createCalls } from '../../local/gateway/calls.ts';
import { startGateway } from '../../local/gateway/gateway.ts';
import type { GatewayCall } from '../../local/gateway/hooks.ts';
import { createCredentials } from '../../local/iam/credentials.ts';
import { createPolicies } from '../../local/iam/policies.ts';
import { type Credentials, REGION } from '../../local/kernel/account.ts';
import { Clock } from '../../local/kernel/clock.ts';
import { Meter } from '../../local/kernel/meter.ts';
import type { Service } from '../../local/kernel/service.ts';
import { createDynamoDb } from '../../local/services/dynamodb/dynamodb.ts';
import type { BucketConfiguration } from '../../local/services/s3/model.ts';
import { createS3 } from '../../local/services/s3/s3.ts';
import { createSqs } from '../../local/services/sqs/service.ts';

/** The local S3, DynamoDB and SQS behind a gateway, without a template: for code that is called in this process. */
export interface Services extends AsyncDisposable {
  /** The test's own clients: nothing breaks them. */
  s3: S3Client;
  table: Table;
  sqs: SQSClient;
  /** A client whose calls go through `onCall`. */
  breakable: { s3: S3Client; table: Table; sqs: SQSClient };
  /** Sees each call of a breakable client, before it is done and after; what it throws is the answer. */
  onCall: (moment: 'before' | 'after', call: GatewayCall) => void;
  meter: Meter;
  /** Of the services; the test's own code has the machine's. */
  clock: Clock;
  endpoint: string;
  log: string[];
  /** Applies S3's lifecycle rules now. Returns the number of removals and transitions. */
  runLifecycle: () => Promise<number>;
  /** Of the bucket of uploads; what a test changes of it holds at once, and until the end of the test. */
  uploads: BucketConfiguration;
}

export const UPLOADS = 'uploads';
export const MEDIA = 'media';
export const QUEUES = {
  ingest: queueUrl('ingest'),
  publish: queueUrl('publish'),
  track: queueUrl('track'),
  webhooks: queueUrl('webhooks'),
};
const TABLE_ARN = `arn:aws:dynamodb:${REGION}:123456789012:table/rows`;
/** As in an adverse cloud: long enough for another write to meet it. */
const TRANSACTION_MS = 10;
const BROKEN_ROLE = 'arn:aws:iam::123456789012:role/breakable';

function queueUrl(name: string): string {
  return `http://sqs.${REGION}.localhost/123456789012/${name}`;
}

/** @param more further services behind the same gateway. */
export async function startServices(
  more: (context: { dir: string; clock: Clock; endpoint: () => string }) => Promise<Service[]> = async () => [],
): Promise<Services> {
  const root = await mkdtemp(join(tmpdir(), 'dropreel-services-'));
  const log: string[] = [];
  const clock = new Clock();
  const at = async (name: string) => {
    await mkdir(join(root, name));
    return { dir: join(root, name), clock, log: (line: string) => void log.push(line) };
  };
  const uploads = bucket(UPLOADS, true);
  const buckets = [uploads, bucket(MEDIA, false)];
  const s3 = await createS3(await at('s3'), { buckets, emit: async () => {} });
  const dynamodb = await createDynamoDb(await at('dynamodb'), {
    tables: [table()],
    transactionTime: () => TRANSACTION_MS,
  });
  const sqs = await createSqs(await at('sqs'), Object.keys(QUEUES).map(queue));
  const meter = new Meter();
  const allowed = { name: 'all', document: { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } };
  const services: Partial<Services> = { onCall: () => {} };
  const tell = (moment: 'before' | 'after') => (call: GatewayCall) => {
    if (call.principal.type === 'role') services.onCall?.(moment, call);
  };
  const calls = createCalls({
    policies: createPolicies({ roles: [{ arn: BROKEN_ROLE, name: 'breakable', policies: [allowed] }] }),
    meter,
    hooks: { before: tell('before'), after: tell('after') },
  });
  const credentials = await createCredentials((await at('credentials')).dir);
  let endpoint = '';
  const others = await more({ dir: (await at('more')).dir, clock, endpoint: () => endpoint });
  const gateway = await startGateway({
    services: [s3.service, dynamodb, sqs.service, ...others],
    credentials,
    calls,
    clock,
    log: (line) => log.push(line),
  });
  endpoint = gateway.endpoint;
  const mine = clients(gateway.endpoint, credentials.issue({ type: 'developer' }));
  const breakable = clients(gateway.endpoint, credentials.issue({ type: 'role', arn: BROKEN_ROLE }));
  return Object.assign(services, {
    ...mine,
    breakable,
    meter,
    clock,
    endpoint: gateway.endpoint,
    log,
    uploads,
    runLifecycle: s3.runLifecycle,
    async [Symbol.asyncDispose]() {
      for (const { s3: client, sqs: queues, table: rows } of [mine, breakable]) {
        client.destroy();
        queues.destroy();
        rows.client.destroy();
      }
      sqs.stop();
      await gateway.close();
      await Promise.all([s3.close(), dynamodb.close(), sqs.close()]);
      await rm(root, { recursive: true, force: true });
    },
  }) as Services;
}

/** Removes all objects, rows and messages, and breaks no further call. */
export async function emptyServices(services: Services): Promise<void> {
  const { s3, table, sqs } = services;
  services.onCall = () => {};
  Object.assign(services.uploads, bucket(UPLOADS, true));
  for (const Bucket of [UPLOADS, MEDIA]) {
    for (;;) {
      const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
      const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
      if (Objects.length === 0) break;
      await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    }
  }
  const TableName = table.name;
  for (;;) {
    const { Items = [] } = await table.client.send(new ScanCommand({ TableName, ProjectionExpression: 'pk, sk' }));
    if (Items.length === 0) break;
    await eachLimit(Items, 40, async (Key) => {
      await table.client.send(new DeleteCommand({ TableName, Key }));
    });
  }
  for (const QueueUrl of Object.values(QUEUES)) await sqs.send(new PurgeQueueCommand({ QueueUrl }));
}

function clients(endpoint: string, credentials: Credentials) {
  const options = { endpoint, region: REGION, credentials, maxAttempts: 1 };
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(options), {
    marshallOptions: { removeUndefinedValues: true },
  });
  return {
    s3: new S3Client({ ...options, forcePathStyle: true }),
    sqs: new SQSClient({ ...options, useQueueUrlAsEndpoint: false }),
    table: { client, name: 'rows' },
  };
}

function bucket(name: string, versioned: boolean) {
  return { name, arn: `arn:aws:s3:::${name}`, versioned, eventBridge: false, lifecycle: [], cors: [] };
}

function queue(name: string) {
  const arn = `arn:aws:sqs:${REGION}:123456789012:${name}`;
  const times = { visibilityTimeout: 30, delay: 0, retention: 345_600, receiveWait: 0 };
  return { name, arn, url: queueUrl(name), ...times, maxMessageSize: 1_048_576 };
}

function table() {
  const names = new Set(['pk', 'sk', ...Object.values(INDEXES).flatMap(({ pk, sk }) => [pk, sk])]);
  const keys = (pk: string, sk: string) => [
    { AttributeName: pk, KeyType: 'HASH' as const },
    { AttributeName: sk, KeyType: 'RANGE' as const },
  ];
  return {
    name: 'rows',
    arn: TABLE_ARN,
    streamArn: `${TABLE_ARN}/stream/1`,
    properties: {
      AttributeDefinitions: [...names].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
      KeySchema: keys('pk', 'sk'),
      GlobalSecondaryIndexes: Object.values(INDEXES).map(({ name, pk, sk }) => ({
        IndexName: name,
        KeySchema: keys(pk, sk),
        Projection: { ProjectionType: 'KEYS_ONLY' as const },
      })),
      BillingMode: 'PAY_PER_REQUEST' as const,
    },
  };
}
