import { applyWithRetry, getMedia } from '../../aws/table.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import { reserveRollback, rollbackFailed, rolledBack } from '../../core/jobs/transitions.ts';
import { otherPlace, pointerKeys, pointersTo } from '../../core/publish/pointers.ts';
import { plus } from '../../core/time.ts';
import { logger } from '../shared/observability.ts';
import { firstMissing } from './playlists.ts';
import type { PublishServices } from './services.ts';
import { removePointersOf, switchPointers } from './switch-pointers.ts';

/**
 * Replaces the version of `jobId`, when it is the current one, by the previous one: one PUT of the master playlist, and the rows. The two
 * swap places, so the same call undoes it.
 */
export async function rollBack(services: PublishServices, jobId: string, askedAt?: string): Promise<void> {
  const { table } = services;
  const { mediaId } = parseJobId(jobId);
  logger.appendKeys({ jobId });
  const now = new Date().toISOString();
  const until = plus(now, { hours: services.graceHours });
  // From here on sweep keeps the previous version.
  const reserved = await applyWithRetry(table, async () => {
    const media = await getMedia(table, mediaId);
    return media
      ? reserveRollback(jobId, media, { graceUntil: until, now, askedAt })
      : { refused: 'the media item is gone' };
  });
  if ('refused' in reserved) return refuse(services, mediaId, reserved.refused);
  const media = await getMedia(table, mediaId);
  if (media?.current?.jobId !== jobId || !media.previous) return refuse(services, mediaId, 'overtaken');
  const { previous } = media;
  const missing = await firstMissing(services, media, previous);
  if (missing !== null) return fail(services, jobId, { n: previous.version, key: missing });
  const pointers = pointersTo({ ...previous, creatorId: media.creatorId, mediaId, n: previous.version });
  const otherKeys = pointerKeys(media.creatorId, mediaId, otherPlace(previous.access));
  const place = { pointers, otherKeys, texts: new Map<string, string>() };
  const switched = await switchPointers(services, previous.jobId, place, async (...masters) => {
    const row = await getMedia(table, mediaId);
    const same =
      row?.current?.jobId === jobId && row.previous?.version === previous.version && row.state !== 'deleting';
    if (!same) return { refused: 'the media item has changed' };
    // A third name in a master: a new version is being published at this moment, and takes precedence.
    const third = masters.find((name) => name !== undefined && name !== jobId && name !== previous.jobId);
    if (third !== undefined) return { refused: `${third} is being published` };
    const known = masters.some((name) => name !== undefined);
    return known ? 'allowed' : { refused: 'nothing is published' };
  });
  if (switched !== 'switched') return refuse(services, mediaId, switched.refused);
  await applyWithRetry(table, async () => {
    const row = await getMedia(table, mediaId);
    return row ? rolledBack(jobId, row, until, new Date().toISOString()) : { refused: 'the media item is gone' };
  });
  logger.info('rolled back', { to: previous.version });
}

/** @param missing the version, and a key that it lacks */
async function fail(services: PublishServices, jobId: string, missing: { n: number; key: string }): Promise<void> {
  const { mediaId } = parseJobId(jobId);
  const { n, key } = missing;
  const message = `Version ${n} cannot be put back: ${key} is missing.`;
  logger.error('no rollback', { why: message });
  await applyWithRetry(services.table, async () => {
    const media = await getMedia(services.table, mediaId);
    const error = { code: 'publish_failed' as const, message, at: new Date().toISOString() };
    return media ? rollbackFailed(jobId, media, error) : { refused: 'the media item is gone' };
  });
}

/** What this call, or one that stopped, has put in the other place before it was superseded must not stay there. */
async function refuse(services: PublishServices, mediaId: string, why: string): Promise<void> {
  logger.info('no rollback', { why });
  const media = await getMedia(services.table, mediaId);
  if (!media?.current) return;
  const keys = pointerKeys(media.creatorId, mediaId, otherPlace(media.current.access));
  await removePointersOf(services, keys, async (jobs) => {
    // Read after the pointers, so that a job that has put one by then is known here.
    const row = await getMedia(services.table, mediaId);
    return jobs.filter((jobId) => row?.current && jobId !== row.current.jobId && jobId !== row.jobId);
  });
}
