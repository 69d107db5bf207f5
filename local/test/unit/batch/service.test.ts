import { readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CancelJobCommand,
  DescribeSchedulingPoliciesCommand,
  ListJobsCommand,
  TerminateJobCommand,
} from '@aws-sdk/client-batch';
import { afterEach, expect, test } from 'vitest';
import { AwsError } from '../../../kernel/service.ts';
import { eventually, type Options, printed, startWorld, type World } from '../../support/batch-world.ts';

let world: World;
const start = async (options?: Options) => {
  world = await startWorld(options);
  return world;
};
afterEach(() => world.close());

test('a job passes through every state in order and sends an event for each but the first', async () => {
  const { submit, until, events } = await start();
  const id = await submit();
  const job = await until(id, 'SUCCEEDED');
  expect(job.statusReason).toBe('Essential container in task exited');
  expect(job.container?.exitCode).toBe(0);
  await expect
    .poll(() => events.map(({ detail }) => (detail as { status: string }).status))
    .toEqual(['RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED']);
  expect(events[0]).toMatchObject({
    source: 'aws.batch',
    'detail-type': 'Batch Job State Change',
    resources: [`arn:aws:batch:us-east-1:123456789012:job/${id}`],
  });
});

test.each([
  'NODE_OPTIONS',
  'NODE_PATH',
  'LD_PRELOAD',
  'LD_LIBRARY_PATH',
  'DYLD_INSERT_LIBRARIES',
  'PATH',
  'HOME',
  'TMPDIR',
  'FFMPEG_PATH',
  'FFPROBE_PATH',
  'AWS_ENDPOINT_URL_S3',
  'ld_preload',
  'dropreel_JOB',
  'BASH_ENV',
  '',
])('a submission that sets %j is refused', async (name) => {
  const { submit, client } = await start({
    slots: 0,
    container: { Environment: [{ Name: 'NODE_OPTIONS', Value: '--max-old-space-size=512' }] },
  });
  const overrides = { containerOverrides: { environment: [{ name, value: '--import=data:text/javascript,1' }] } };
  await expect(submit({}, overrides)).rejects.toMatchObject({
    name: 'ClientException',
    message: `${name} may not be set on a local job: name it in the job definition, or DROPREEL_…`,
  });
  expect((await client.send(new ListJobsCommand({ jobQueue: 'plain', jobStatus: 'RUNNABLE' }))).jobSummaryList).toEqual(
    [],
  );
});

test('a submission may set variables of the job definition, and a directory stays on the disk of the job', async () => {
  const { submit, until, reports, dir } = await start();
  const report = join(dir, 'report');
  const environment = [
    { name: 'DROPREEL_REPORT', value: report },
    { name: 'SCRATCH_DIR', value: '/../../../outside' },
  ];
  const id = await submit({}, { containerOverrides: { environment } });
  await until(id, 'SUCCEEDED');
  const [{ env }] = (await reports(report)) as [Awaited<ReturnType<World['reports']>>[number]];
  expect(env.SCRATCH_DIR).toBe(join(dir, 'state/disks', id, 'outside'));
});

test('the entry point runs in the build context with the environment of job definition, overrides, AWS Batch and role', async () => {
  const { submit, until, reports, dir, batch } = await start();
  const report = join(dir, 'report');
  const id = await submit({ REPORT: report });
  await until(id, 'SUCCEEDED');
  const [{ env, argv, cwd }] = (await reports(report)) as [Awaited<ReturnType<World['reports']>>[number]];
  expect(cwd).toBe(join(dir, 'image'));
  expect(argv).toEqual(['from-cmd']);
  const { PATH, HOME, TMPDIR, FFMPEG_PATH, FFPROBE_PATH, ...rest } = env;
  expect(rest).toEqual({
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    DROPREEL_REPORT: report,
    SCRATCH_DIR: join(dir, 'state/disks', id, 'scratch'),
    AWS_BATCH_JOB_ID: id,
    AWS_BATCH_JOB_ATTEMPT: '1',
    AWS_BATCH_JQ_NAME: 'plain',
    AWS_BATCH_CE_NAME: 'spot',
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_ACCESS_KEY_ID: 'key of arn:aws:iam::123456789012:role/worker',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'token',
  });
  expect(await readFile(batch.logFile(id), 'utf8')).toBe('started\n');
});

test('a program that ignores SIGTERM is killed 30 s later', async () => {
  const { submit, until, clock, client, dir } = await start();
  const id = await submit({ HOLD: join(dir, 'never') });
  await until(id, 'RUNNING');
  await printed(world, id, 'started');
  await client.send(new TerminateJobCommand({ jobId: id, reason: 'no longer wanted' }));
  expect((await world.describe(id)).status).toBe('RUNNING');
  clock.advance(30_000);
  const job = await until(id, 'FAILED');
  expect(job).toMatchObject({ statusReason: 'no longer wanted', isTerminated: true, container: { exitCode: 137 } });
});

