import { getCollection, settle } from '../../aws/table.ts';
import { ApiError } from '../../core/api/problem.ts';
import type { JobRow, MediaRow } from '../../core/contracts/rows.ts';
import { startAgain } from '../../core/jobs/transitions.ts';
import { DEFAULT_PRESET } from '../../core/media/presets.ts';
import { presetNamed } from '../shared/preset.ts';
import { logger } from '../shared/stack.ts';
import { submitJob } from '../shared/submit-job.ts';
import type { Services } from './call.ts';

/** Another job for a failed media, with its collection's preset of today. */
export async function retry(services: Services, load: () => Promise<MediaRow>, now: string): Promise<void> {
  const { table, env } = services;
  const first = await load();
  const collection = await getCollection(table, first.creatorId, first.collectionId);
  const preset = presetNamed(collection?.preset ?? DEFAULT_PRESET);
  const outcome = await settle(table, async () => {
    const media = await load();
    if (media.state !== 'failed') {
      const instead = media.state === 'ready' ? ' A re-transcode encodes it again.' : '';
      throw new ApiError('wrong_state', `Only a failed media is retried; this one is ${media.state}.${instead}`);
    }
    if (media.attempts >= env.MAX_ATTEMPTS) {
      throw new ApiError(
        'attempts_exhausted',
        `It was tried ${media.attempts} times, and at most ${env.MAX_ATTEMPTS} are allowed. Upload the file again.`,
      );
    }
    if (media.error?.code === 'upload_expired') {
      throw new ApiError('wrong_state', 'Its upload was never finished. Upload the file again.');
    }
    // The worker takes whatever size it is given.
    const { size } = media.source;
    if (size > env.MAX_UPLOAD_BYTES) {
      const message = `Its file has ${size} bytes; the limit is ${env.MAX_UPLOAD_BYTES}. Upload a smaller one.`;
      throw new ApiError('wrong_state', message);
    }
    return startAgain(media, { purpose: 'ingest', source: media.source, preset, now });
  });
  if ('job' in outcome) await start(services, outcome.job);
}

/** When AWS Batch does not take it now, or this stops halfway, sweep submits the job that the row holds. */
async function start({ engine }: Services, job: JobRow): Promise<void> {
  try {
    await submitJob(engine, job, false);
  } catch (error) {
    logger.warn('not submitted; sweep will', { jobId: job.jobId, error });
  }
}
