import { setTimeout as delay } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import type { z } from 'zod';
import {
  type HttpInput,
  type ProgressReport,
  SignedRequest,
  type SignRequest,
} from '../../../core/contracts/http/engine-jobs.ts';
import type { EngineCallback } from '../../../core/contracts/http/system.ts';
import { Drained } from '../failures.ts';

const TIMEOUT_MS = 30_000;
const ATTEMPTS = 6;

/** The deployment's API, for the worker of one job. */
export interface JobApi {
  /**
   * The signed address of a request to S3.
   * @throws Drained when the job is over: `onOver` has been called by then
   */
  sign(request: SignRequest): Promise<SignedRequest>;
  /** Sent once; a lost report is followed by the next one. */
  progress(report: z.infer<typeof ProgressReport>): Promise<void>;
  /** Reports the end, signed as in Standard Webhooks. */
  ended(body: EngineCallback): Promise<void>;
  /** Has the API ask the endpoint for the state of the job. */
  hint(): Promise<void>;
}

/** @param onOver called when the API refuses the job's secret, because the job has ended or was given to another engine job */
export function jobApi({ job, apiUrl, secret, hintUrl }: HttpInput, onOver: (why: Drained) => void): JobApi {
  const base = apiUrl.replace(/\/+$/, '');
  const post = (path: string, body: string, headers: Record<string, string>) =>
    fetch(`${base}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  const withSecret = { Authorization: `Bearer ${secret}` };
  const over = (status: number) => {
    const why = new Drained(`the API answered ${status}: the job is over`);
    onOver(why);
    return why;
  };
  return {
    sign: (request) =>
      patiently(async () => {
        const response = await post(`/engine-jobs/${job.jobId}/urls`, JSON.stringify(request), withSecret);
        if (isRefused(response.status)) throw over(response.status);
        if (!response.ok) throw unavailable(response.status);
        return SignedRequest.parse(await response.json());
      }),
    async progress(report) {
      const response = await post(`/engine-jobs/${job.jobId}/progress`, JSON.stringify(report), withSecret);
      if (isRefused(response.status)) throw over(response.status);
      if (!response.ok) throw unavailable(response.status);
    },
    ended: (body) =>
      patiently(async () => {
        const text = JSON.stringify(body);
        const [id, now] = [crypto.randomUUID(), new Date()];
        const signed = {
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
          'webhook-signature': new Webhook(secret).sign(id, now, text),
        };
        const response = await post(`/engine-callbacks/${job.jobId}`, text, signed);
        if (!response.ok && !isRefused(response.status)) throw unavailable(response.status);
      }),
    async hint() {
      if (hintUrl === undefined) return;
      await patiently(async () => {
        const response = await fetch(hintUrl, {
          method: 'POST',
          redirect: 'error',
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        // 409: the job's submission is not noted yet.
        if (!response.ok && (response.status === 409 || !isRefused(response.status)))
          throw unavailable(response.status);
      });
    },
  };
}

/** The secret is not valid, or not any more. Anything else may be different in a moment. */
function isRefused(status: number): boolean {
  return status === 401 || status === 404 || status === 409;
}

function unavailable(status: number): Error {
  return Object.assign(new Error(`The API answered ${status}.`), { code: 'ECONNABORTED' });
}

async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (error instanceof Drained || attempt >= ATTEMPTS) throw error;
      await delay(250 * 2 ** attempt);
    }
  }
}
