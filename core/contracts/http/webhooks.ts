import { z } from 'zod';
import { ErrorCode } from '../errors.ts';
import { CollectionId, CreatorId, DeliveryId, EndpointId, EventId, JobId, MediaId } from '../ids.ts';
import { MediaState, SourceReport } from '../table/media.ts';
import { DeliveryAttempt, DeliveryStatus, EndpointState, WEBHOOK_EVENTS, WebhookEvent } from '../table/webhooks.ts';
import { Warning } from '../warnings.ts';

const Time = z.iso.datetime();

export const MAX_ENDPOINTS = 10;

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
  state: EndpointState,
  /** The last ping, with its answer. */
  ping: DeliveryAttempt.optional(),
  /** How many secrets sign at present: 2 for 24 hours after a rotation. */
  secrets: z.number().int(),
  createdAt: Time,
  updatedAt: Time,
};

export const WebhookView = z.object(endpointView).meta({ id: 'Webhook' });
export type WebhookView = z.infer<typeof WebhookView>;

export const WebhookList = z
  .object({
    items: z.array(WebhookView),
    /** Whether there are creators beside those whose endpoints are listed: name one. */
    more: z.boolean().default(false),
  })
  .meta({ id: 'WebhookList' });

/** The only answers that contain a secret: those to creating an endpoint, and to rotating its secret. */
export const WebhookWithSecret = z
  .object({ ...endpointView, secret: z.string() })
  .meta({ id: 'WebhookWithSecret', description: 'The secret is shown this once.' });
export type WebhookWithSecret = z.infer<typeof WebhookWithSecret>;

export const DeliveryView = z
  .object({
    id: DeliveryId,
    eventId: EventId,
    event: WebhookEvent,
    mediaId: MediaId,
    seq: z.number().int(),
    status: DeliveryStatus,
    attempts: z.number().int(),
    /** The last 10 attempts. */
    log: z.array(DeliveryAttempt),
    nextAttemptAt: Time.optional(),
    createdAt: Time,
  })
  .meta({ id: 'Delivery' });
export type DeliveryView = z.infer<typeof DeliveryView>;

/** At most 100 failed deliveries of changes since then are resent, oldest first. */
export const ReplayRequest = z.strictObject({ since: Time.optional() }).meta({ id: 'ReplayRequest' });

export const ReplayReceipt = z.object({ replayed: z.number().int(), more: z.boolean() }).meta({ id: 'ReplayReceipt' });

export const DeliveryPage = z
  .object({ items: z.array(DeliveryView), next: z.string().nullable() })
  .meta({ id: 'DeliveryPage' });

/** What a receiver gets. `data.seq` orders the events of one media item; deliveries may arrive late, twice or out of order. */
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
    /** Of the version that was published; absent where there are none. */
    warnings: z.array(Warning).optional(),
    /** What the worker found in the source: of a version that was published, or of what has failed. At most 50 tracks. */
    source: SourceReport.optional(),
  }),
});
export type WebhookPayload = z.infer<typeof WebhookPayload>;

/** What a receiver gets before anything else. It contains no media data. */
export const PingPayload = z.object({
  type: z.literal('webhook.ping'),
  timestamp: Time,
  data: z.object({ endpointId: EndpointId, creatorId: CreatorId }),
});
export type PingPayload = z.infer<typeof PingPayload>;
