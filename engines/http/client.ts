import { z } from 'zod';
import type { ReadSecret } from '../../aws/secrets.ts';
import { EngineRefused } from '../engine.ts';
import { isOfTheRequest, isRefusal } from '../refusals.ts';

/**
 * The calls of a RunPod-compatible endpoint, as its documentation describes them: https://docs.runpod.io/serverless/endpoints/operation-reference
 * Its answers are not trusted: they are read up to a limit, and only the fields that are named here.
 */

const TIMEOUT_MS = 10_000;
/** Shorter than the lease on the job's row, `SUBMITTING_MS` of core/jobs. */
const RUN_TIMEOUT_MS = 20_000;
/** An answer may include the job's input and output. */
const MAX_ANSWER_BYTES = 2 ** 20;

const Run = z.object({ id: z.string().min(1).max(255) });
const Status = z.object({
  /** One of the documented states, or a word that they do not have. */
  status: z.string(),
  /** Milliseconds of the worker. Used for the cost only: an unexpected value must not hide the end of a job. */
  executionTime: z.number().nonnegative().optional().catch(undefined),
});
export type Status = z.infer<typeof Status>;
const count = z.number().int().nonnegative().catch(0);
const Health = z.object({
  jobs: z.object({ inProgress: count, inQueue: count }),
  workers: z.object({ running: count, initializing: count, idle: count, ready: count }),
});
export type Health = z.infer<typeof Health>;

export class Endpoint {
  readonly #url: string;
  readonly #key: ReadSecret;

  /** @param key returns the API key */
  constructor(url: string, key: ReadSecret) {
    this.#url = url;
    this.#key = key;
  }

  /**
   * Submits a job and returns the endpoint's id of it.
   * @throws EngineRefused when the endpoint does not have it; after any other error that is unknown
   */
  async run(body: unknown): Promise<string> {
    await this.#key().catch((cause: unknown) => {
      throw new EngineRefused('The key of the endpoint cannot be read.', { forGood: false, cause });
    });
    const response = await this.#call('POST', 'run', { body, timeoutMs: RUN_TIMEOUT_MS });
    if (isRefusal(response.status)) {
      await response.body?.cancel();
      const forGood = isOfTheRequest(response.status);
      throw new EngineRefused(`The endpoint refused the job: HTTP ${response.status}.`, { forGood });
    }
    return (await answer(response, 'run', Run)).id;
  }

  /** Null where the endpoint does not know the job: it keeps an ended one for 30 minutes, and none beyond its time to live. */
  async status(id: string): Promise<Status | null> {
    const response = await this.#call('GET', `status/${encodeURIComponent(id)}`);
    if (response.status === 404) return null;
    return answer(response, 'status', Status);
  }

  /** A job that is unknown is left alone. */
  async cancel(id: string): Promise<void> {
    const response = await this.#call('POST', `cancel/${encodeURIComponent(id)}`);
    await response.body?.cancel();
    // 400: it has ended.
    if (!response.ok && response.status !== 404 && response.status !== 400) throw failed('cancel', response);
  }

  async health(): Promise<Health> {
    return answer(await this.#call('GET', 'health'), 'health', Health);
  }

  async #call(
    method: 'GET' | 'POST',
    path: string,
    { body, timeoutMs = TIMEOUT_MS }: { body?: unknown; timeoutMs?: number } = {},
  ): Promise<Response> {
    return fetch(`${this.#url}/${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${(await this.#key()).trim()}`,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      // A redirect would send the key and the job to another address.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
  }
}

async function answer<T>(response: Response, call: string, schema: z.ZodType<T>): Promise<T> {
  if (!response.ok) {
    await response.body?.cancel();
    throw failed(call, response);
  }
  const { success, data } = schema.safeParse(parse(await text(response)));
  // Its text may hold the job's input, and that a secret.
  if (!success) throw new Error(`The endpoint's answer to ${call} cannot be read.`);
  return data;
}

function failed(call: string, { status }: Response): Error {
  return new Error(`The endpoint answered ${call} with HTTP ${status}.`);
}

async function text({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`The endpoint's answer has more than ${MAX_ANSWER_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
