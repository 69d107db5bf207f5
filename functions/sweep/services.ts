import type { ArchiveWorkers } from '../../engines/batch/archive.ts';
import type { EndServices } from '../shared/end-job.ts';
import type { SubmitServices } from '../shared/submit-job.ts';

/** What each part of a sweep gets. */
export interface SweepServices extends EndServices, SubmitServices {
  uploadsBucket: string;
  webhookQueueUrl: string;
  maxRetranscodes: number;
  archive: ArchiveWorkers;
  /** Larger copies of the archive go to their key in parts of this size. Absent: 1 GiB. */
  copyPartBytes?: number;
  /** The time of this run. */
  now: string;
  /** What is left of the part's share of the time. */
  remainingMs: () => number;
  /** Called before each piece of work: whether this part has had its share. The next run does what is left then. */
  timeIsUp: () => boolean;
  /** Adds to the run's report. */
  report: (what: keyof SweepReport, times?: number) => void;
}

/** What the parts need that work with rows alone. */
export type RowServices = Pick<SweepServices, 'table' | 'now' | 'timeIsUp' | 'report'>;

/** What one run did; all are counts. */
export const NOTHING_DONE = {
  collectionsExpanded: 0,
  mediaFlagged: 0,
  rollOutSteps: 0,
  retranscodesStarted: 0,
  /** Flags kept because the media item has an unfinished job. */
  retranscodesWaiting: 0,
  /** Flags cleared because there is nothing left to encode from. */
  originalsGone: 0,
  jobsAsked: 0,
  jobsRepaired: 0,
  jobsEscalated: 0,
  /** Encodes for which a cap has no room. */
  jobsHeld: 0,
  /** Encodes that began when their source was restored from an archive. */
  jobsRestored: 0,
  /** Queues of engines that do not progress. */
  queuesStuck: 0,
  /** Engines to which submissions fail. */
  enginesDown: 0,
  /** Parts of engines that cannot be used: compute environments that are invalid. */
  environmentsInvalid: 0,
  dropsCompared: 0,
  dropsRecovered: 0,
  versionsRemoved: 0,
  mediaDeleted: 0,
  uploadsExpired: 0,
  /** Webhook deliveries whose message seems lost. */
  deliveriesSent: 0,
  lateUploadsRemoved: 0,
  /** Media items that were looked at for the archive, and copies that workers were asked to make of them. */
  archiveLookedAt: 0,
  archivesStarted: 0,
  /** Copies that the end of a window has stopped. */
  archivesStopped: 0,
  archivesRefused: 0,
  /** Copies that have become the source of their media item. */
  originalsArchived: 0,
  /** Originals that were deleted after their day, and those that were kept though it had come. */
  originalsPurged: 0,
  originalsKept: 0,
  /** Originals that are to go to a cheaper class. */
  movesStarted: 0,
  /** Originals, and copies of deleted ones, that S3 has moved to a cheaper class. */
  originalsMoved: 0,
  /** Rows of lists that this release cannot read; they are left alone. */
  rowsUnreadable: 0,
  /** Parts of the run that ended with an error. */
  errors: 0,
};
export type SweepReport = typeof NOTHING_DONE;
