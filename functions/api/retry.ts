import { applyWithRetry, getCollection } from '../../aws/table.ts';
import { ApiError } from '../../core/api/problem.ts';
import type { EngineChoice } from '../../core/contracts/engines.ts';
import type { ErrorCode } from '../../core/contracts/errors.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { secondsOf } from '../../core/jobs/quota.ts';
import { startAgain } from '../../core/jobs/transitions.ts';
import { encodingOf } from '../shared/encoding.ts';
import { logger } from '../shared/observability.ts';
import { submitJob } from '../shared/submit-job.ts';
import type { ApiServices } from './call.ts';
import { takeQuota } from './quota.ts';
import { requireEngine } from './require-engine.ts';

const NOT_COUNTED = new Set<ErrorCode | undefined>(['quota_uploads', 'quota_minutes', 'engine_refused']);

/** Makes another job for a failed media item, with its collection's current preset, and the engine that is asked for. */
export async function retry(
  services: ApiServices,
  load: () => Promise<MediaRow>,
  { engine: asked, now }: { engine?: EngineChoice | undefined; now: string },
): Promise<void> {
  const { table, env } = services;
  const first = await load();
  const collection = await getCollection(table, first.creatorId, first.collectionId);
  const outcome = await applyWithRetry(table, async () => {
    const media = await load();
    if (media.state !== 'failed') {
      const instead = media.state === 'ready' ? ' A re-transcode encodes it again.' : '';
      throw new ApiError(
        'wrong_state',
        `Only a failed media item can be retried; this one is ${media.state}.${instead}`,
      );
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
    // The worker takes a source of any size.
    const { size } = media.source;
    if (size > env.MAX_UPLOAD_BYTES) {
      const message = `Its file has ${size} bytes; the limit is ${env.MAX_UPLOAD_BYTES}. Upload a smaller one.`;
      throw new ApiError('wrong_state', message);
    }
    const encoding = await encodingOf(table, media.creatorId, collection, { engine: asked ?? media.engine });
    requireEngine(services, encoding.engine);
    const outcome = startAgain(media, {
      ...encoding,
      askedEngine: asked,
      purpose: 'ingest',
      source: media.source,
      now,
    });
    // An upload that was refused for a quota or its engine was not counted yet; one with an earlier attempt was.
    const uncounted = NOT_COUNTED.has(media.error?.code) && media.jobId === undefined;
    if ('refused' in outcome || !uncounted) return outcome;
    const need = { uploads: 1, seconds: secondsOf(media.sourceInfo, size) };
    return { ...outcome, change: [...outcome.change, await takeQuota(services, media.creatorId, need, now)] };
  });
  if ('job' in outcome) await start(services, outcome.job);
}

/** When the engine does not take the job now, or this stops halfway, sweep submits the job that the row holds. */
async function start({ table, s3, engines, env }: ApiServices, job: JobRow): Promise<void> {
  const services = { table, s3, engines, mediaBucket: env.MEDIA_BUCKET, maxUsdPerMonth: env.MAX_USD_PER_MONTH };
  try {
    await submitJob(services, job, 'look');
  } catch (error) {
    logger.warn('not submitted; sweep will', { jobId: job.jobId, error });
  }
}
