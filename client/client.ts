import type { Operation } from '../core/api/operation.ts';
import { OPERATIONS, type OperationId } from '../core/api/operations.ts';
import { parseJson } from '../core/contracts/text.ts';
import { RefusedError, UnexpectedAnswerError, UnreachableError } from './errors.ts';
import { type Answer, type Arguments, pathOf } from './request.ts';
import { pauseBefore } from './retry.ts';

const TIMEOUT_MS = 40_000;

/**
 * The HTTP API, from Node or a browser: every operation of `OPERATIONS` by its name.
 *
 * @example
 * const client = new Client('https://abc.execute-api.us-east-1.amazonaws.com', () => token);
 * const media = await client.call('getMedia', { id });
 * const page = await client.call('listMedia', { query: { state: 'ready' } });
 */
export class Client {
  readonly #url: string;
  readonly #token: () => string | Promise<string>;

  /**
   * @param url the stack's `ApiUrl`. The token is sent to it: check first that it is https or on this machine.
   * @param token returns an access token; called before each attempt
   */
  constructor(url: string, token: () => string | Promise<string>) {
    this.#url = url.replace(/\/+$/, '');
    this.#token = token;
  }

  /**
   * Sends a request, up to 4 times while it may still succeed. The attempts of one POST have the same Idempotency-Key, so that what it
   * creates is created once.
   * @throws RefusedError for an answer that is not 2xx
   * @throws UnreachableError without an answer
   * @throws UnexpectedAnswerError for an answer that does not fit the operation's schema
   */
  async call<K extends OperationId>(id: K, ...[request]: Arguments<K>): Promise<Answer<K>> {
    const operation: Operation = OPERATIONS[id];
    const text = await this.#send(operation, request ?? {});
    if (operation.answer === null) return undefined as Answer<K>;
    const { success, data, error } = operation.answer.safeParse(parseJson(text));
    if (!success) throw new UnexpectedAnswerError(id, error);
    return data as Answer<K>;
  }

  /** @returns the body of the answer */
  async #send(operation: Operation, request: Readonly<Record<string, unknown>>): Promise<string> {
    const { method, who, repeatable } = operation;
    const { body, ifMatch, ifNoneMatch } = request;
    const path = pathOf(operation.path, request);
    const fixed: Record<string, string> = {
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(method === 'POST' && !repeatable && { 'Idempotency-Key': crypto.randomUUID() }),
      ...(ifMatch !== undefined && { 'If-Match': String(ifMatch) }),
      ...(ifNoneMatch !== undefined && { 'If-None-Match': String(ifNoneMatch) }),
    };
    for (let tries = 1; ; tries += 1) {
      const token: Record<string, string> = who === 'anyone' ? {} : { Authorization: `Bearer ${await this.#token()}` };
      let error: RefusedError | UnreachableError;
      let retryAfter: string | null = null;
      try {
        const response = await fetch(`${this.#url}${path}`, {
          method,
          headers: { ...fixed, ...token },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          // The API never redirects, and a redirect would send the body to another address.
          redirect: 'error',
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        const text = await response.text();
        if (response.ok) return text;
        error = new RefusedError(response.status, text);
        retryAfter = response.headers.get('Retry-After');
      } catch (cause) {
        error = new UnreachableError(this.#url, cause);
      }
      const pause = pauseBefore({ method, tries, error, retryAfter }, Math.random());
      if (pause === null) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
