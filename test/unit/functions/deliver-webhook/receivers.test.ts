import { createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type PostOutcome, post } from '../../../../functions/deliver-webhook/post.ts';

/**
 * Receivers that speak raw TCP, so that each way to end or not to end a connection is played as it is on the wire. Every
 * outcome is exact: the time limit of the ones that never end is 0.5 s here, 10 s in the function.
 */
const LIMIT_MS = 500;
const IN_TIME = 'No answer in 0.5 s.';

let left: (() => void)[] = [];
afterEach(() => {
  for (const close of left) close();
  left = [];
});

/** @param answer is called once a receiver has got bytes. `scheme` https: the bytes are a TLS handshake that nobody answers. */
async function posted(answer: (socket: Socket) => void, scheme = 'http'): Promise<PostOutcome> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
    socket.resume();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  left.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = address && typeof address === 'object' ? address.port : 0;
  return post(`${scheme}://127.0.0.1:${port}/hook`, {
    headers: {},
    body: '{"type":"media.ready"}',
    rules: { allowLoopback: true },
    timeoutMs: LIMIT_MS,
  });
}

/** Writes `text` again and again for as long as the other side takes it. */
function flood(socket: Socket, text: string): void {
  const timer = setInterval(() => socket.write(text), 5);
  left.push(() => clearInterval(timer));
}

const OK = 'HTTP/1.1 200 OK\r\n';

const ENDINGS: [title: string, answer: (socket: Socket) => void, outcome: PostOutcome][] = [
  ['a whole answer', (s) => s.write(`${OK}content-length: 2\r\n\r\nok`), { status: 200 }],
  ['an answer that ends with the connection', (s) => s.end(`${OK}\r\nok`), { status: 200 }],
  [
    'an answer with trailers',
    (s) => s.write(`${OK}transfer-encoding: chunked\r\n\r\n0\r\nx: y\r\n\r\n`),
    { status: 200 },
  ],
  [
    '101, the connection kept open',
    (s) => s.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    { status: 101, error: 'The answer asks for another protocol.' },
  ],
  [
    '101 without an upgrade',
    (s) => s.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    { status: 101, error: 'The answer asks for another protocol.' },
  ],
  ['no byte', () => {}, { error: IN_TIME }],
  ['a half-close without an answer', (s) => s.end(), { error: 'socket hang up' }],
  ['a reset without an answer', (s) => s.resetAndDestroy(), { error: 'read ECONNRESET' }],
  ['half a head', (s) => s.write('HTTP/1.1 200 OK\r\ncontent-le'), { error: IN_TIME }],
  ['half a head, then a half-close', (s) => s.end('HTTP/1.1 200 OK\r\ncontent-le'), { error: 'socket hang up' }],
  [
    'half a head, then a reset',
    (s) => s.write('HTTP/1.1 200 OK\r\n', () => s.resetAndDestroy()),
    { error: 'socket hang up' },
  ],
  ['a head that never ends', (s) => s.write(OK, () => flood(s, 'x: y\r\n')), { error: IN_TIME }],
  [
    'a head that is larger than 16 KB',
    (s) => s.write(`${OK}x: ${'y'.repeat(20_000)}\r\n\r\n`),
    { error: 'Parse Error: Header overflow' },
  ],
  ['a body that stops', (s) => s.write(`${OK}content-length: 9\r\n\r\nok`), { status: 200, error: IN_TIME }],
  ['a body that drips', (s) => s.write(`${OK}\r\n`, () => flood(s, 'x')), { status: 200, error: IN_TIME }],
  [
    'a body that is cut off',
    (s) => s.end(`${OK}content-length: 9\r\n\r\nok`),
    { status: 200, error: 'The connection was closed before the answer was whole.' },
  ],
  [
    'a reset within the body',
    (s) => s.write(`${OK}content-length: 9\r\n\r\nok`, () => s.resetAndDestroy()),
    { status: 200, error: 'The connection was closed before the answer was whole.' },
  ],
  [
    'a body of more than 64 KB',
    (s) => s.write(`${OK}content-length: 99999\r\n\r\n${'x'.repeat(99_999)}`),
    { status: 200, error: 'The answer has more than 64 KB.' },
  ],
  [
    'trailers that never end',
    (s) => s.write(`${OK}transfer-encoding: chunked\r\n\r\n0\r\nx: y`),
    { status: 200, error: IN_TIME },
  ],
  [
    'interim answers without end',
    (s) => flood(s, 'HTTP/1.1 103 Early Hints\r\n\r\n'),
    { error: 'More than 10 interim answers.' },
  ],
  ['100 Continue and nothing else', (s) => s.write('HTTP/1.1 100 Continue\r\n\r\n'), { error: IN_TIME }],
  ['no HTTP', (s) => s.write('220 mail.example ESMTP\r\n'), { error: 'Parse Error: Expected HTTP/, RTSP/ or ICE/' }],
  [
    'a redirect',
    (s) => s.write('HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n'),
    { status: 302, error: 'Redirects are not followed.' },
  ],
];

describe('an attempt', () => {
  it.each(ENDINGS)('ends when the receiver gives %s', async (_, answer, outcome) => {
    expect(await posted(answer)).toEqual(outcome);
  });

  it('ends when the receiver does not answer the TLS handshake', async () => {
    expect(await posted(() => {}, 'https')).toEqual({ error: IN_TIME });
  });

  it('ends when the receiver closes instead of a TLS handshake', async () => {
    const outcome = await posted((socket) => socket.end(), 'https');
    expect(outcome).toEqual({
      error: 'Client network socket disconnected before secure TLS connection was established',
    });
  });

  it('closes its socket when it gives up', async () => {
    let receiver: Socket | undefined;
    await posted((socket) => {
      receiver = socket;
    });
    await vi.waitFor(() => expect(receiver?.readableEnded).toBe(true));
  });
});

describe('a connection', () => {
  it('is not made to an address or a name that is not public', async () => {
    const strict = { allowLoopback: false };
    expect(await post('http://127.0.0.1:9/', { headers: {}, body: '', rules: strict })).toEqual({
      error: 'It must be an https URL.',
    });
    expect(await post('https://127.0.0.1:9/', { headers: {}, body: '', rules: strict })).toEqual({
      error: 'It must be a public host.',
    });
    // A public-looking name that resolves to this machine.
    const named = await post(`https://${hostname()}:9/`, { headers: {}, body: '', rules: strict });
    expect(named.status).toBeUndefined();
    expect(named.error).toMatch(/not a public address|ENOTFOUND|EAI_AGAIN/);
  });

  it('that is refused has that error', async () => {
    const { error } = await post('http://127.0.0.1:9/', { headers: {}, body: 'x', rules: { allowLoopback: true } });
    expect(error).toContain('ECONNREFUSED');
  });
});
