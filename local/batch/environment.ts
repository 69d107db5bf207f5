import { join } from 'node:path';
import { type Credentials, REGION } from '../account.ts';
import type { Job } from './job.ts';

/** What a job may see of this machine's environment: where programs are, and nothing of the user's. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'FFMPEG_PATH', 'FFPROBE_PATH'];

/**
 * The environment of one attempt, as AWS Batch and ECS set it:
 * https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
 *
 * A container has its own file system, a local child process has not. So a variable whose name ends in `DIR` and whose value
 * is an absolute path (`SCRATCH_DIR=/scratch`) gets that path inside `disk`, the job's own directory; `directories` lists
 * what to create.
 */
export function jobEnvironment(options: {
  job: Job;
  attempt: number;
  queueName: string;
  computeEnvironmentName: string;
  endpoint: string;
  credentials: Credentials | undefined;
  disk: string;
  inherited: NodeJS.ProcessEnv;
}): { environment: Record<string, string>; directories: string[] } {
  const { job, credentials } = options;
  const environment: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = options.inherited[name];
    if (value !== undefined) environment[name] = value;
  }
  const directories: string[] = [];
  for (const { name, value } of job.spec.container.environment) {
    const local = name.endsWith('DIR') && value.startsWith('/') ? join(options.disk, value) : value;
    if (local !== value) directories.push(local);
    environment[name] = local;
  }
  Object.assign(environment, {
    AWS_BATCH_JOB_ID: job.id,
    AWS_BATCH_JOB_ATTEMPT: String(options.attempt),
    AWS_BATCH_JQ_NAME: options.queueName,
    AWS_BATCH_CE_NAME: options.computeEnvironmentName,
    // The SDK's word on old Nodes is for those who deploy, and the image has a new one.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ENDPOINT_URL: options.endpoint,
    // Whatever the user has in ~/.aws is not the job's.
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  });
  if (job.parent) {
    environment.AWS_BATCH_JOB_ARRAY_INDEX = String(job.index);
    environment.AWS_BATCH_JOB_ARRAY_SIZE = String(job.spec.arraySize);
  }
  if (credentials) {
    environment.AWS_ACCESS_KEY_ID = credentials.accessKeyId;
    environment.AWS_SECRET_ACCESS_KEY = credentials.secretAccessKey;
    if (credentials.sessionToken) environment.AWS_SESSION_TOKEN = credentials.sessionToken;
  }
  return { environment, directories };
}
