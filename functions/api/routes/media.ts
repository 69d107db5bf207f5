import { send } from '../../../aws/queue.ts';
import { listVersions } from '../../../aws/s3.ts';
import { apply, applyWithRetry, getCollection } from '../../../aws/table.ts';
import { queryJobs } from '../../../aws/table-queries.ts';
import type { Caller } from '../../../core/api/caller.ts';
import { etagOf, matches } from '../../../core/api/etag.ts';
import { ApiError } from '../../../core/api/problem.ts';
import { jobView, mediaView } from '../../../core/api/views.ts';
import {
  DETAIL,
  type JobCancelled,
  type MediaDeleted,
  type PublishMessage,
  SOURCE,
} from '../../../core/contracts/events.ts';
import type { MediaView } from '../../../core/contracts/http/media.ts';
import { collectionOf, rowKeys } from '../../../core/contracts/table/keys.ts';
import { type MediaRow, PLAYABLE_STATES } from '../../../core/contracts/table/media.ts';
import type { Outcome } from '../../../core/jobs/change.ts';
import { uploadOf } from '../../../core/jobs/sources.ts';
import {
  flagMedia,
  isUnderWay,
  markDeleting,
  newestLeft,
  outputToEncode,
  undoDeletion,
  unflagMedia,
} from '../../../core/jobs/transitions.ts';
import { logger } from '../../shared/observability.ts';
import { type ApiCall, type ApiServices, type Routes, viewSettings } from '../call.ts';
import { listMedia } from '../list-media.ts';
import { collectionIsThere, loadArchive, loadJob, loadMedia, requireCollection } from '../load.ts';
import { oembed } from '../oembed.ts';
import { mediaLink, playbackSession } from '../playback.ts';
import { requireEngine } from '../require-engine.ts';
import { retry } from '../retry.ts';
import { workerLog } from '../worker-log.ts';
import { endMultipart } from './uploads.ts';

const MAX_JOBS = 100;

type Ids =
  | 'listMedia'
  | 'getMedia'
  | 'patchMedia'
  | 'deleteMedia'
  | 'undeleteMedia'
  | 'retryMedia'
  | 'cancelMedia'
  | 'retranscodeMedia'
  | 'rollbackMedia'
  | 'listJobs'
  | 'createPlaybackSession'
  | 'createMediaLink'
  | 'getOembed';

