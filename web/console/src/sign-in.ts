import {
  ErrorResponse,
  InMemoryWebStorage,
  OidcClient,
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

/** How a tab that has come back from the issuer finds the one that has asked for it. */
const CHANNEL = 'dropreel-sign-in';
/** As long as a tab of this browser may take to answer another; and before the issuer is asked again that could not be. */
const ANSWER_MS = 5_000;

/** What a page shows while the issuer knows nobody any more. */
export interface SignedOut {
  /** The issuer's page, for a tab of its own, so that this page and its uploads stay. */
  url: string;
  /** Somebody else has signed in there. */
  isOther: boolean;
}

interface Waiting {
  shown: SignedOut | null;
  over: Promise<void>;
}

/**
 * Authorization code with PKCE. Tokens are in memory: a reload asks the issuer again, which still knows the browser. The session storage has
 * the verifier of a sign-in under way, and nothing after it.
 */
export class SignIn {
  readonly #manager: UserManager;
  readonly #logoutAt: string | undefined;
  #user: User | null = null;
  #renewal: Promise<User | null> | null = null;
  /** Requests wait for its end. */
  #waiting: Waiting | null = null;
  readonly #settings: UserManagerSettings;
  readonly #listeners = new Set<() => void>();

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
    this.#settings = settings;
    this.#manager = new UserManager(settings);
    // Cognito's names for what others call post_logout_redirect_uri, which oidc-client-ts sends.
    this.#logoutAt = logoutUrl && `${logoutUrl}?${new URLSearchParams({ client_id: clientId, logout_uri: address })}`;
  }

  /**
   * `here`: somebody is signed in. `leaving`: the browser leaves for the issuer's page, and comes back here. `elsewhere`: this is the tab in
   * which somebody has signed in again for another one, which goes on.
   */
  async open(): Promise<'here' | 'leaving' | 'elsewhere'> {
    const query = new URLSearchParams(location.search);
    const asked = query.get('state');
    if (asked !== null && (query.has('code') || query.has('error'))) {
      const isOwn = sessionStorage.getItem(`oidc.${asked}`) !== null;
      if (!isOwn && (await isTaken(location.href))) return 'elsewhere';
      if (isOwn) {
        this.#user = await this.#manager.signinRedirectCallback();
        const { state } = this.#user;
        const page = typeof state === 'string' && state.startsWith('/console/') ? state : '/console/';
        history.replaceState(null, '', page);
        return 'here';
      }
      history.replaceState(null, '', '/console/');
    }
    await this.#leave();
    return 'leaving';
  }

  /** An access token that is good for some time. While nobody is signed in it waits until somebody is. */
  async token(): Promise<string> {
    if (this.#waiting) await this.#waiting.over;
    if (this.#user && (this.#user.expires_in ?? 0) > EARLY) return this.#user.access_token;
    // One refresh for all requests: a refresh token works once.
    this.#renewal ??= this.#manager.signinSilent().finally(() => {
      this.#renewal = null;
    });
    const user = await this.#renewal.catch((error: unknown) => {
      // The line, or the issuer, is down: that is no sign-out.
      if (this.#user?.refresh_token && !(error instanceof ErrorResponse)) throw error;
      return null;
    });
    if (user) {
      this.#user = user;
      return user.access_token;
    }
    await this.#signedAgain();
    return this.token();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Null while somebody is signed in. */
  readonly signedOut = (): SignedOut | null => this.#waiting?.shown ?? null;

  #signedAgain(): Promise<void> {
    if (this.#waiting) return this.#waiting.over;
    let end = () => {};
    const waiting: Waiting = {
      shown: null,
      over: new Promise((resolve) => {
        end = resolve;
      }),
    };
    this.#waiting = waiting;
    const channel = new BroadcastChannel(CHANNEL);
    const client = new OidcClient(this.#settings);
    let state = '';
    const ask = async (isOther: boolean) => {
      const request = await client.createSigninRequest({});
      state = request.state.id;
      waiting.shown = { url: request.url, isOther };
      this.#tell();
    };
    channel.onmessage = async ({ data }: MessageEvent<unknown>) => {
      if (typeof data !== 'string' || !URL.canParse(data)) return;
      const { origin, searchParams } = new URL(data);
      if (origin !== location.origin || searchParams.get('state') !== state) return;
      channel.postMessage({ taken: state });
      const user = await this.#manager.signinRedirectCallback(data).catch(() => null);
      if (user === null || user.profile.sub !== this.#user?.profile.sub) {
        await ask(user !== null);
        return;
      }
      channel.close();
      this.#user = user;
      this.#waiting = null;
      this.#tell();
      end();
    };
    const tryToAsk = (): void => {
      // The issuer may be out of reach.
      void ask(false).catch(() => setTimeout(tryToAsk, ANSWER_MS));
    };
    tryToAsk();
    return waiting.over;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
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

/** Gives the address with which the issuer has sent this tab back to the tab that waits for it. False: none does. */
function isTaken(url: string): Promise<boolean> {
  const channel = new BroadcastChannel(CHANNEL);
  const state = new URL(url).searchParams.get('state');
  return new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), ANSWER_MS);
    channel.onmessage = ({ data }: MessageEvent<{ taken?: unknown }>) => {
      if (data.taken !== state) return;
      clearTimeout(timer);
      resolve(true);
    };
    channel.postMessage(url);
  }).finally(() => channel.close());
}
