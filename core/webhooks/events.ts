import type { MediaStateChanged } from '../contracts/events.ts';
import type { WebhookEvent, WebhookPayload } from '../contracts/webhooks.ts';

type Change = MediaStateChanged['detail'];

/**
 * The event of a change of state; null for changes that receivers are not told (an announced upload, the mark before a
 * deletion). A re-transcode that failed is `media.retranscoded` with an error: the old version plays on.
 */
export function eventOf(change: Pick<Change, 'from' | 'to'>): WebhookEvent | null {
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

export function eventIdOf(change: Pick<Change, 'mediaId' | 'seq'>): string {
  return `evt_${change.mediaId}_${change.seq}`;
}

export function deliveryIdOf(change: Pick<Change, 'mediaId' | 'seq' | 'at'>): string {
  return `${Date.parse(change.at)}-${eventIdOf(change)}`;
}

export function payloadOf(event: WebhookEvent, change: Change): WebhookPayload {
  const { mediaId, creatorId, collectionId, title, to, seq, at, jobId, error } = change;
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
    },
  };
}

export function wants(endpoint: { enabled: boolean; events: readonly WebhookEvent[] }, event: WebhookEvent): boolean {
  return endpoint.enabled && (endpoint.events.length === 0 || endpoint.events.includes(event));
}
