import { S3Client } from '@aws-sdk/client-s3';
import type { JobApi } from './api.ts';

/** How long an address is used again; it is valid for longer. */
const REUSED_MS = 5 * 60_000;
/** Headers that S3 wants to be signed, and those that must not be changed by whoever has the address. */
const SIGNED = /^(x-amz-.+|if-match|if-none-match)$/;
/** Those of the signature that is replaced, and of the SDK about itself. */
const OWN = /^(authorization|x-amz-(date|content-sha256|security-token|user-agent))$/;

interface Request {
  method: string;
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  query: Record<string, string | string[] | null | undefined>;
  headers: Record<string, string>;
}

/**
 * A client of S3 without credentials: the API signs each of its requests, at the address that it returns.
 * @param signal aborts whatever request is under way, and lets none begin: the job may be another machine's by then
 */
export function presignedS3(api: Pick<JobApi, 'sign'>, signal: AbortSignal): S3Client {
  const known = new Map<string, { url: string; until: number }>();
  const addressOf = async ({ method, path, query, headers }: Request): Promise<string> => {
    const asked = { method: method as 'GET', path, query: plain(query), headers: pick(headers) };
    const id = method === 'GET' ? JSON.stringify(asked) : undefined;
    const kept = id === undefined ? undefined : known.get(id);
    if (kept && kept.until > Date.now()) return kept.url;
    const { url } = await api.sign(asked);
    if (id !== undefined) known.set(id, { url, until: Date.now() + REUSED_MS });
    return url;
  };
  const s3 = new S3Client({
    region: 'us-east-1',
    // The address has the bucket in its path, whatever the region.
    forcePathStyle: true,
    credentials: { accessKeyId: 'replaced', secretAccessKey: 'replaced' },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 5,
  });
  const { requestHandler } = s3.config;
  const handle = requestHandler.handle.bind(requestHandler);
  requestHandler.handle = (request, options: { abortSignal?: unknown } = {}) => {
    const { abortSignal } = options;
    const signals = abortSignal instanceof AbortSignal ? [signal, abortSignal] : [signal];
    return handle(request, { ...options, abortSignal: AbortSignal.any(signals) });
  };
  // After the SDK's own signature, within its retries.
  s3.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as Request;
      for (const name of Object.keys(request.headers)) {
        if (OWN.test(name.toLowerCase())) delete request.headers[name];
      }
      const url = new URL(await addressOf(request));
      request.protocol = url.protocol;
      request.hostname = url.hostname;
      if (url.port) request.port = Number(url.port);
      else delete request.port;
      request.path = url.pathname;
      request.query = Object.fromEntries(url.searchParams);
      request.headers.host = url.host;
      return next(args);
    },
    { step: 'finalizeRequest', name: 'presigned', priority: 'low' },
  );
  return s3;
}

function plain(query: Request['query']): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value ?? '')]));
}

function pick(headers: Readonly<Record<string, string>>): Record<string, string> {
  const signed = Object.entries(headers).filter(([name]) => SIGNED.test(name.toLowerCase()));
  return Object.fromEntries(signed.map(([name, value]) => [name.toLowerCase(), value]));
}
