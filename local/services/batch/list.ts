import { z } from 'zod';
import { type Job, summarizeJob } from './job.ts';
import { BATCH_STATUSES } from './statuses.ts';
import { findQueue, invalid, parseRequest } from './submit.ts';
import type { Definitions } from './template.ts';

const FILTERS = ['JOB_NAME', 'JOB_DEFINITION', 'BEFORE_CREATED_AT', 'AFTER_CREATED_AT', 'SHARE_IDENTIFIER'] as const;

const ListJobsRequest = z.strictObject({
  jobQueue: z.string().optional(),
  arrayJobId: z.string().optional(),
  jobStatus: z.enum(BATCH_STATUSES).optional(),
  maxResults: z.number().int().min(1).optional(),
  nextToken: z.string().regex(/^\d+$/).optional(),
  filters: z
    .array(z.strictObject({ name: z.enum(FILTERS), values: z.array(z.string()).length(1) }))
    .max(1)
    .optional(),
});

/**
 * https://docs.aws.amazon.com/batch/latest/APIReference/API_ListJobs.html
 * @throws AwsError ClientException
 */
export function listJobs(definitions: Definitions, jobs: ReadonlyMap<string, Job>, body: string): object {
  const request = parseRequest(ListJobsRequest, body);
  const [filter] = request.filters ?? [];
  if ((request.jobQueue === undefined) === (request.arrayJobId === undefined)) {
    throw invalid('Exactly one of jobQueue and arrayJobId must be given');
  }
  // With a filter the status is ignored, except with the filter of shares.
  const byStatus = !filter || (filter.name === 'SHARE_IDENTIFIER' && request.jobStatus !== undefined);
  const matching = candidates(definitions, jobs, request)
    .filter((job) => !byStatus || job.state.status === (request.jobStatus ?? 'RUNNING'))
    .filter((job) => !filter || passes(job, filter.name, filter.values[0] ?? ''));
  if (filter) matching.sort((a, b) => b.state.createdAt - a.state.createdAt || b.seq - a.seq);
  const from = Number(request.nextToken ?? 0);
  const size = Math.min(request.maxResults ?? 1000, filter ? 100 : 1000);
  const page = matching.slice(from, from + size);
  return {
    jobSummaryList: page.map(summarizeJob),
    ...(from + size < matching.length ? { nextToken: String(from + size) } : {}),
  };
}

function candidates(
  definitions: Definitions,
  jobs: ReadonlyMap<string, Job>,
  request: z.infer<typeof ListJobsRequest>,
): Job[] {
  if (request.arrayJobId !== undefined) return [...(jobs.get(request.arrayJobId)?.children ?? [])];
  const queue = findQueue(definitions, request.jobQueue ?? '');
  if (!queue) throw invalid(`Job queue ${request.jobQueue} does not exist`);
  return [...jobs.values()].filter((job) => !job.parent && job.spec.jobQueue === queue.arn);
}

function passes({ spec, state }: Job, name: (typeof FILTERS)[number], value: string): boolean {
  switch (name) {
    case 'JOB_NAME':
      return matches(spec.jobName.toLowerCase(), value.toLowerCase());
    case 'JOB_DEFINITION':
      if (value.startsWith('arn:')) return spec.jobDefinition === value;
      return matches(spec.jobDefinition.slice(spec.jobDefinition.indexOf('/') + 1).split(':')[0] ?? '', value);
    case 'BEFORE_CREATED_AT':
      return state.createdAt < Number(value);
    case 'AFTER_CREATED_AT':
      return state.createdAt > Number(value);
    case 'SHARE_IDENTIFIER':
      return spec.shareIdentifier === value;
  }
}

function matches(text: string, pattern: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}
