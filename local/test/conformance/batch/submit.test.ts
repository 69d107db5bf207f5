import { join } from 'node:path';
import { SubmitJobCommand, type SubmitJobCommandInput } from '@aws-sdk/client-batch';
import { expect } from 'vitest';
import { anywhere } from './anywhere.ts';
import { conforms } from './conforms.ts';
import { ENVIRONMENT, LIMITS, SHARES, SUBMIT, TIMEOUTS } from './pages.ts';

const REFUSED = { name: 'ClientException' };
const withEnvironment = (name: string, value: string): Partial<SubmitJobCommandInput> => ({
  containerOverrides: { environment: [{ name, value }] },
});

anywhere('SubmitJob answers with ARN, name and id', SUBMIT, async ({ client, plain, definition, describe }) => {
  const {
    jobArn,
    jobName,
    jobId = '',
  } = await client.send(new SubmitJobCommand({ jobName: 'A-1_b', jobQueue: plain, jobDefinition: definition }));
  expect(jobName).toBe('A-1_b');
  expect(jobArn).toMatch(new RegExp(`^arn:aws:batch:us-east-1:\\d{12}:job/${jobId}$`));
  const job = await describe(jobId);
  expect(job).toMatchObject({ jobArn, jobName });
  expect(job.jobQueue).toMatch(new RegExp(`^arn:aws:batch:us-east-1:\\d{12}:job-queue/${plain}$`));
  expect(job.jobDefinition).toMatch(new RegExp(`^arn:aws:batch:us-east-1:\\d{12}:job-definition/${definition}:1$`));
});

anywhere(
  'a job name is up to 128 of A-Z a-z 0-9 - _, and starts with a letter or digit',
  SUBMIT,
  async ({ submit }) => {
    await submit({ jobName: 'x'.repeat(128) });
    for (const jobName of ['x'.repeat(129), '-a', '_a', 'a b', 'ä', '']) {
      await expect(submit({ jobName }), jobName).rejects.toMatchObject(REFUSED);
    }
  },
  'it takes any name',
);

anywhere(
  'queue and definition are found by name or ARN, the definition with or without its revision',
  SUBMIT,
  async ({ submit, describe, definition }) => {
    const { jobQueue, jobDefinition: arn = '' } = await describe(await submit());
    for (const jobDefinition of [definition, `${definition}:1`, arn, arn.replace(/:1$/, '')]) {
      await submit({ jobQueue, jobDefinition });
    }
    await expect(submit({ jobDefinition: `${definition}:2` })).rejects.toMatchObject(REFUSED);
    await expect(submit({ jobQueue: 'nowhere' })).rejects.toMatchObject(REFUSED);
  },
  'no definition by an ARN without revision',
);

anywhere(
  'a job of a disabled queue is refused',
  'APIReference/API_UpdateJobQueue.html',
  async (batch) => {
    await expect(batch.submit({ jobQueue: batch.disabled })).rejects.toMatchObject(REFUSED);
  },
  'it takes it',
);

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
            { name: 'DROPREEL_REPORT', value: report },
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

anywhere(
  'environment names that start with AWS_BATCH are reserved',
  ENVIRONMENT,
  async ({ submit }) => {
    await expect(submit(withEnvironment('AWS_BATCH_JOB_ID', 'mine'))).rejects.toMatchObject(REFUSED);
  },
  'it takes them',
);

anywhere(
  'container overrides of more than 8192 characters are refused',
  LIMITS,
  async ({ submit }) => {
    const overhead = JSON.stringify({ environment: [{ name: 'DROPREEL_A', value: '' }] }).length;
    await submit(withEnvironment('DROPREEL_A', 'x'.repeat(8192 - overhead)));
    await expect(submit(withEnvironment('DROPREEL_A', 'x'.repeat(8193 - overhead)))).rejects.toThrow(
      'Container Overrides length must be at most 8192',
    );
  },
  'it takes them',
);

anywhere(
  'a SubmitJob of more than 30 KiB is refused',
  LIMITS,
  async ({ submit }) => {
    await expect(submit({ parameters: { a: 'x'.repeat(30 * 1024) } })).rejects.toMatchObject(REFUSED);
  },
  'it takes it',
);

anywhere(
  'a timeout of less than 60 seconds is refused',
  TIMEOUTS,
  async ({ submit }) => {
    await expect(submit({ timeout: { attemptDurationSeconds: 59 } })).rejects.toMatchObject(REFUSED);
  },
  'it takes it',
);

anywhere(
  'a queue with a scheduling policy requires a share identifier',
  SUBMIT,
  async ({ submit, fair }) => {
    await submit({ jobQueue: fair, shareIdentifier: 'ada', schedulingPriorityOverride: 0 });
    await expect(submit({ jobQueue: fair, schedulingPriorityOverride: 0 })).rejects.toMatchObject(REFUSED);
  },
  'it looks at no share identifier',
);

anywhere(
  "a queue with a scheduling policy requires a priority, of the job or of its definition (AWS's answer in hashicorp/terraform-provider-aws#31226)",
  SUBMIT,
  async ({ submit, fair }) => {
    await expect(submit({ jobQueue: fair, shareIdentifier: 'ada' })).rejects.toMatchObject({
      name: 'ClientException',
      message: 'Either schedulingPriority in job definition or schedulingPriorityOverride is required.',
    });
  },
  'it looks at no share identifier',
);

anywhere(
  'a queue without a scheduling policy accepts neither a share identifier nor a priority',
  SHARES,
  async ({ submit }) => {
    const message =
      'Job with shareIdentifier or schedulingPriority can only be submitted to job queue with fair share scheduling policy';
    for (const more of [{ shareIdentifier: 'ada' }, { schedulingPriorityOverride: 0 }]) {
      await expect(submit(more), JSON.stringify(more)).rejects.toMatchObject({ name: 'ClientException', message });
    }
  },
  'it looks at no share identifier',
);

conforms(
  "the definition's priority does for a queue with a scheduling policy, and is refused by one without",
  SHARES,
  async (world) => {
    await world.submit({}, { jobQueue: 'fair', shareIdentifier: 'ada' });
    await expect(world.submit()).rejects.toMatchObject(REFUSED);
  },
  { definition: { SchedulingPriority: 1 } },
);
