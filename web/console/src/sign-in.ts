import {
  ErrorResponse,
  InMemoryWebStorage,
  type User,
  UserManager,
  type UserManagerSettings,
  WebStorageStateStore,
} from 'oidc-client-ts';
import { z } from 'zod';

export const SignInConfig = z.object({
  authority: z.url(),
  clientId: z.string(),
  scope: z.string(),
  /** Where the issuer does not tell them, or pages may not read what it tells. */
  authorizeUrl: z.url().optional(),
  tokenUrl: z.url().optional(),
  logoutUrl: z.url().optional(),
});
type SignInConfig = z.infer<typeof SignInConfig>;

/** Seconds before its end at which a token is replaced. */
const EARLY = 60;

/**
 * Authorization code with PKCE. Tokens are in memory: a reload asks the issuer again, which still knows the browser. The session storage has
 * the verifier of a sign-in under way, and nothing after it.
 */
export class SignIn {
  readonly #manager: UserManager;
  readonly #logoutAt: string | undefined;
  #user: User | null = null;
  #renewal: Promise<User | null> | null = null;

  constructor(config: SignInConfig) {
    const address = `${location.origin}/console/`;
    const { authority, clientId, scope, authorizeUrl, tokenUrl, logoutUrl } = config;
    const settings: UserManagerSettings = {
      authority,
      client_id: clientId,
      redirect_uri: address,
      scope,
      userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
      stateStore: new WebStorageStateStore({ store: sessionStorage }),
      automaticSilentRenew: false,
      ...(authorizeUrl &&
        tokenUrl && {
          metadata: {
            issuer: authority,
            authorization_endpoint: authorizeUrl,
            token_endpoint: tokenUrl,
            ...(logoutUrl && { end_session_endpoint: logoutUrl }),
          },
        }),
    };
    this.#manager = new UserManager(settings);
    // Cognito's names for what others call post_logout_redirect_uri, which oidc-client-ts sends.
    this.#logoutAt = logoutUrl && `${logoutUrl}?${new URLSearchParams({ client_id: clientId, logout_uri: address })}`;
  }

  /** Whether somebody is signed in. False: the browser leaves for the issuer's page, and comes back here. */
  async open(): Promise<boolean> {
    const query = new URLSearchParams(location.search);
    if (query.has('state') && (query.has('code') || query.has('error'))) {
      this.#user = await this.#manager.signinRedirectCallback();
      const { state } = this.#user;
      history.replaceState(null, '', typeof state === 'string' && state.startsWith('/console/') ? state : '/console/');
      return true;
    }
    await this.#leave();
    return false;
  }

  /** An access token that is good for some time. Without one the browser leaves for the issuer's page. */
  async token(): Promise<string> {
    if (this.#user && (this.#user.expires_in ?? 0) > EARLY) return this.#user.access_token;
    // One refresh for all requests: a refresh token works once.
    this.#renewal ??= this.#manager.signinSilent().finally(() => {
      this.#renewal = null;
    });
    this.#user = await this.#renewal.catch((error: unknown) => {
      // The line, or the issuer, is down: that is no reason to leave a page with its uploads.
      if (this.#user?.refresh_token && !(error instanceof ErrorResponse)) throw error;
      return null;
    });
    if (this.#user) return this.#user.access_token;
    await this.#leave();
    throw new Error('You are signed out.');
  }

  async close(): Promise<void> {
    // Which removes the user itself, once it has told the issuer whom to sign out.
    if (!this.#logoutAt) return this.#manager.signoutRedirect();
    await this.#manager.removeUser();
    location.assign(this.#logoutAt);
  }

  #leave(): Promise<void> {
    return this.#manager.signinRedirect({ state: `${location.pathname}${location.search}` });
  }
}
