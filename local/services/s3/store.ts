import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ServiceContext } from '../../kernel/account.ts';
import { type Journal, openJournal } from '../../kernel/journal.ts';
import { AwsError } from '../../kernel/service.ts';
import { Bodies } from './bodies.ts';
import { KeyIndex } from './key-index.ts';
import {
  type BucketConfiguration,
  type MultipartUpload,
  noSuchUpload,
  type ObjectVersion,
  type Part,
  type Piece,
} from './model.ts';

/** An event for EventBridge, in the journal until it is delivered. */
export interface PendingEvent {
  id: string;
  /** Sequencer of the object's change. */
  sequencer: string;
  detailType:
    | 'Object Created'
    | 'Object Deleted'
    | 'Object Tags Added'
    | 'Object Tags Deleted'
    | 'Object Restore Initiated'
    | 'Object Restore Completed'
    | 'Object Restore Expired'
    | 'Object Storage Class Changed';
  time: string;
  bucketArn: string;
  detail: Record<string, unknown>;
}

type Record_ =
  | { type: 'put'; bucket: string; version: ObjectVersion; event?: PendingEvent | undefined }
  /** What is said of a version that is there; its bytes and its place among the versions stay. */
  | { type: 'change'; bucket: string; version: ObjectVersion; event?: PendingEvent | undefined }
  /** Object Lock of a bucket, which cannot be taken back. */
  | { type: 'lock'; bucket: string }
  | { type: 'remove'; bucket: string; key: string; versionId: string; event?: PendingEvent | undefined }
  | { type: 'upload'; bucket: string; upload: MultipartUpload }
  | { type: 'part'; bucket: string; uploadId: string; part: Part }
  | {
      type: 'end';
      bucket: string;
      uploadId: string;
      version?: ObjectVersion | undefined;
      event?: PendingEvent | undefined;
    }
  | { type: 'emitted'; id: string }
  /** The last sequencer in use, possibly of a removed object. */
  | { type: 'sequence'; sequencer: string };

export interface OpenUpload extends MultipartUpload {
  parts: Map<number, Part>;
}

interface Bucket {
  configuration: BucketConfiguration;
  /** Whether Object Lock is on. */
  locks?: boolean;
  keys: KeyIndex<ObjectVersion[]>;
  uploads: Map<string, OpenUpload>;
}

/** The content of the buckets, in memory, rebuilt from the journal. Versions of a key are in order, newest last. */
export class Store {
  readonly bodies: Bodies;
  readonly pending = new Map<string, PendingEvent>();
  readonly #buckets: Map<string, Bucket>;
  /** Buckets that are no longer in the template: kept until they are in it again, and not served. */
  readonly #retired = new Map<string, Bucket>();
  readonly #references = new Map<string, number>();
  #journal: Journal<Record_> | undefined;
  #lastSequence = 0n;
  readonly #context: ServiceContext;

