import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, onTestFinished, test } from 'vitest';
import { bootCloud } from '../../../boot.ts';
import { writeAssembly } from '../../support/small-cloud.ts';

test("the README's example boots a template with one bucket, and reads an object from it", async () => {
  const readme = await readFile(join(import.meta.dirname, '../../../README.md'), 'utf8');
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const directory = await mkdtemp(join(tmpdir(), 'local-cloud-readme-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeAssembly(join(directory, 'cdk.out'), {
    resources: { Bucket: { Type: 'AWS::S3::Bucket' } },
    outputs: { Bucket: { Value: { Ref: 'Bucket' } } },
  });
  const state = join(directory, '.local-cloud');
  const cloud = await bootCloud({ assembly: join(directory, 'cdk.out'), stateDir: state });
  const s3 = new S3Client({
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    credentials: cloud.credentials,
    forcePathStyle: true,
  });
  await s3.send(new PutObjectCommand({ Bucket: cloud.outputs.Bucket, Key: 'hello.txt', Body: 'hello' }));
  await cloud.close();

  const body = example
    .replaceAll(/^import .*\n/gm, '')
    .replace("'cdk.out'", JSON.stringify(join(directory, 'cdk.out')))
    .replace("'.local-cloud'", JSON.stringify(state))
    .replace('await s3.send(', 'const { Body } = await s3.send(')
    .replace('await cloud.close();', 'const text = await Body.transformToString(); await cloud.close(); return text;');
  const run = new Function('S3Client', 'GetObjectCommand', 'bootCloud', `return (async () => {${body}})()`);
  expect(await run(S3Client, GetObjectCommand, bootCloud)).toBe('hello');
});
