import { randomUUID } from 'node:crypto';
import type { Run } from './check.ts';
import { outputOf } from './target.ts';

export interface Answer {
  status: number;
  /** Parsed JSON; null for none. */
  body: unknown;
}

/** Calls the deployment's HTTP API as an operator. */
export async function callApi({ target }: Run, method: string, path: string, body?: unknown): Promise<Answer> {
  const url = `${outputOf(target, 'ApiUrl').replace(/\/$/, '')}${path}`;
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(40_000),
    headers: {
      Authorization: `Bearer ${await target.token()}`,
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(method === 'POST' && { 'Idempotency-Key': randomUUID() }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}
