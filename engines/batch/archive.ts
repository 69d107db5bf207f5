import { BatchClient } from '@aws-sdk/client-batch';
import type { ArchiveJob } from '../../core/contracts/archive-job.ts';
import type { CancelReason, EngineState } from '../engine.ts';
import { cancel, describe, find, submit, submittingClient } from './client.ts';
import { ArchiveEnv } from './names.ts';
import { FORGOTTEN } from './reasons.ts';

/** Where the archive's copies are made: AWS Batch alone, because nobody waits for them. */
export interface ArchiveWorkers {
  /** How many may be under way at once. */
  atOnce: number;
  /** Of a worker. */
  vcpus: number;
  /** As of an Engine. */
  submit(submission: { job: ArchiveJob; tried: boolean }): Promise<string>;
  describe(engineJobId: string): Promise<EngineState>;
  cancel(engineJobId: string, why: CancelReason): Promise<void>;
  /** The engine's id of a job whose submission had no answer; null where it does not have it. */
  find(jobId: string): Promise<string | null>;
}

export function archiveWorkers(variables: Readonly<Record<string, string | undefined>>): ArchiveWorkers {
  return connectArchive(ArchiveEnv.parse(variables), { submitting: submittingClient(), others: new BatchClient({}) });
}

export function connectArchive(
  env: ArchiveEnv,
  { submitting, others }: { submitting: BatchClient; others: BatchClient },
): ArchiveWorkers {
  const { ARCHIVE_JOB_QUEUE: queue, JOB_DEFINITION: definition } = env;
  return {
    atOnce: env.MAX_ARCHIVES,
    vcpus: env.JOB_VCPUS,
    submit: ({ job, tried }) => submit(submitting, { job, queue, definition, tried }),
    describe: async (id) => (await describe(others, [id])).get(id) ?? { kind: 'ended', end: FORGOTTEN },
    cancel: (engineJobId, why) => cancel(others, engineJobId, why),
    find: (jobId) => find(others, queue, jobId),
  };
}
