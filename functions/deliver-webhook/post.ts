import { lookup as resolve } from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { mayBeTarget, mayConnect, type TargetRules } from '../../core/webhooks/target.ts';

/** For the whole exchange: name resolution, handshake and answer. */
const TIMEOUT_MS = 10_000;
/** Of the answer's body; a longer one is a failure, since its content is not used. */
const MAX_ANSWER = 64 * 1024;
/** Interim answers (1xx) before the one that counts. Node limits the size of each, not their number. */
const MAX_INTERIM = 10;

export interface PostOutcome {
  status?: number;
  /** Why it does not count as delivered; absent when a complete answer that is not a redirect arrived in time. */
  error?: string;
}

/**
 * One POST to an address that its owner chose. It connects to the very address that was resolved and checked, so a name that changes its
 * answer in between gains nothing; it follows no redirect, and reads at most 64 KB. Never throws, and ends within `timeoutMs` whatever
 * the other side does: it has its own timer because Node emits neither `response` nor `error` for some endings (101 Switching Protocols),
 * and no socket outlives the outcome.
 */
export function post(
  url: string,
  {
    headers,
    body,
    rules,
    timeoutMs = TIMEOUT_MS,
  }: { headers: Record<string, string>; body: string; rules: TargetRules; timeoutMs?: number },
): Promise<PostOutcome> {
  const verdict = mayBeTarget(url, rules);
  if (verdict !== 'allowed') return Promise.resolve({ error: verdict.refused });
  const target = new URL(url);
  const request = target.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolvePost) => {
    // No agent: a kept connection might have been made to another address.
    const sent = request(target, { method: 'POST', agent: false, headers, lookup: checkedLookup(rules) });
    let status: number | undefined;
    const end = (error?: string) => {
      clearTimeout(timer);
      resolvePost({ ...(status !== undefined && { status }), ...(error !== undefined && { error }) });
      sent.destroy();
    };
    const timer = setTimeout(() => end(`No answer in ${timeoutMs / 1000} s.`), timeoutMs);
    let interim = 0;
    sent.on('information', () => {
      interim += 1;
      if (interim > MAX_INTERIM) end(`More than ${MAX_INTERIM} interim answers.`);
    });
    sent.on('upgrade', (answer, socket) => {
      status = answer.statusCode;
      socket.destroy();
      end(wrongWith(101));
    });
    sent.on('response', (answer) => {
      status = answer.statusCode ?? 0;
      let read = 0;
      answer.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read > MAX_ANSWER) end('The answer has more than 64 KB.');
      });
      answer.on('end', () => end(wrongWith(status ?? 0)));
      answer.on('error', () => end(CUT_OFF));
    });
    sent.on('error', (error) => end(textOf(error)));
    sent.on('close', () => end(CUT_OFF));
    sent.end(body);
  });
}

const CUT_OFF = 'The connection was closed before the answer was whole.';

/** What is wrong with a complete answer, apart from its status. */
function wrongWith(status: number): string | undefined {
  if (status < 200) return 'The answer asks for another protocol.';
  return status >= 300 && status < 400 ? 'Redirects are not followed.' : undefined;
}

/** Resolves a name, and refuses it when any of its addresses is not public. */
function checkedLookup(rules: TargetRules): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      const bad = addresses.find(({ address }) => !mayConnect(hostname, address, rules));
      const [first] = addresses;
      if (bad || !first) {
        return callback(
          new Error(`${hostname} resolves to ${bad?.address ?? 'nothing'}, which is not a public address.`),
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
