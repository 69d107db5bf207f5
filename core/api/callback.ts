import type { EngineCallback } from '../contracts/api.ts';
import type { BatchJobStateChange } from '../contracts/events.ts';
import type { JobRow, MediaRow } from '../contracts/rows.ts';

/**
 * Whether a verified call of an engine may change anything: only the job that the engine was given, only while it is
 * unfinished, only while it is the media's current one.
 */
export function isStale(callback: EngineCallback, job: JobRow | null, media: MediaRow | null): boolean {
  if (!job || !media || media.jobId !== job.jobId) return true;
  if (job.state !== 'queued' && job.state !== 'running') return true;
  if (job.engineJobId !== undefined && job.engineJobId !== callback.jobId) return true;
  return callback.output !== undefined && callback.output.mediaId !== job.mediaId;
}

/** What track-job understands: the end of an engine's job. Success is proved by the job's own result.json, not by this. */
export function trackMessageOf(callback: EngineCallback, jobId: string, id: string, time: string): BatchJobStateChange {
  return {
    id,
    time,
    source: 'aws.batch',
    'detail-type': 'Batch Job State Change',
    detail: {
      jobId: callback.jobId,
      jobName: jobId,
      jobQueue: 'engine-callback',
      status: callback.status === 'completed' ? 'SUCCEEDED' : 'FAILED',
      ...(callback.error && { statusReason: callback.error }),
      attempts: [],
    },
  };
}
