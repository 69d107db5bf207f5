import { open, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { isLoopbackUrl } from '../core/contracts/loopback.ts';
import { parseJson } from '../core/contracts/text.ts';

export const Credentials = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() });

/** Written by `npm run dev`. */
const CloudFile = z
  .object({
    apiUrl: z.string(),
    issuerUrl: z.string().nullish(),
    credentials: Credentials,
    outputs: z.object({ TokenUrl: z.string().optional() }).optional(),
    stateDir: z.string().optional(),
  })
  .transform(({ apiUrl, issuerUrl, credentials, outputs, stateDir }) => ({
    stateDir,
    apiUrl: apiUrl.replace(/\/+$/, ''),
    developer: credentials,
    // The local issuer's token endpoint and its development tokens have one origin.
    issuerUrl: issuerUrl ?? (outputs?.TokenUrl && new URL(outputs.TokenUrl).origin),
  }))
  .refine(({ apiUrl, issuerUrl }) => isLoopbackUrl(apiUrl) && (!issuerUrl || isLoopbackUrl(issuerUrl)));

export type FoundCloud = z.infer<typeof CloudFile> & { file: string };

/**
 * The local cloud that runs in this directory or one above it. Anyone who may write there could name any API, so a file counts only where
 * it is as `npm run dev` leaves it: owned by the user and readable by the user only, in a directory that is owned by the user and
 * writable by the user only, and naming this machine. An archive or a clone brings no such file.
 * @param note receives a line about a file that does not count
 */
export async function findCloud(from: string, note: (line: string) => void): Promise<FoundCloud | null> {
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    const file = join(dir, '.dropreel', 'cloud.json');
    const read = await readOwn(file);
    if (read !== null) {
      const { data } = CloudFile.safeParse(read.own ? parseJson(read.text) : undefined);
      if (data) return { ...data, file };
      note(
        read.own
          ? `${file} does not name a local cloud: it is not used.`
          : `${file} is not used: it, or its directory, is open to others or another user's.`,
      );
    }
    if (dir === dirname(dir)) return null;
  }
}

/** Null when there is no such file; its text only when the user owns it. */
async function readOwn(file: string): Promise<{ own: boolean; text: string } | null> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EACCES') return 'denied' as const;
    return null;
  });
  if (handle === null) return null;
  if (handle === 'denied') return { own: false, text: '' };
  try {
    // Windows has no owners of this kind.
    const user = process.getuid?.();
    const [found, directory] = await Promise.all([handle.stat(), stat(dirname(file))]);
    const own =
      user === undefined ||
      (found.uid === user && directory.uid === user && (found.mode & 0o077) === 0 && (directory.mode & 0o022) === 0);
    return { own, text: own && found.isFile() ? await handle.readFile('utf8') : '' };
  } finally {
    await handle.close();
  }
}
