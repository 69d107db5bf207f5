import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TerminateJobCommand } from '@aws-sdk/client-batch';
import { afterEach, expect, test } from 'vitest';
import { killLeftovers, startChild } from '../../../services/batch/child.ts';
import { type BatchEvent, eventually, startWorld, type World } from '../../support/batch-world.ts';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

test.each([
  'close',
  'crash',
] as const)('after a %s, queued jobs go on and the running one has lost its host', async (how) => {
  world = await startWorld({ definition: { RetryStrategy: { Attempts: 2 } } });
  const { submit, until, dir } = world;
  const hold = join(dir, 'go');
  const running = await submit({ HOLD: hold });
  const queued = await submit({ HOLD: hold });
  await until(running, 'RUNNING');
  await world.restart(how);
  await world.release(hold);
  const job = await until(running, 'SUCCEEDED');
  expect(job.attempts?.map(({ statusReason }) => statusReason)).toEqual([
    'Your Spot Task was interrupted.',
    'Essential container in task exited',
  ]);
  expect((await until(queued, 'SUCCEEDED')).attempts).toHaveLength(1);
});

test('a job that was being terminated when the cloud stopped is not run again', async () => {
  world = await startWorld({ definition: { RetryStrategy: { Attempts: 3 } } });
  const { submit, until, dir, client } = world;
  const id = await submit({ HOLD: join(dir, 'never') });
  await until(id, 'RUNNING');
  // It ignores SIGTERM, so the termination is still under way when the cloud ends.
  await client.send(new TerminateJobCommand({ jobId: id, reason: 'not wanted' }));
  expect((await world.describe(id)).status).toBe('RUNNING');
  await world.restart('crash');
  expect(await until(id, 'FAILED')).toMatchObject({ statusReason: 'not wanted', isTerminated: true });
});

test('dependencies and arrays survive a restart', async () => {
  world = await startWorld();
  const { submit, until, dir } = world;
  const first = await submit({ HOLD: join(dir, 'go') }, { retryStrategy: { attempts: 2 } });
  const array = await submit({}, { arrayProperties: { size: 2 }, dependsOn: [{ jobId: first }] });
  await until(first, 'RUNNING');
  await world.restart('crash');
  expect((await world.describe(`${array}:1`)).status).toBe('PENDING');
  await world.release(join(dir, 'go'));
  await until(array, 'SUCCEEDED');
});

test('an event that the bus refused is delivered later, and the events of a job stay in order', async () => {
  const told: string[] = [];
  let refusals = 2;
  world = await startWorld({
    emit: async (event: BatchEvent) => {
      const { status } = event.detail as { status: string };
      if (status === 'STARTING' && refusals-- > 0) throw new Error('the bus is down');
      told.push(status);
    },
  });
  await world.until(await world.submit(), 'SUCCEEDED');
  await eventually(() => told.includes('SUCCEEDED'), 'all events are told');
  expect(told).toEqual(['RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED']);
});

test('an event that the bus had not accepted before a crash is delivered after it', async () => {
  const told: string[] = [];
  let up = false;
  world = await startWorld({
    emit: async (event: BatchEvent) => {
      if (!up) throw new Error('the bus is down');
      told.push((event.detail as { status: string }).status);
    },
  });
  await world.until(await world.submit(), 'SUCCEEDED');
  await world.restart('crash');
  up = true;
  await eventually(() => told.includes('SUCCEEDED'), 'all events are told');
  expect(told).toEqual(['RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED']);
});

test('no child process outlives the cloud', async () => {
  world = await startWorld();
  const id = await world.submit({ HOLD: join(world.dir, 'never') });
  await world.until(id, 'RUNNING');
  const running = join(world.dir, 'state/running');
  const pid = Number((await readFile(join(running, id), 'utf8')).split(' ')[0]);
  await world.batch.close();
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  expect(await readdir(running)).toEqual([]);
});

test('processes that a killed cloud left running are killed with their children when the next cloud starts', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'leftovers-'));
  try {
    const child = await startChild({
      command: ['sh', '-c', 'sleep 600 & wait'],
      cwd: dir,
      environment: { PATH: process.env.PATH ?? '' },
      logFile: join(dir, 'log'),
      pidFile: join(dir, 'job'),
    });
    await rm(join(dir, 'log'));
    expect(await killLeftovers(dir)).toBe(1);
    expect(await child.exited).toBe(137);
    expect(await readdir(dir)).toEqual([]);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('another process that has the process id of a dead job is not killed', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'leftovers-'));
  const other = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    await writeFile(join(dir, 'job'), `${other.pid} ${boot}:1`);
    expect(await killLeftovers(dir)).toBe(0);
    expect(other.exitCode ?? other.signalCode).toBeNull();
  } finally {
    other.kill('SIGKILL');
    await once(other, 'exit');
    await rm(dir, { recursive: true });
  }
});
