import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const Stored = z.object({ kid: z.string(), privateKey: z.string(), clientSeed: z.string() });

/** The issuer's RSA key and the secrets of its clients. They last as long as the state directory. */
export class IssuerSecrets {
  readonly kid: string;
  readonly #key: KeyObject;
  readonly #clientSeed: string;

  private constructor(stored: z.infer<typeof Stored>) {
    this.kid = stored.kid;
    this.#key = createPrivateKey(stored.privateKey);
    this.#clientSeed = stored.clientSeed;
  }

  static async open(dir: string): Promise<IssuerSecrets> {
    const file = join(dir, 'secrets.json');
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text !== undefined) return new IssuerSecrets(Stored.parse(JSON.parse(text)));
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const stored = {
      kid: randomBytes(16).toString('base64url'),
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      clientSeed: randomBytes(32).toString('base64url'),
    };
    // Written atomically, readable by this user only.
    const handle = await open(`${file}.new`, 'w', 0o600);
    await handle.writeFile(JSON.stringify(stored));
    await handle.sync();
    await handle.close();
    await rename(`${file}.new`, file);
    return new IssuerSecrets(stored);
  }

  jwk(): JsonWebKey & { kid: string; alg: string; use: string } {
    return { ...createPublicKey(this.#key).export({ format: 'jwk' }), kid: this.kid, alg: 'RS256', use: 'sig' };
  }

  /** A signed JWT, RS256. */
  sign(claims: Readonly<Record<string, unknown>>): string {
    const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const signed = `${encode({ kid: this.kid, alg: 'RS256' })}.${encode(claims)}`;
    return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), this.#key).toString('base64url')}`;
  }

  clientSecret(clientId: string): string {
    return createHmac('sha256', this.#clientSeed).update(clientId).digest('hex').slice(0, 52);
  }
}
