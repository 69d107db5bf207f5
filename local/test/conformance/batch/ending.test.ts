import { join } from 'node:path';
import { CancelJobCommand, TerminateJobCommand } from '@aws-sdk/client-batch';
import { expect } from 'vitest';
import { anywhere } from './anywhere.ts';
import { conforms } from './conforms.ts';
import { CANCEL, TERMINATE } from './pages.ts';

anywhere(
  'CancelJob ends a job that has not started, with the reason given',
  CANCEL,
  async ({ submit, until, client }) => {
    const id = await submit();
    await until(id, 'RUNNABLE');
    await client.send(new CancelJobCommand({ jobId: id, reason: 'changed my mind' }));
    expect(await until(id, 'FAILED')).toMatchObject({ statusReason: 'changed my mind', isCancelled: true });
  },
  'its jobs have succeeded at once',
);

anywhere(
  'cancelling an array cancels its children',
  CANCEL,
  async ({ submit, until, client }) => {
    const id = await submit({ arrayProperties: { size: 2 } });
    await until(`${id}:1`, 'RUNNABLE');
    await client.send(new CancelJobCommand({ jobId: id, reason: 'changed my mind' }));
    expect((await until(id, 'FAILED')).arrayProperties?.statusSummary).toMatchObject({ FAILED: 2 });
  },
  'its jobs have succeeded at once',
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

anywhere(
  'TerminateJob cancels a job that has not started',
  TERMINATE,
  async ({ submit, until, client }) => {
    const id = await submit();
    await client.send(new TerminateJobCommand({ jobId: id, reason: 'no' }));
    expect((await until(id, 'FAILED')).statusReason).toBe('no');
  },
  'its jobs have succeeded at once',
);

conforms('terminating an array terminates its children', TERMINATE, async ({ submit, until, client, dir }) => {
  const id = await submit({ HOLD: join(dir, 'never'), ON_TERM: '1' }, { arrayProperties: { size: 2 } });
  await until(`${id}:0`, 'RUNNING');
  await client.send(new TerminateJobCommand({ jobId: id, reason: 'no' }));
  expect((await until(id, 'FAILED')).arrayProperties?.statusSummary).toMatchObject({ FAILED: 2 });
});
