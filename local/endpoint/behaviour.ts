/** How bad the endpoint is. */
export interface Behaviour {
  /** Milliseconds before a job is given to a worker. */
  slowMs: number;
  /** No worker starts. */
  dead: boolean;
  /** Every call of a client is answered 503. */
  down: boolean;
  /** The status by which /run is refused. */
  refuses: number | undefined;
  /** How many calls of clients, from the next one on, are answered 429. */
  busy: number;
  /** A job is given to a second worker while the first one has it, as when the endpoint has lost sight of that. */
  twice: boolean;
  /** The answer to /run is lost; the job is there. */
  losesRuns: boolean;
  /** The state that it reports of every job that it knows, whatever the truth. */
  says: string | undefined;
  /** Calls of the webhook for each end: 0 are lost, 2 are duplicate. */
  webhooks: number;
  /** Milliseconds before a webhook is called. */
  lateMs: number;
  /** A job that no worker has taken within its time to live is TIMED_OUT; else it is not known any more. RunPod documents both. */
  tellsExpired: boolean;
  /** A job that has ended is not known any more. */
  forgetful: boolean;
}

/** As good as documented. */
export const KIND: Readonly<Behaviour> = {
  slowMs: 0,
  dead: false,
  down: false,
  refuses: undefined,
  busy: 0,
  twice: false,
  losesRuns: false,
  says: undefined,
  webhooks: 1,
  lateMs: 0,
  tellsExpired: false,
  forgetful: false,
};
