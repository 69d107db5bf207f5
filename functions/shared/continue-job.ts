import { applyWithRetry, getJob } from '../../aws/table.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import { heldByWorkers } from '../../core/jobs/cost.ts';
import { partEnded } from '../../core/jobs/transitions.ts';
import type { EngineEvent } from '../../engines/engine.ts';
import { costOfFailed } from './cost.ts';
import { noteCost } from './end-job.ts';
import { logger } from './observability.ts';
import { type SubmitServices, submitJob } from './submit-job.ts';

/**
 * A part of a job is done: submits the next one. Stopped half-way, it can be called again; sweep submits what nobody has.
 * @throws as submitJob
 */
export async function continueJob(
  services: SubmitServices,
  ended: Omit<Extract<EngineEvent, { kind: 'continues' }>, 'kind'>,
): Promise<'continued' | 'ignored'> {
  const { jobId, engineJobId, part, next, held } = ended;
  const { mediaId, n } = parseJobId(jobId);
  const outcome = await applyWithRetry(services.table, async () => {
    const job = await getJob(services.table, mediaId, n);
    return job
      ? partEnded(job, { engineJobId, part, next, held }, new Date().toISOString())
      : { refused: 'the job is gone' };
  });
  const job = await getJob(services.table, mediaId, n);
  const waits = job?.state === 'queued' && job.part === next && job.engineJobId === undefined;
  if (!waits) {
    // Where it had ended before, as by a deletion, its engine may be paid for this part all the same.
    const before = held && { heldBefore: heldByWorkers(held).all };
    await noteCost(services.table, jobId, (row) => costOfFailed({ ...row, part: next, ...before }));
    logger.info('nothing new', { jobId, why: 'refused' in outcome ? outcome.refused : 'it went on' });
    return 'ignored';
  }
  await submitJob(services, job);
  return 'continued';
}
