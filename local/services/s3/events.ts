import { randomUUID } from 'node:crypto';
import { ACCOUNT_ID } from '../../kernel/account.ts';
import type { EmitEvent } from '../../kernel/service.ts';
import type { S3Call } from './call.ts';
import type { ObjectVersion } from './model.ts';
import type { PendingEvent, Store } from './store.ts';

/** Requests of S3's lifecycle have no caller. */
type By = Pick<S3Call, 'request'> | undefined;

/** What an event tells of: a version in a bucket, and the request or rule that made or removed it. */
interface Happening {
  bucket: string;
  version: ObjectVersion;
  /** The API operation, or S3's name of the rule. */
  reason: string;
  by: By;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html; undefined for a bucket without events. */
export function createdEvent(store: Store, happening: Happening) {
  const { etag, size } = happening.version;
  const detail = { reason: happening.reason };
  return eventOf(store, happening, { detailType: 'Object Created', detail, object: { size, etag } });
}

export function deletedEvent(
  store: Store,
  happening: Happening & { deletion: 'Permanently Deleted' | 'Delete Marker Created' },
) {
  const { version, reason, deletion } = happening;
  const detail = { reason, 'deletion-type': deletion };
  const object = version.etag ? { etag: version.etag } : {};
  return eventOf(store, happening, { detailType: 'Object Deleted', detail, object });
}

/**
 * Of a change to a version that is there. Such events have no sequencer: the page shows it for a restore; that tags and classes have none
 * either is what LocalStack's snapshots of AWS have.
 */
export function changedEvent(
  store: Store,
  {
    bucket,
    version,
    detailType,
    at,
    by,
    detail,
  }: Omit<Happening, 'reason'> & {
    detailType: PendingEvent['detailType'];
    /** When it happened, in milliseconds since the epoch. */
    at: number;
    detail: Record<string, unknown>;
  },
): PendingEvent | undefined {
  const { size, etag } = version;
  const happening = { bucket, version: { ...version, modified: at }, reason: '', by };
  const event = eventOf(store, happening, { detailType, detail, object: { size, etag } });
  if (!event) return undefined;
  const { sequencer: _, ...object } = event.detail.object as Record<string, unknown>;
  return { ...event, detail: { ...event.detail, object } };
}

function eventOf(
  store: Store,
  { bucket, version, by }: Happening,
  {
    detailType,
    detail,
    object,
  }: {
    detailType: PendingEvent['detailType'];
    detail: Record<string, unknown>;
    object: Record<string, unknown>;
  },
): PendingEvent | undefined {
  const { configuration } = store.bucket(bucket);
  if (!configuration.eventBridge) return undefined;
  return {
    id: randomUUID(),
    sequencer: version.sequencer,
    detailType,
    time: new Date(version.modified).toISOString().replace(/\.\d+/, ''),
    bucketArn: configuration.arn,
    detail: {
      version: '0',
      bucket: { name: bucket },
      object: {
        key: version.key,
        ...object,
        ...(configuration.versioned && { 'version-id': version.versionId }),
        sequencer: version.sequencer,
      },
      'request-id': by?.request.requestId ?? randomUUID(),
      requester: by ? (by.request.principal.type === 'anonymous' ? 'anonymous' : ACCOUNT_ID) : 's3.amazonaws.com',
      ...(by && { 'source-ip-address': '127.0.0.1' }),
      ...detail,
    },
  };
}

const RETRY_MS = 1000;

/** Delivers the store's pending events to the bus until it accepts them, after a crash from the restart on. */
export class Outbox {
  readonly #store: Store;
  readonly #emit: EmitEvent;
  readonly #log: (line: string) => void;
  readonly #underway = new Set<string>();
  #closed = false;

  constructor(store: Store, emit: EmitEvent, log: (line: string) => void) {
    this.#store = store;
    this.#emit = emit;
    this.#log = log;
  }

  /** Sends all pending events. Never throws. */
  flush(): void {
    for (const event of this.#store.pending.values()) {
      if (this.#underway.has(event.id)) continue;
      this.#underway.add(event.id);
      void this.#send(event).finally(() => this.#underway.delete(event.id));
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #send({ id, detailType, time, bucketArn, detail }: PendingEvent): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#emit({ source: 'aws.s3', 'detail-type': detailType, resources: [bucketArn], time, detail });
        if (!this.#closed) await this.#store.commit({ type: 'emitted', id });
        return;
      } catch (error) {
        if (this.#closed) return;
        this.#log(`s3: an event of ${bucketArn} was not taken, it is tried again: ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
