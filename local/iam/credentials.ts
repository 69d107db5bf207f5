import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials } from '../kernel/account.ts';
import { syncDirectory } from '../kernel/journal.ts';
import type { Principal } from '../kernel/service.ts';

/** Principals that may have credentials: roles, services that act on their own behalf, and the developer. */
export type Identified = Exclude<Principal, { type: 'anonymous' }>;

export interface CredentialStore {
  /** Returns the same credentials every time, also after a restart. */
  issue(principal: Identified): Credentials;
  /**
   * Undefined when the access key id was not issued here, or the session token is not the one that was issued with it.
   */
  lookup(accessKeyId: string, sessionToken?: string): { principal: Identified; secretAccessKey: string } | undefined;
}

const SECRET_BYTES = 32;

/**
 * Credentials are derived from the principal and a secret in `dir`; nothing else is stored. The session token contains the
 * principal, so that no list is needed to recognize them. The developer's credentials have no token, like an IAM user's, because many S3
 * clients do not support one.
 */
export async function createCredentials(dir: string): Promise<CredentialStore> {
  const secret = await readSecret(dir);
  const derive = (purpose: string, text: string) => createHmac('sha256', secret).update(`${purpose}\0${text}`).digest();

  // AWS's format: 16 of A–Z, 2–7 after AKIA for long-term credentials, after ASIA for temporary ones.
  const pair = (prefix: 'AKIA' | 'ASIA', text: string) => ({
    accessKeyId: `${prefix}${base32(derive('id', text)).slice(0, 16)}`,
    secretAccessKey: derive('key', text).toString('base64').slice(0, 40),
  });
  const developer = pair('AKIA', JSON.stringify({ type: 'developer' }));

  function temporary(text: string): Required<Credentials> {
    const principal = Buffer.from(text).toString('base64url');
    return { ...pair('ASIA', text), sessionToken: `${principal}.${derive('token', text).toString('base64url')}` };
  }

  return {
    issue: (principal) => (principal.type === 'developer' ? { ...developer } : temporary(JSON.stringify(principal))),
    lookup(accessKeyId, sessionToken) {
      if (accessKeyId === developer.accessKeyId && sessionToken === undefined) {
        return { principal: { type: 'developer' }, secretAccessKey: developer.secretAccessKey };
      }
      const text = Buffer.from(sessionToken?.split('.')[0] ?? '', 'base64url').toString();
      const issued = temporary(text);
      if (accessKeyId !== issued.accessKeyId || !same(sessionToken ?? '', issued.sessionToken)) return undefined;
      return { principal: JSON.parse(text) as Identified, secretAccessKey: issued.secretAccessKey };
    },
  };
}

async function readSecret(dir: string): Promise<Buffer> {
  const file = join(dir, 'secret');
  const known = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (known?.length === SECRET_BYTES) return known;
  if (known) throw new Error(`${file} is damaged: it has ${known.length} bytes and not ${SECRET_BYTES}`);
  const aside = `${file}.new`;
  await rm(aside, { force: true });
  const handle = await open(aside, 'wx', 0o600);
  try {
    await handle.writeFile(randomBytes(SECRET_BYTES));
    await handle.sync();
  } finally {
    await handle.close();
  }
  // Unlike a rename, a link does not replace a file that another process has created meanwhile.
  await link(aside, file);
  await rm(aside);
  await syncDirectory(dir);
  return readFile(file);
}

function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function base32(bytes: Buffer): string {
  return [...bytes].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
}