test('processes that the entry point has started are killed with it', async () => {
  const { submit, until, batch, dir } = await start({
    container: { Command: ['-e', SPAWN_SLEEP] },
    entrypoint: '["node"]',
  });
  const pidFile = join(dir, 'sleep.pid');
  const id = await submit({ PID_FILE: pidFile });
  await until(id, 'RUNNING');
  await eventually(async () => (await readFile(pidFile, 'utf8').catch(() => '')) !== '', 'the grandchild runs');
  const pid = Number(await readFile(pidFile, 'utf8'));
  expect(isAlive(pid)).toBe(true);
  await batch.kill(id, 'SIGKILL');
  await eventually(() => !isAlive(pid), 'the grandchild is gone');
});

test('a program that ends at once ends its job', async () => {
  const { submit, until } = await start({ entrypoint: '["true"]' });
  const ids = await Promise.all(Array.from({ length: 20 }, () => submit()));
  for (const id of ids) expect((await until(id, 'SUCCEEDED')).container?.exitCode).toBe(0);
});

test('a program that cannot be started fails the job, and the reason names it', async () => {
  const { submit, until } = await start({ entrypoint: '["/no/such/program"]' });
  const job = await until(await submit(), 'FAILED');
  expect(job.statusReason).toBe('Task failed to start');
  expect(job.container?.reason).toBe('CannotStartContainerError: spawn /no/such/program ENOENT');
});

test.each([
  { cause: 'SIGKILL', statusReason: 'Essential container in task exited', exitCode: 137, reason: undefined },
  {
    cause: 'out-of-memory',
    statusReason: 'Essential container in task exited',
    exitCode: 137,
    reason: 'OutOfMemoryError: Container killed due to memory usage',
  },
  { cause: 'host-lost', statusReason: 'Your Spot Task was interrupted.', exitCode: undefined, reason: undefined },
  { cause: 'reclaim', statusReason: 'Your Spot Task was interrupted.', exitCode: 143, reason: undefined },
] as const)('$cause ends an attempt in its own words', async ({ cause, statusReason, exitCode, reason }) => {
  const { submit, until, batch, dir } = await start();
  const id = await submit({ HOLD: join(dir, 'never'), ON_TERM: '143' });
  await until(id, 'RUNNING');
  await printed(world, id, 'started');
  await batch.kill(id, cause);
  const { attempts } = await until(id, 'FAILED');
  expect(attempts).toHaveLength(1);
  expect(attempts?.[0]?.statusReason).toBe(statusReason);
  expect(attempts?.[0]?.container?.exitCode).toBe(exitCode);
  expect(attempts?.[0]?.container?.reason).toBe(reason);
});

