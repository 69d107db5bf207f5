import { send } from '../../../aws/queue.ts';
import { apply, getCollection, settle } from '../../../aws/table.ts';
import { queryJobs } from '../../../aws/table-queries.ts';
import type { Caller } from '../../../core/api/caller.ts';
import { etagOf, matches } from '../../../core/api/etag.ts';
import { ApiError } from '../../../core/api/problem.ts';
import { jobView, mediaView } from '../../../core/api/views.ts';
import type { MediaView } from '../../../core/contracts/api.ts';
import type { PublishMessage } from '../../../core/contracts/events.ts';
import { type MediaRow, PLAYABLE_STATES, rowKeys } from '../../../core/contracts/rows.ts';
import { flagMedia, markDeleting, outputToEncode } from '../../../core/jobs/transitions.ts';
import { type Call, type Routes, type Services, viewSettings } from '../call.ts';
import { listMedia } from '../list-media.ts';
import { loadJob, loadMedia } from '../load.ts';
import { playbackSession } from '../playback.ts';
import { retry } from '../retry.ts';

const MAX_JOBS = 100;

type Ids =
  | 'listMedia'
  | 'getMedia'
  | 'patchMedia'
  | 'deleteMedia'
  | 'retryMedia'
  | 'retranscodeMedia'
  | 'rollbackMedia'
  | 'listJobs'
  | 'createPlaybackSession';

export const mediaRoutes: Routes<Ids> = {
  listMedia,
  createPlaybackSession: playbackSession,

  async getMedia({ caller, params, now }, services) {
    const media = await loadMedia(services, caller, params.id);
    const job = await loadJob(services, media);
    return {
      body: mediaView(media, viewSettings({ now }, services), { ...(job && { job }) }),
      headers: { ETag: await etagOf(media) },
    };
  },

  async patchMedia(call, services) {
    const { caller, params, body, now, headers } = call;
    const media = await loadMedia(services, caller, params.id);
    if (!matches(headers.get('if-match'), await etagOf(media))) {
      throw new ApiError('precondition_failed', 'The media changed since you read it.');
    }
    if (media.state === 'deleting') throw wrongState(media, 'changed');
    const { title, collectionId, scheduleRetranscode } = body;
    if (scheduleRetranscode) await requireFlaggable(services, media);
    const done = await apply(services.table, [
      {
        op: 'update',
        key: rowKeys.media(media.mediaId),
        expect: { state: media.state, seq: media.seq, title: media.title, collection: media.collection },
        set: {
          title,
          collectionId,
          collection: collectionId && `${media.creatorId}#${collectionId}`,
          updatedAt: now,
        },
      },
    ]);
    if (done === 'lost') throw new ApiError('conflict', 'The media was changed at the same moment.');
    if (scheduleRetranscode !== undefined) await setFlag(services, caller, params.id, scheduleRetranscode, now);
    const changed = await loadMedia(services, caller, params.id);
    return { body: mediaView(changed, viewSettings(call, services)), headers: { ETag: await etagOf(changed) } };
  },

  async deleteMedia(call, services) {
    const { caller, params, now } = call;
    await settle(services.table, async () => markDeleting(await loadMedia(services, caller, params.id), now));
    return mediaAnswer(call, services);
  },

  async retryMedia(call, services) {
    const { caller, params, now } = call;
    await retry(services, () => loadMedia(services, caller, params.id), now);
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
    return { body: { items: jobs.map(jobView) } };
  },
};

async function mediaAnswer(
  call: Pick<Call<'getMedia'>, 'caller' | 'params' | 'now'>,
  services: Services,
): Promise<{ body: MediaView }> {
  const media = await loadMedia(services, call.caller, call.params.id);
  return { body: mediaView(media, viewSettings(call, services)) };
}

/** Sets or takes back the flag that sweep acts on. */
async function setFlag(services: Services, caller: Caller, id: string, flag: boolean, now: string): Promise<void> {
  const { table } = services;
  await settle(table, async () => {
    const media = await loadMedia(services, caller, id);
    if (!flag) return takeFlag(media, now);
    await requireFlaggable(services, media);
    return flagMedia(media, now);
  });
}

async function requireFlaggable(services: Services, media: MediaRow): Promise<void> {
  if (media.state === 'failed') throw wrongState(media, 'encoded again; retry it');
  if (media.state === 'uploading' || media.state === 'deleting') throw wrongState(media, 'encoded again');
  if (media.originalDeletedAt && !(await mayUseOutput(services, media))) {
    throw new ApiError('original_gone', 'The original was deleted; upload the file again.');
  }
}

function takeFlag(media: MediaRow, now: string) {
  if (!media.scheduleRetranscode) return { none: 'not flagged' };
  return {
    change: [
      {
        op: 'update' as const,
        key: rowKeys.media(media.mediaId),
        expect: { seq: media.seq, todo: media.todo ?? null },
        set: { scheduleRetranscode: false, updatedAt: now },
        remove: ['todo', 'todoAt'],
      },
    ],
  };
}

async function mayUseOutput({ table }: Services, media: MediaRow): Promise<boolean> {
  const collection = await getCollection(table, media.creatorId, media.collectionId);
  return collection?.retranscodeFromOutput === true && outputToEncode(media) !== null;
}

function wrongState(media: MediaRow, verb: string): ApiError {
  return new ApiError('wrong_state', `A media that is ${media.state} cannot be ${verb}.`);
}
