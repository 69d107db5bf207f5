/**
 * Custom metrics, written by the functions and watched by the alarms. Their namespace is the name of the deployment, their only
 * dimension is `service`: the function's name.
 */

/** All are counts. */
export const METRICS = {
  /** A job ended as failed, whatever the code. From track-job and sweep. */
  jobFailed: 'JobFailed',
  /** A failure that no user can correct: `decide` returned escalate, or sweep could not repair. From every function that decides. */
  escalated: 'Escalated',
  /** A call of an engine that was forged, stale or repeated, and changed nothing. From api. */
  callbackRefused: 'CallbackRefused',
  /** A webhook that no attempt in three days delivered to its receiver. From deliver-webhook. */
  webhookUndelivered: 'WebhookUndelivered',
  /** An object under drop/ whose key is not one of ours. From ingest-upload. */
  badKey: 'BadKey',
  /** A row that this release cannot read, such as one of a later release: a list leaves it out. From every function that lists rows. */
  rowUnreadable: 'RowUnreadable',
  /** A scheduled run of sweep, however it ended. */
  swept: 'Swept',
  /** A compute environment of AWS Batch that is invalid, counted each time that sweep checks. */
  environmentInvalid: 'EnvironmentInvalid',
  /** A job that a worker with a GPU has encoded in software. From track-job and sweep. */
  gpuUnused: 'GpuUnused',
  /** A repair by sweep of what an event missed. */
  repaired: 'Repaired',
} as const;
