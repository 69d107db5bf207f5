import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Throttle } from '../../../../cli/archive/throttle.ts';

const LIMITS = { maxCpuPercent: 15, maxIoWaitPercent: 5 };
const [BUSY, IDLE] = [
  { cpu: 80, ioWait: 0 },
  { cpu: 2, ioWait: 0 },
];
const WHY = 'other processes use 80 % of the processors, above 15 %';

/** `T`: stopped by a signal; proc(5). */
async function isStopped(pid: number): Promise<boolean> {
  return /^State:\s*T/m.test(await readFile(`/proc/${pid}/status`, 'utf8'));
}

/** Resolves when a process is, or is not, stopped: a signal acts a little later than it is sent. */
async function until(pid: number, stopped: boolean): Promise<void> {
  while ((await isStopped(pid)) !== stopped) await new Promise((resolve) => setImmediate(resolve));
}

async function sleeping(): Promise<{ pid: number } & AsyncDisposable> {
  const child = spawn('sleep', ['600']);
  await once(child, 'spawn');
  const ended = once(child, 'close');
  return {
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const linux = process.platform === 'linux';

test.runIf(linux)('a process is stopped while the machine is busy, and goes on after it', async () => {
  await using first = await sleeping();
  await using second = await sleeping();
  const told: (string | undefined)[] = [];
  const loads = [IDLE, BUSY, BUSY, IDLE];
  const throttle = new Throttle(
    LIMITS,
    (reason) => told.push(reason),
    async () => loads.shift(),
  );
  throttle.add(first.pid);
  await throttle.look();
  expect(await isStopped(first.pid)).toBe(false);
  await throttle.look();
  await until(first.pid, true);
  // One that begins meanwhile waits too.
  throttle.add(second.pid);
  await until(second.pid, true);
  await throttle.look();
  await throttle.look();
  await Promise.all([until(first.pid, false), until(second.pid, false)]);
  expect(told).toEqual([WHY, undefined]);
});

test.runIf(linux)('at the end what was stopped goes on', async () => {
  await using child = await sleeping();
  const end = new AbortController();
  const throttle = new Throttle(
    LIMITS,
    () => {},
    async () => BUSY,
  );
  throttle.add(child.pid);
  await throttle.look();
  await until(child.pid, true);
  end.abort();
  await throttle.run(end.signal);
  await until(child.pid, false);
});

test.runIf(linux)('a process that has ended is no error', async () => {
  const child = await sleeping();
  const told: (string | undefined)[] = [];
  const throttle = new Throttle(
    LIMITS,
    (reason) => told.push(reason),
    async () => BUSY,
  );
  throttle.add(child.pid);
  await child[Symbol.asyncDispose]();
  await throttle.look();
  expect(told).toEqual([WHY]);
});

test.runIf(linux)('a process that ended is not stopped by its id, which may be of another now', async () => {
  await using child = await sleeping();
  const throttle = new Throttle(
    LIMITS,
    () => {},
    async () => BUSY,
  );
  throttle.add(child.pid)();
  await throttle.look();
  await using stopped = await sleeping();
  throttle.add(stopped.pid);
  // The signal to the first would have been sent before.
  await until(stopped.pid, true);
  expect(await isStopped(child.pid)).toBe(false);
});
