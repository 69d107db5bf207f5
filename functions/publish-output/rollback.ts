import { getMedia, settle } from '../../aws/table.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import { reserveRollback, rollbackFailed, rolledBack } from '../../core/jobs/transitions.ts';
import { otherPlace, pointerKeys, pointersTo } from '../../core/publish/pointers.ts';
import { logger } from '../shared/stack.ts';
import { flip, removePointersOf } from './flip.ts';
import { firstMissing } from './playlists.ts';
import { graceUntil, type PublishServices } from './services.ts';

/**
 * Takes back the version of `jobId`, when it is the current one, in favour of the previous one: one PUT of the master
 * playlist, and the rows. The two change places, so the same call undoes it.
 */
export async function rollBack(services: PublishServices, jobId: string, askedAt?: string): Promise<void> {
  const { table } = services;
  const { mediaId } = parseJobId(jobId);
  logger.appendKeys({ jobId });
  const now = new Date().toISOString();
  const until = graceUntil(services, now);
  // From here on sweep leaves the previous version alone.
  const reserved = await settle(table, async () => {
    const media = await getMedia(table, mediaId);
    return media ? reserveRollback(jobId, media, until, now, askedAt) : { none: 'the media is gone' };
  });
  if ('none' in reserved) return refuse(services, mediaId, reserved.none);
  const media = await getMedia(table, mediaId);
  if (media?.current?.jobId !== jobId || !media.previous) return refuse(services, mediaId, 'overtaken');
  const { previous } = media;
  const missing = await firstMissing(services, media, previous);
  if (missing !== null) return fail(services, mediaId, jobId, previous.version, missing);
  const pointers = pointersTo(media.creatorId, mediaId, previous.version, previous.outputs, previous.access);
  const left = pointerKeys(media.creatorId, mediaId, otherPlace(previous.access));
  const flipped = await flip(services, previous.jobId, { pointers, left }, async (...masters) => {
    const row = await getMedia(table, mediaId);
    const same =
      row?.current?.jobId === jobId && row.previous?.version === previous.version && row.state !== 'deleting';
    if (!same) return { ok: false, why: 'the media has changed' };
    // A third name in a master: a new version is being published at this moment, and goes first.
    const third = masters.find((name) => name !== undefined && name !== jobId && name !== previous.jobId);
    if (third !== undefined) return { ok: false, why: `${third} is being published` };
    const known = masters.some((name) => name !== undefined);
    return known ? { ok: true } : { ok: false, why: 'nothing is published' };
  });
  if (!flipped.ok) return refuse(services, mediaId, flipped.why);
  await settle(table, async () => {
    const row = await getMedia(table, mediaId);
    return row ? rolledBack(jobId, row, until, new Date().toISOString()) : { none: 'the media is gone' };
  });
  logger.info('rolled back', { to: previous.version });
}

async function fail(services: PublishServices, mediaId: string, jobId: string, n: number, key: string): Promise<void> {
  const message = `Version ${n} cannot be put back: ${key} is missing.`;
  logger.error('no rollback', { why: message });
  await settle(services.table, async () => {
    const media = await getMedia(services.table, mediaId);
    const error = { code: 'publish_failed' as const, message, at: new Date().toISOString() };
    return media ? rollbackFailed(jobId, media, error) : { none: 'the media is gone' };
  });
}

/** What this call, or one that stopped, has put in the other place before it was overtaken must not stay there. */
async function refuse(services: PublishServices, mediaId: string, why: string): Promise<void> {
  logger.info('no rollback', { why });
  const media = await getMedia(services.table, mediaId);
  if (!media?.current) return;
  const keys = pointerKeys(media.creatorId, mediaId, otherPlace(media.current.access));
  await removePointersOf(services, keys, async (jobs) => {
    // Read after the pointers: a job that has put one by then is known here.
    const row = await getMedia(services.table, mediaId);
    return jobs.filter((jobId) => row?.current && jobId !== row.current.jobId && jobId !== row.jobId);
  });
}
