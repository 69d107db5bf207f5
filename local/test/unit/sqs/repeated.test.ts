import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Clock } from '../../../kernel/clock.ts';
import { QueueStore } from '../../../services/sqs/store.ts';

const queueNamed = (name: string) => ({
  name,
  arn: `arn:aws:sqs:us-east-1:123456789012:${name}`,
  url: `http://127.0.0.1/123456789012/${name}`,
  ...{ visibilityTimeout: 180, delay: 0, retention: 345_600, receiveWait: 0, maxMessageSize: 1_048_576 },
});

test('a message of an adverse queue comes once more after it was received and deleted, and not into the dead letters', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'dropreel-queue-'));
  try {
    const [clock, dead] = [new Clock(), queueNamed('dead')];
    const work = { ...queueNamed('work'), redrive: { deadLetterArn: dead.arn, maxReceiveCount: 5 } };
    const always = { holdOf: () => 0, againAfter: () => 1000 };
    const store = await QueueStore.open({ dir, clock, log: () => {} }, [dead, work], always);
    const [from, letters] = [store.byArn(work.arn), store.byArn(dead.arn)];
    if (!from || !letters) throw new Error('no queues');
    await store.send(from, { body: 'x', attributes: {}, sender: 'test', delay: 0 });
    const received: number[] = [];
    for (let i = 0; i < 8; i++) {
      const messages = await store.receive(from, { max: 10, wait: 0, visibility: 180_000 });
      received.push(messages.length);
      for (const { message } of messages) await store.delete(from, message.id);
      const later = new Promise<void>((resolve) => void clock.after(1000, resolve));
      clock.advance(1000);
      await later;
    }
    expect(received).toEqual([1, 1, 0, 0, 0, 0, 0, 0]);
    expect(await store.receive(letters, { max: 10, wait: 0, visibility: 0 })).toEqual([]);
    await store.close();
  } finally {
    await rm(dir, { recursive: true });
  }
});
