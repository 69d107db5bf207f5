import { join } from 'node:path';
import {
  CancelJobCommand,
  DescribeJobDefinitionsCommand,
  DescribeJobQueuesCommand,
  DescribeJobsCommand,
  ListJobsCommand,
  TerminateJobCommand,
} from '@aws-sdk/client-batch';
import { expect } from 'vitest';
import { arns, eventually } from '../../unit/local/batch/setup.ts';
import {
  ARRAYS,
  CANCEL,
  conforms,
  DEPENDENCIES,
  DETAIL,
  ENVIRONMENT,
  EVENTS,
  LIMITS,
  LIST,
  SUBMIT,
  TERMINATE,
} from './conforms.ts';

conforms('SubmitJob answers with ARN, name and id', SUBMIT, async ({ submit, describe }) => {
  const id = await submit({}, { jobName: 'A-1_b' });
  expect(await describe(id)).toMatchObject({
    jobArn: `arn:aws:batch:us-east-1:123456789012:job/${id}`,
    jobName: 'A-1_b',
    jobQueue: arns.queue,
    jobDefinition: arns.definition,
  });
});

conforms(
  'a job name is up to 128 of A-Z a-z 0-9 - _, and starts with a letter or digit',
  SUBMIT,
  async ({ submit }) => {
    await submit({}, { jobName: 'x'.repeat(128) });
    for (const jobName of ['x'.repeat(129), '-a', '_a', 'a b', 'ä', '']) {
      await expect(submit({}, { jobName }), jobName).rejects.toMatchObject({ name: 'ClientException' });
    }
  },
);

conforms(
  'queue and definition are found by name or ARN, the definition with or without its revision',
  SUBMIT,
  async ({ submit }) => {
    const { queue, definition } = arns;
    for (const jobDefinition of ['worker', 'worker:1', definition, definition.replace(/:1$/, '')]) {
      await submit({}, { jobQueue: queue, jobDefinition });
    }
    await expect(submit({}, { jobDefinition: 'worker:2' })).rejects.toMatchObject({ name: 'ClientException' });
    await expect(submit({}, { jobQueue: 'nowhere' })).rejects.toMatchObject({ name: 'ClientException' });
  },
);

conforms('a job of a disabled queue is refused', 'APIReference/API_UpdateJobQueue.html', async ({ submit }) => {
  await expect(submit({}, { jobQueue: 'off' })).rejects.toMatchObject({ name: 'ClientException' });
});

conforms(
  'overrides are merged over the definition: command, environment, resource requirements',
  SUBMIT,
  async (world) => {
    const report = join(world.dir, 'report');
    const id = await world.submit(
      {},
      {
        parameters: { codec: 'h264' },
        containerOverrides: {
          command: ['--codec', 'Ref::codec', 'Ref::unknown'],
          environment: [
            { name: 'REPORT', value: report },
            { name: 'SCRATCH_DIR', value: 'relative' },
          ],
          resourceRequirements: [{ type: 'MEMORY', value: '16384' }],
        },
      },
    );
    const { container } = await world.until(id, 'SUCCEEDED');
    const [{ argv, env }] = (await world.reports(report)) as [Awaited<ReturnType<typeof world.reports>>[number]];
    expect(argv).toEqual(['--codec', 'h264', 'Ref::unknown']);
    expect(env.SCRATCH_DIR).toBe('relative');
    expect(container?.resourceRequirements).toEqual([
      { type: 'VCPU', value: '4' },
      { type: 'MEMORY', value: '16384' },
    ]);
  },
);

conforms('environment names that start with AWS_BATCH are reserved', ENVIRONMENT, async ({ submit }) => {
  await expect(submit({ AWS_BATCH_JOB_ID: 'mine' })).rejects.toMatchObject({ name: 'ClientException' });
});

conforms('container overrides of more than 8192 characters are refused', LIMITS, async ({ submit }) => {
  const overhead = JSON.stringify({ environment: [{ name: 'A', value: '' }] }).length;
  await submit({ A: 'x'.repeat(8192 - overhead) });
  await expect(submit({ A: 'x'.repeat(8193 - overhead) })).rejects.toThrow(
    'Container Overrides length must be at most 8192',
  );
});

conforms('a SubmitJob of more than 30 KiB is refused', LIMITS, async ({ submit }) => {
  await expect(submit({}, { parameters: { a: 'x'.repeat(30 * 1024) } })).rejects.toMatchObject({
    name: 'ClientException',
  });
});

