import { shareIdentifierFor, submit } from '../../aws/batch.ts';
import { getCollection, getJob, getMedia, settle } from '../../aws/table.ts';
import { ApiError } from '../../core/api/problem.ts';
import type { JobRow, MediaRow } from '../../core/contracts/rows.ts';
import { engineAccepted, jobFor, sourceToEncode, startAgain } from '../../core/jobs/transitions.ts';
import { DEFAULT_PRESET, PRESETS, type Preset } from '../../core/media/presets.ts';
import type { Services } from './call.ts';

/** Another job for a failed media, with its collection's preset of today. */
export async function retry(services: Services, load: () => Promise<MediaRow>, now: string): Promise<void> {
  const { table, env } = services;
  const first = await load();
  const preset = await presetOf(services, first);
  const outcome = await settle(table, async () => {
    const media = await load();
    if (media.state !== 'failed') {
      throw new ApiError('wrong_state', `Only a failed media is retried; this one is ${media.state}.`);
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
    return startAgain(media, { source: sourceToEncode(media), preset, now });
  });
  if ('job' in outcome) await start(services, outcome.job, preset, now);
}

async function presetOf({ table }: Services, media: MediaRow): Promise<Preset> {
  const collection = await getCollection(table, media.creatorId, media.collectionId);
  const preset = PRESETS[collection?.preset ?? DEFAULT_PRESET] ?? PRESETS[DEFAULT_PRESET];
  if (!preset) throw new Error(`There is no preset ${DEFAULT_PRESET}.`);
  return preset;
}

/** When AWS Batch does not take it now, or this stops halfway, sweep submits the job that the row holds. */
async function start({ table, env, batch, log }: Services, job: JobRow, preset: Preset, now: string): Promise<void> {
  const retranscode = job.purpose === 'retranscode';
  try {
    const engineJobId = await submit(batch, {
      job: jobFor(job, preset, env.MEDIA_BUCKET),
      queue: retranscode ? env.RETRANSCODE_JOB_QUEUE : env.JOB_QUEUE,
      definition: env.JOB_DEFINITION,
      ...(retranscode && { shareIdentifier: shareIdentifierFor(job.creatorId) }),
      again: false,
    });
    await settle(table, async () => {
      const row = (await getJob(table, job.mediaId, job.n)) ?? job;
      return engineAccepted(row, await getMedia(table, job.mediaId), engineJobId, now);
    });
  } catch (error) {
    log.warn('The job was not submitted; sweep will', { jobId: job.jobId, error });
  }
}
