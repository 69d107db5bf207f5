import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { createCloudWatch } from '../../../services/cloudwatch/service.ts';

const NOW = Date.UTC(2026, 10, 28);
const SECONDS = NOW / 1000;

/** GetMetricData of the ages of messages in these queues; that of `full` has a message of 90 s ago. */
async function ages(queues: string[], { metric = 'ApproximateAgeOfOldestMessage', start = SECONDS - 600 } = {}) {
  const service = createCloudWatch([], {
    sns: { publish: async () => {} } as never,
    sqs: { oldestIn: (name) => (name === 'full' ? NOW - 90_000 : undefined) },
    clock: { now: () => NOW, iso: () => new Date(NOW).toISOString() },
    log: () => {},
  });
  const MetricDataQueries = queues.map((Value, i) => ({
    Id: `q${i}`,
    MetricStat: {
      Metric: { Namespace: 'AWS/SQS', MetricName: metric, Dimensions: [{ Name: 'QueueName', Value }] },
      ...{ Period: 60, Stat: 'Maximum' },
    },
  }));
  const answer = await service.handle({
    ...{ requestId: 'r', method: 'POST', path: '/', query: new URLSearchParams() },
    headers: { 'x-amz-target': 'GraniteServiceVersion20100801.GetMetricData' },
    body: Readable.from([Buffer.from(JSON.stringify({ MetricDataQueries, StartTime: start, EndTime: SECONDS }))]),
    authorize: () => {},
  } as unknown as Parameters<typeof service.handle>[0]);
  return JSON.parse(String(answer.body)).MetricDataResults as { Id: string; Values: number[] }[];
}

it('the age of the oldest message of a queue is measured, and there is none of an empty one', async () => {
  expect((await ages(['full', 'empty'])).map(({ Id, Values }) => [Id, Values])).toEqual([
    ['q0', [90]],
    ['q1', []],
  ]);
});

it('another metric is refused, because nothing measures it here', async () => {
  await expect(ages(['full'], { metric: 'NumberOfMessagesSent' })).rejects.toThrow(/ApproximateAgeOfOldestMessage/);
});

it('a time that ends before it begins is refused', async () => {
  await expect(ages(['full'], { start: SECONDS + 1 })).rejects.toThrow('StartTime has to be before EndTime');
});
