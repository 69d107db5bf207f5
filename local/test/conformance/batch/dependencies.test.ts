import { join } from 'node:path';
import { TerminateJobCommand } from '@aws-sdk/client-batch';
import { expect } from 'vitest';
import { anywhere } from './anywhere.ts';
import { conforms } from './conforms.ts';
import { DEPENDENCIES } from './pages.ts';

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

anywhere(
  'a job that depends on another is PENDING while that one waits',
  DEPENDENCIES,
  async ({ submit, until }) => {
    const first = await submit();
    const second = await submit({ dependsOn: [{ jobId: first }] });
    await until(second, 'PENDING');
    await until(first, 'RUNNABLE');
  },
  'its jobs have succeeded at once',
);

anywhere(
  'a job whose dependency fails changes from PENDING to FAILED',
  DEPENDENCIES,
  async ({ submit, until, client }) => {
    const first = await submit();
    const second = await submit({ dependsOn: [{ jobId: first }] });
    await until(second, 'PENDING');
    await client.send(new TerminateJobCommand({ jobId: first, reason: 'no' }));
    expect(await until(second, 'FAILED')).toMatchObject({ attempts: [], statusReason: 'Dependent Job failed' });
  },
  'its jobs have succeeded at once',
);

anywhere(
  'at most 20 dependencies',
  DEPENDENCIES,
  async ({ submit }) => {
    const dependsOn: { jobId: string }[] = [];
    while (dependsOn.length < 20) dependsOn.push({ jobId: await submit() });
    await submit({ dependsOn });
    dependsOn.push({ jobId: await submit() });
    await expect(submit({ dependsOn })).rejects.toMatchObject({ name: 'ClientException' });
  },
  'it takes any number',
);
