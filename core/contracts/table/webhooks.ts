import { z } from 'zod';
import { CreatorId, DeliveryId, EndpointId, EventId, MediaId } from '../ids.ts';

const Time = z.iso.datetime();

export const WEBHOOK_EVENTS = [
  'media.uploaded',
  'media.transcoding',
  'media.playable',
  'media.ready',
  'media.failed',
  'media.held',
  'media.retranscoding',
  'media.retranscoded',
  'media.archived',
  'media.restored',
  'media.deleted',
] as const;

export const WebhookEvent = z.enum(WEBHOOK_EVENTS);
export type WebhookEvent = z.infer<typeof WebhookEvent>;

/** A new endpoint, or one with a new URL, is `unverified` until it has answered a ping with 2xx; until then it gets nothing else. */
export const EndpointState = z.enum(['unverified', 'active']);

export const DeliveryAttempt = z.object({
  at: Time,
  /** HTTP status; absent when there was no answer. */
  status: z.number().int().optional(),
  latencyMs: z.number().int(),
  error: z.string().optional(),
});
export type DeliveryAttempt = z.infer<typeof DeliveryAttempt>;

export const DeliveryStatus = z.enum(['pending', 'delivered', 'failed']);

export const Secret = z.object({
  /** `whsec_` and base64 of 32 random bytes. */
  secret: z.string(),
  /** It does not sign after this time; absent on the newest. */
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
  /** Absent in rows of release 0.1, which sent no pings. */
  state: EndpointState.default('active'),
  /** Of the present pings: pings of an earlier URL change nothing. */
  pingId: z.string().optional(),
  ping: DeliveryAttempt.optional(),
  pingedAt: Time.optional(),
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
  /** The body to send, byte for byte, so that every attempt has the same. */
  payload: z.string(),
  status: DeliveryStatus,
  attempts: z.number().int(),
  log: z.array(DeliveryAttempt),
  /** When it is given up; a replay sets it again. */
  deadline: Time,
  nextAttemptAt: Time.optional(),
  /** When the media item changed. Not `createdAt`, because rows with that and a creatorId are in the index of a creator's media. */
  changedAt: Time,
  /** Until it is delivered: in the sparse index `todo`, as core/webhooks/undelivered.ts describes. */
  todo: z.string().optional(),
  todoAt: Time.optional(),
  /** Seconds since the epoch, for DynamoDB's TTL: 30 days. */
  expiresAt: z.number().int(),
});
export type DeliveryRow = z.infer<typeof DeliveryRow>;

/** For an endpoint that fails: how many attempts in a row failed, and until when it is paused. */
export const BreakerRow = z.object({
  type: z.literal('breaker'),
  failures: z.number().int(),
  notBefore: Time.optional(),
  /** Seconds since the epoch, for DynamoDB's TTL. */
  expiresAt: z.number().int(),
});
export type BreakerRow = z.infer<typeof BreakerRow>;

/** One of the places for a creator's deliveries that are attempted at the same time, taken until then. */
export const PlaceRow = z.object({
  type: z.literal('place'),
  place: z.number().int(),
  endpointId: EndpointId,
  until: Time,
  /** Seconds since the epoch, for DynamoDB's TTL. */
  expiresAt: z.number().int(),
});
export type PlaceRow = z.infer<typeof PlaceRow>;
