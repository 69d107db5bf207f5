import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type Options, startWorld, type World } from './setup.ts';

let world: World;
const start = async (options?: Options) => {
  world = await startWorld(options);
  return world;
};
afterEach(() => world.close());

test('a job passes through every state in order and tells each but the submission', async () => {
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

test('the entry point runs in the build context with the environment of job definition, overrides, Batch and role', async () => {
  const { submit, until, reports, dir, batch } = await start();
  const report = join(dir, 'report');
  const id = await submit({ REPORT: report });
  await until(id, 'SUCCEEDED');
  const [{ env, argv, cwd }] = (await reports(report)) as [Awaited<ReturnType<World['reports']>>[number]];
  expect(cwd).toBe(join(dir, 'image'));
  expect(argv).toEqual(['from-cmd']);
  const { PATH, HOME, TMPDIR, FFMPEG_PATH, FFPROBE_PATH, ...rest } = env;
  expect(rest).toEqual({
    REPORT: report,
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
