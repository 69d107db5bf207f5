import type { BatchClient } from '@aws-sdk/client-batch';
import { shareIdentifierFor, submit } from '../../aws/batch.ts';
import { getJob, getMedia, settle, type Table } from '../../aws/table.ts';
import type { JobRow } from '../../core/contracts/rows.ts';
import { engineAccepted, jobFor } from '../../core/jobs/transitions.ts';
import { presetNamed } from './preset.ts';
import { logger } from './stack.ts';

/** What it takes to give a job to its engine. */
export interface Engine {
  table: Table;
  batch: BatchClient;
  /** The uploads' queue takes jobs in order; that of re-transcodes shares fairly among creators. */
  queues: { ingest: string; retranscode: string };
  definition: string;
  mediaBucket: string;
}

/** An Engine of a function's environment (EngineEnv, and MEDIA_BUCKET). */
export function engineFrom(
  table: Table,
  batch: BatchClient,
  env: { JOB_QUEUE: string; RETRANSCODE_JOB_QUEUE: string; JOB_DEFINITION: string; MEDIA_BUCKET: string },
): Engine {
  const queues = { ingest: env.JOB_QUEUE, retranscode: env.RETRANSCODE_JOB_QUEUE };
  return { table, batch, queues, definition: env.JOB_DEFINITION, mediaBucket: env.MEDIA_BUCKET };
}

/**
 * Submits a queued job and notes the engine's id of it. Stopped half-way, it can be called again with `again`: the engine's
 * job of that name is then found instead of made.
 */
export async function submitJob(engine: Engine, job: JobRow, again: boolean): Promise<string> {
  const engineJobId = await submit(engine.batch, {
    job: jobFor(job, presetNamed(job.preset.name), engine.mediaBucket),
    queue: engine.queues[job.purpose],
    definition: engine.definition,
    ...(job.purpose === 'retranscode' && { shareIdentifier: shareIdentifierFor(job.creatorId) }),
    again,
  });
  const noted = await settle(engine.table, async () => {
    const [row, media] = await Promise.all([
      getJob(engine.table, job.mediaId, job.n),
      getMedia(engine.table, job.mediaId),
    ]);
    return row ? engineAccepted(row, media, engineJobId, new Date().toISOString()) : { none: 'the job is gone' };
  });
  logger.info('submitted', { jobId: job.jobId, engineJobId, again, ...('none' in noted && { notNoted: noted.none }) });
  return engineJobId;
}
