import type { Client } from '../../../../client/client.ts';
import { RefusedError } from '../../../../client/errors.ts';
import { itemsOf } from '../../../../client/pages.ts';
import { messageOf } from '../parts/notice.tsx';
import { typeOf } from './file-type.ts';
import { transfer } from './transfer.ts';

export interface UploadItem {
  key: number;
  file: File;
  collectionId: string | undefined;
  /** `known`: the library has a file of this name and size, and a person decides. */
  state: 'waiting' | 'known' | 'sending' | 'paused' | 'broken' | 'done' | 'failed' | 'cancelled';
  sent: number;
  /** Once it is announced; of a `known` one, the media item that is like it. */
  id?: string;
  message?: string;
  /** A person has decided to send it, though the library has one like it. */
  anyway?: true;
}

/** As it was added. */
const fresh = ({ key, file, collectionId }: UploadItem): UploadItem => {
  return { key, file, collectionId, state: 'waiting', sent: 0 };
};

/** Files at once. */
const AT_ONCE = 2;
/** Before a broken transfer is begun again. */
const PAUSES_MS = [1_000, 3_000, 10_000, 30_000];

/**
 * The transfers of this page. What is left of one after a reload is known to the API, and goes on when the same file is given again: no state
 * is kept here.
 */
export class Uploads {
  readonly #client: Client;
  readonly #listeners = new Set<() => void>();
  readonly #stops = new Map<number, AbortController>();
  readonly #tries = new Map<number, number>();
  #items: readonly UploadItem[] = [];
  #last = 0;

  constructor(client: Client) {
    this.#client = client;
    addEventListener('online', () => {
      for (const { key, state } of this.#items) if (state === 'broken') this.resume(key);
    });
    addEventListener('beforeunload', (event) => {
      if (this.#items.some(({ state }) => state === 'sending' || state === 'waiting')) event.preventDefault();
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly items = (): readonly UploadItem[] => this.#items;

  add(files: readonly File[], collectionId?: string): void {
    const added = files.map((file): UploadItem => {
      this.#last += 1;
      return { key: this.#last, file, collectionId, state: 'waiting', sent: 0 };
    });
    this.#set([...this.#items, ...added]);
    this.#next();
  }

  pause(key: number): void {
    this.#change(key, { state: 'paused' });
    this.#stops.get(key)?.abort();
  }

  resume(key: number): void {
    this.#change(key, { state: 'waiting', message: '' });
    this.#next();
  }

  sendAnyway(key: number): void {
    this.#set(this.#items.map((item) => (item.key === key ? { ...fresh(item), anyway: true } : item)));
    this.#next();
  }

  async cancel(key: number): Promise<void> {
    const item = this.#items.find((one) => one.key === key);
    this.#change(key, { state: 'cancelled' });
    this.#stops.get(key)?.abort();
    this.#set(this.#items.filter((one) => one.key !== key));
    // The upload that has ended by itself meanwhile is a media item, which is deleted there.
    if (item?.id && item.state !== 'known' && item.state !== 'done')
      await this.#client.call('abortUpload', { id: item.id }).catch(() => undefined);
  }

  /** Takes those from the list that nothing more happens to. */
  clear(): void {
    this.#set(this.#items.filter(({ state }) => state !== 'done' && state !== 'failed'));
  }

  #next(): void {
    const sending = this.#items.filter(({ state }) => state === 'sending').length;
    const next = this.#items.filter(({ state }) => state === 'waiting').slice(0, AT_ONCE - sending);
    for (const item of next) {
      this.#change(item.key, { state: 'sending' });
      void this.#run(item).finally(() => this.#next());
    }
  }

  async #run(item: UploadItem): Promise<void> {
    const { key, file } = item;
    const stop = new AbortController();
    this.#stops.set(key, stop);
    try {
      const id = item.id ?? (await this.#announce(item));
      if (id === null) return;
      this.#change(key, { id });
      await transfer(this.#client, id, file, (sent) => this.#change(key, { sent }), stop.signal);
      this.#change(key, { state: 'done', sent: file.size });
    } catch (error) {
      const isStopped = stop.signal.aborted;
      // The parts beside the one that broke would meet their next attempt.
      stop.abort();
      if (isStopped) return;
      if (error instanceof RefusedError && error.status < 500) {
        this.#change(key, { state: 'failed', message: messageOf(error) });
      } else this.#again(key, error);
    }
  }

  /** @returns null when a person has to decide first */
  async #announce({ key, file, collectionId, anyway }: UploadItem): Promise<string | null> {
    const body = {
      fileName: file.name,
      size: file.size,
      contentType: typeOf(file),
      ...(collectionId && { collectionId }),
    };
    const found = await this.#sameFile(file);
    if (found?.open) return found.id;
    if (found && !anyway) {
      this.#change(key, { state: 'known', id: found.id, message: 'The library has a file of this name and size.' });
      return null;
    }
    return (await this.#client.call('createUpload', { body })).id;
  }

  /** An upload that was begun with this file, or a media item that was made of one like it. */
  async #sameFile({ name, size }: File): Promise<{ id: string; open: boolean } | undefined> {
    let like: string | undefined;
    const words = name.slice(0, 100);
    const page = await this.#client.call('listMedia', { query: { q: words, limit: 50 } }).catch(() => ({ items: [] }));
    for (const { id, state, source } of page.items) {
      if (source.size !== size) continue;
      if (state === 'uploading') return { id, open: true };
      if (state !== 'failed' && state !== 'deleting') like ??= id;
    }
    if (like) return { id: like, open: false };
    return this.#openUpload(name, size);
  }

  /** The name in a key is made safe, so that a search may not find it. */
  async #openUpload(name: string, size: number): Promise<{ id: string; open: boolean } | undefined> {
    for await (const { id, source } of itemsOf(this.#client, 'listMedia', { query: { state: 'uploading' } })) {
      if (source.size !== size) continue;
      const upload = await this.#client.call('getUpload', { id }).catch(() => null);
      if (upload?.fileName === name && upload.status === 'open') return { id, open: true };
    }
    return undefined;
  }

  #again(key: number, error: unknown): void {
    const tries = this.#tries.get(key) ?? 0;
    this.#tries.set(key, tries + 1);
    const pause = PAUSES_MS[tries];
    this.#change(key, { state: 'broken', message: messageOf(error) });
    if (pause === undefined) return;
    setTimeout(() => {
      if (this.#items.find((item) => item.key === key)?.state === 'broken') this.resume(key);
    }, pause);
  }

  #change(key: number, change: Partial<UploadItem>): void {
    this.#set(this.#items.map((item) => (item.key === key ? { ...item, ...change } : item)));
  }

  #set(items: readonly UploadItem[]): void {
    this.#items = items;
    for (const listener of this.#listeners) listener();
  }
}
