import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { listen } from '../../../local/http-server.ts';

/** A server whose answers wait for `answer`; `asked` resolves with its first request. */
async function waiting() {
  let answer = () => {};
  let ask = () => {};
  const released = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const server = createServer(async (_, outgoing) => {
    ask();
    await released;
    outgoing.end('done');
  });
  return { listening: await listen(server, 0), answer, asked };
}

test('a request that is being served ends before the server closes, and no other begins', async () => {
  const { listening, answer, asked } = await waiting();
  const response = fetch(listening.url).then((it) => it.text());
  await asked;
  const closed = listening.close(60_000);
  await expect(fetch(listening.url)).rejects.toThrow('fetch failed');
  answer();
  expect(await response).toBe('done');
  await closed;
});

test('without grace a request that is being served is cut', async () => {
  const { listening, asked } = await waiting();
  const response = fetch(listening.url);
  await Promise.all([asked, expect(response).rejects.toThrow('fetch failed'), asked.then(() => listening.close())]);
});

test('a port that is taken is an error', async () => {
  const { listening } = await waiting();
  const port = Number(new URL(listening.url).port);
  await expect(listen(createServer(), port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await listening.close();
});
