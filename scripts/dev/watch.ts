import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Upload } from '@aws-sdk/lib-storage';
import { DEFAULT_COLLECTION, dropKey, parseDropKey } from '../../core/contracts/keys.ts';
import type { Cloud } from '../../local/boot.ts';
import { developerClients } from '../demo/clients.ts';

const SCAN_MS = 1000;
const CREATOR = 'local';

/**
 * The key of a file in the watched folder: `{creator}/{collection}/{file}` as it lies, a file at the top under creator `local`. Null for
 * hidden and unfinished files, and where the folders' names are not a valid creator and collection.
 */
function keyOf(path: string): string | null {
  const parts = path.split(sep);
  if (parts.some((part) => part.startsWith('.')) || /\.(part|crdownload|tmp)$/i.test(path)) return null;
  const key =
    parts.length === 1
      ? dropKey({ creatorId: CREATOR, collectionId: DEFAULT_COLLECTION, path })
      : `drop/${parts.join('/')}`;
  return parseDropKey(key) ? key : null;
}

/** Uploads each file once it has stopped growing, and again when it changes. `index` records what was uploaded. */
export async function watchFolder(options: {
  cloud: Cloud;
  folder: string;
  index: string;
  log: (line: string) => void;
}) {
  const { cloud, folder, index, log } = options;
  await mkdir(folder, { recursive: true });
  const uploaded = new Map<string, string>(Object.entries(await readIndex(index)));
  const seen = new Map<string, string>();
  const refused = new Set<string>();
  const stop = new AbortController();
  const { s3 } = developerClients(cloud);

  async function upload(path: string, fingerprint: string): Promise<void> {
    const key = keyOf(path);
    if (key === null) {
      if (!refused.has(path)) log(`watch: ${path} is ignored: put it in {creator}/{collection}/, or at the top`);
      refused.add(path);
      return;
    }
    const body = createReadStream(join(folder, path));
    const params = { Bucket: cloud.outputs.UploadsBucket ?? '', Key: key, Body: body };
    await new Upload({ client: s3, params, partSize: 64 * 2 ** 20 }).done();
    uploaded.set(path, fingerprint);
    await writeFile(`${index}.new`, JSON.stringify(Object.fromEntries(uploaded)));
    await rename(`${index}.new`, index);
    log(`watch: uploaded ${path} as ${key}`);
  }

  async function scan(): Promise<void> {
    for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue;
      const path = relative(folder, join(entry.parentPath, entry.name));
      const found = await stat(join(folder, path)).catch(() => null);
      if (!found) continue;
      const fingerprint = `${found.size} ${found.mtimeMs}`;
      const stable = seen.get(path) === fingerprint;
      seen.set(path, fingerprint);
      if (!stable || uploaded.get(path) === fingerprint) continue;
      await upload(path, fingerprint).catch((error) => log(`watch: ${path}: ${String(error)}; it is retried`));
    }
  }

  const loop = (async () => {
    while (!stop.signal.aborted) {
      await scan().catch((error) => log(`watch: ${String(error)}`));
      await delay(SCAN_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
  })();
  return {
    close: async () => {
      stop.abort();
      await loop;
    },
  };
}

async function readIndex(index: string): Promise<Record<string, string>> {
  const text = await readFile(index, 'utf8').catch(() => '{}');
  return JSON.parse(text) as Record<string, string>;
}
