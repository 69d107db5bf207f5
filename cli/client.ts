import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { Problem } from '../core/contracts/problems.ts';
import { CliError, EXIT } from './exit.ts';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export interface RequestOptions {
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
}

const TIMEOUT_MS = 40_000;
const TRIES = 4;
const FIRST_PAUSE_MS = 300;

/** The HTTP API. Every POST has an Idempotency-Key, so that one whose answer was lost can be sent again. */
export class ApiClient {
  readonly #url: string;
  readonly #token: () => Promise<string>;

  constructor(url: string, token: () => Promise<string>) {
    this.#url = url;
    this.#token = token;
  }

  /** @throws CliError with the API's problem */
  async call<T>(method: Method, path: string, schema: z.ZodType<T>, options: RequestOptions = {}): Promise<T> {
    const response = await this.#send(method, path, options);
    return schema.parse(await response.json());
  }

  /** For answers without a body. */
  async run(method: Method, path: string, options: RequestOptions = {}): Promise<void> {
    await this.#send(method, path, options);
  }

  async #send(method: Method, path: string, options: RequestOptions): Promise<Response> {
    const url = new URL(`${this.#url}${path}`);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers: Record<string, string> = {
      Authorization: `Bearer ${await this.#token()}`,
      ...(options.body !== undefined && { 'Content-Type': 'application/json' }),
      ...(method === 'POST' && { 'Idempotency-Key': randomUUID() }),
      ...options.headers,
    };
    const body = options.body === undefined ? {} : { body: JSON.stringify(options.body) };
    for (let tries = 1; ; tries += 1) {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await fetch(url, { method, headers, signal, ...body }).catch((error: unknown) => error);
      if (response instanceof Response && response.ok) return response;
      if (tries === TRIES || !mayPass(method, response)) throw await failure(this.#url, response);
      await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** tries * (0.5 + Math.random() / 2)));
    }
  }
}

/** What is worth another try: no answer, throttling, 5xx. A PATCH without an answer may have been done. */
function mayPass(method: Method, response: unknown): boolean {
  if (!(response instanceof Response)) return method !== 'PATCH';
  return response.status === 429 || response.status >= 500;
}

async function failure(url: string, response: unknown): Promise<CliError> {
  if (!(response instanceof Response)) {
    const cause = response instanceof Error && response.cause instanceof Error ? response.cause.message : response;
    return new CliError(EXIT.unreachable, `${url} cannot be reached: ${String(cause)}`);
  }
  const text = await response.text();
  const problem = Problem.safeParse(parse(text)).data;
  const exitCode = exitCodeOf(response.status);
  if (problem) return new CliError(exitCode, `${problem.title}: ${problem.detail} (${problem.code})`, problem);
  return new CliError(exitCode, `The API answered ${response.status}: ${text.slice(0, 300)}`);
}

function exitCodeOf(status: number): number {
  if (status === 401 || status === 403) return EXIT.denied;
  if (status === 404) return EXIT.notFound;
  return status >= 500 ? EXIT.unreachable : EXIT.refused;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
