import { DETAIL, type EngineCalledBack, SOURCE } from '../contracts/events.ts';
import type { EngineCallback } from '../contracts/http/system.ts';
import type { JobRow } from '../contracts/table/jobs.ts';
import type { MediaRow } from '../contracts/table/media.ts';

/**
 * Whether a verified call of an engine may change anything: only the job that the engine was given, only while that job is
 * unfinished and is the media's current one.
 */
export function isStale(callback: EngineCallback, job: JobRow | null, media: MediaRow | null): boolean {
  if (!job || !media || media.jobId !== job.jobId) return true;
  if (job.state !== 'queued' && job.state !== 'running') return true;
  if (job.engineJobId !== undefined && job.engineJobId !== callback.jobId) return true;
  return callback.output !== undefined && callback.output.mediaId !== job.mediaId;
}

/** For track-job. The job's own result.json decides the outcome: the call only causes it to be read. */
export function calledBack({ jobId: engineJobId, status, error }: EngineCallback, jobId: string): EngineCalledBack {
  const detail = { jobId, engineJobId, status, ...(error !== undefined && { error }) };
  return { source: SOURCE.pipeline, 'detail-type': DETAIL.calledBack, detail };
}
