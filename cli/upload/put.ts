import { createReadStream } from 'node:fs';
import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { safeUrl } from '../url.ts';

/** Connections are kept for the next part. */
const agents = {
  'http:': new HttpAgent({ keepAlive: true, maxSockets: 32 }),
  'https:': new HttpsAgent({ keepAlive: true, maxSockets: 32 }),
};
/** An attempt is aborted after this long without progress. */
const IDLE_MS = 60_000;
const TRIES = 5;
const FIRST_PAUSE_MS = 500;
/** Bytes read from the file at once. */
const CHUNK = 1024 * 1024;

export interface Put {
  url: string;
  headers?: Record<string, string>;
  path: string;
  /** First byte of the part in the file, and its length. */
  start: number;
  size: number;
  signal: AbortSignal;
  /** Bytes sent by the current attempt; falls back to 0 when it is retried. */
  onProgress: (sent: number) => void;
  /** Attempts before the last one's error is thrown. Default: 5. */
  tries?: number;
}

/** An answer that a retry does not change: an expired URL, or a file that changed. */
export class PutRefused extends Error {
  override readonly name = 'PutRefused';
  readonly status: number;

  constructor(status: number, body: string) {
    super(answerOf(status, body));
    this.status = status;
  }
}

/** S3's errors are XML, whose Message is for people. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
function answerOf(status: number, body: string): string {
  const text = body.split('<Message>')[1]?.split('</Message>')[0] ?? body;
  return `the storage answered ${status}${text === '' ? '' : `: ${text.slice(0, 300)}`}`;
}

/**
 * Sends a range of a file to a presigned URL, with several attempts.
 * @throws PutRefused, or the last attempt's error
 */
export async function put(job: Put): Promise<void> {
  safeUrl(job.url);
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryPut(job);
    } catch (error) {
      job.onProgress(0);
      if (job.signal.aborted || error instanceof PutRefused || tries >= (job.tries ?? TRIES)) throw error;
      await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** (tries - 1)));
    }
  }
}

function tryPut({ url, headers, path, start, size, signal, onProgress }: Put): Promise<void> {
  const target = new URL(url);
  const secure = target.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (secure ? requestHttps : requestHttp)(
      target,
      {
        method: 'PUT',
        agent: agents[secure ? 'https:' : 'http:'],
        headers: { ...headers, 'Content-Length': size },
        timeout: IDLE_MS,
      },
      (answer) => {
        const status = answer.statusCode ?? 0;
        let body = '';
        answer.setEncoding('utf8');
        answer.on('data', (text: string) => {
          if (body.length < 1000) body += text;
        });
        answer.on('end', () => {
          if (status >= 200 && status < 300) return resolve();
          // S3's 409 to a conditional write that met another one.
          const passing = status === 409 || status === 429 || status >= 500;
          reject(passing ? new Error(answerOf(status, body)) : new PutRefused(status, body));
        });
        answer.on('error', reject);
      },
    );
    // Not the option `signal`: its listeners stay on a signal that outlives the attempts, and Node warns of a leak.
    const abort = () => request.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal.addEventListener('abort', abort, { once: true });
    request.on('close', () => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
    request.on('timeout', () => request.destroy(new Error('no progress for a minute')));
    request.on('error', reject);
    const file = createReadStream(path, { start, end: start + size - 1, highWaterMark: CHUNK });
    file.on('error', (error) => request.destroy(error));
    request.on('close', () => file.destroy());
    let sent = 0;
    file.on('data', (chunk) => {
      sent += chunk.length;
      onProgress(sent);
    });
    // A file that became shorter would leave the request waiting for bytes that never arrive.
    file.on('end', () => {
      if (sent < size) request.destroy(new Error(`${path} became shorter while it was read`));
    });
    file.pipe(request);
  });
}
