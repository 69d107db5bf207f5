import type { Job } from './job.ts';

/**
 * The ids of the jobs that must succeed first: plain dependencies, the job of the same index for N_TO_N, the previous index for
 * SEQUENTIAL. https://docs.aws.amazon.com/batch/latest/userguide/array_jobs.html
 */
export function prerequisites(job: Job): string[] {
  return job.spec.dependsOn.flatMap(({ jobId, type }) => {
    if (type === 'SEQUENTIAL') return job.parent && job.index ? [`${job.parent.id}:${job.index - 1}`] : [];
    if (!jobId) return [];
    return [type === 'N_TO_N' && job.index !== undefined ? `${jobId}:${job.index}` : jobId];
  });
}

/** An unknown prerequisite has succeeded: finished jobs are deleted after a week, and failed ones have failed their dependants. */
export function readiness(job: Job, find: (id: string) => Job | undefined): 'ready' | 'waiting' | 'failed' {
  const statuses = prerequisites(job).map((id) => find(id)?.state.status ?? 'SUCCEEDED');
  if (statuses.includes('FAILED')) return 'failed';
  return statuses.every((status) => status === 'SUCCEEDED') ? 'ready' : 'waiting';
}