test.skipIf(process.platform !== 'linux')('an attempt that uses more memory than its MEMORY is killed', async () => {
  const { submit, until, logs } = await start({
    container: { Command: ['-e', HOLD_256_MIB] },
    entrypoint: '["node"]',
  });
  const limited = (MiB: string) => ({
    containerOverrides: { resourceRequirements: [{ type: 'MEMORY' as const, value: MiB }] },
  });
  const { attempts } = await until(await submit({}, limited('256')), 'FAILED');
  expect(attempts).toHaveLength(1);
  expect(attempts?.[0]).toMatchObject({
    statusReason: 'Essential container in task exited',
    container: { exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
  });
  expect(logs.at(-1)).toMatch(/ is killed for its memory: \d+ of 256 MiB$/);
});

test('the reason of a lost host on EC2 names the host', async () => {
  const { submit, until, batch, dir } = await start({ computeType: 'SPOT' });
  const id = await submit({ HOLD: join(dir, 'never') });
  await until(id, 'RUNNING');
  await batch.kill(id, 'host-lost');
  expect((await until(id, 'FAILED')).statusReason).toMatch(/^Host EC2 \(instance i-[0-9a-f]+\) terminated\.$/);
});

test('a job keeps its disk when an attempt is killed, and loses it with its host', async () => {
  const { submit, until, batch, dir } = await start({ definition: { RetryStrategy: { Attempts: 3 } } });
  const id = await submit({ HOLD: join(dir, 'go') });
  const scratch = join(dir, 'state/disks', id, 'scratch');
  const running = async (attempt: number) => {
    await eventually(async () => (await world.describe(id)).attempts?.length === attempt - 1, `attempt ${attempt}`);
    await until(id, 'RUNNING');
  };
  await running(1);
  await writeFile(join(scratch, 'checkpoint'), '1');
  await batch.kill(id, 'SIGKILL');
  await running(2);
  expect(await readdir(scratch)).toEqual(['checkpoint']);
  await batch.kill(id, 'host-lost');
  await running(3);
  expect(await readdir(scratch)).toEqual([]);
  await world.release(join(dir, 'go'));
  await until(id, 'SUCCEEDED');
  await eventually(async () => (await readdir(join(dir, 'state/disks'))).length === 0, 'the disk is removed');
});

test('an attempt is billed by its requirements and its wall time, and for at least a minute', async () => {
  const { submit, until, meter } = await start();
  await until(await submit(), 'SUCCEEDED');
  expect(meter.snapshot()).toMatchObject({
    'batch:vcpu-seconds:FARGATE_SPOT': 240,
    'batch:gb-seconds:FARGATE_SPOT': 480,
    'batch:ephemeral-gb-seconds': 4800,
  });
});

test('one job runs at a time by default, and as many as there are slots otherwise', async () => {
  const { submit, until, dir } = await start({ slots: 2 });
  const hold = join(dir, 'go');
  const ids = [await submit({ HOLD: hold }), await submit({ HOLD: hold }), await submit({ HOLD: hold })];
  await until(ids[0] ?? '', 'RUNNING');
  await until(ids[1] ?? '', 'RUNNING');
  expect((await world.describe(ids[2] ?? '')).status).toBe('RUNNABLE');
  await world.release(hold);
  for (const id of ids) await until(id, 'SUCCEEDED');
});

test('a job that requires more vCPUs than the environment can have waits, and its status reason says so', async () => {
  const { submit, until } = await start();
  const id = await submit({}, { containerOverrides: { resourceRequirements: [{ type: 'VCPU', value: '32' }] } });
  expect((await until(id, 'RUNNABLE')).statusReason).toBe('MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE');
});

test('permissions are checked by action and resource', async () => {
  const checks: string[] = [];
  const { submit, until, client } = await start({
    authorize: ({ action, resource }) => checks.push(`${action} ${resource}`),
  });
  const id = await submit({}, { tags: { creator: 'ada' } });
  await until(id, 'SUCCEEDED');
  await client.send(new ListJobsCommand({ jobQueue: 'plain' }));
  await client.send(new TerminateJobCommand({ jobId: id, reason: 'late' }));
  await client.send(new CancelJobCommand({ jobId: id, reason: 'late' }));
  expect([...new Set(checks)]).toEqual([
    'batch:SubmitJob arn:aws:batch:us-east-1:123456789012:job-definition/worker:1',
    'batch:SubmitJob arn:aws:batch:us-east-1:123456789012:job-queue/plain',
    'batch:TagResource arn:aws:batch:us-east-1:123456789012:job/*',
    'batch:DescribeJobs *',
    'batch:ListJobs *',
    `batch:TerminateJob arn:aws:batch:us-east-1:123456789012:job/${id}`,
    `batch:CancelJob arn:aws:batch:us-east-1:123456789012:job/${id}`,
  ]);
});

test('a caller without permission gets AccessDeniedException, and no job is created', async () => {
  const { submit, client } = await start({
    authorize: ({ action }) => {
      if (action === 'batch:SubmitJob') throw new AwsError('AccessDeniedException', 403, 'not authorized');
    },
  });
  await expect(submit()).rejects.toMatchObject({ name: 'AccessDeniedException' });
  const { jobSummaryList } = await client.send(
    new ListJobsCommand({ jobQueue: 'plain', filters: [{ name: 'JOB_NAME', values: ['*'] }] }),
  );
  expect(jobSummaryList).toEqual([]);
});

test('an unsupported operation is refused, and the error names it', async () => {
  const { client } = await start();
  await expect(client.send(new DescribeSchedulingPoliciesCommand({ arns: [] }))).rejects.toThrow(
    'POST /v1/describeschedulingpolicies is not served by this local AWS Batch',
  );
});

const SPAWN_SLEEP = `
const { spawn } = require('node:child_process');
const child = spawn('sleep', ['600'], { stdio: 'ignore' });
require('node:fs').writeFileSync(process.env.DROPREEL_PID_FILE, String(child.pid));
setInterval(() => {}, 1000);
`;

/** In a program that the entry point has started. */
const HOLD_256_MIB = `
const { spawn } = require('node:child_process');
spawn(process.execPath, ['-e', 'globalThis.held = Buffer.alloc(2 ** 28, 1); setInterval(() => {}, 1000)'], { stdio: 'ignore' });
setInterval(() => {}, 1000);
`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A zombie that nobody has waited for yet is as dead as can be.
  return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
}
