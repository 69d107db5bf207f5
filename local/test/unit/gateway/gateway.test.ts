import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCalls } from '../../../gateway/calls.ts';
import { type Gateway, startGateway } from '../../../gateway/gateway.ts';
import type { GatewayCall, Hooks } from '../../../gateway/hooks.ts';
import { scopeText, signingKey, signRequest } from '../../../gateway/signature.ts';
import { type CredentialStore, createCredentials } from '../../../iam/credentials.ts';
import { createPolicies } from '../../../iam/policies.ts';
import { jsonError, jsonResponse, readBody } from '../../../kernel/aws-json.ts';
import { Meter } from '../../../kernel/meter.ts';
import { AwsError, type Service } from '../../../kernel/service.ts';

const ROLE = { type: 'role', arn: 'arn:aws:iam::123456789012:role/writer' } as const;
const DOCUMENT = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::bucket/*' }],
};

/** Keeps the last body of each key and gives it back; every operation needs `s3:{operation}`. */
function echoS3(): Service {
  const bodies = new Map<string, string>();
  return {
    name: 's3',
    operation({ method }) {
      if (method === 'GET') return 'GetObject';
      if (method === 'PUT') return 'PutObject';
      throw new AwsError('NotImplemented', 501, `The local S3 does not serve ${method}`);
    },
    async handle({ method, path, body, headers, authorize }) {
      const resource = `arn:aws:s3:::${decodeURIComponent(path.slice(1))}`;
      authorize({ action: method === 'PUT' ? 's3:PutObject' : 's3:GetObject', resource });
      if (method !== 'PUT') return { status: 200, body: Readable.from([bodies.get(path) ?? '']) };
      bodies.set(path, await readBody(body));
      return { status: 200, headers: { etag: `"${headers['content-length']}/${headers['content-encoding'] ?? ''}"` } };
    },
    renderError: (error) => ({
      status: error.status,
      headers: { 'content-type': 'application/xml' },
      body: `<Error><Code>${error.code}</Code><Message>${error.message.replaceAll('"', '&quot;')}</Message></Error>`,
    }),
  };
}

const echoSqs: Service = {
  name: 'sqs',
  operation: () => 'SendMessage',
  async handle({ body, authorize }) {
    authorize({ action: 'sqs:SendMessage', resource: 'arn:aws:sqs:us-east-1:123456789012:queue' });
    return jsonResponse('1.0', { MessageId: await readBody(body) });
  },
  renderError: (error) => jsonError('1.0', error),
};

let directory: string;
let gateway: Gateway;
let credentials: CredentialStore;
let meter: Meter;
let hooks: Hooks;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gateway-'));
  credentials = await createCredentials(directory);
  meter = new Meter();
  hooks = {};
  const policies = createPolicies({
    roles: [{ arn: ROLE.arn, name: 'writer', policies: [{ name: 'own', document: DOCUMENT }] }],
  });
  gateway = await startGateway({
    services: [echoS3(), echoSqs],
    credentials,
    calls: createCalls({
      policies,
      meter,
      hooks: { before: (call) => hooks.before?.(call), after: (call) => hooks.after?.(call) },
    }),
    log: () => {},
  });
});
afterEach(async () => {
  await gateway.close();
  await rm(directory, { recursive: true, force: true });
});

const developer = () => credentials.issue({ type: 'developer' });
const s3As = (signer = developer()) =>
  new S3Client({ endpoint: gateway.endpoint, region: 'us-east-1', credentials: signer, maxAttempts: 1 });
const put = (Key: string, Body: string | Readable = 'hello', more = {}) =>
  new PutObjectCommand({ Bucket: 'bucket', Key, Body, ...more });
const stored = async (key: string) => {
  const { Body } = await s3As().send(new GetObjectCommand({ Bucket: 'bucket', Key: key }));
  return Body?.transformToString();
};

describe('bodies of the AWS SDK', () => {
  test.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)('a string with %s', async (algorithm) => {
    await s3As().send(put('key', 'hello', { ChecksumAlgorithm: algorithm }));
    expect(await stored('key')).toBe('hello');
  });

  test.each([
    'CRC32',
    'CRC32C',
    'CRC64NVME',
    'SHA1',
    'SHA256',
  ] as const)('a stream with %s in its trailer', async (algorithm) => {
    const body = Readable.from([Buffer.from('hel'), Buffer.from('lo')]);
    const answer = await s3As().send(put('key', body, { ContentLength: 5, ChecksumAlgorithm: algorithm }));
    expect(await stored('key')).toBe('hello');
    expect(answer.ETag).toBe('"5/"');
  });

  test("the object's own content encoding stays when the framing is removed", async () => {
    const body = Readable.from([Buffer.from('hello')]);
    const answer = await s3As().send(put('key', body, { ContentLength: 5, ContentEncoding: 'gzip' }));
    expect(answer.ETag).toBe('"5/gzip"');
  });

  test.each(['a b+c%d.txt', "ü/日本/🎬'()*!~@&=;:,$.mp4", 'a//b/../c', '%2F'])('the key %s', async (key) => {
    await s3As().send(put(key, key));
    expect(await stored(key)).toBe(key);
  });
});

