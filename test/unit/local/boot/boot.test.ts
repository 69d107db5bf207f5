import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockDirectory } from '../../../../local/boot/lock.ts';
import { bootCloud } from '../../../../local/boot.ts';
import { type SmallAssembly, smallCloud, writeAssembly } from '../../../helpers/small-cloud.ts';

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

  test('that a dead process left locked is taken over', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    await writeFile(join(directory, 'lock'), `${child.pid} 1 x\n`);
    await (await lockDirectory(directory)).release();
  });

  test('is taken over when another process has got the number of the dead one', async () => {
    await writeFile(join(directory, 'lock'), `${process.pid} 1 x\n`);
    if (process.platform !== 'linux') return;
    await (await lockDirectory(directory)).release();
  });

  test('is had by one of many that try at once', async () => {
    await writeFile(join(directory, 'lock'), '999999999 1 x\n');
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lockDirectory(directory)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

test('a template that can not be served is refused with every reason, and leaves nothing behind', async () => {
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
      'Rule: Event pattern is not valid. Reason: "source" unrecognized match type prefx',
      'Fifo.FifoQueue: FIFO queues are not served',
      'Misspelled.VisibiltyTimeout: this property of AWS::SQS::Queue is not served',
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

test('a port that is taken is named', async () => {
  await using one = await smallCloud(QUEUE, { port: 0 });
  const port = Number(new URL(one.cloud.endpoint).port);
  await expect(smallCloud(QUEUE, { port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken.`);
});

test('a cloud listens on loopback only', async () => {
  await using small = await smallCloud(QUEUE, { port: 0 });
  expect(small.cloud.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

test('after a crash the queues hold what was acknowledged, at the same URL', async () => {
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