conforms(
  'a queue with a scheduling policy needs a share identifier, another takes none',
  SUBMIT,
  async ({ submit }) => {
    await submit({}, { jobQueue: 'fair', shareIdentifier: 'ada' });
    await expect(submit({}, { jobQueue: 'fair' })).rejects.toMatchObject({ name: 'ClientException' });
    await expect(submit({}, { shareIdentifier: 'ada' })).rejects.toMatchObject({ name: 'ClientException' });
  },
);

conforms(
  'a job that depends on another is PENDING until that one has succeeded',
  DEPENDENCIES,
  async ({ submit, until, release, dir }) => {
    const first = await submit({ HOLD: join(dir, 'go') });
    const second = await submit({}, { dependsOn: [{ jobId: first }] });
    await until(first, 'RUNNING');
    await until(second, 'PENDING');
    await release(join(dir, 'go'));
    await until(second, 'SUCCEEDED');
  },
);

conforms('a job whose dependency fails goes from PENDING to FAILED', DEPENDENCIES, async ({ submit, until }) => {
  const first = await submit({ EXIT: '1' });
  const second = await submit({}, { dependsOn: [{ jobId: first }] });
  expect(await until(second, 'FAILED')).toMatchObject({ attempts: [], statusReason: 'Dependent Job failed' });
});

conforms('at most 20 dependencies', DEPENDENCIES, async ({ submit }) => {
  const jobId = await submit();
  await submit({}, { dependsOn: Array.from({ length: 20 }, () => ({ jobId })) });
  await expect(submit({}, { dependsOn: Array.from({ length: 21 }, () => ({ jobId })) })).rejects.toMatchObject({
    name: 'ClientException',
  });
});

conforms(
  'an array runs its children by id:index, with the index in the environment',
  ARRAYS,
  async ({ submit, until, reports, describe, dir }) => {
    const report = join(dir, 'report');
    const id = await submit({ REPORT: report }, { arrayProperties: { size: 3 } });
    const job = await until(id, 'SUCCEEDED');
    expect(job.arrayProperties).toMatchObject({ size: 3, statusSummary: { SUCCEEDED: 3, FAILED: 0, RUNNING: 0 } });
    expect((await reports(report)).map(({ env }) => [env.AWS_BATCH_JOB_ID, env.AWS_BATCH_JOB_ARRAY_INDEX])).toEqual([
      [`${id}:0`, '0'],
      [`${id}:1`, '1'],
      [`${id}:2`, '2'],
    ]);
    expect((await describe(`${id}:2`)).arrayProperties?.index).toBe(2);
  },
);

conforms(
  'an array is PENDING while its children run, and FAILED when one of them fails',
  ARRAYS,
  async ({ submit, until, release, dir }) => {
    const id = await submit({ HOLD: join(dir, 'go'), EXIT: '1' }, { arrayProperties: { size: 2 } });
    await until(`${id}:0`, 'RUNNING');
    await until(id, 'PENDING');
    await release(join(dir, 'go'));
    expect((await until(id, 'FAILED')).arrayProperties?.statusSummary).toMatchObject({ FAILED: 2 });
  },
);

conforms('an array has 2 to 10,000 children', ARRAYS, async ({ submit }) => {
  for (const size of [1, 10_001]) {
    await expect(submit({}, { arrayProperties: { size } }), String(size)).rejects.toMatchObject({
      name: 'ClientException',
    });
  }
});

conforms(
  'SEQUENTIAL: each child waits for the one before it',
  ARRAYS,
  async ({ submit, until, describe, release, dir }) => {
    const id = await submit(
      { HOLD: join(dir, 'go') },
      { arrayProperties: { size: 2 }, dependsOn: [{ type: 'SEQUENTIAL' }] },
    );
    await until(`${id}:0`, 'RUNNING');
    expect((await describe(`${id}:1`)).status).toBe('PENDING');
    await release(join(dir, 'go'));
    await until(id, 'SUCCEEDED');
  },
  { slots: 2 },
);

conforms(
  'N_TO_N: each child waits for the child of the same index',
  ARRAYS,
  async ({ submit, until, describe, release, dir }) => {
    const a = await submit(
      { HOLD: join(dir, 'go') },
      { arrayProperties: { size: 2 }, dependsOn: [{ type: 'SEQUENTIAL' }] },
    );
    const b = await submit(
      { HOLD: join(dir, 'later') },
      { arrayProperties: { size: 2 }, dependsOn: [{ jobId: a, type: 'N_TO_N' }] },
    );
    await until(`${a}:0`, 'RUNNING');
    expect((await describe(`${b}:0`)).status).toBe('PENDING');
    await release(join(dir, 'go'));
    await until(`${b}:0`, 'RUNNING');
    await release(join(dir, 'later'));
    await until(b, 'SUCCEEDED');
  },
  { slots: 2 },
);

