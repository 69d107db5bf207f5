/** Every change of a media's or a job's state. Each takes the rows as read, what happened and when, and answers what to write. */
export type { Change, Outcome, Write } from './change.ts';
export { bury, markDeleting } from './deletion.ts';
export { isUnderWay, jobFailed, jobSucceeded } from './end.ts';
export {
  decideAccess,
  expireVersion,
  forgetVersion,
  mayPublish,
  published,
  reserveRollback,
  rollbackFailed,
  rolledBack,
  superseded,
} from './publication.ts';
export {
  engineAccepted,
  flagMedia,
  jobFor,
  outputToEncode,
  sourcesToEncode,
  startAgain,
  unflagMedia,
  wasRefused,
} from './start.ts';
export { jobProgressed, jobRunning, stillWaiting } from './track.ts';
export { acceptUpload, expireUpload, newCollection, noNews, rejectUpload } from './upload.ts';
