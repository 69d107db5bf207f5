import { expect } from 'vitest';
import { arns, eventually } from '../../support/batch-world.ts';
import { conforms } from './conforms.ts';
import { EVENTS } from './pages.ts';

conforms('an event resembles JobDetail, and the submission sends none', EVENTS, async ({ submit, until, events }) => {
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
});
