import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { stateDir, writeJson } from '../config.ts';

const State = z.object({ uploadId: z.string() });

/** Identifies the same file, sent to the same place, across an interruption. */
export interface Identity {
  apiUrl: string;
  path: string;
  size: number;
  mtimeMs: number;
  collectionId: string | undefined;
  engine?: string | undefined;
}

/** Keeps an unfinished upload on disk, from its announcement to its end. */
export class UploadState {
  readonly #file: string;

  constructor(identity: Identity) {
    const { apiUrl, path, size, mtimeMs, collectionId, engine } = identity;
    const asked = engine === undefined ? [] : [engine];
    const text = JSON.stringify([apiUrl, resolve(path), size, mtimeMs, collectionId ?? null, ...asked]);
    const name = createHash('sha256').update(text).digest('hex').slice(0, 32);
    this.#file = join(stateDir(), 'uploads', `${name}.json`);
  }

  async load(): Promise<string | null> {
    const text = await readFile(this.#file, 'utf8').catch(() => null);
    return text === null ? null : (State.safeParse(JSON.parse(text)).data?.uploadId ?? null);
  }

  save(uploadId: string): Promise<void> {
    return writeJson(this.#file, { uploadId });
  }

  forget(): Promise<void> {
    return rm(this.#file, { force: true });
  }
}
