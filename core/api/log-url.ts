import type { JobRow } from '../contracts/table/jobs.ts';

/** Where workers write their log. */
export interface WorkerLog {
  region: string;
  group: string;
}

/**
 * The page of CloudWatch that lists a job's lines, of all its attempts: each has its id. The fragment is encoded twice, with `$` for `%`, as
 * the addresses that CloudWatch's own console makes; AWS does not document them.
 */
export function logUrlOf(
  { jobId, createdAt }: Pick<JobRow, 'jobId' | 'createdAt'>,
  { region, group }: WorkerLog,
): string {
  const query = `?filterPattern=${encodeURIComponent(`"${jobId}"`)}&start=${Date.parse(createdAt)}`;
  const fragment = `logsV2:log-groups/log-group/${twice(group)}/log-events${once(query)}`;
  return `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#${fragment}`;
}

const once = (text: string) => encodeURIComponent(text).replaceAll('%', '$');
const twice = (text: string) => once(encodeURIComponent(text));