conforms(
  'CancelJob ends a job that has not started, with the reason given',
  CANCEL,
  async ({ submit, until, client, dir, release }) => {
    const running = await submit({ HOLD: join(dir, 'go') });
    const waiting = await submit();
    await until(running, 'RUNNING');
    await until(waiting, 'RUNNABLE');
    await client.send(new CancelJobCommand({ jobId: waiting, reason: 'changed my mind' }));
    expect(await until(waiting, 'FAILED')).toMatchObject({ statusReason: 'changed my mind', isCancelled: true });
    await release(join(dir, 'go'));
  },
);

conforms(
  'CancelJob succeeds on a running job, and changes nothing',
  CANCEL,
  async ({ submit, until, client, dir, release }) => {
    const id = await submit({ HOLD: join(dir, 'go') });
    await until(id, 'RUNNING');
    await client.send(new CancelJobCommand({ jobId: id, reason: 'too late' }));
    await release(join(dir, 'go'));
    await until(id, 'SUCCEEDED');
  },
);

conforms(
  'a PENDING job is cancelled once its dependencies are completed',
  CANCEL,
  async ({ submit, until, describe, client, dir, release }) => {
    const first = await submit({ HOLD: join(dir, 'go') });
    const second = await submit({}, { dependsOn: [{ jobId: first }] });
    await until(second, 'PENDING');
    await client.send(new CancelJobCommand({ jobId: second, reason: 'changed my mind' }));
    expect((await describe(second)).status).toBe('PENDING');
    await release(join(dir, 'go'));
    expect(await until(second, 'FAILED')).toMatchObject({ statusReason: 'changed my mind', attempts: [] });
  },
);

conforms(
  'TerminateJob cancels a job that has not started',
  TERMINATE,
  async ({ submit, until, client, dir, release }) => {
    const running = await submit({ HOLD: join(dir, 'go') });
    const waiting = await submit();
    await until(running, 'RUNNING');
    await client.send(new TerminateJobCommand({ jobId: waiting, reason: 'no' }));
    expect((await until(waiting, 'FAILED')).statusReason).toBe('no');
    await release(join(dir, 'go'));
  },
);

conforms('terminating an array terminates its children', TERMINATE, async ({ submit, until, client, dir }) => {
  const id = await submit({ HOLD: join(dir, 'never'), ON_TERM: '1' }, { arrayProperties: { size: 2 } });
  await until(`${id}:0`, 'RUNNING');
  await client.send(new TerminateJobCommand({ jobId: id, reason: 'no' }));
  expect((await until(id, 'FAILED')).arrayProperties?.statusSummary).toMatchObject({ FAILED: 2 });
});

conforms(
  'DescribeJobs leaves out what it does not know',
  'APIReference/API_DescribeJobs.html',
  async ({ submit, client }) => {
    const id = await submit();
    const { jobs } = await client.send(new DescribeJobsCommand({ jobs: ['00000000-0000-0000-0000-000000000000', id] }));
    expect(jobs?.map(({ jobId }) => jobId)).toEqual([id]);
  },
);

conforms('times are milliseconds: created, started, stopped in this order', DETAIL, async ({ submit, until }) => {
  const before = Date.now();
  const { createdAt = 0, startedAt = 0, stoppedAt = 0 } = await until(await submit(), 'SUCCEEDED');
  expect(before <= createdAt && createdAt <= startedAt && startedAt <= stoppedAt && stoppedAt <= Date.now()).toBe(true);
});

conforms(
  'ListJobs lists RUNNING jobs when no status is given, and pages',
  LIST,
  async ({ submit, until, client, dir, release }) => {
    const running = await submit({ HOLD: join(dir, 'go') });
    const waiting = [await submit(), await submit(), await submit()];
    await until(running, 'RUNNING');
    await until(waiting[2] ?? '', 'RUNNABLE');
    const ids = async (input: object) => {
      const page = await client.send(new ListJobsCommand({ jobQueue: 'plain', ...input }));
      return { ids: page.jobSummaryList?.map(({ jobId }) => jobId), nextToken: page.nextToken };
    };
    expect((await ids({})).ids).toEqual([running]);
    const first = await ids({ jobStatus: 'RUNNABLE', maxResults: 2 });
    expect(first.ids).toEqual(waiting.slice(0, 2));
    const second = await ids({ jobStatus: 'RUNNABLE', maxResults: 2, nextToken: first.nextToken });
    expect(second).toEqual({ ids: waiting.slice(2), nextToken: undefined });
    await release(join(dir, 'go'));
  },
);

