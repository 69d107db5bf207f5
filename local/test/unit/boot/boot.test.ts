import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { lockDirectory } from '../../../boot/lock.ts';
import { bootCloud, checkFree } from '../../../boot.ts';
import { developer, type SmallAssembly, smallCloud, writeAssembly } from '../../support/small-cloud.ts';

const QUEUE: SmallAssembly = {
  resources: { Queue: { Type: 'AWS::SQS::Queue' } },
  outputs: { Url: { Value: { Ref: 'Queue' } } },
};

describe('a state directory', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'dropreel-lock-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test('belongs to one cloud at a time', async () => {
    const lock = await lockDirectory(directory);
    await expect(lockDirectory(directory)).rejects.toThrow(
      `${directory} is in use by another local cloud (process ${process.pid}).`,
    );
    await lock.release();
    await (await lockDirectory(directory)).release();
  });

  test('that a dead process has locked is taken over', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    await writeFile(join(directory, 'lock'), `${child.pid} 1 x\n`);
    await (await lockDirectory(directory)).release();
  });

  // Only Linux tells when a process was started.
  test.skipIf(process.platform !== 'linux')(
    'is taken over when another process has the process id of the dead one',
    async () => {
      await writeFile(join(directory, 'lock'), `${process.pid} 1 x\n`);
      await (await lockDirectory(directory)).release();
    },
  );

  test('is locked by exactly one of several processes that try at once', async () => {
    await writeFile(join(directory, 'lock'), '999999999 1 x\n');
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lockDirectory(directory)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

test('a template with unsupported resources is refused with every reason, and leaves nothing behind', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'dropreel-boot-'));
  const assembly = join(directory, 'cdk.out');
  await writeAssembly(assembly, {
    resources: {
      Fifo: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } },
      Misspelled: { Type: 'AWS::SQS::Queue', Properties: { VisibiltyTimeout: 5 } },
      Rule: { Type: 'AWS::Events::Rule', Properties: { EventPattern: { source: [{ prefx: 'a' }] } } },
    },
  });
  const stateDir = join(directory, 'state');
  await expect(bootCloud({ assembly, stateDir, port: 0 })).rejects.toMatchObject({
    problems: [
      'Fifo.FifoQueue: FIFO queues are not served',
      'Misspelled.VisibiltyTimeout: this property of AWS::SQS::Queue is not served',
      'Rule: Event pattern is not valid. Reason: "source" unrecognized match type prefx',
    ],
  });
  await expect(readFile(join(stateDir, 'lock'))).rejects.toThrow();
  await rm(directory, { recursive: true });
});

test('two clouds run side by side', async () => {
  await using one = await smallCloud(QUEUE, { port: 0 });
  await using other = await smallCloud(QUEUE, { port: 0 });
  expect(one.cloud.endpoint).not.toBe(other.cloud.endpoint);
  await one.sqs.send(new SendMessageCommand({ QueueUrl: one.cloud.outputs.Url, MessageBody: 'x' }));
  const { Messages } = await other.sqs.send(new ReceiveMessageCommand({ QueueUrl: other.cloud.outputs.Url }));
  expect(Messages).toBeUndefined();
});

test.each([
  ['made by it', false],
  ['found readable by all', true],
])('a state directory %s is readable by its user only', async (_, found) => {
  const directory = await mkdtemp(join(tmpdir(), 'dropreel-boot-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const stateDir = join(directory, 'state');
  if (found) await mkdir(stateDir).then(() => chmod(stateDir, 0o755));
  await using _small = await smallCloud(QUEUE, { port: 0, stateDir });
  expect((await stat(stateDir)).mode & 0o777).toBe(0o700);
});

test("a cloud accepts its own developer's credentials only", async () => {
  await using one = await smallCloud(QUEUE, { port: 0 });
  await using other = await smallCloud(QUEUE, { port: 0 });
  const send = new SendMessageCommand({ QueueUrl: one.cloud.outputs.Url, MessageBody: 'x' });
  await expect(one.sqs.send(send)).resolves.toMatchObject({ MessageId: expect.any(String) });
  const guesses = [other.cloud.credentials, { accessKeyId: 'dropreel', secretAccessKey: 'dropreel' }];
  for (const credentials of guesses) {
    const stranger = new SQSClient({ ...developer(one.cloud), credentials });
    await expect(stranger.send(send)).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
  }
});

test('a directory or port in use is reported without a boot', async () => {
  await using small = await smallCloud(QUEUE);
  const port = Number(new URL(small.cloud.endpoint).port);
  const stateDir = join(small.directory, 'another');
  await expect(checkFree({ stateDir: small.cloud.stateDir, port: 0 })).rejects.toThrow('is in use by another local');
  await expect(checkFree({ stateDir, port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken.`);
  const open = { address: '192.0.2.1', port: 8080, url: 'http://192.0.2.1:8080' };
  await expect(checkFree({ stateDir, port: 0, open })).rejects.toThrow('192.0.2.1 is not an address of this machine.');
  // It leaves no lock behind.
  await checkFree({ stateDir, port: 0 });
  await checkFree({ stateDir, port: 0 });
});

test('a port that is in use is named in the error', async () => {
  await using one = await smallCloud(QUEUE, { port: 0 });
  const port = Number(new URL(one.cloud.endpoint).port);
  await expect(smallCloud(QUEUE, { port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken.`);
});

test('a cloud listens on loopback only', async () => {
  await using small = await smallCloud(QUEUE, { port: 0 });
  expect(small.cloud.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

test('after a crash the queues contain every acknowledged message, at the same URL', async () => {
  await using small = await smallCloud(QUEUE);
  const QueueUrl = small.cloud.outputs.Url;
  const bodies = Array.from({ length: 20 }, (_, i) => `message ${i}`);
  await Promise.all(bodies.map((MessageBody) => small.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }))));
  // Received, but not deleted: its consumer is gone with the crash.
  await small.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  await small.crashAndRestart();
  expect(small.cloud.outputs.Url).toBe(QueueUrl);
  const found: string[] = [];
  for (let i = 0; i < 2; i++) {
    const { Messages = [] } = await small.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    found.push(...Messages.map(({ Body = '' }) => Body));
  }
  expect(found.sort()).toEqual(bodies.sort());
});

test("a boot with another template than the state directory's reports which data CloudFormation would leave behind", async () => {
  const bucket = (name: string): SmallAssembly => ({
    resources: { Films: { Type: 'AWS::S3::Bucket', UpdateReplacePolicy: 'Retain', Properties: { BucketName: name } } },
  });
  await using small = await smallCloud(bucket('films'));
  await small.crashAndRestart();
  const told = () => small.log.filter((line) => line.startsWith('template: '));
  expect(told()).toEqual([]);
  await writeAssembly(join(small.directory, 'cdk.out'), bucket('movies'));
  await small.crashAndRestart();
  const line =
    'template: DATA: CloudFormation would make a new, empty Films (AWS::S3::Bucket) (another BucketName), and keep the old one with its data, which the stack then no longer manages';
  expect(told()).toEqual([line]);
  await small.crashAndRestart();
  expect(told()).toEqual([line]);
});
