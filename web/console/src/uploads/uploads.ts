import type { Client } from '../../../../client/client.ts';
import { RefusedError } from '../../../../client/errors.ts';
import { itemsOf } from '../../../../client/pages.ts';
import { messageOf } from '../parts/notice.tsx';
import { typeOf } from './file-type.ts';
import { fingerprintOf } from './fingerprint.ts';
import { PutRefused } from './send.ts';
import { THERE_ALREADY, transfer } from './transfer.ts';

export interface UploadItem {
  key: number;
  file: File;
  collectionId: string | undefined;
  /**
   * A person decides: `known`, the library has a file of this name and size; `unsure`, an upload of such a file was begun, and may be of
   * another one.
   */
  state: 'waiting' | 'known' | 'unsure' | 'sending' | 'paused' | 'broken' | 'done' | 'failed' | 'cancelled';
  sent: number;
  /** Once it is announced; of a `known` one, the media item that is like it, of an `unsure` one the upload. */
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
/** What a page that is left would lose. */
const UNFINISHED: readonly UploadItem['state'][] = ['waiting', 'sending', 'paused', 'broken'];
export const isUnfinished = ({ state }: UploadItem) => UNFINISHED.includes(state);

/** Before a broken transfer is begun again. */
const PAUSES_MS = [1_000, 3_000, 10_000, 30_000];

/**
 * The transfers of this page. What is left of one after a reload is known to the API, and goes on when the same file is given again: no state
 * is kept here.
 */
export class Uploads {
  readonly #client: Client;
  readonly #creatorId: string;
  readonly #listeners = new Set<() => void>();
  readonly #stops = new Map<number, AbortController>();
  readonly #tries = new Map<number, number>();
  #items: readonly UploadItem[] = [];
  #last = 0;
  /** Announcements come one after the other, so that each knows which uploads the ones before it have taken. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param creatorId whose uploads these are: an operator's searches find those of all creators */
  constructor(client: Client, creatorId: string) {
    this.#client = client;
    this.#creatorId = creatorId;
    addEventListener('online', () => {
      for (const { key, state } of this.#items) if (state === 'broken') this.resume(key);
    });
    addEventListener('beforeunload', (event) => {
      if (this.#items.some(isUnfinished)) event.preventDefault();
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
    this.#tries.delete(key);
    this.#goOn(key);
  }

  #goOn(key: number): void {
    this.#change(key, { state: 'waiting', message: '' });
    this.#next();
  }

  sendAnyway(key: number): void {
    this.#set(this.#items.map((item) => (item.key === key ? { ...fresh(item), anyway: true } : item)));
    this.#next();
  }

  /** It is the file of the upload that was begun. */
  itIs(key: number): void {
    this.#goOn(key);
  }

  async cancel(key: number): Promise<void> {
    const item = this.#find(key);
    this.#change(key, { state: 'cancelled' });
    this.#stops.get(key)?.abort();
    this.#set(this.#items.filter((one) => one.key !== key));
    // The upload that has ended by itself meanwhile is a media item, which is deleted there.
    if (item?.id && !['known', 'unsure', 'done'].includes(item.state))
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
      const id = item.id ?? (await this.#inTurn(key));
      if (id === null) return;
      const again = item.id !== undefined;
      await transfer(this.#client, id, { file, again }, (sent) => this.#change(key, { sent }), stop.signal);
      this.#change(key, { state: 'done', sent: file.size });
    } catch (error) {
      const isStopped = stop.signal.aborted;
      // The parts beside the one that broke would meet their next attempt.
      stop.abort();
      if (isStopped) return;
      if (error instanceof PutRefused && error.status === THERE_ALREADY) {
        this.#change(key, {
          state: 'known',
          message: 'An upload of a file of this name and size has arrived already.',
        });
      } else if (error instanceof RefusedError && error.status < 500) {
        this.#change(key, { state: 'failed', message: messageOf(error) });
      } else this.#again(key, error);
    }
  }

  /** @returns null when a person has to decide first, or has cancelled it */
  #inTurn(key: number): Promise<string | null> {
    const turn = this.#turn.then(async () => {
      const item = this.#find(key);
      if (!item || item.id !== undefined) return item?.id ?? null;
      const id = await this.#announce(item);
      if (id === null) return null;
      this.#change(key, { id });
      if (this.#find(key)) return id;
      await this.#client.call('abortUpload', { id });
      return null;
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #announce({ key, file, collectionId, anyway }: UploadItem): Promise<string | null> {
    const fingerprint = await fingerprintOf(file);
    if (!anyway) {
      const open = await this.#openUpload(file, fingerprint);
      if (open?.isSame) return open.id;
      if (open) {
        const message = 'An upload of a file of this name and size was interrupted. Is this the same file?';
        this.#change(key, { state: 'unsure', id: open.id, message });
        return null;
      }
      const like = await this.#mediaLike(file);
      if (like !== undefined) {
        this.#change(key, { state: 'known', id: like, message: 'The library has a file of this name and size.' });
        return null;
      }
    }
    const body = {
      fileName: file.name,
      size: file.size,
      contentType: typeOf(file),
      fingerprint,
      ...(collectionId && { collectionId }),
    };
    return (await this.#client.call('createUpload', { body })).id;
  }

  /**
   * An upload that was begun with this file, and that no other item of this page has. Parts of another file would be joined to its own, so it
   * has to be the same by its bytes; of an upload that does not say them, such as one of the command, only name and size are known.
   */
  async #openUpload({ name, size }: File, fingerprint: string): Promise<{ id: string; isSame: boolean } | undefined> {
    const query = { creatorId: this.#creatorId, state: 'uploading' } as const;
    let like: string | undefined;
    for await (const { id, source } of itemsOf(this.#client, 'listMedia', { query })) {
      if (source.size !== size || this.#items.some((item) => item.id === id)) continue;
      const upload = await this.#client.call('getUpload', { id }).catch(() => null);
      if (upload?.status !== 'open') continue;
      if (upload.fingerprint === fingerprint) return { id, isSame: true };
      if (upload.fingerprint === undefined && upload.fileName === name) like ??= id;
    }
    return like === undefined ? undefined : { id: like, isSame: false };
  }

  /** A media item that was made of a file like this one. */
  async #mediaLike({ name, size }: File): Promise<string | undefined> {
    const query = { creatorId: this.#creatorId, q: name.slice(0, 100), limit: 50 };
    const page = await this.#client.call('listMedia', { query }).catch(() => ({ items: [] }));
    const isLike = ({ state, source }: (typeof page.items)[number]) =>
      source.size === size && !['uploading', 'failed', 'deleting'].includes(state);
    return page.items.find(isLike)?.id;
  }

  #again(key: number, error: unknown): void {
    const tries = this.#tries.get(key) ?? 0;
    this.#tries.set(key, tries + 1);
    const pause = PAUSES_MS[tries];
    this.#change(key, { state: 'broken', message: messageOf(error) });
    if (pause === undefined) return;
    setTimeout(() => {
      if (this.#find(key)?.state === 'broken') this.#goOn(key);
    }, pause);
  }

  #find(key: number): UploadItem | undefined {
    return this.#items.find((item) => item.key === key);
  }

  #change(key: number, change: Partial<UploadItem>): void {
    this.#set(this.#items.map((item) => (item.key === key ? { ...item, ...change } : item)));
  }

  #set(items: readonly UploadItem[]): void {
    this.#items = items;
    for (const listener of this.#listeners) listener();
  }
}