conforms(
  'filters set the status aside, match names without regard to case, and put the latest first',
  LIST,
  async ({ submit, until, client, clock }) => {
    const names = ['Media-1', 'media-2', 'other'];
    const ids: string[] = [];
    for (const jobName of names) {
      ids.push(await submit({}, { jobName }));
      clock.advance(1000);
    }
    for (const id of ids) await until(id, 'SUCCEEDED');
    const list = async (name: string, value: string) => {
      const { jobSummaryList } = await client.send(
        new ListJobsCommand({ jobQueue: 'plain', jobStatus: 'RUNNING', filters: [{ name, values: [value] }] }),
      );
      return jobSummaryList?.map(({ jobName }) => jobName);
    };
    expect(await list('JOB_NAME', 'media-1')).toEqual(['Media-1']);
    expect(await list('JOB_NAME', 'MEDIA*')).toEqual(['media-2', 'Media-1']);
    expect(await list('JOB_DEFINITION', 'worker')).toEqual(['other', 'media-2', 'Media-1']);
    const { createdAt = 0 } = (await until(ids[1] ?? '', 'SUCCEEDED')) as { createdAt?: number };
    expect(await list('AFTER_CREATED_AT', String(createdAt))).toEqual(['other']);
    expect(await list('BEFORE_CREATED_AT', String(createdAt))).toEqual(['Media-1']);
  },
);

conforms('ListJobs of an array lists its children', LIST, async ({ submit, until, client }) => {
  const id = await submit({}, { arrayProperties: { size: 2 } });
  await until(id, 'SUCCEEDED');
  const { jobSummaryList } = await client.send(new ListJobsCommand({ arrayJobId: id, jobStatus: 'SUCCEEDED' }));
  expect(jobSummaryList?.map(({ jobId }) => jobId)).toEqual([`${id}:0`, `${id}:1`]);
});

conforms(
  'queues and definitions are described as they were deployed',
  'APIReference/API_DescribeJobQueues.html',
  async ({ client }) => {
    const { jobQueues } = await client.send(new DescribeJobQueuesCommand({ jobQueues: ['low'] }));
    expect(jobQueues).toMatchObject([{ jobQueueArn: arns.low, state: 'ENABLED', status: 'VALID', priority: 1 }]);
    const { jobDefinitions } = await client.send(new DescribeJobDefinitionsCommand({ jobDefinitionName: 'worker' }));
    expect(jobDefinitions).toMatchObject([
      { jobDefinitionArn: arns.definition, revision: 1, status: 'ACTIVE', type: 'container' },
    ]);
  },
);

conforms(
  'an event resembles JobDetail; there is none for the submission',
  EVENTS,
  async ({ submit, until, events }) => {
    const id = await submit({}, { tags: { creator: 'ada' } });
    await until(id, 'SUCCEEDED');
    await eventually(() => events.length === 4, 'all events are told');
    expect(events[0]).toEqual({
      source: 'aws.batch',
      'detail-type': 'Batch Job State Change',
      resources: [`arn:aws:batch:us-east-1:123456789012:job/${id}`],
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      detail: {
        jobArn: `arn:aws:batch:us-east-1:123456789012:job/${id}`,
        jobName: 'job',
        jobId: id,
        jobQueue: arns.queue,
        status: 'RUNNABLE',
        attempts: [],
        createdAt: expect.any(Number),
        retryStrategy: { attempts: 1, evaluateOnExit: [] },
        dependsOn: [],
        jobDefinition: arns.definition,
        parameters: {},
        container: {
          image: '123456789012.dkr.ecr.us-east-1.amazonaws.com/assets:abc',
          command: [],
          jobRoleArn: 'arn:aws:iam::123456789012:role/worker',
          environment: [{ name: 'SCRATCH_DIR', value: '/scratch' }],
          resourceRequirements: [
            { type: 'VCPU', value: '4' },
            { type: 'MEMORY', value: '8192' },
          ],
          ephemeralStorage: { sizeInGiB: 100 },
          networkInterfaces: [],
        },
        tags: { creator: 'ada', resourceArn: `arn:aws:batch:us-east-1:123456789012:job/${id}` },
        propagateTags: false,
        platformCapabilities: [],
        eksAttempts: [],
        isCancelled: false,
        isTerminated: false,
      },
    });
    expect(events[3]?.detail).toMatchObject({
      status: 'SUCCEEDED',
      statusReason: 'Essential container in task exited',
      container: { exitCode: 0 },
      attempts: [{ container: { exitCode: 0 }, statusReason: 'Essential container in task exited' }],
    });
  },
);
