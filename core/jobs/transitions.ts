/** Every change of the state of a media item or a job. Each takes the rows as read, the event and the time, and returns what to write. */
export {
  beginRemoval,
  finishDeletion,
  isOwn,
  lastVersionOf,
  markDeleting,
  newestLeft,
  originalDeleted,
  undoDeletion,
  uploadWaits,
  versionsOf,
} from './deletion.ts';
export { costKnown, isUnderWay, jobFailed, jobSucceeded } from './end.ts';
export { announceUpload, newCollection } from './new-rows.ts';
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
export { needOf, restoringFrom, sourceRestored, waitForSource } from './restoring.ts';
export {
  engineAccepted,
  flagMedia,
  holdJob,
  holdRetranscode,
  jobFor,
  notSubmitted,
  outputToEncode,
  partEnded,
  sourcesToEncode,
  startAgain,
  submitting,
  unflagMedia,
  waitForEngine,
  wasRefused,
  whyNotToSubmit,
} from './start.ts';
export { jobProgressed, jobRunning, stillWaiting } from './track.ts';
export { acceptUpload, expireUpload, newestUpload, rejectUpload, whyIgnored } from './upload.ts';
