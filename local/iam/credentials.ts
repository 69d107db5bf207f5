import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Credentials, DEVELOPER } from '../account.ts';
import { syncDirectory } from '../journal.ts';
import type { Principal } from '../service.ts';

/** Who may have credentials: roles, services that act by themselves, and the developer. */
export type Identified = Exclude<Principal, { type: 'anonymous' }>;

export interface CredentialStore {
  /** The same ones every time, also after a restart. */
  issue(principal: Identified): Credentials;
  /**
   * Undefined when the access key id was not issued here, or the session token is not the one that was issued with it.
   */
  lookup(accessKeyId: string, sessionToken?: string): { principal: Identified; secretAccessKey: string } | undefined;
}

const SECRET_BYTES = 32;

/**
 * Credentials are derived from the principal and a secret in `dir`; nothing else is kept. The session token holds the
 * principal, so that they are recognized without a list.
 */
export async function createCredentials(dir: string): Promise<CredentialStore> {
  const secret = await readSecret(dir);
  const derive = (purpose: string, text: string) => createHmac('sha256', secret).update(`${purpose}\0${text}`).digest();

  function derived(text: string): Required<Credentials> {
    const principal = Buffer.from(text).toString('base64url');
    return {
      // As AWS's: ASIA and 16 of A–Z, 2–7 for temporary credentials.
      accessKeyId: `ASIA${base32(derive('id', text)).slice(0, 16)}`,
      secretAccessKey: derive('key', text).toString('base64').slice(0, 40),
      sessionToken: `${principal}.${derive('token', text).toString('base64url')}`,
    };
  }

  return {
    issue: (principal) => (principal.type === 'developer' ? { ...DEVELOPER } : derived(JSON.stringify(principal))),
    lookup(accessKeyId, sessionToken) {
      if (accessKeyId === DEVELOPER.accessKeyId && sessionToken === undefined) {
        return { principal: { type: 'developer' }, secretAccessKey: DEVELOPER.secretAccessKey };
      }
      const text = Buffer.from(sessionToken?.split('.')[0] ?? '', 'base64url').toString();
      const issued = derived(text);
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
  // Unlike a rename, a link does not replace what another process has put there meanwhile.
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
