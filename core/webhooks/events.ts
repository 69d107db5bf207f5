import type { StateChange } from '../contracts/events.ts';
import type { WebhookPayload } from '../contracts/http/webhooks.ts';
import type { EndpointRow, WebhookEvent } from '../contracts/table/webhooks.ts';

/**
 * The event of a change of state; null for changes that receivers do not get (an announced upload, the mark before a
 * deletion). A re-transcode that failed is `media.retranscoded` with an error: the old version can still be played.
 */
export function webhookEventOf(
  change: Pick<StateChange, 'from' | 'to' | 'held' | 'playable' | 'archive'>,
): WebhookEvent | null {
  // A deletion was taken back: receivers have not heard of it.
  if (change.from === 'deleting' && change.to !== null) return null;
  if (change.held) return 'media.held';
  if (change.playable) return 'media.playable';
  if (change.archive) return `media.${change.archive}`;
  switch (change.to) {
    case 'uploaded':
      return 'media.uploaded';
    case 'transcoding':
      return 'media.transcoding';
    case 'ready':
      return change.from === 'retranscoding' ? 'media.retranscoded' : 'media.ready';
    case 'retranscoding':
      return 'media.retranscoding';
    case 'failed':
      return 'media.failed';
    case null:
      return change.from === null || change.from === 'uploading' ? null : 'media.deleted';
    default:
      return null;
  }
}

export function eventIdOf(change: Pick<StateChange, 'mediaId' | 'seq'>): string {
  return `evt_${change.mediaId}_${change.seq}`;
}

export function deliveryIdOf(change: Pick<StateChange, 'mediaId' | 'seq' | 'at'>): string {
  return `${Date.parse(change.at)}-${eventIdOf(change)}`;
}

export function payloadOf(event: WebhookEvent, change: StateChange): WebhookPayload {
  const { mediaId, creatorId, collectionId, title, to, seq, at, jobId, error, warnings, source } = change;
  return {
    type: event,
    timestamp: at,
    data: {
      mediaId,
      creatorId,
      collectionId,
      title,
      state: to,
      seq,
      ...(jobId && { jobId }),
      ...(error && { error }),
      ...(warnings && { warnings }),
      ...(source && { source }),
    },
  };
}

export function wants(endpoint: Pick<EndpointRow, 'enabled' | 'state' | 'events'>, event: WebhookEvent): boolean {
  return (
    endpoint.enabled && endpoint.state === 'active' && (endpoint.events.length === 0 || endpoint.events.includes(event))
  );
}
