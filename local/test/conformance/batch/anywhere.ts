/**
 * Cases for any Batch, ours or another: its queues have no room, so that every job waits, and what the API says of it does
 * not depend on who would run it. Ours has no slots; elsewhere the compute environment is UNMANAGED and without instances.
 */
import {
  BatchClient,
  DescribeJobsCommand,
  type JobDetail,
  SubmitJobCommand,
  type SubmitJobCommandInput,
} from '@aws-sdk/client-batch';
import { afterAll, beforeAll, test } from 'vitest';
import { startWorld } from '../../support/batch-world.ts';
import { eventually } from '../../support/eventually.ts';
import { motoDiffers, OTHER } from '../target.ts';
import { makeQueues, type Queues, TIMEOUT_MS } from './elsewhere.ts';
import { DOCS } from './pages.ts';

export interface Waiting extends Queues {
  client: BatchClient;
  /** Submits to `plain`. Resolves to the job's id. */
  submit(more?: Partial<SubmitJobCommandInput>): Promise<string>;
  describe(id: string): Promise<JobDetail>;
  /** Polls until the job has this state. */
  until(id: string, state: string): Promise<JobDetail>;
}

const client = OTHER && new BatchClient(OTHER);
let made: (Queues & AsyncDisposable) | undefined;
beforeAll(async () => {
  if (client) made = await makeQueues(client);
}, TIMEOUT_MS);
afterAll(async () => {
  await made?.[Symbol.asyncDispose]();
  client?.destroy();
}, TIMEOUT_MS);

/** @param moto what moto 5.2.5 does, where it differs */
export function anywhere(title: string, source: string, run: (batch: Waiting) => Promise<void>, moto?: string): void {
  const register = moto === undefined ? test : motoDiffers(moto);
  register(`${title} (${DOCS}${source})`, async () => {
    if (client && made) return run(waiting(client, made));
    const world = await startWorld({ slots: 0 });
    try {
      await run(waiting(world.client, { plain: 'plain', disabled: 'off', fair: 'fair', definition: 'worker' }));
    } finally {
      await world.close();
    }
  });
}

const ENDED = ['SUCCEEDED', 'FAILED'];

function waiting(client: BatchClient, queues: Queues): Waiting {
  const describe = async (id: string): Promise<JobDetail> => {
    const { jobs } = await client.send(new DescribeJobsCommand({ jobs: [id] }));
    const [job] = jobs ?? [];
    if (!job) throw new Error(`no job ${id}`);
    return job;
  };
  return {
    ...queues,
    client,
    describe,
    async submit(more = {}) {
      const { plain: jobQueue, definition: jobDefinition } = queues;
      const command = new SubmitJobCommand({ jobName: 'job', jobQueue, jobDefinition, ...more });
      return (await client.send(command)).jobId ?? '';
    },
    until: (id, state) =>
      eventually(`job ${id} is ${state}`, async () => {
        const job = await describe(id);
        if (job.status === state) return job;
        if (ENDED.includes(job.status ?? ''))
          throw new Error(`job ${id} has ended: ${job.status} (${job.statusReason})`);
        return undefined;
      }),
  };
}
