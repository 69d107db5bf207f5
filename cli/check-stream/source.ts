import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Range } from '../../core/media/hls-rules/playlist.ts';
import type { Delivery } from '../../core/media/hls-rules/stream.ts';

/** Of a part of a file. */
export interface Part {
  bytes: Uint8Array;
  /** Of the whole file; null where a server does not say. */
  total: number | null;
  delivery?: Delivery;
}

/** Where a stream lies. Addresses are what `resolve` returns. */
export interface Source {
  /** @throws Error when the URI leads to where it may not */
  resolve(uri: string, from: string): string;
  /**
   * At most the bytes of the range; a `text` is read from its beginning, as a server compresses it.
   * @throws Error when there is no such file, or it may not be read
   */
  read(address: string, range: Range, kind?: 'text' | 'media'): Promise<Part>;
}

/** What one check may use. A stream names what it likes: a thousand playlists, or a film of a terabyte. */
export class Budget {
  #requests = 20_000;
  #bytes = 512 * 1024 * 1024;
  readonly #until = performance.now() + 300_000;

  /** @throws OverBudget when the last is spent */
  take(bytes: number): void {
    this.#requests -= 1;
    this.#bytes -= bytes;
    if (this.#requests < 0 || this.#bytes < 0 || performance.now() > this.#until) throw new OverBudget();
  }
}

export class OverBudget extends Error {
  override readonly name = 'OverBudget';
}

/** Files below one folder; links that lead out of it are not followed. */
export async function folderSource(folder: string, budget: Budget): Promise<Source> {
  const root = await realpath(folder);
  return {
    resolve(uri, from) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(uri) || uri.startsWith('//')) throw new Error('not a file of this folder');
      const path = resolve(dirname(from), decodeURIComponent(uri.split(/[?#]/)[0] ?? ''));
      if (!isBelow(root, path)) throw new Error('outside the folder');
      return path;
    },
    async read(address, { offset, length }) {
      budget.take(length);
      const path = await realpath(address).catch(() => null);
      if (path === null || !(await stat(path)).isFile()) throw new Error('no such file');
      if (!isBelow(root, path)) throw new Error('outside the folder');
      const file = await open(path);
      try {
        return { bytes: await partOf(file, offset, length), total: (await file.stat()).size };
      } finally {
        await file.close();
      }
    },
  };
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && join(root, way) === path;
}

async function partOf(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
  return buffer.subarray(0, bytesRead);
}

const REDIRECTS = 5;
const TIMEOUT_MS = 20_000;

/** Files of web servers: http and https only, whatever a playlist or a redirect names. */
export function webSource(budget: Budget): Source {
  return {
    resolve: (uri, from) => webAddress(new URL(uri, from)),
    async read(address, range, kind = 'media') {
      budget.take(range.length);
      let url = address;
      const last = range.offset + range.length - 1;
      // A range of a compressed text would be one of the compressed bytes.
      const headers: Record<string, string> =
        kind === 'text'
          ? { 'Accept-Encoding': 'gzip' }
          : { 'Accept-Encoding': 'identity', Range: `bytes=${range.offset}-${last}` };
      for (let hop = 0; hop <= REDIRECTS; hop++) {
        const signal = AbortSignal.timeout(TIMEOUT_MS);
        const response = await fetch(url, { headers, redirect: 'manual', signal }).catch((error: unknown) => {
          throw new Error(`it cannot be reached (${String((error as Error).cause ?? error)})`);
        });
        const target = response.headers.get('location');
        if (response.status < 300 || response.status > 399 || target === null) {
          return partOfAnswer(response, range, { url: address, redirected: url === address ? null : url });
        }
        await response.body?.cancel();
        url = webAddress(new URL(target, url));
      }
      throw new Error(`more than ${REDIRECTS} redirects`);
    },
  };
}

function webAddress(url: URL): string {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error(`${url.protocol} is not followed`);
  url.hash = '';
  return url.href;
}

async function partOfAnswer(
  response: Response,
  { offset, length }: Range,
  where: { url: string; redirected: string | null },
): Promise<Part> {
  const delivery: Delivery = { ...where, headers: new Map(response.headers) };
  const [, ofRange = ''] = response.headers.get('content-range')?.split('/') ?? [];
  if (response.status === 416) {
    await response.body?.cancel();
    return { bytes: new Uint8Array(), total: bytesOf(ofRange), delivery };
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`it was answered ${response.status}`);
  }
  const partial = response.status === 206;
  const ofWhole = response.headers.has('content-encoding') ? '' : response.headers.get('content-length');
  // A server without ranges answers with the whole.
  const skip = partial ? 0 : offset;
  const bytes = await firstBytes(response, skip + length);
  return { bytes: bytes.subarray(skip), total: bytesOf(partial ? ofRange : (ofWhole ?? '')), delivery };
}

function bytesOf(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

async function firstBytes({ body }: Response, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = body?.getReader();
  while (reader && size < most) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
  }
  await reader?.cancel();
  return Buffer.concat(parts).subarray(0, most);
}
