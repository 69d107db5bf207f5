import { embedUrl } from '../contracts/embed.ts';
import { AUTO } from '../contracts/engines.ts';
import type { CollectionView } from '../contracts/http/collections.ts';
import type { JobView, MediaView } from '../contracts/http/media.ts';
import type { DeliveryView, WebhookView } from '../contracts/http/webhooks.ts';
import { type Access, DEFAULT_COLLECTION, mediaKeys, parseDropKey, pointedFiles } from '../contracts/keys.ts';
import { FILES, OPTIONAL_NAMES, type OptionalName, some } from '../contracts/outputs.ts';
import type { ArchiveRow } from '../contracts/table/archive.ts';
import type { CollectionRow } from '../contracts/table/collections.ts';
import type { JobRow } from '../contracts/table/jobs.ts';
import { isUndeletable, type MediaRow, PLAYABLE_STATES, type PublishedVersion } from '../contracts/table/media.ts';
import type { DeliveryRow, EndpointRow } from '../contracts/table/webhooks.ts';
import { logUrlOf, type WorkerLog } from './log-url.ts';

/** Rows as clients see them. */

export interface ViewSettings {
  /** Origin that serves the media bucket, without a slash at its end. */
  deliveryUrl: string;
  maxAttempts: number;
  now: string;
}

