import { join } from 'node:path';
import {
  DescribeComputeEnvironmentsCommand,
  DescribeJobDefinitionsCommand,
  DescribeJobQueuesCommand,
  DescribeJobsCommand,
  ListJobsCommand,
} from '@aws-sdk/client-batch';
import { expect } from 'vitest';
import { anywhere } from './anywhere.ts';
import { conforms } from './conforms.ts';
import { DETAIL, LIST } from './pages.ts';

anywhere(
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
  'filters replace the status, match names without regard to case, and list the latest first',
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

anywhere('a filter by name sets the status aside', LIST, async ({ submit, client, plain }) => {
  const names = ['only-Media-1', 'only-media-2', 'other'];
  const ids: string[] = [];
  for (const jobName of names) ids.push(await submit({ jobName }));
  const list = async (value: string) => {
    const filters = [{ name: 'JOB_NAME', values: [value] }];
    const command = new ListJobsCommand({ jobQueue: plain, jobStatus: 'RUNNING', filters });
    return (await client.send(command)).jobSummaryList?.map(({ jobId }) => jobId).sort();
  };
  expect(await list('only-Media-1')).toEqual(ids.slice(0, 1));
  expect(await list('only-*')).toEqual(ids.slice(0, 2).sort());
});

anywhere(
  'ListJobs of an array lists its children',
  LIST,
  async ({ submit, until, client }) => {
    const id = await submit({ arrayProperties: { size: 2 } });
    await until(`${id}:0`, 'RUNNABLE');
    await until(`${id}:1`, 'RUNNABLE');
    const { jobSummaryList } = await client.send(new ListJobsCommand({ arrayJobId: id, jobStatus: 'RUNNABLE' }));
    expect(jobSummaryList?.map(({ jobId }) => jobId)).toEqual([`${id}:0`, `${id}:1`]);
  },
  'its jobs have succeeded at once',
);

anywhere(
  'queues, their environments and definitions are described as they were deployed',
  'APIReference/API_DescribeJobQueues.html',
  async ({ client, disabled, definition }) => {
    const { jobQueues } = await client.send(new DescribeJobQueuesCommand({ jobQueues: [disabled] }));
    expect(jobQueues).toMatchObject([
      {
        jobQueueArn: expect.stringMatching(`^arn:aws:batch:us-east-1:\\d{12}:job-queue/${disabled}$`),
        state: 'DISABLED',
        status: 'VALID',
      },
    ]);
    const [{ computeEnvironment = '' } = {}] = jobQueues?.[0]?.computeEnvironmentOrder ?? [];
    const { computeEnvironments } = await client.send(
      new DescribeComputeEnvironmentsCommand({ computeEnvironments: [computeEnvironment] }),
    );
    expect(computeEnvironments).toMatchObject([
      { computeEnvironmentArn: computeEnvironment, state: 'ENABLED', status: 'VALID' },
    ]);
    const { jobDefinitions } = await client.send(new DescribeJobDefinitionsCommand({ jobDefinitionName: definition }));
    expect(jobDefinitions).toMatchObject([
      {
        jobDefinitionArn: expect.stringMatching(`^arn:aws:batch:us-east-1:\\d{12}:job-definition/${definition}:1$`),
        revision: 1,
        status: 'ACTIVE',
        type: 'container',
      },
    ]);
  },
);
