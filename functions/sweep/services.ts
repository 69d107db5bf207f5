import type { BatchClient } from '@aws-sdk/client-batch';
import type { EndServices } from '../shared/end-job.ts';
import type { Engine } from '../shared/submit-job.ts';

/** What each part of a sweep is given. */
export interface SweepServices extends EndServices {
  batch: BatchClient;
  engine: Engine;
  uploadsBucket: string;
  ingestQueueUrl: string;
  maxRetranscodes: number;
  /** The time of this run. */
  now: string;
  /** Asked before each piece of work: what is left then is done by the next run. */
  timeIsUp: () => boolean;
  /** Adds to the run's report. */
  did: (what: keyof SweepReport, times?: number) => void;
}

/** What the parts need that work with rows alone. */
export type RowServices = Pick<SweepServices, 'table' | 'now' | 'timeIsUp' | 'did'>;

/** What one run did; all are counts. */
export const NOTHING_DONE = {
  collectionsExpanded: 0,
  mediaFlagged: 0,
  retranscodesStarted: 0,
  /** Flags kept because a job of the media is under way. */
  retranscodesWaiting: 0,
  /** Flags taken away because there is nothing left to encode from. */
  originalsGone: 0,
  jobsAsked: 0,
  jobsRepaired: 0,
  jobsEscalated: 0,
  dropsCompared: 0,
  dropsRecovered: 0,
  versionsRemoved: 0,
  mediaDeleted: 0,
  uploadsExpired: 0,
  /** Parts of the run that ended with an error. */
  errors: 0,
};
export type SweepReport = typeof NOTHING_DONE;

export function minutesAfter(iso: string, minutes: number): string {
  return new Date(Date.parse(iso) + minutes * 60_000).toISOString();
}
