import { randomUUID } from 'node:crypto';
import { ACCOUNT_ID } from '../account.ts';
import type { EmitEvent } from '../service.ts';
import type { Call } from './call.ts';
import type { ObjectVersion } from './model.ts';
import type { PendingEvent, Store } from './store.ts';

/** Of requests made by S3's lifecycle there is no caller. */
type By = Pick<Call, 'request'> | undefined;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html; undefined for a bucket without events. */
export function createdEvent(store: Store, bucket: string, version: ObjectVersion, reason: string, by: By) {
  const { etag, size } = version;
  return eventOf(store, bucket, version, 'Object Created', { reason }, { size, etag }, by);
}

export function deletedEvent(
  store: Store,
  bucket: string,
  version: ObjectVersion,
  deletion: 'Permanently Deleted' | 'Delete Marker Created',
  reason: string,
  by: By,
) {
  const detail = { reason, 'deletion-type': deletion };
  return eventOf(store, bucket, version, 'Object Deleted', detail, version.etag ? { etag: version.etag } : {}, by);
}

function eventOf(
  store: Store,
  bucket: string,
  version: ObjectVersion,
  detailType: PendingEvent['detailType'],
  detail: Record<string, unknown>,
  object: Record<string, unknown>,
  by: By,
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

/** Hands the store's pending events to the bus until it takes them; what is left at a crash goes out after the restart. */
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

  /** Sends all that is pending. Never throws. */
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
