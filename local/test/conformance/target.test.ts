/** Nothing runs against AWS by accident. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { account, emulator } from './target.ts';

afterEach(() => vi.unstubAllEnvs());

test.for([
  'https://sqs.us-east-1.amazonaws.com',
  'https://bucket.s3.amazonaws.com',
  'https://s3.cn-north-1.amazonaws.com.cn',
  'https://sqs.us-east-1.api.aws',
])('%s is not an emulator', (url) => {
  expect(() => emulator(url)).toThrow('--account');
});

test('an emulator is selected by its URL', () => {
  expect(emulator('http://127.0.0.1:5000').endpoint).toBe('http://127.0.0.1:5000');
});

test('credentials of an account other than the named one are refused', async () => {
  const calls: (string | string[] | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    calls.push(headers['x-amz-target']);
    response.end(JSON.stringify({ Arn: 'arn:aws:events:us-east-1:111122223333:event-bus/default' }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'a');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b');
  await expect(account('123456789012')).rejects.toThrow('the credentials are those of 111122223333');
  await expect(account('111122223333')).resolves.toEqual({ region: 'us-east-1', maxAttempts: 1 });
  expect(calls).toEqual(['AWSEvents.DescribeEventBus', 'AWSEvents.DescribeEventBus']);
  server.close();
});
