/** What says so: pages of AWS's documentation, under https://docs.aws.amazon.com/batch/latest/. */
export const DOCS = 'https://docs.aws.amazon.com/batch/latest/';

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
export const SHARES = 'userguide/share-identifiers.html';
export const LIMITS = 'userguide/service_limits.html';
