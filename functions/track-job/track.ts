import type { z } from 'zod';
import { getJob, getMedia, settle } from '../../aws/table.ts';
import type { BatchJobStateChange, JobProgress, TrackMessage } from '../../core/contracts/events.ts';
import { JobId, parseJobId } from '../../core/contracts/ids.ts';
import { jobProgressed, jobRunning } from '../../core/jobs/transitions.ts';
import { type EndServices, endJob } from '../shared/end-job.ts';
import { logger } from '../shared/stack.ts';

/** One event of the engine or the worker. */
export async function track(services: EndServices, message: z.infer<typeof TrackMessage>): Promise<void> {
  if (message.source === 'aws.batch') return engineChanged(services, message.detail);
  return workerReported(services, message.detail);
}

async function engineChanged(services: EndServices, detail: BatchJobStateChange['detail']): Promise<void> {
  const { jobName, jobId: engineJobId, status } = detail;
  if (!JobId.safeParse(jobName).success) {
    logger.info('not a job of ours', { jobName });
    return;
  }
  if (status === 'SUCCEEDED' || status === 'FAILED') {
    const { exitCode, reason: containerReason } = detail.container ?? {};
    await endJob(services, jobName, {
      engineJobId,
      status,
      exitCode,
      containerReason,
      statusReason: detail.statusReason,
    });
    return;
  }
  if (status !== 'RUNNING') return;
  const { mediaId, n } = parseJobId(jobName);
  const now = new Date().toISOString();
  const startedAt = detail.startedAt === undefined ? now : new Date(detail.startedAt).toISOString();
  await settle(services.table, async () => {
    const [job, media] = await Promise.all([getJob(services.table, mediaId, n), getMedia(services.table, mediaId)]);
    return job ? jobRunning(job, media, { engineJobId, startedAt, now }) : { none: 'the job is gone' };
  });
}

async function workerReported(services: EndServices, report: JobProgress['detail']): Promise<void> {
  const { table } = services;
  const { mediaId, n } = parseJobId(report.jobId);
  await settle(table, async () => {
    const job = await getJob(table, mediaId, n);
    if (!job) return { none: 'the job is gone' };
    // Only the first report may have to move the media too.
    const media = job.state === 'queued' ? await getMedia(table, mediaId) : null;
    return jobProgressed(job, media, report);
  });
}
