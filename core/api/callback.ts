import { DETAIL, type EngineCalledBack, SOURCE } from '../contracts/events.ts';
import type { EngineCallback } from '../contracts/http/system.ts';
import type { JobRow } from '../contracts/table/jobs.ts';
import type { MediaRow } from '../contracts/table/media.ts';

/**
 * Whether a verified call of an engine can change nothing: its job has ended, or is not the media's current one. Whichever engine job it
 * names, the claim decides: the row may still name one that was submitted after an answer was lost.
 */
export function isStale(callback: EngineCallback, job: JobRow | null, media: MediaRow | null): boolean {
  if (!job || !media || media.jobId !== job.jobId) return true;
  if (job.state !== 'queued' && job.state !== 'running') return true;
  return callback.output !== undefined && callback.output.mediaId !== job.mediaId;
}

/** For track-job. The job's own result.json decides the outcome: the call only causes it to be read. */
export function calledBack({ jobId: engineJobId, status, error }: EngineCallback, jobId: string): EngineCalledBack {
  const detail = { jobId, engineJobId, status, ...(error !== undefined && { error }) };
  return { source: SOURCE.pipeline, 'detail-type': DETAIL.calledBack, detail };
}