/** @param more Of a single media item, and not of those in lists: its job, its row in the archive, and all that is known of its source. */
export function mediaView(
  row: MediaRow,
  settings: ViewSettings,
  more: {
    job?: JobRow | undefined;
    log?: WorkerLog | undefined;
    archive?: ArchiveRow | null;
    sourceTracks?: boolean;
  } = {},
): MediaView {
  const { tracks, ...info } = row.sourceInfo ?? {};
  const shown = shownOf(row);
  const playable = shown !== null;
  // Of its source, by the job that waits for it, or else by the archive.
  const restoring = row.error?.code === 'source_restoring' ? row.restoring : row.archive?.restoring;
  const previous = row.previous && row.previous.expiresAt > settings.now ? row.previous : undefined;
  return {
    id: row.mediaId,
    creatorId: row.creatorId,
    collectionId: row.collectionId,
    title: row.title,
    tags: row.tags ?? [],
    ...(row.kind && { kind: row.kind }),
    state: row.state,
    playable,
    ...(row.playableAt && { playableAt: row.playableAt }),
    seq: row.seq,
    attempts: row.attempts,
    maxAttempts: settings.maxAttempts,
    ...(row.error && { error: row.error }),
    ...(restoring && { restoring }),
    source: {
      ...info,
      ...(more.sourceTracks && { tracks }),
      fileName: fileNameOf(row.source.archivedFrom?.key ?? row.source.key),
      size: row.source.size,
    },
    ...(row.originalDeletedAt && { originalDeletedAt: row.originalDeletedAt }),
    ...(row.archive && { archive: archiveOf(row.archive, more.archive) }),
    scheduleRetranscode: row.scheduleRetranscode,
    undeletable: isUndeletable(row),
    ...(row.current && {
      version: {
        n: row.current.version,
        publishedAt: row.current.publishedAt,
        bytes: row.current.bytes,
        preset: row.current.preset,
        renditions: row.current.renditions,
        warnings: row.current.warnings ?? [],
      },
    }),
    ...(previous && {
      previous: { n: previous.version, publishedAt: previous.publishedAt, expiresAt: previous.expiresAt },
    }),
    ...(shown && {
      access: accessTo(shown),
      // Its page is that of a whole version.
      ...(row.current && { embedUrl: embedUrl(settings.deliveryUrl, row) }),
      playback: playbackUrls(row, shown, settings.deliveryUrl),
    }),
    ...(more.job && { job: jobView(more.job, more.log) }),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

/** What viewers get of a media item: a version, or what there is of its first one. Null where it cannot be played. */
export function shownOf(row: MediaRow): Pick<PublishedVersion, 'outputs' | 'access' | 'redirects'> | null {
  const { creatorId, mediaId, state, current, growing } = row;
  if (current) return PLAYABLE_STATES.includes(state) ? current : null;
  if (!growing || state !== 'transcoding' || growing.jobId !== row.jobId) return null;
  return { access: growing.access, outputs: { master: mediaKeys(creatorId, mediaId, growing.access).master } };
}

function archiveOf(row: NonNullable<MediaRow['archive']>, of?: ArchiveRow | null): MediaView['archive'] {
  const { state, bytes, storageClass, reason, deleteAfter } = row;
  const isKept = state === 'archived' && deleteAfter !== undefined;
  const { kept, waits, refusals } = of ?? {};
  const detail = kept ?? waits ?? refusals?.map((refusal) => refusal.detail).join(' ');
  return {
    ...{ state, ...(bytes && { bytes }), ...(storageClass && { storageClass }) },
    ...{ ...(reason !== undefined && { reason }), ...(detail !== undefined && { detail }) },
    ...(isKept && { deleteAfter }),
  };
}

/** A version keeps the access with which it was published; a change of the collection applies from the next version on. */
export function accessTo(version: { access?: Access | undefined }): Access {
  return version.access ?? 'public';
}

/** Addresses of a version's outputs, by their pointers: each outlives the version, because the next one gets the same. */
export function playbackUrls(
  { creatorId, mediaId }: Pick<MediaRow, 'creatorId' | 'mediaId'>,
  { outputs, access, redirects }: Pick<PublishedVersion, 'outputs' | 'access' | 'redirects'>,
  origin: string,
) {
  const keys = mediaKeys(creatorId, mediaId, access);
  const pointed = new Set<string>(pointedFiles(access).filter((name) => redirects || !FILES[name].redirect));
  const url = (key: string) => `${origin}/${key.split('/').map(encodeURIComponent).join('/')}`;
  const urlOf = (name: 'dash' | OptionalName) => {
    const own = outputs[name];
    return own === undefined ? undefined : url(pointed.has(name) ? keys[name] : own);
  };
  return { hls: url(outputs.master), ...some(['dash', ...OPTIONAL_NAMES], urlOf) };
}

/** The uploader's name for it: the last segment of the key. */
function fileNameOf(key: string): string {
  return (parseDropKey(key)?.path ?? key).split('/').at(-1) ?? key;
}

/** @param log of the workers, for those who may read it */
export function jobView(row: JobRow, log?: WorkerLog): JobView {
  return {
    id: row.jobId,
    n: row.n,
    purpose: row.purpose,
    engine: row.engine,
    state: row.state,
    progress: row.progress,
    ...(row.speed !== undefined && { speed: row.speed }),
    attempt: row.attempt,
    steps: row.steps,
    preset: row.preset,
    ...(row.error && { error: row.error }),
    ...(row.estimate && { estimate: { seconds: row.estimate.seconds, usd: row.estimate.usd } }),
    ...(row.cost && { cost: row.cost }),
    ...(row.gpu && { gpu: row.gpu }),
    ...(log && row.startedAt !== undefined && { logUrl: logUrlOf(row, log) }),
    createdAt: row.createdAt,
    ...(row.startedAt && { startedAt: row.startedAt }),
    ...(row.finishedAt && { finishedAt: row.finishedAt }),
  };
}

export function collectionView(row: CollectionRow): CollectionView {
  return {
    id: row.collectionId,
    creatorId: row.creatorId,
    title: row.title || (row.collectionId === DEFAULT_COLLECTION ? 'Default' : row.collectionId),
    preset: row.preset,
    engine: row.engine ?? AUTO,
    deleteOriginal: row.deleteOriginal,
    retranscodeFromOutput: row.retranscodeFromOutput,
    playback: row.playback,
    embedOrigins: row.embedOrigins ?? null,
    deadlineMinutes: row.deadlineMinutes ?? null,
    maxUsdPerMonth: row.maxUsdPerMonth ?? null,
    scheduleRetranscode: row.scheduleRetranscode,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

export function webhookView(row: EndpointRow, now: string): WebhookView {
  return {
    id: row.endpointId,
    creatorId: row.creatorId,
    url: row.url,
    events: row.events,
    description: row.description,
    enabled: row.enabled,
    state: row.state,
    ...(row.ping && { ping: row.ping }),
    secrets: row.secrets.filter((secret) => !secret.expiresAt || secret.expiresAt > now).length,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

export function deliveryView(row: DeliveryRow): DeliveryView {
  return {
    id: row.deliveryId,
    eventId: row.eventId,
    event: row.event,
    mediaId: row.mediaId,
    seq: row.seq,
    status: row.status,
    attempts: row.attempts,
    log: row.log,
    ...(row.status === 'pending' && row.nextAttemptAt && { nextAttemptAt: row.nextAttemptAt }),
    createdAt: row.changedAt,
  };
}
