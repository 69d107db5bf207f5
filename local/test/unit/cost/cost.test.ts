import { expect, test } from 'vitest';
import { costOf, difference } from '../../../cost/cost.ts';
import type { Prices } from '../../../cost/prices.ts';
import { Meter } from '../../../kernel/meter.ts';

const prices: Prices = {
  fargate: { vcpuHour: 0.04, gbHour: 0.004, diskGbHour: 0.0001, spot: 0.3 },
  gpu: { hours: { 'g4dn.xlarge': 0.526, 'g5.xlarge': 1.006 }, spot: 0.3 },
  mediaConvert: { sdMinute: 0.01, hdMinute: 0.02, uhdMinute: 0.04, soundMinute: 0.005 },
  lambda: { request: 2e-7, gbSecond: 1.3e-5 },
  s3: { write: 5e-6, read: 4e-7 },
  dynamoDb: { writeUnit: 6e-7, readUnit: 1e-7 },
  sqs: { request: 4e-7 },
  eventBridge: { event: 1e-6 },
  scheduler: { invocation: 3e-6 },
  httpApi: { request: 1.1e-6 },
  address: { hour: 0.005 },
};

const line = (counted: Record<string, number>) => {
  const { lines } = costOf(counted, prices);
  expect(lines).toHaveLength(1);
  return lines[0];
};

test.each([
  ['a million S3 PUTs', { 'request:s3:PutObject': 1e6 }, 'S3 write requests', 5],
  ['lists are as dear as writes', { 'request:s3:ListObjectsV2': 1e6 }, 'S3 write requests', 5],
  ['a million S3 GETs', { 'request:s3:GetObject': 1e6 }, 'S3 read requests', 0.4],
  [
    'Lambda by GB-seconds, of all functions',
    { 'lambda:gb-seconds:a': 5e5, 'lambda:gb-seconds:b': 5e5 },
    'Lambda duration',
    13,
  ],
  ['a million invocations', { 'lambda:requests:a': 1e6 }, 'Lambda requests', 0.2],
  ['DynamoDB writes by request', { 'request:dynamodb:UpdateItem': 1e6 }, 'DynamoDB writes', 0.6],
  ['DynamoDB reads by request', { 'request:dynamodb:Query': 1e6 }, 'DynamoDB reads', 0.1],
  ['a million SQS requests', { 'request:sqs:ReceiveMessage': 1e6 }, 'SQS requests', 0.4],
  ['a million custom events', { 'request:events:PutEvents': 1e6 }, 'EventBridge custom events', 1],
  ['a million API calls', { 'http-api:requests': 1e6 }, 'API Gateway', 1.1],
  ['a million schedules', { 'request:scheduler:CreateSchedule': 1e6 }, 'Scheduler', 3],
  ['a thousand hours of Fargate CPU', { 'batch:vcpu-seconds:FARGATE': 3.6e6 }, 'Fargate CPU', 40],
  ['on Spot', { 'batch:vcpu-seconds:FARGATE_SPOT': 3.6e6 }, 'Fargate Spot CPU', 12],
  ['a thousand GB-hours of memory', { 'batch:gb-seconds:FARGATE': 3.6e6 }, 'Fargate memory', 4],
  ['a thousand GB-hours of disk', { 'batch:ephemeral-gb-seconds': 3.6e6 }, 'Fargate disk', 0.1],
  ['an hour of MediaConvert in HD', { 'mediaconvert:seconds:hd': 3600 }, 'MediaConvert HD', 1.2],
  ['a thousand hours with an address', { 'batch:ipv4-seconds': 3.6e6 }, 'Public addresses', 5],
])('%s', (_title, counted, what, usd) => {
  const found = line(counted);
  expect(found?.what).toBe(what);
  expect(found?.usd).toBeCloseTo(usd, 6);
});

test('DynamoDB requests are not charged again where their units were counted', () => {
  const { usd, unpriced } = costOf({ 'dynamodb:write-units': 2e6, 'request:dynamodb:PutItem': 1e6 }, prices);
  expect(usd).toBeCloseTo(1.2, 6);
  expect(unpriced).toEqual(['request:dynamodb:PutItem']);
});

test('free and unknown lines are listed', () => {
  expect(
    costOf({ 'request:s3:DeleteObjects': 5, 'lambda:cold-starts:a': 1, 'batch:vcpu-seconds:SPOT': 9 }, prices),
  ).toEqual({
    usd: 0,
    lines: [],
    unpriced: ['batch:vcpu-seconds:SPOT', 'lambda:cold-starts:a', 'request:s3:DeleteObjects'],
  });
});

test('the most expensive line is first, and the total is the sum of all', () => {
  const { usd, lines } = costOf({ 'request:sqs:SendMessage': 1e6, 'request:s3:PutObject': 1e6 }, prices);
  expect(lines.map(({ what }) => what)).toEqual(['S3 write requests', 'SQS requests']);
  expect(usd).toBeCloseTo(5.4, 6);
});

test('a run is the difference of two snapshots', () => {
  const meter = new Meter();
  meter.add('a', 2);
  meter.add('b', 1);
  const before = meter.snapshot();
  meter.add('a', 3);
  meter.add('c', 4);
  expect(difference(before, meter.snapshot())).toEqual({ a: 3, c: 4 });
});