  private constructor(context: ServiceContext, buckets: BucketConfiguration[], bodies: Bodies) {
    this.#context = context;
    this.bodies = bodies;
    this.#buckets = new Map(
      buckets.map((configuration) => [configuration.name, { configuration, keys: new KeyIndex(), uploads: new Map() }]),
    );
  }

  static async open(context: ServiceContext, buckets: BucketConfiguration[]): Promise<Store> {
    const store = new Store(context, buckets, await Bodies.open(context.dir, context.log));
    store.#journal = await openJournal<Record_>({
      file: join(context.dir, 'objects.jsonl'),
      apply: (record) => store.#apply(record),
      snapshot: () => store.#snapshot(),
    });
    const removed = await store.bodies.removeUnnamed((file) => store.#references.has(file));
    if (removed > 0) context.log(`s3: removed ${removed} files of interrupted writes`);
    return store;
  }

  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (!bucket) throw new AwsError('NoSuchBucket', 404, 'The specified bucket does not exist', { BucketName: name });
    return bucket;
  }

  get buckets(): Bucket[] {
    return [...this.#buckets.values()];
  }

  /** The newest version, a delete marker included. */
  latest(bucket: string, key: string): ObjectVersion | undefined {
    return this.bucket(bucket).keys.get(key)?.at(-1);
  }

  version(bucket: string, key: string, versionId: string): ObjectVersion | undefined {
    return this.bucket(bucket)
      .keys.get(key)
      ?.find((version) => version.versionId === versionId);
  }

  upload(bucket: string, key: string, uploadId: string): OpenUpload {
    const upload = this.bucket(bucket).uploads.get(uploadId);
    if (!upload || upload.key !== key) throw noSuchUpload(uploadId);
    return upload;
  }

  newVersionId(bucket: string): string {
    return this.bucket(bucket).configuration.versioned ? randomBytes(24).toString('base64url') : 'null';
  }

  /** Hexadecimal, strictly increasing. */
  nextSequencer(): string {
    const now = BigInt(this.#context.clock.now()) << 16n;
    this.#lastSequence = now > this.#lastSequence ? now : this.#lastSequence + 1n;
    return hexadecimal(this.#lastSequence);
  }

  /** Applies the record at once, so that a check directly before it stays valid; resolves when the record is durable. */
  async commit(record: Record_): Promise<void> {
    if (!this.#journal) throw new Error('the store is not open');
    const released: Piece[] = [];
    this.#released = released;
    const durable = this.#journal.append(record);
    this.#released = undefined;
    await durable;
    // Only now, because a crash before would leave a journal that names missing files.
    await this.#drop(released);
  }

  /** Bytes `from` to `to`, both included. The files are kept until the stream is closed, despite concurrent writes. */
  read({ pieces }: ObjectVersion, from: number, to: number): Readable {
    this.#hold(pieces);
    const stream = this.bodies.read(pieces, from, to);
    stream.once('close', () => {
      void this.#drop(pieces).catch((error) => this.#context.log(`s3: ${String(error)}`));
    });
    return stream;
  }

  /** The files are kept until the work is done, despite concurrent writes. */
  async holding<T>({ pieces }: ObjectVersion, work: () => Promise<T>): Promise<T> {
    this.#hold(pieces);
    try {
      return await work();
    } finally {
      await this.#drop(pieces);
    }
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }

  async abandon(): Promise<void> {
    await this.#journal?.abandon();
  }

  /** Pieces that the record being applied no longer references. */
  #released: Piece[] | undefined;

  #apply(record: Record_): void {
    if (record.type === 'emitted') {
      this.pending.delete(record.id);
      return;
    }
    if (record.type === 'sequence') {
      this.#noteSequencer(record.sequencer);
      return;
    }
    const bucket = this.#buckets.get(record.bucket) ?? this.#retiredBucket(record.bucket);
    if ('event' in record && record.event) {
      this.pending.set(record.event.id, record.event);
      this.#noteSequencer(record.event.sequencer);
    }
    switch (record.type) {
      case 'put':
        this.#put(bucket, record.version);
        break;
      case 'change':
        this.#change(bucket, record.version);
        break;
      case 'lock':
        bucket.locks = true;
        break;
      case 'remove':
        this.#remove(bucket, record.key, record.versionId);
        break;
      case 'upload':
        bucket.uploads.set(record.upload.uploadId, { ...record.upload, parts: new Map() });
        break;
      case 'part': {
        const upload = bucket.uploads.get(record.uploadId);
        const before = upload?.parts.get(record.part.number);
        upload?.parts.set(record.part.number, record.part);
        this.#hold([record.part.piece]);
        if (before) this.#release([before.piece]);
        break;
      }
      case 'end': {
        const upload = bucket.uploads.get(record.uploadId);
        bucket.uploads.delete(record.uploadId);
        if (record.version) this.#put(bucket, record.version);
        this.#release([...(upload?.parts.values() ?? [])].map(({ piece }) => piece));
      }
    }
  }

  #put(bucket: Bucket, version: ObjectVersion): void {
    this.#noteSequencer(version.sequencer);
    const versions = bucket.keys.get(version.key) ?? [];
    const replaced = versions.filter(({ versionId }) => versionId === version.versionId);
    this.#hold(version.pieces);
    bucket.keys.set(version.key, [...versions.filter((other) => !replaced.includes(other)), version]);
    for (const { pieces } of replaced) this.#release(pieces);
  }

  #change(bucket: Bucket, changed: ObjectVersion): void {
    const versions = bucket.keys.get(changed.key) ?? [];
    const { versionId } = changed;
    bucket.keys.set(
      changed.key,
      versions.map((version) => (version.versionId === versionId ? changed : version)),
    );
  }

  #remove(bucket: Bucket, key: string, versionId: string): void {
    const versions = bucket.keys.get(key) ?? [];
    const left = versions.filter((version) => version.versionId !== versionId);
    for (const version of versions) if (!left.includes(version)) this.#release(version.pieces);
    if (left.length > 0) bucket.keys.set(key, left);
    else bucket.keys.delete(key);
  }

  #hold(pieces: readonly Piece[]): void {
    for (const { file } of pieces) this.#references.set(file, (this.#references.get(file) ?? 0) + 1);
  }

  #release(pieces: readonly Piece[]): void {
    if (this.#released) this.#released.push(...pieces);
    else this.#count(pieces);
  }

  /** Removes one reference to each piece; returns the files without references. */
  #count(pieces: readonly Piece[]): string[] {
    const free: string[] = [];
    for (const { file } of pieces) {
      const count = (this.#references.get(file) ?? 0) - 1;
      if (count > 0) {
        this.#references.set(file, count);
      } else {
        this.#references.delete(file);
        free.push(file);
      }
    }
    return free;
  }

  async #drop(pieces: readonly Piece[]): Promise<void> {
    for (const file of this.#count(pieces)) await this.bodies.remove(file);
  }

  #noteSequencer(sequencer: string): void {
    const sequence = BigInt(`0x${sequencer}`);
    if (sequence > this.#lastSequence) this.#lastSequence = sequence;
  }

  #retiredBucket(name: string): Bucket {
    const bucket = this.#retired.get(name) ?? {
      configuration: { name, arn: '', versioned: true, eventBridge: false, lifecycle: [], cors: [] },
      keys: new KeyIndex(),
      uploads: new Map(),
    };
    this.#retired.set(name, bucket);
    return bucket;
  }

  *#snapshot(): Iterable<Record_> {
    yield { type: 'sequence', sequencer: hexadecimal(this.#lastSequence) };
    for (const [name, { keys, uploads, locks }] of [...this.#buckets, ...this.#retired]) {
      if (locks) yield { type: 'lock', bucket: name };
      for (const [, versions] of keys.entries()) {
        for (const version of versions) yield { type: 'put', bucket: name, version };
      }
      for (const { parts, ...upload } of uploads.values()) {
        yield { type: 'upload', bucket: name, upload };
        for (const part of parts.values()) yield { type: 'part', bucket: name, uploadId: upload.uploadId, part };
      }
    }
    const [first] = this.#buckets.keys();
    for (const event of this.pending.values()) {
      // An empty removal carries the event.
      yield { type: 'remove', bucket: first ?? '', key: '', versionId: '', event };
    }
  }
}

const hexadecimal = (sequence: bigint) => sequence.toString(16).toUpperCase().padStart(18, '0');
