import { expect, test } from 'vitest';
import { isRetried } from '../../../services/batch/retry.ts';

const failed = (
  container: { exitCode?: number; reason?: string },
  statusReason = 'Essential container in task exited',
) => ({
  container: { ...container, networkInterfaces: [] as [] },
  stoppedAt: 0,
  statusReason,
});

test('a failed attempt is retried until the attempts are used up', () => {
  const strategy = { attempts: 3, evaluateOnExit: [] };
  const attempt = failed({ exitCode: 1 });
  expect(isRetried(strategy, [attempt])).toBe(true);
  expect(isRetried(strategy, [attempt, attempt])).toBe(true);
  expect(isRetried(strategy, [attempt, attempt, attempt])).toBe(false);
});

test.each([
  {
    title: 'an exit code that an entry names ends the job',
    entry: { action: 'EXIT', onExitCode: '65' },
    attempt: failed({ exitCode: 65 }),
    retried: false,
  },
  {
    title: 'an exit code is matched by its beginning',
    entry: { action: 'EXIT', onExitCode: '1*' },
    attempt: failed({ exitCode: 137 }),
    retried: false,
  },
  {
    title: 'another exit code matches nothing, so it is retried',
    entry: { action: 'EXIT', onExitCode: '65' },
    attempt: failed({ exitCode: 6 }),
    retried: true,
  },
  {
    title: 'an exit code is matched as a whole without a wildcard',
    entry: { action: 'EXIT', onExitCode: '6' },
    attempt: failed({ exitCode: 65 }),
    retried: true,
  },
  {
    title: 'onReason * matches an attempt without a reason',
    entry: { action: 'EXIT', onReason: '*' },
    attempt: failed({ exitCode: 1 }),
    retried: false,
  },
  {
    title: 'a reason is matched by its beginning',
    entry: { action: 'EXIT', onReason: 'OutOfMemory*' },
    attempt: failed({ exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' }),
    retried: false,
  },
  {
    title: 'a lost host is matched by its status reason',
    entry: { action: 'EXIT', onStatusReason: 'Host EC2*' },
    attempt: failed({}, 'Host EC2 (instance i-1) terminated.'),
    retried: false,
  },
  {
    title: 'matching is case-sensitive',
    entry: { action: 'EXIT', onStatusReason: 'host ec2*' },
    attempt: failed({}, 'Host EC2 (instance i-1) terminated.'),
    retried: true,
  },
] as const)('$title', ({ entry, attempt, retried }) => {
  expect(isRetried({ attempts: 2, evaluateOnExit: [entry] }, [attempt])).toBe(retried);
});

test('all conditions of an entry must match', () => {
  const entry = { action: 'EXIT', onExitCode: '137', onReason: 'OutOfMemory*' } as const;
  expect(isRetried({ attempts: 2, evaluateOnExit: [entry] }, [failed({ exitCode: 137 })])).toBe(true);
});

test('the first entry that matches decides', () => {
  const evaluateOnExit = [
    { action: 'RETRY', onExitCode: '75' },
    { action: 'EXIT', onReason: '*' },
  ] as const;
  expect(isRetried({ attempts: 2, evaluateOnExit }, [failed({ exitCode: 75 })])).toBe(true);
  expect(isRetried({ attempts: 2, evaluateOnExit }, [failed({ exitCode: 76 })])).toBe(false);
});
