import { randomFillSync } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { crc64OfFile } from '../../../../containers/transcoder/crc64nvme.ts';
import { asDropreelError } from '../../../../containers/transcoder/failures.ts';
import { Scattered } from '../../../../containers/transcoder/input/in-place.ts';
import type { Patience } from '../../../../containers/transcoder/input/ranges.ts';
import { temporaryDirectory } from '../../../support/media.ts';
import { answer, type Fault, serveSource } from '../../../support/source-server.ts';

const MIB = 2 ** 20;
const directory = await temporaryDirectory();
afterAll(() => directory[Symbol.asyncDispose]());

/** 40.5 MiB of noise, whose last cell is half of one. */
const bytes = randomFillSync(Buffer.alloc(40.5 * MIB));
const file = join(directory.path, 'noise');
await writeFile(file, bytes);
const sum = await crc64OfFile(file);

async function opened(options: Parameters<typeof serveSource>[1] = {}, patience: Partial<Patience> = {}) {
  const server = await serveSource(file, options);
  const input = await server.open(directory.path, { waitMs: 1, ...patience });
  return {
    server,
    input,
    async [Symbol.asyncDispose]() {
      await input[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A request as FFmpeg makes it: to the door as to a proxy, for a whole address. */
function through({ protocols }: { protocols: readonly string[] }, url: string, { method = 'GET', from = 0 } = {}) {
  const proxy = new URL(protocols[protocols.indexOf('-http_proxy') + 1] ?? '');
  const headers = { range: `bytes=${from}-` };
  return new Promise<{ status: number | undefined; body: Buffer; range: string | undefined }>((resolve, reject) => {
    const sent = request({ host: proxy.hostname, port: proxy.port, path: url, method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part)).on('error', reject);
      response.on('end', () => {
        const { statusCode: status, headers } = response;
        resolve({ status, body: Buffer.concat(parts), range: headers['content-range'] });
      });
    });
    sent.on('error', reject).end();
  });
}

test('what is read in order is asked for in spans that grow to 16 MiB, each byte once', async () => {
  await using world = await opened();
  const { input, server } = world;
  const { status, range, body } = await through(input, input.nameIn());
  expect({ status, range }).toEqual({ status: 206, range: 'bytes 0-42467327/42467328' });
  expect(body.equals(bytes)).toBe(true);
  expect(server.asked.map(({ start, end }) => (end - start) / MIB)).toEqual([1, 2, 4, 8, 16, 9.5]);
  expect(input.traffic).toEqual({ requests: 6, bytes: 40.5 * MIB });
});

test('a look at a place costs one request of 1 MiB, and none the second time', async () => {
  await using world = await opened();
  const { input } = world;
  const at = 20 * MIB + 5;
  expect((await input.read(at, 1000)).equals(bytes.subarray(at, at + 1000))).toBe(true);
  expect((await input.read(at, 1000)).equals(bytes.subarray(at, at + 1000))).toBe(true);
  expect(input.traffic).toEqual({ requests: 1, bytes: MIB });
});

test('a read across two cells, and one beyond the end, give what there is', async () => {
  await using world = await opened();
  const { input } = world;
  expect((await input.read(MIB - 10, 20)).equals(bytes.subarray(MIB - 10, MIB + 10))).toBe(true);
  expect((await input.read(bytes.length - 10, 20)).equals(bytes.subarray(-10))).toBe(true);
  expect((await input.read(bytes.length, 20)).length).toBe(0);
});

describe('the door', () => {
  test.each([
    ['another path', 'GET', (url: string) => `${url}x`],
    ['no path', 'GET', () => 'http://source.invalid/'],
    ['another host', 'GET', (url: string) => url.replace('source.invalid', '169.254.170.2')],
    ['another port', 'GET', (url: string) => url.replace('source.invalid', 'source.invalid:8080')],
    ['its path without a host', 'GET', (url: string) => new URL(url).pathname],
    ['another method', 'PUT', (url: string) => url],
  ])('is closed to %s', async (_, method, change) => {
    await using world = await opened();
    const { input } = world;
    const { status, body } = await through(input, change(input.nameIn()), { method });
    expect({ status, body: body.length }).toEqual({ status: 403, body: 0 });
    expect(input.traffic.requests).toBe(0);
  });

  test('has another address each time', async () => {
    await using one = await opened();
    await using two = await opened();
    expect(new URL(one.input.nameIn()).pathname).toMatch(/^\/[\w-]{32}$/);
    expect(one.input.nameIn()).not.toBe(two.input.nameIn());
  });

  test('says where the file ends', async () => {
    await using world = await opened();
    const { input } = world;
    const { status, range } = await through(input, input.nameIn(), { from: bytes.length });
    expect({ status, range }).toEqual({ status: 416, range: 'bytes */42467328' });
  });
});

describe('S3 is asked anew', () => {
  test.each<[string, number, Fault]>([
    [
      'from the byte where a body broke off',
      1000,
      ({ start, end }, response) => {
        answer(response, { start, end, size: bytes.length });
        response.write(bytes.subarray(start, start + 1000), () => response.destroy());
        return true;
      },
    ],
    [
      'for all of it when it sends 503 Slow Down',
      0,
      (_, response) => {
        response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
        return true;
      },
    ],
  ])('%s, and nobody notices', async (_, reached, fault) => {
    await using world = await opened({ fault: (asked, response) => asked.nth === 3 && fault(asked, response) });
    const { input, server } = world;
    const { body } = await through(input, input.nameIn());
    expect(body.equals(bytes)).toBe(true);
    const [first, second, ...more] = server.asked.filter(({ end }) => end === 7 * MIB).map(({ start }) => start);
    expect([first, second, more]).toEqual([3 * MIB, 3 * MIB + reached, []]);
  });
});

test('S3 is asked anew, from the byte that was reached, when it has sent nothing for a time', async () => {
  const fault: Fault = ({ nth, start, end }, response) => {
    if (nth !== 3) return false;
    answer(response, { start, end, size: bytes.length });
    response.write(bytes.subarray(start, start + 1000));
    return true;
  };
  await using world = await opened({ fault }, { stalledMs: 500 });
  const { input, server } = world;
  expect((await through(input, input.nameIn())).body.equals(bytes)).toBe(true);
  const starts = server.asked.filter(({ end }) => end === 7 * MIB).map(({ start }) => start);
  expect(starts).toEqual([3 * MIB, 3 * MIB + 1000]);
});

test('S3 is asked anew, from the byte that was reached, when it sends next to nothing, but never stops', async () => {
  const fault: Fault = ({ nth, start, end }, response) => {
    if (nth !== 3) return false;
    answer(response, { start, end, size: bytes.length });
    let at = start;
    const drop = setInterval(() => response.write(bytes.subarray(at, ++at)), 20);
    response.once('close', () => clearInterval(drop));
    return true;
  };
  await using world = await opened({ fault }, { stalledMs: 500 });
  const { input, server } = world;
  expect((await through(input, input.nameIn())).body.equals(bytes)).toBe(true);
  const [first, second = 0, ...more] = server.asked.filter(({ end }) => end === 7 * MIB).map(({ start }) => start);
  expect([first, more]).toEqual([3 * MIB, []]);
  expect(second).toBeGreaterThan(3 * MIB);
  expect(second).toBeLessThan(3 * MIB + 100);
});

test('S3 is asked anew beyond five failures in a row, and nobody notices', async () => {
  let failures = 0;
  const fault: Fault = ({ start, end }, response) => {
    if (end !== 7 * MIB || ++failures > 6) return false;
    answer(response, { start, end, size: bytes.length });
    response.flushHeaders();
    return true;
  };
  await using world = await opened({ fault }, { stalledMs: 150 });
  expect((await through(world.input, world.input.nameIn())).body.equals(bytes)).toBe(true);
});

describe('whoever uses the source is stopped with', () => {
  test.each<[string, string, Fault]>([
    [
      'storage_failed when S3 breaks off each time',
      'storage_failed',
      ({ nth, start, end }, response) => {
        if (nth < 3) return false;
        answer(response, { start, end, size: bytes.length });
        response.flushHeaders();
        response.destroy();
        return true;
      },
    ],
    [
      'source_changed when it was replaced',
      'source_changed',
      ({ nth }, response) => {
        if (nth < 3) return false;
        response.writeHead(412).end('<Error><Code>PreconditionFailed</Code></Error>');
        return true;
      },
    ],
    [
      'source_missing when it is gone',
      'source_missing',
      ({ nth }, response) => {
        if (nth < 3) return false;
        response.writeHead(404).end('<Error><Code>NoSuchVersion</Code></Error>');
        return true;
      },
    ],
  ])('%s, before the end of the connection can be taken for the end of the file', async (_, code, fault) => {
    await using world = await opened({ fault }, { goOnMs: 50 });
    const { input } = world;
    let abortedAt: boolean | undefined;
    await through(input, input.nameIn()).catch(() => {
      abortedAt = input.signal.aborted;
    });
    expect(abortedAt).toBe(true);
    expect(asDropreelError(input.signal.reason).code).toBe(code);
    await expect(input.read(30 * MIB, 1)).rejects.toBe(input.signal.reason);
  });

  test('Scattered when four times its size was read, and more is wanted', async () => {
    const large = join(directory.path, 'large');
    await writeFile(large, '');
    await truncate(large, 128 * MIB);
    await using server = await serveSource(large);
    await using input = await server.open(directory.path);
    const readAll = async () => {
      for (let at = 0; at < input.size; at += MIB) await input.read(at, 1);
    };
    // More than is kept in memory, so that nothing is left of its beginning when it is read again.
    for (let i = 0; i < 4; i++) await readAll();
    expect(input.traffic.bytes).toBe(4 * 128 * MIB);
    await expect(readAll()).rejects.toBeInstanceOf(Scattered);
  });
});

describe('the checksum of all that was read', () => {
  const wrong = `A${sum.slice(1)}` === sum ? `B${sum.slice(1)}` : `A${sum.slice(1)}`;
  const headers = (value: string) => ({ 'x-amz-checksum-crc64nvme': value, 'x-amz-checksum-type': 'FULL_OBJECT' });
  const read = async (value: string, order: number[]) => {
    await using world = await opened({ headers: headers(value) });
    for (const mib of order) await world.input.read(mib * MIB, MIB);
    world.input.check();
  };
  const all = Array.from({ length: 41 }, (_, i) => i);
  test('is right, in whatever order it was read', async () => {
    await expect(read(sum, [...all].reverse())).resolves.toBeUndefined();
  });
  test('is noticed when it is not that of S3', async () => {
    await expect(read(wrong, all)).rejects.toMatchObject({ code: 'storage_failed' });
  });
  test('is not known when not all was read', async () => {
    await expect(read(wrong, [0, 1, 2])).resolves.toBeUndefined();
  });
});
