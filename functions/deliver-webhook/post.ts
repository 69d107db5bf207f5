import { lookup as resolve } from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { mayConnect, refuseUrl, type TargetRules } from '../../core/webhooks/target.ts';

/** The whole exchange, name resolution included. */
const TIMEOUT_MS = 10_000;
/** Of the answer; more is a failure, since nobody reads it. */
const MAX_ANSWER = 64 * 1024;

export interface PostOutcome {
  status?: number;
  error?: string;
}

/**
 * One POST to an address that its owner chose. It connects to the very address that was resolved and checked, so a name that
 * changes its answer in between gains nothing; it follows no redirect, and reads at most 64 KB. Never throws.
 */
export function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  rules: TargetRules,
  timeoutMs: number = TIMEOUT_MS,
): Promise<PostOutcome> {
  const refused = refuseUrl(url, rules);
  if (refused) return Promise.resolve({ error: refused });
  const target = new URL(url);
  const request = target.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((done) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const failed = (error: unknown) =>
      done({ error: signal.aborted ? `No answer in ${timeoutMs / 1000} s.` : textOf(error) });
    // No agent: a kept connection might have been made to another address.
    const sent = request(
      target,
      { method: 'POST', agent: false, headers, signal, lookup: checkedLookup(rules) },
      (answer) => {
        const status = answer.statusCode ?? 0;
        let read = 0;
        answer.on('data', (chunk: Buffer) => {
          read += chunk.length;
          if (read > MAX_ANSWER) {
            done({ status, error: 'The answer has more than 64 KB.' });
            answer.destroy();
          }
        });
        answer.on('end', () =>
          done(status >= 300 && status < 400 ? { status, error: 'Redirects are not followed.' } : { status }),
        );
        answer.on('error', failed);
      },
    );
    sent.on('error', failed);
    sent.end(body);
  });
}

/** Resolves a name, and refuses it when any of its addresses is not public. */
function checkedLookup(rules: TargetRules): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      const bad = addresses.find(({ address }) => !mayConnect(address, rules));
      const [first] = addresses;
      if (bad || !first) {
        return callback(
          new Error(`${hostname} resolves to ${bad?.address ?? 'nothing'}, which is no public address.`),
          '',
        );
      }
      if (options.all) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message || error.name : String(error)).slice(0, 300);
}
