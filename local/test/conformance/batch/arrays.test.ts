import { join } from 'node:path';
import { expect } from 'vitest';
import { anywhere } from './anywhere.ts';
import { conforms } from './conforms.ts';
import { ARRAYS } from './pages.ts';

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

anywhere(
  'an array has 2 to 10,000 children',
  ARRAYS,
  async ({ submit }) => {
    for (const size of [1, 10_001]) {
      await expect(submit({ arrayProperties: { size } }), String(size)).rejects.toMatchObject({
        name: 'ClientException',
      });
    }
  },
  'it takes any size',
);

anywhere(
  'children are described by id:index, and counted by their states',
  ARRAYS,
  async ({ submit, until, describe }) => {
    const id = await submit({ arrayProperties: { size: 3 } });
    expect((await until(`${id}:2`, 'RUNNABLE')).arrayProperties?.index).toBe(2);
    await until(`${id}:0`, 'RUNNABLE');
    await until(`${id}:1`, 'RUNNABLE');
    expect((await describe(id)).arrayProperties).toMatchObject({ size: 3, statusSummary: { RUNNABLE: 3, FAILED: 0 } });
  },
  'its jobs have succeeded at once',
);

anywhere(
  'SEQUENTIAL: while the first child waits, the second is PENDING',
  ARRAYS,
  async ({ submit, until }) => {
    const id = await submit({ arrayProperties: { size: 2 }, dependsOn: [{ type: 'SEQUENTIAL' }] });
    await until(`${id}:0`, 'RUNNABLE');
    await until(`${id}:1`, 'PENDING');
  },
  'its jobs have succeeded at once',
);

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
