/** States of a job, in order. https://docs.aws.amazon.com/batch/latest/userguide/job_states.html */
export const BATCH_STATUSES = [
  'SUBMITTED',
  'PENDING',
  'RUNNABLE',
  'STARTING',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
] as const;
