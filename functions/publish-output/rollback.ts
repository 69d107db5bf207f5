import { getMedia, settle } from '../../aws/table.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import { reserveRollback, rolledBack } from '../../core/jobs/transitions.ts';
import { pointersTo } from '../../core/publish/pointers.ts';
import { logger } from '../shared/stack.ts';
import { flip } from './flip.ts';
import { graceUntil, type PublishServices } from './services.ts';

/**
 * Takes back the version of `jobId`, when it is the current one, in favour of the previous one: one PUT of the master
 * playlist, and the rows. The two change places, so the same call undoes it.
 */
export async function rollBack(services: PublishServices, jobId: string): Promise<void> {
  const { table } = services;
  const { mediaId } = parseJobId(jobId);
  logger.appendKeys({ jobId });
  const now = new Date().toISOString();
  const until = graceUntil(services, now);
  // From here on sweep leaves the previous version alone.
  const reserved = await settle(table, async () => {
    const media = await getMedia(table, mediaId);
    return media ? reserveRollback(jobId, media, until, now) : { none: 'the media is gone' };
  });
  if ('none' in reserved) return logger.info('no rollback', { why: reserved.none });
  const media = await getMedia(table, mediaId);
  if (media?.current?.jobId !== jobId || !media.previous) return logger.info('no rollback', { why: 'overtaken' });
  const { previous } = media;
  const pointers = pointersTo(media.creatorId, mediaId, previous.version, previous.outputs);
  const flipped = await flip(services, previous.jobId, pointers, async (masterJob) => {
    const row = await getMedia(table, mediaId);
    const same =
      row?.current?.jobId === jobId && row.previous?.version === previous.version && row.state !== 'deleting';
    if (!same) return { ok: false, why: 'the media has changed' };
    // A third name in the master: a new version is being published at this moment, and goes first.
    const known = masterJob === jobId || masterJob === previous.jobId;
    return known ? { ok: true } : { ok: false, why: `${masterJob ?? 'nothing'} is being published` };
  });
  if (!flipped.ok) return logger.info('no rollback', { why: flipped.why });
  await settle(table, async () => {
    const row = await getMedia(table, mediaId);
    return row ? rolledBack(jobId, row, until, new Date().toISOString()) : { none: 'the media is gone' };
  });
  logger.info('rolled back', { to: previous.version });
}
