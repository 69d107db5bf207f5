import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { createCalls } from '../../gateway/calls.ts';
import { startGateway } from '../../gateway/gateway.ts';
import { scopeText, signingKey, signRequest } from '../../gateway/signature.ts';
import { type CredentialStore, createCredentials } from '../../iam/credentials.ts';
import { createPolicies, type RolePolicies } from '../../iam/policies.ts';
import { type Credentials, REGION } from '../../kernel/account.ts';
import { Clock } from '../../kernel/clock.ts';
import { Meter } from '../../kernel/meter.ts';
import type { EmitEvent } from '../../kernel/service.ts';
import type { BucketConfiguration } from '../../services/s3/model.ts';
import { createS3, type S3 } from '../../services/s3/s3.ts';
import { type ClientOptions, OTHER } from '../conformance/target.ts';

/** What a case talks to. */
export interface Target {
  endpoint: string;
  s3: S3Client;
  client(config?: S3ClientConfig): S3Client;
  /** A bucket without versions, and one with. */
  plain: string;
  versioned: string;
  /** A key, or prefix, that no other case uses. */
  key(name?: string): string;
  /** A signed request without the SDK's additions. */
  raw(options: RawRequest): Promise<RawAnswer>;
}

export interface RawRequest {
  method: string;
  bucket: string;
  key?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: string;
  /** Instead of the body's SHA-256. */
  payloadHash?: string;
}

export interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** Of an error. */
  code: string | undefined;
}

export type Emitted = Parameters<EmitEvent>[0];

export interface LocalS3 extends AsyncDisposable {
  endpoint: string;
  s3: S3;
  clock: Clock;
  emitted: Emitted[];
  credentials: CredentialStore;
  developer: Credentials;
  directory: string;
  log: string[];
}

export const bucketOf = (name: string, more: Partial<BucketConfiguration> = {}): BucketConfiguration => ({
  name,
  arn: `arn:aws:s3:::${name}`,
  versioned: false,
  eventBridge: false,
  lifecycle: [],
  cors: [],
  ...more,
});

/** Our gateway and S3 in this process. `directory` is one of an earlier start; it is kept then. */
export async function startS3(options: {
  buckets: BucketConfiguration[];
  roles?: RolePolicies[];
  directory?: string;
  emit?: EmitEvent;
}): Promise<LocalS3> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 's3-')));
  const clock = new Clock();
  const emitted: Emitted[] = [];
  const log: string[] = [];
  const emit: EmitEvent = options.emit ?? (async (event) => void emitted.push(event));
  const s3 = await createS3(
    { dir: directory, clock, log: (line) => log.push(line) },
    { buckets: options.buckets, emit },
  );
  s3.start();
  const credentials = await createCredentials(directory);
  const gateway = await startGateway({
    services: [s3.service],
    credentials,
    calls: createCalls({ policies: createPolicies({ roles: options.roles ?? [] }), meter: new Meter() }),
    log: (line) => log.push(line),
  });
  return {
    endpoint: gateway.endpoint,
    s3,
    clock,
    emitted,
    credentials,
    developer: credentials.issue({ type: 'developer' }),
    directory,
    log,
    [Symbol.asyncDispose]: async () => {
      await gateway.close();
      await s3.close();
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

export async function openTarget(): Promise<Target & AsyncDisposable> {
  const run = randomBytes(4).toString('hex');
  const [plain, versioned] = [`conformance-${run}-plain`, `conformance-${run}-versioned`];
  const local = OTHER
    ? undefined
    : await startS3({ buckets: [bucketOf(plain), bucketOf(versioned, { versioned: true })] });
  const options: ClientOptions = OTHER ?? {
    endpoint: local?.endpoint ?? '',
    region: REGION,
    ...(local && { credentials: local.developer }),
    maxAttempts: 1,
  };
  const client = (config: S3ClientConfig = {}) => new S3Client({ ...options, forcePathStyle: true, ...config });
  const s3 = client();
  const endpoint = options.endpoint ?? process.env.AWS_ENDPOINT_URL ?? `https://s3.${REGION}.amazonaws.com`;
  if (OTHER) await makeBuckets(s3, plain, versioned);
  let keys = 0;
  return {
    endpoint,
    s3,
    client,
    plain,
    versioned,
    key: (name = '') => `${++keys}/${name}`,
    raw: async (request) => sendRaw(endpoint, await s3.config.credentials(), request),
    [Symbol.asyncDispose]: async () => {
      if (OTHER) await Promise.all([plain, versioned].map((bucket) => removeBucket(s3, bucket)));
      s3.destroy();
      await local?.[Symbol.asyncDispose]();
    },
  };
}

async function makeBuckets(s3: S3Client, plain: string, versioned: string): Promise<void> {
  for (const Bucket of [plain, versioned]) await s3.send(new CreateBucketCommand({ Bucket }));
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  // An S3 without versions fails where a case needs them.
  await s3.send(new PutBucketVersioningCommand({ Bucket: versioned, VersioningConfiguration })).catch(() => undefined);
}

async function removeBucket(s3: S3Client, Bucket: string): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    const left = [...Versions, ...DeleteMarkers];
    if (left.length === 0) break;
    await Promise.all(left.map(({ Key, VersionId }) => s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }))));
  }
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
  for (const { Key, UploadId } of Uploads) await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
}

async function sendRaw(
  endpoint: string,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  { method, bucket, key = '', query = {}, headers = {}, body = '', payloadHash }: RawRequest,
): Promise<RawAnswer> {
  const url = new URL(endpoint);
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = { date: time.slice(0, 8), region: REGION, service: 's3' };
  const hash = payloadHash ?? createHash('sha256').update(body).digest('hex');
  const sent: Record<string, string> = {
    host: url.host,
    'x-amz-date': time,
    'x-amz-content-sha256': hash,
    ...(sessionToken && { 'x-amz-security-token': sessionToken }),
    ...headers,
  };
  if (headers['transfer-encoding'] === undefined) sent['content-length'] ??= String(Buffer.byteLength(body));
  const path = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  const signedHeaders = Object.keys(sent)
    .filter((name) => name !== 'transfer-encoding')
    .sort();
  const signature = signRequest(
    { method, path, query: Object.entries(query), headers: sent, signedHeaders, payloadHash: hash },
    signingKey(secretAccessKey, scope),
    scope,
    time,
  );
  sent.authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scopeText(scope)}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  const search = new URLSearchParams(query).toString().replaceAll('+', '%20');
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: url.hostname, port: url.port, method, path: search ? `${path}?${search}` : path, headers: sent },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1];
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, code });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** An error of the SDK as what matters of it: `403 AccessDenied`. Anything else is thrown on. */
export async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'no error';
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    return `${error.$metadata.httpStatusCode} ${error.name}`;
  }
}
