import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { InPlace } from '../../containers/transcoder/input/in-place.ts';
import {
  headSource,
  IN_PLACE_PATIENCE,
  type Patience,
  type SourceObject,
} from '../../containers/transcoder/input/ranges.ts';

/** One request for a range. */
export interface Asked {
  /** 1 for the first. */
  nth: number;
  start: number;
  end: number;
}

/** What is done in the place of an answer: true when it is done. */
export type Fault = (asked: Asked, response: ServerResponse) => boolean | Promise<boolean>;

/**
 * An S3 of one object, a file of this machine, that goes wrong as a test wants it: breaks off, throttles, stands still. The local cloud
 * answers well.
 */
export async function serveSource(file: string, { fault, headers = {} }: { fault?: Fault; headers?: object } = {}) {
  const { size } = await stat(file);
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const common = { etag: '"abc"', ...headers };
    if (request.method === 'HEAD') return response.writeHead(200, { ...common, 'content-length': size }).end();
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const range = { nth: asked.length + 1, start: Number(from), end: Number(to) + 1 };
    asked.push(range);
    if (await fault?.(range, response)) return response;
    const { start, end } = range;
    answer(response, { start, end, size });
    await pipeline(createReadStream(file, { start, end: end - 1 }), response).catch(() => undefined);
    return response;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const s3 = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 'a' },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const source = { bucket: 'uploads', key: 'film', sequencer: '1', size, etag: 'abc' };
  const object: SourceObject = { s3, source, signal: new AbortController().signal };
  return {
    asked,
    object,
    open: async (directory: string, patience: Partial<Patience> = {}) =>
      InPlace.open(object, directory, await headSource(object), { ...IN_PLACE_PATIENCE, ...patience }),
    async [Symbol.asyncDispose]() {
      s3.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The head of an answer of S3 with a range. */
export function answer(response: ServerResponse, { start, end, size }: { start: number; end: number; size: number }) {
  response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${size}`, 'content-length': end - start });
}
