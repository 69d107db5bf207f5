import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bucketOf, failure, type LocalS3, startS3 } from '../../support/s3-target.ts';
import { oursOnly } from '../target.ts';

/** Who may call what. The page in each title is under https://docs.aws.amazon.com/, S3's under AmazonS3/latest/. */

oursOnly('the cases give roles and buckets the policies that they try');

const OBJECTS = 'arn:aws:s3:::plain/*';
const BUCKET = 'arn:aws:s3:::plain';
const VERSIONS = 'arn:aws:s3:::versioned/*';
const GUARDED = {
  Statement: [
    {
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Action: 's3:*',
      Resource: ['arn:aws:s3:::guarded', 'arn:aws:s3:::guarded/*'],
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
    { Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::guarded/secret/*' },
    { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::guarded/public/*' },
    {
      Effect: 'Allow',
      Principal: { Service: 'cloudfront.amazonaws.com' },
      Action: 's3:GetObject',
      Resource: 'arn:aws:s3:::guarded/*',
      Condition: { StringEquals: { 'AWS:SourceArn': 'arn:aws:cloudfront::123456789012:distribution/MINE' } },
    },
  ],
};

type Statement = { Action: string | string[]; Resource: string | string[]; Condition?: unknown };
const ROLES: Record<string, Statement[]> = {
  nothing: [],
  reads: [{ Action: 's3:GetObject', Resource: OBJECTS }],
  readsAndLists: [
    { Action: 's3:GetObject', Resource: OBJECTS },
    { Action: 's3:ListBucket', Resource: BUCKET },
  ],
  listsOwn: [{ Action: 's3:ListBucket', Resource: BUCKET, Condition: { StringLike: { 's3:prefix': 'own/*' } } }],
  writes: [{ Action: 's3:PutObject', Resource: OBJECTS }],
  copies: [{ Action: ['s3:PutObject', 's3:GetObject'], Resource: OBJECTS }],
  aborts: [{ Action: ['s3:PutObject', 's3:AbortMultipartUpload'], Resource: OBJECTS }],
  deletes: [{ Action: 's3:DeleteObject', Resource: [`${OBJECTS.slice(0, -1)}own/*`, VERSIONS] }],
  readsCurrent: [{ Action: 's3:GetObject', Resource: VERSIONS }],
  readsGuarded: [{ Action: 's3:GetObject', Resource: 'arn:aws:s3:::guarded/*' }],
};

const arnOf = (name: string) => `arn:aws:iam::123456789012:role/${name}`;

let local: LocalS3;
const clients = new Map<string, S3Client>();
const as = (name: keyof typeof ROLES | 'developer') => clients.get(name) ?? expect.fail(`no client for ${name}`);
const newClient = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
  new S3Client({ endpoint: local.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });

beforeAll(async () => {
  local = await startS3({
    buckets: [bucketOf('plain'), bucketOf('versioned', { versioned: true }), bucketOf('guarded', { policy: GUARDED })],
    roles: Object.entries(ROLES).map(([name, statements]) => ({
      arn: arnOf(name),
      name,
      policies: [{ name, document: { Statement: statements.map((it) => ({ Effect: 'Allow', ...it })) } }],
    })),
  });
  for (const name of Object.keys(ROLES)) {
    clients.set(name, newClient(local.credentials.issue({ type: 'role', arn: arnOf(name) })));
  }
  clients.set('developer', newClient(local.developer));
  for (const Bucket of ['plain', 'versioned', 'guarded']) {
    for (const Key of ['own/a', 'other/a', 'public/a', 'secret/a']) {
      await as('developer').send(new PutObjectCommand({ Bucket, Key, Body: 'hello' }));
    }
  }
});
afterAll(() => local[Symbol.asyncDispose]());

const get = (Key: string, Bucket = 'plain') => new GetObjectCommand({ Bucket, Key });

test('API/API_GetObject: a missing key is 404 for a caller who may list the bucket, and 403 for others', async () => {
  expect(await failure(as('readsAndLists').send(get('missing')))).toBe('404 NoSuchKey');
  expect(await failure(as('reads').send(get('missing')))).toBe('403 AccessDenied');
  const head = new HeadObjectCommand({ Bucket: 'plain', Key: 'missing' });
  expect((await failure(as('reads').send(head))).slice(0, 3)).toBe('403');
  expect((await failure(as('readsAndLists').send(head))).slice(0, 3)).toBe('404');
});

test('IAM/latest/UserGuide/troubleshoot_access-denied: a refusal has the text that AWS gives', async () => {
  await expect(as('nothing').send(get('own/a'))).rejects.toThrow(
    'User: arn:aws:sts::123456789012:assumed-role/nothing/session is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::plain/own/a" because no identity-based policy allows the s3:GetObject action',
  );
});

test('userguide/amazon-s3-policy-keys: ListBucket can be limited to a prefix', async () => {
  const list = (Prefix?: string) => failure(as('listsOwn').send(new ListObjectsV2Command({ Bucket: 'plain', Prefix })));
  expect([await list('own/'), await list('other/'), await list()]).toEqual([
    'no error',
    '403 AccessDenied',
    '403 AccessDenied',
  ]);
});

test('userguide/using-with-s3-policy-actions: a version needs GetObjectVersion, and removing one DeleteObjectVersion', async () => {
  const { VersionId } = await as('developer').send(new HeadObjectCommand({ Bucket: 'versioned', Key: 'own/a' }));
  expect(await failure(as('readsCurrent').send(get('own/a', 'versioned')))).toBe('no error');
  const old = new GetObjectCommand({ Bucket: 'versioned', Key: 'own/a', VersionId });
  expect(await failure(as('readsCurrent').send(old))).toBe('403 AccessDenied');
  const remove = new DeleteObjectCommand({ Bucket: 'versioned', Key: 'own/a', VersionId });
  expect(await failure(as('deletes').send(remove))).toBe('403 AccessDenied');
});

test('API/API_CopyObject: a copy reads its source and writes its target', async () => {
  const copy = new CopyObjectCommand({ Bucket: 'plain', Key: 'copied', CopySource: 'plain/own/a' });
  expect(await failure(as('writes').send(copy))).toBe('403 AccessDenied');
  expect(await failure(as('reads').send(copy))).toBe('403 AccessDenied');
  expect(await failure(as('copies').send(copy))).toBe('no error');
});

test('API/API_CopyObject: a copy from a bucket whose objects may not be read is refused', async () => {
  const copy = new CopyObjectCommand({ Bucket: 'plain', Key: 'copied', CopySource: 'guarded/own/a' });
  expect(await failure(as('copies').send(copy))).toBe('403 AccessDenied');
});

test('userguide/mpuoverview: uploading in parts needs PutObject, aborting AbortMultipartUpload, listing ListMultipartUploadParts', async () => {
  const target = { Bucket: 'plain', Key: 'parts' };
  const { UploadId } = await as('writes').send(new CreateMultipartUploadCommand(target));
  const upload = { ...target, UploadId };
  const { ETag } = await as('writes').send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'x' }));
  expect(await failure(as('writes').send(new ListPartsCommand(upload)))).toBe('403 AccessDenied');
  expect(await failure(as('writes').send(new AbortMultipartUploadCommand(upload)))).toBe('403 AccessDenied');
  const whole = { ...upload, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
  expect(await failure(as('writes').send(new CompleteMultipartUploadCommand(whole)))).toBe('no error');
  const second = await as('aborts').send(new CreateMultipartUploadCommand(target));
  const abort = new AbortMultipartUploadCommand({ ...target, UploadId: second.UploadId });
  expect(await failure(as('aborts').send(abort))).toBe('no error');
});

test('API/API_DeleteObjects: each key is authorized by itself', async () => {
  const Objects = [{ Key: 'own/x' }, { Key: 'other/a' }];
  const got = await as('deletes').send(new DeleteObjectsCommand({ Bucket: 'plain', Delete: { Objects } }));
  expect(got.Deleted?.map(({ Key }) => Key)).toEqual(['own/x']);
  expect(got.Errors?.map(({ Key, Code }) => [Key, Code])).toEqual([['other/a', 'AccessDenied']]);
  expect(await failure(as('developer').send(get('other/a')))).toBe('no error');
});

describe('the policy of a bucket', () => {
  test('IAM/latest/UserGuide/reference_policies_evaluation-logic: denies what an identity policy allows', async () => {
    expect(await failure(as('readsGuarded').send(get('own/a', 'guarded')))).toBe('no error');
    await expect(as('readsGuarded').send(get('secret/a', 'guarded'))).rejects.toThrow(
      'with an explicit deny in a resource-based policy',
    );
  });

  test('userguide/s3-bucket-user-policy-specifying-principal-intro: allows the principals that it names, anonymous ones too', async () => {
    expect(await failure(as('nothing').send(get('public/a', 'guarded')))).toBe('no error');
    expect((await fetch(`${local.endpoint}/guarded/public/a`)).status).toBe(200);
    expect((await fetch(`${local.endpoint}/guarded/own/a`)).status).toBe(403);
  });

  test('AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3: allows a service on behalf of the source that it names', async () => {
    const cloudfront = (id: string) => {
      const sourceArn = `arn:aws:cloudfront::123456789012:distribution/${id}`;
      return newClient(
        local.credentials.issue({ type: 'service', service: 'cloudfront.amazonaws.com', sourceArn }),
      ).send(get('own/a', 'guarded'));
    };
    expect(await failure(cloudfront('MINE'))).toBe('no error');
    expect(await failure(cloudfront('OTHER'))).toBe('403 AccessDenied');
  });
});
