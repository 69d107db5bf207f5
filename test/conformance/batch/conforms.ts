import { test } from 'vitest';
import { type Options, startWorld, type World } from '../../unit/local/batch/setup.ts';

const DOCS = 'https://docs.aws.amazon.com/batch/latest/';

/**
 * One case: a Batch of its own, driven by the AWS SDK over HTTP.
 * @param source page of AWS's documentation, under https://docs.aws.amazon.com/batch/latest/, that says what must happen
 */
export function conforms(
  title: string,
  source: string,
  run: (world: World) => Promise<void>,
  options: Options = {},
): void {
  test(`${title} (${DOCS}${source})`, async () => {
    const world = await startWorld(options);
    try {
      await run(world);
    } finally {
      await world.close();
    }
  });
}

export const RETRIES = 'userguide/job_retries.html';
export const EVALUATE = 'APIReference/API_EvaluateOnExit.html';
export const TIMEOUTS = 'userguide/job_timeouts.html';
export const ARRAYS = 'userguide/array_jobs.html';
export const DEPENDENCIES = 'userguide/job_dependencies.html';
export const SUBMIT = 'APIReference/API_SubmitJob.html';
export const CANCEL = 'APIReference/API_CancelJob.html';
export const TERMINATE = 'APIReference/API_TerminateJob.html';
export const LIST = 'APIReference/API_ListJobs.html';
export const DETAIL = 'APIReference/API_JobDetail.html';
export const EVENTS = 'userguide/batch_job_events.html';
export const ENVIRONMENT = 'userguide/job_env_vars.html';
export const LIMITS = 'userguide/service_limits.html';