export const mediaRoutes: Routes<Ids> = {
  listMedia,
  createPlaybackSession: playbackSession,
  createMediaLink: mediaLink,
  getOembed: oembed,

  async getMedia({ caller, params, now }, services) {
    const media = await loadMedia(services, caller, params.id);
    const [job, archive] = await Promise.all([loadJob(services, media), loadArchive(services, media)]);
    return {
      body: mediaView(media, viewSettings({ now }, services), {
        sourceTracks: true,
        archive,
        ...(job && { job, log: workerLog(caller, services) }),
      }),
      headers: { ETag: await etagOf(media) },
    };
  },

  async patchMedia(call, services) {
    const { caller, params, body, now, headers } = call;
    const media = await loadMedia(services, caller, params.id);
    if (!matches(headers.get('if-match'), await etagOf(media))) {
      throw new ApiError('precondition_failed', 'The media item changed since it was read.');
    }
    if (media.state === 'deleting') throw wrongState(media, 'changed');
    const { title, tags, collectionId, scheduleRetranscode } = body;
    if (scheduleRetranscode) await requireFlaggable(services, media);
    const done = await apply(services.table, [
      {
        op: 'update',
        key: rowKeys.media(media.mediaId),
        expect: {
          state: media.state,
          seq: media.seq,
          title: media.title,
          collection: media.collection,
          // Of tags, which no expectation can compare.
          updatedAt: media.updatedAt,
        },
        set: {
          title,
          tags,
          collectionId,
          collection: collectionId && collectionOf(media.creatorId, collectionId),
          updatedAt: now,
        },
      },
      ...(collectionId === undefined ? [] : [collectionIsThere(media.creatorId, collectionId)]),
    ]);
    if (done === 'lost' && collectionId !== undefined) {
      await requireCollection(services, media.creatorId, collectionId);
    }
    if (done === 'lost') throw new ApiError('conflict', 'The media item was changed at the same moment.');
    if (scheduleRetranscode !== undefined) await setFlag(services, caller, params.id, scheduleRetranscode, now);
    const changed = await loadMedia(services, caller, params.id);
    return { body: mediaView(changed, viewSettings(call, services)), headers: { ETag: await etagOf(changed) } };
  },

  async deleteMedia(call, services) {
    const { caller, params, now } = call;
    if ((await loadMedia(services, caller, params.id)).state === 'uploading') await endMultipart(services, params.id);
    const marked = await applyWithRetry(services.table, async (): Promise<Outcome<{ jobId?: string }>> => {
      const media = await loadMedia(services, caller, params.id);
      const { versions } = await listVersions(services.s3, uploadOf(media.source));
      const { jobId } = media;
      return { ...markDeleting(media, now, newestLeft(media, versions)), ...(jobId && isUnderWay(media) && { jobId }) };
    });
    if ('jobId' in marked && marked.jobId !== undefined) await askToEnd(services, marked.jobId);
    return mediaAnswer(call, services);
  },

  async undeleteMedia(call, services) {
    const { caller, params, now } = call;
    await applyWithRetry(services.table, async () => {
      const media = await loadMedia(services, caller, params.id);
      const outcome = undoDeletion(media, now);
      if ('refused' in outcome)
        throw new ApiError('wrong_state', 'Its deletion cannot be undone, or it is not being deleted.');
      return outcome;
    });
    return mediaAnswer(call, services);
  },

  async retryMedia(call, services) {
    const { caller, params, body, now } = call;
    requireEngine(services, body.engine);
    await retry(services, () => loadMedia(services, caller, params.id), { engine: body.engine, now });
    return mediaAnswer(call, services);
  },

  async cancelMedia(call, services) {
    const { caller, params } = call;
    const media = await loadMedia(services, caller, params.id);
    const job = isUnderWay(media) ? await loadJob(services, media) : null;
    if (!job) throw wrongState(media, 'cancelled: no encode is under way');
    if (job.state === 'succeeded') throw wrongState(media, 'cancelled: it is encoded, and is being published');
    const { sqs, env } = services;
    const detail = { jobId: job.jobId };
    const message: JobCancelled = { source: SOURCE.pipeline, 'detail-type': DETAIL.cancelled, detail };
    await send(sqs, env.TRACK_QUEUE_URL, message);
    return mediaAnswer(call, services);
  },

  async retranscodeMedia(call, services) {
    const { caller, params, now } = call;
    await setFlag(services, caller, params.id, true, now);
    return mediaAnswer(call, services);
  },

  async rollbackMedia(call, services) {
    const { caller, params, now } = call;
    const { env, sqs } = services;
    const media = await loadMedia(services, caller, params.id);
    if (!PLAYABLE_STATES.includes(media.state) || !media.current) throw wrongState(media, 'rolled back');
    if (!media.previous || media.previous.expiresAt <= now) {
      throw new ApiError('no_previous_version', 'There is no previous version, or its grace period is over.');
    }
    await send(sqs, env.PUBLISH_QUEUE_URL, {
      jobId: media.current.jobId,
      rollback: true,
      at: now,
    } satisfies PublishMessage);
    return mediaAnswer(call, services);
  },

  async listJobs({ caller, params }, services) {
    const media = await loadMedia(services, caller, params.id);
    const jobs = await queryJobs(services.table, media.mediaId, MAX_JOBS);
    const log = workerLog(caller, services);
    return { body: { items: jobs.map((job) => jobView(job, log)) } };
  },
};

async function mediaAnswer(
  call: Pick<ApiCall<'getMedia'>, 'caller' | 'params' | 'now'>,
  services: ApiServices,
): Promise<{ body: MediaView }> {
  const media = await loadMedia(services, call.caller, call.params.id);
  return { body: mediaView(media, viewSettings(call, services)) };
}

/** When this is lost, the next run of sweep ends the job. */
async function askToEnd({ sqs, env }: ApiServices, jobId: string): Promise<void> {
  const message: MediaDeleted = { source: SOURCE.pipeline, 'detail-type': DETAIL.deleted, detail: { jobId } };
  await send(sqs, env.TRACK_QUEUE_URL, message).catch((error: unknown) => {
    logger.warn('not asked to end; sweep ends it', { jobId, error });
  });
}

/** Sets or clears the flag that sweep acts on. */
async function setFlag(services: ApiServices, caller: Caller, id: string, flag: boolean, now: string): Promise<void> {
  const { table } = services;
  await applyWithRetry(table, async () => {
    const media = await loadMedia(services, caller, id);
    if (!flag) return unflagMedia(media, now);
    await requireFlaggable(services, media);
    return flagMedia(media, now);
  });
}

async function requireFlaggable(services: ApiServices, media: MediaRow): Promise<void> {
  if (media.state === 'failed') throw wrongState(media, 'encoded again; retry it');
  if (media.state === 'uploading' || media.state === 'deleting') throw wrongState(media, 'encoded again');
  if (media.originalDeletedAt && !(await mayUseOutput(services, media))) {
    throw new ApiError('original_gone', 'The original was deleted; upload the file again.');
  }
}

async function mayUseOutput({ table }: ApiServices, media: MediaRow): Promise<boolean> {
  const collection = await getCollection(table, media.creatorId, media.collectionId);
  return collection?.retranscodeFromOutput === true && outputToEncode(media) !== null;
}

function wrongState(media: MediaRow, verb: string): ApiError {
  return new ApiError('wrong_state', `A media item that is ${media.state} cannot be ${verb}.`);
}
