/** Custom metrics, written by the functions and watched by the alarms. Their one dimension is `service`: the function's name. */

export const METRIC_NAMESPACE = 'dropreel';

/** All are counts. */
export const METRICS = {
  /** A job ended as failed, whatever the code. From track-job and sweep. */
  jobFailed: 'JobFailed',
  /** A failure that no user can mend: `decide` said escalate, or sweep could not repair. From every function that decides. */
  escalated: 'Escalated',
  /** A call of an engine that was forged, stale or repeated, and changed nothing. From api. */
  callbackRefused: 'CallbackRefused',
  /** A webhook that no try of three days brought to its receiver. From deliver-webhook. */
  webhookUndelivered: 'WebhookUndelivered',
  /** An object under drop/ whose key is none of ours. From ingest-upload. */
  badKey: 'BadKey',
  /** A repair by sweep of what an event missed. */
  repaired: 'Repaired',
} as const;
