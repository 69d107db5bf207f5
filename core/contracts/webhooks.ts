import { z } from 'zod';
import { ErrorCode } from '../jobs/errors.ts';
import { CollectionId, CreatorId, JobId, MediaId } from './ids.ts';
import { MediaState } from './rows.ts';

/** Webhooks out: bodies of the API about them, what receivers get, and the rows and messages behind it. */

const Time = z.iso.datetime();

export const WEBHOOK_EVENTS = [
  'media.uploaded',
  'media.transcoding',
  'media.ready',
  'media.failed',
  'media.retranscoding',
  'media.retranscoded',
  'media.archived',
  'media.restored',
  'media.deleted',
] as const;
export const WebhookEvent = z.enum(WEBHOOK_EVENTS);
export type WebhookEvent = z.infer<typeof WebhookEvent>;

export const MAX_ENDPOINTS = 10;

/** `wh_` and 16 characters of base32. */
export const EndpointId = z.string().regex(/^wh_[a-z2-7]{16}$/);
/** `evt_{mediaId}_{seq}`: the same for every try and replay, so receivers can drop what they have seen. */
export const EventId = z.string().regex(/^evt_[a-z2-7]{26}_[0-9]{1,10}$/);

/** `{milliseconds of the change since the epoch}-{eventId}`: sorts by time. */
export const DeliveryId = z.string().regex(/^[0-9]{13}-evt_[a-z2-7]{26}_[0-9]{1,10}$/);

const EndpointSettings = z.strictObject({
  url: z.string().min(1).max(2000),
  /** Which events; an empty list means all. */
  events: z.array(WebhookEvent).max(WEBHOOK_EVENTS.length),
  description: z.string().max(200),
});

export const WebhookRequest = EndpointSettings.partial()
  .extend({ url: z.string().min(1).max(2000), creatorId: CreatorId.optional() })
  .meta({ id: 'WebhookRequest' });
export type WebhookRequest = z.infer<typeof WebhookRequest>;

export const WebhookPatchRequest = EndpointSettings.extend({ enabled: z.boolean() })
  .partial()
  .meta({ id: 'WebhookPatchRequest', minProperties: 1 });
export type WebhookPatchRequest = z.infer<typeof WebhookPatchRequest>;

const endpointView = {
  id: EndpointId,
  creatorId: CreatorId,
  url: z.string(),
  events: z.array(WebhookEvent),
  description: z.string(),
  enabled: z.boolean(),
  /** How many secrets sign at present: 2 for 24 hours after a rotation. */
  secrets: z.number().int(),
  createdAt: Time,
  updatedAt: Time,
};
export const WebhookView = z.object(endpointView).meta({ id: 'Webhook' });
export type WebhookView = z.infer<typeof WebhookView>;
export const WebhookList = z.object({ items: z.array(WebhookView) }).meta({ id: 'WebhookList' });

/** The only answers that show a secret: to creating an endpoint, and to rotating its secret. */
export const WebhookWithSecret = z
  .object({ ...endpointView, secret: z.string() })
  .meta({ id: 'WebhookWithSecret', description: 'The secret is shown this once.' });
export type WebhookWithSecret = z.infer<typeof WebhookWithSecret>;

export const DeliveryAttempt = z.object({
  at: Time,
  /** HTTP status; absent when there was no answer. */
  status: z.number().int().optional(),
  latencyMs: z.number().int(),
  error: z.string().optional(),
});
export type DeliveryAttempt = z.infer<typeof DeliveryAttempt>;

export const DeliveryStatus = z.enum(['pending', 'delivered', 'failed']);
export type DeliveryStatus = z.infer<typeof DeliveryStatus>;

export const DeliveryView = z
  .object({
    id: DeliveryId,
    eventId: EventId,
    event: WebhookEvent,
    mediaId: MediaId,
    seq: z.number().int(),
    status: DeliveryStatus,
    attempts: z.number().int(),
    /** The last 10 tries. */
    log: z.array(DeliveryAttempt),
    nextAttemptAt: Time.optional(),
    createdAt: Time,
  })
  .meta({ id: 'Delivery' });