describe('a caller', () => {
  test('that is a role may do what its policy allows', async () => {
    await s3As(credentials.issue(ROLE)).send(put('key'));
    expect(await stored('key')).toBe('hello');
  });

  test("that is a role gets AWS's text for what it may not do", async () => {
    const call = s3As(credentials.issue(ROLE)).send(new GetObjectCommand({ Bucket: 'bucket', Key: 'key' }));
    await expect(call).rejects.toMatchObject({
      name: 'AccessDenied',
      message:
        'User: arn:aws:sts::123456789012:assumed-role/writer/session is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::bucket/key" because no identity-based policy allows the s3:GetObject action',
    });
  });

  test('without credentials is refused', async () => {
    const answer = await fetch(`${gateway.endpoint}/bucket/key`);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('<Code>AccessDenied</Code><Message>Access Denied</Message>');
  });

  test.each<[string, string, (issued: Required<ReturnType<CredentialStore['issue']>>) => object]>([
    ['another secret', 'SignatureDoesNotMatch', (issued) => ({ ...issued, secretAccessKey: 'guess' })],
    ['an access key that was not issued', 'InvalidAccessKeyId', (issued) => ({ ...issued, accessKeyId: 'ASIAGUESS' })],
    ['no session token', 'InvalidAccessKeyId', ({ sessionToken: _, ...issued }) => issued],
    [
      "another principal's token",
      'InvalidAccessKeyId',
      (issued) => ({ ...issued, sessionToken: credentials.issue({ ...ROLE, arn: `${ROLE.arn}2` }).sessionToken }),
    ],
  ])('%s is %s', async (_, name, change) => {
    const issued = credentials.issue(ROLE) as Required<ReturnType<CredentialStore['issue']>>;
    await expect(s3As(change(issued) as typeof issued).send(put('key'))).rejects.toMatchObject({ name });
  });

  test('with a wrong signature gets another error code from services with JSON protocols', async () => {
    const sqs = new SQSClient({
      endpoint: gateway.endpoint,
      region: 'us-east-1',
      credentials: { ...developer(), secretAccessKey: 'guess' },
      maxAttempts: 1,
    });
    const send = new SendMessageCommand({ QueueUrl: `${gateway.endpoint}/queue`, MessageBody: 'ü' });
    await expect(sqs.send(send)).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  });

  test('whose request was signed 16 minutes ago gets RequestTimeTooSkewed, and 14 minutes ago is accepted', async () => {
    const client = (minutes: number) =>
      new S3Client({
        endpoint: gateway.endpoint,
        region: 'us-east-1',
        credentials: developer(),
        systemClockOffset: minutes * 60_000,
        maxAttempts: 1,
      });
    await expect(client(-16).send(put('key'))).rejects.toMatchObject({ name: 'RequestTimeTooSkewed' });
    await expect(client(-14).send(put('key'))).resolves.toMatchObject({ ETag: '"5/"' });
  });
});

describe('presigned URLs', () => {
  const presign = (secondsAgo: number, signer = credentials.issue(ROLE)) =>
    getSignedUrl(s3As(signer), put('a key', ''), {
      expiresIn: 60,
      signingDate: new Date(Date.now() - secondsAgo * 1000),
    });
  const upload = async (url: string) => {
    const answer = await fetch(url, { method: 'PUT', body: 'hello' });
    return { status: answer.status, text: await answer.text() };
  };

  test('have the permissions of their signer until they expire', async () => {
    expect((await upload(await presign(50))).status).toBe(200);
    expect(await stored('a key')).toBe('hello');
    expect(await upload(await presign(62))).toMatchObject({
      status: 403,
      text: expect.stringContaining('Request has expired'),
    });
  });

  test.each<[string, (url: string) => string]>([
    ['another key', (url) => url.replace('a%20key', 'b%20key')],
    ['a longer life', (url) => url.replace('X-Amz-Expires=60', 'X-Amz-Expires=600')],
    ['another parameter', (url) => `${url}&versionId=1`],
  ])('are refused for %s', async (_, change) => {
    expect((await upload(change(await presign(0)))).text).toContain('SignatureDoesNotMatch');
  });

  test('live for a week at most', async () => {
    const url = (await presign(0)).replace('X-Amz-Expires=60', 'X-Amz-Expires=604801');
    expect((await upload(url)).text).toContain('AuthorizationQueryParametersError');
  });

  test('are refused with x-amz- headers that they do not sign', async () => {
    const answer = await fetch(await presign(0), { method: 'PUT', body: 'x', headers: { 'x-amz-acl': 'public-read' } });
    expect(await answer.text()).toContain('There were headers present in the request which were not signed');
  });
});

