import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { busReporter } from '../../../../containers/transcoder/bus-reporter.ts';
import { reportProgress } from '../../../../containers/transcoder/progress.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('no progress of a job is reported before its worker begins, and then its heartbeat starts', async () => {
  const told: string[] = [];
  const client = new EventBridgeClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  client.middlewareStack.add(
    () => async (args) => {
      told.push(JSON.stringify(args.input));
      return { output: { $metadata: {}, Entries: [{ EventId: '1' }], FailedEntryCount: 0 }, response: {} };
    },
    { step: 'initialize' },
  );
  const job = { jobId: 'abcdefghijklmnopqrstuvwxyz-1', engineJobId: 'e-1', attempt: 1 };
  const progress = reportProgress(busReporter(client, 'bus'), job);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toEqual([]);
  progress.at('pulling', 0);
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(31_000);
  expect(told).toHaveLength(2);
  await progress.close();
});
