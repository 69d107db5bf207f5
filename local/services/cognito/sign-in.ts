import { createHash, randomBytes } from 'node:crypto';
import type { Client } from './template.ts';

/** Whom the developer lets sign in, and where the browser goes then. */
export interface Person {
  username: string;
  scopes: string[];
}

/** What a browser is given a token for. */
export interface Grant {
  client: Client;
  person: Person;
  nonce: string | undefined;
  /** When its person signed in, in milliseconds: a refresh keeps it, as OpenID Connect Core 12.2 wants. */
  signedInAt: number;
}

/** A link is used within this time or not at all; so is the code of a redirect, which a page exchanges at once. */
const LINK_MS = 24 * 3_600_000;
const CODE_MS = 60_000;

/** Wrong or missing parameters of a request, as RFC 6749 names them. */
export class SignInError extends Error {
  override readonly name = 'SignInError';
}

/**
 * Who is signed in, in memory only. The developer's key makes a link, the link opens a session in one browser, and with that session the
 * authorization endpoint answers codes: RFC 6749, section 4.1, with PKCE (RFC 7636). Links, codes and refresh tokens work once.
 */
export class SignIns {
  readonly #links = new Once<{ person: Person; to: string }>();
  readonly #sessions = new Map<string, Person>();
  readonly #codes = new Once<Grant & { redirectUri: string; challenge: string }>();
  readonly #refreshes = new Once<Grant>();
  readonly #clients: readonly Client[];

  constructor(clients: readonly Client[]) {
    this.#clients = clients;
  }

  /** @returns the secret of a link that leads to `to`, which is one of the clients' own addresses, or below it */
  link(person: Person, to: string, now: number): string {
    if (!this.#clients.some(({ callbackUrls }) => callbackUrls.some((url) => to.startsWith(url)))) {
      throw new SignInError('redirect_mismatch');
    }
    return this.#links.add({ person, to }, now + LINK_MS);
  }

  /** @returns the session's secret, for the browser that opened the link */
  open(link: string, now: number): { session: string; to: string } {
    const found = this.#links.take(link, now);
    if (!found) throw new SignInError('access_denied');
    const session = secret();
    this.#sessions.set(session, found.person);
    return { session, to: found.to };
  }

  end(session: string): void {
    this.#sessions.delete(session);
  }

  /** @returns where the browser goes with the code. @throws SignInError also for a redirect that the client has not registered */
  authorize(session: string, query: URLSearchParams, now: number): string {
    const client = this.#clients.find(({ id }) => id === query.get('client_id'));
    const redirectUri = query.get('redirect_uri') ?? '';
    if (!client) throw new SignInError('invalid_client');
    if (!client.callbackUrls.includes(redirectUri)) throw new SignInError('redirect_mismatch');
    const person = this.#sessions.get(session);
    if (!person) throw new SignInError('login_required');
    const challenge = query.get('code_challenge') ?? '';
    if (query.get('response_type') !== 'code' || query.get('code_challenge_method') !== 'S256' || challenge === '') {
      throw new SignInError('invalid_request');
    }
    const nonce = query.get('nonce') ?? undefined;
    const code = this.#codes.add({ client, person, redirectUri, challenge, nonce, signedInAt: now }, now + CODE_MS);
    const to = new URL(redirectUri);
    to.searchParams.set('code', code);
    if (query.has('state')) to.searchParams.set('state', query.get('state') ?? '');
    return to.href;
  }

  /** Of a client without a secret. */
  exchange(form: URLSearchParams, now: number): Grant & { refreshToken: string } {
    const grant =
      form.get('grant_type') === 'refresh_token'
        ? this.#refreshes.take(form.get('refresh_token') ?? '', now)
        : this.#codeOf(form, now);
    if (!grant || grant.client.hasSecret || grant.client.id !== form.get('client_id')) {
      throw new SignInError('invalid_grant');
    }
    const { client, person, nonce, signedInAt } = grant;
    const kept = { client, person, nonce, signedInAt };
    return { ...kept, refreshToken: this.#refreshes.add(kept, now + client.refreshSeconds * 1000) };
  }

  #codeOf(form: URLSearchParams, now: number): Grant | undefined {
    const found = this.#codes.take(form.get('code') ?? '', now);
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    return found?.redirectUri === form.get('redirect_uri') && found?.challenge === verifier ? found : undefined;
  }
}

/** Values that are taken once, by a secret, until their time. */
class Once<T> {
  readonly #kept = new Map<string, { value: T; until: number }>();

  add(value: T, until: number): string {
    const key = secret();
    this.#kept.set(key, { value, until });
    return key;
  }

  take(key: string, now: number): T | undefined {
    const found = this.#kept.get(key);
    this.#kept.delete(key);
    return found && found.until > now ? found.value : undefined;
  }
}

const secret = () => randomBytes(32).toString('base64url');
