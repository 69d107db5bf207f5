import { join, normalize } from 'node:path';
import { type Credentials, REGION } from '../../kernel/account.ts';
import type { Job } from './job.ts';

/** Differences between containers and the processes of this machine that replace them. */
export interface JobRules {
  /** Prefix of variables that a submission may set although the job definition does not have them: `WORKER_`. Default: none. */
  settablePrefix?: string;
  /**
   * Variables whose value is a path in the container. A child process, unlike a container, does not have its own file system: an absolute
   * path (`SCRATCH_DIR=/scratch`) becomes that path inside the job's own disk. Default: none.
   */
  pathVariables?: readonly string[];
  /**
   * Variables of this machine that a job inherits in addition to PATH, HOME and TMPDIR: locations of programs. A submission never
   * sets them. Default: none.
   */
  inherited?: readonly string[];
}

/** Variables that decide which code runs. A submission never sets them, even if the job definition has them. */
const STEERS = /^(?:NODE_.*|LD_.*|DYLD_.*|AWS_.*|PATH|HOME|TMPDIR)$/i;

/**
 * Whether a submission may set a variable. In a container nearly every variable is harmless to the host; a local job is a process of this
 * machine, where `NODE_OPTIONS`, `LD_PRELOAD` and similar variables run the code that they name.
 * @param defined names of the job definition
 */
export function mayOverride(name: string, defined: readonly string[], rules: JobRules): boolean {
  const { settablePrefix, inherited = [] } = rules;
  const steers = STEERS.test(name) || inherited.some((it) => it.toUpperCase() === name.toUpperCase());
  const isOwn =
    settablePrefix !== undefined &&
    name.startsWith(settablePrefix) &&
    /^[A-Z0-9_]+$/.test(name.slice(settablePrefix.length));
  return !steers && (isOwn || defined.includes(name));
}

/** Variables of this machine's environment that every job inherits: locations of programs, nothing personal. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR'];

/**
 * The environment of one attempt, as AWS Batch and ECS set it:
 * https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
 *
 * The value of a path variable is a path inside `disk`, the job's own directory; `directories` lists what to create.
 */
export function jobEnvironment(options: {
  job: Job;
  attempt: number;
  queueName: string;
  computeEnvironmentName: string;
  endpoint: string;
  credentials: Credentials | undefined;
  disk: string;
  machine: NodeJS.ProcessEnv;
  rules: JobRules;
}): { environment: Record<string, string>; directories: string[] } {
  const { job, credentials, rules } = options;
  const { pathVariables = [], inherited = [] } = rules;
  const environment: Record<string, string> = {};
  for (const name of [...INHERITED, ...inherited]) {
    const value = options.machine[name];
    if (value !== undefined) environment[name] = value;
  }
  const directories: string[] = [];
  for (const { name, value } of job.spec.container.environment) {
    // `..` does not leave the job's own disk.
    const local = pathVariables.includes(name) && value.startsWith('/') ? join(options.disk, normalize(value)) : value;
    if (local !== value) directories.push(local);
    environment[name] = local;
  }
  Object.assign(environment, {
    AWS_BATCH_JOB_ID: job.id,
    AWS_BATCH_JOB_ATTEMPT: String(options.attempt),
    AWS_BATCH_JQ_NAME: options.queueName,
    AWS_BATCH_CE_NAME: options.computeEnvironmentName,
    // The SDK's warning about old Node versions does not apply, because the image has a newer one.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ENDPOINT_URL: options.endpoint,
    // The job must not use the user's ~/.aws.
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
