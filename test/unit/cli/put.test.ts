import { getEventListeners, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { put } from '../../../cli/upload/put.ts';

const FULL =
  '<?xml version="1.0"?><Error><Code>ServiceUnavailable</Code><Message>The disk of the local S3 is full.</Message></Error>';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-put-'));
  await writeFile(join(folder, 'clip.mp4'), 'twelve bytes');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it.each([
  ['a passing refusal', 503, FULL, 'the storage answered 503: The disk of the local S3 is full.', 2],
  ['a final refusal without a text', 403, '', 'the storage answered 403', 1],
])('%s is told in the words of the storage, and leaves no listener on the signal', async (_, status, body, message, tries) => {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    request.resume().on('end', () => response.writeHead(status).end(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { signal } = new AbortController();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/key`;
  const job = { url, path: join(folder, 'clip.mp4'), start: 0, size: 12, signal, onProgress: () => {}, tries: 2 };
  await expect(put(job)).rejects.toMatchObject({ message });
  expect(asked).toBe(tries);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  server.closeAllConnections();
  server.close();
});