export type DeliveryView = z.infer<typeof DeliveryView>;
/** At most 100 failed deliveries of changes since then are sent again, oldest first. */
export const ReplayRequest = z.strictObject({ since: Time.optional() }).meta({ id: 'ReplayRequest' });
export const ReplayReceipt = z.object({ replayed: z.number().int(), more: z.boolean() }).meta({ id: 'ReplayReceipt' });
export const DeliveryPage = z
  .object({ items: z.array(DeliveryView), next: z.string().nullable() })
  .meta({ id: 'DeliveryPage' });

/** What a receiver is sent. `data.seq` orders the events of one media; deliveries may come late, twice or out of order. */
export const WebhookPayload = z.object({
  type: WebhookEvent,
  timestamp: Time,
  data: z.object({
    mediaId: MediaId,
    creatorId: CreatorId,
    collectionId: CollectionId,
    title: z.string(),
    state: MediaState.nullable(),
    seq: z.number().int(),
    jobId: JobId.optional(),
    error: z.object({ code: ErrorCode, message: z.string() }).optional(),
  }),
});
export type WebhookPayload = z.infer<typeof WebhookPayload>;

export const Secret = z.object({
  /** `whsec_` and base64 of 32 random bytes. */
  secret: z.string(),
  /** From then on it signs no more; absent on the newest. */
  expiresAt: Time.optional(),
});
export type Secret = z.infer<typeof Secret>;

export const EndpointRow = z.object({
  type: z.literal('webhook'),
  endpointId: EndpointId,
  creatorId: CreatorId,
  url: z.string(),
  events: z.array(WebhookEvent),
  description: z.string(),
  enabled: z.boolean(),
  secrets: z.array(Secret).min(1).max(2),
  createdAt: Time,
  updatedAt: Time,
});
export type EndpointRow = z.infer<typeof EndpointRow>;

export const DeliveryRow = z.object({
  type: z.literal('delivery'),
  deliveryId: DeliveryId,
  endpointId: EndpointId,
  creatorId: CreatorId,
  eventId: EventId,
  event: WebhookEvent,
  mediaId: MediaId,
  seq: z.number().int(),
  /** The body to send, byte for byte, so that every try has the same. */
  payload: z.string(),
  status: DeliveryStatus,
  attempts: z.number().int(),
  log: z.array(DeliveryAttempt),
  /** When it is given up; a replay sets it anew. */
  deadline: Time,
  nextAttemptAt: Time.optional(),
  /** When the media changed. Not `createdAt`: rows with a creatorId and that are in the index of a creator's media. */
  changedAt: Time,
  /** Seconds since the epoch, for DynamoDB's TTL: 30 days. */
  expiresAt: z.number().int(),
});
export type DeliveryRow = z.infer<typeof DeliveryRow>;

/** A message of the webhook queue to itself: try this delivery, not before `dueAt`. */
export const DeliveryMessage = z.object({
  endpointId: EndpointId,
  creatorId: CreatorId,
  deliveryId: DeliveryId,
  dueAt: Time,
});
export type DeliveryMessage = z.infer<typeof DeliveryMessage>;

export const webhookKeys = {
  endpoint: (creatorId: string, endpointId: string) => ({ pk: `CREATOR#${creatorId}`, sk: `WEBHOOK#${endpointId}` }),
  /** Counts a creator's endpoints, so that two creations at once keep to the limit. */
  count: (creatorId: string) => ({ pk: `CREATOR#${creatorId}`, sk: 'WEBHOOKS' }),
  delivery: (endpointId: string, deliveryId: string) => ({ pk: `WEBHOOK#${endpointId}`, sk: `DELIVERY#${deliveryId}` }),
};