describe('a request that a web page can send without a preflight', () => {
  const HASH = createHash('sha256').update('{}').digest('hex');
  /** To SQS, signed by the developer, who may do everything. */
  async function send(headers: Record<string, string>) {
    const { accessKeyId, secretAccessKey } = developer();
    const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
    const scope = { date: time.slice(0, 8), region: 'us-east-1', service: 'sqs' };
    const { host } = new URL(gateway.endpoint);
    const signed = { host, 'x-amz-date': time };
    const signedHeaders = Object.keys(signed);
    const signature = signRequest(
      { method: 'POST', path: '/', query: [], headers: signed, signedHeaders, payloadHash: HASH },
      signingKey(secretAccessKey, scope),
      scope,
      time,
    );
    const credential = `${accessKeyId}/${scopeText(scope)}`;
    const response = await fetch(gateway.endpoint, {
      method: 'POST',
      headers: {
        'x-amz-date': time,
        authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`,
        ...headers,
      },
      body: '{}',
    });
    return response.status;
  }

  test.each([
    'application/json',
    'application/x-amz-json-1.0',
    'application/x-amz-json-1.1; charset=utf-8',
  ])('with a body of %s, which SDKs send, is accepted', async (type) => {
    expect(await send({ 'content-type': type })).toBe(200);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain; application/json',
  ])('with a body of %s is refused, though it is signed', async (type) => {
    expect(await send({ 'content-type': type })).toBe(415);
    expect(meter.snapshot()).toEqual({});
  });

  test('that is presigned for another service than S3 is refused', async () => {
    const url = new URL(gateway.endpoint);
    url.search = new URLSearchParams({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `${developer().accessKeyId}/20261121/us-east-1/sqs/aws4_request`,
      'X-Amz-Date': '20261121T000000Z',
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Signature': '0',
    }).toString();
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('no presigned requests')]);
  });
});

describe('an unsupported request', () => {
  test('to an unknown service is refused by name', async () => {
    const answer = await fetch(`${gateway.endpoint}/`, {
      headers: {
        'x-amz-date': '20261121T000000Z',
        authorization:
          'AWS4-HMAC-SHA256 Credential=dropreel/20261121/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0',
      },
    });
    expect(answer.status).toBe(501);
    expect(await answer.text()).toContain('the local cloud does not serve kms');
  });

  test('with a signature of version 2 is refused, and version 4 is named', async () => {
    const answer = await fetch(`${gateway.endpoint}/bucket/key?AWSAccessKeyId=dropreel&Signature=x&Expires=9999999999`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('Please use AWS4-HMAC-SHA256.');
  });

  test('of an unknown operation is refused by name', async () => {
    const answer = await fetch(`${gateway.endpoint}/bucket`, { method: 'PATCH' });
    expect(answer.status).toBe(501);
    expect(await answer.text()).toContain('<Code>NotImplemented</Code>');
  });
});

describe('faults and counting', () => {
  test('each call is counted, and numbered by its operation', async () => {
    const seen: GatewayCall[] = [];
    hooks.before = (call) => void seen.push(call);
    await s3As(credentials.issue(ROLE)).send(put('key'));
    await stored('key');
    await s3As().send(put('key'));
    expect(seen.map(({ invocation: _, request: __, ...call }) => call)).toEqual([
      { service: 's3', operation: 'PutObject', principal: ROLE, n: 1 },
      { service: 's3', operation: 'GetObject', principal: { type: 'developer' }, n: 1 },
      { service: 's3', operation: 'PutObject', principal: { type: 'developer' }, n: 2 },
    ]);
    expect(new Set(seen.map(({ invocation }) => invocation)).size).toBe(3);
    expect(meter.snapshot()).toEqual({ 'request:s3:PutObject': 2, 'request:s3:GetObject': 1 });
  });

  test('a fault before the call prevents it, and one after it loses the answer only', async () => {
    const slowDown = new AwsError('SlowDown', 503, 'Please reduce your request rate.');
    hooks.before = ({ operation, n }) => {
      if (operation === 'PutObject' && n === 1) throw slowDown;
    };
    await expect(s3As().send(put('key', 'first'))).rejects.toMatchObject({ name: 'SlowDown' });
    expect(await stored('key')).toBe('');
    hooks.after = ({ operation, n }) => {
      if (operation === 'PutObject' && n === 2) throw slowDown;
    };
    await expect(s3As().send(put('key', 'second'))).rejects.toMatchObject({ name: 'SlowDown' });
    expect(await stored('key')).toBe('second');
  });

  test('the connection of a refused upload can be used again', async () => {
    hooks.before = () => {
      throw new AwsError('SlowDown', 503, 'Please reduce your request rate.');
    };
    await expect(s3As().send(put('key', 'x'.repeat(5_000_000)))).rejects.toMatchObject({ name: 'SlowDown' });
    hooks = {};
    await s3As().send(put('key', 'after'));
    expect(await stored('key')).toBe('after');
  });

  test('a client that disconnects in the middle does not affect others', async () => {
    const half = request(`${gateway.endpoint}/bucket/key`, { method: 'PUT', headers: { 'content-length': '100' } });
    half.on('error', () => {});
    half.write('half');
    await new Promise<void>((resolve) => half.once('socket', (socket) => socket.once('connect', () => resolve())));
    half.destroy();
    await s3As().send(put('key', 'whole'));
    expect(await stored('key')).toBe('whole');
  });
});
