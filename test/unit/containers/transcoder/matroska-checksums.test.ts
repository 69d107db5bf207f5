import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { wrongClusters } from '../../../../containers/transcoder/matroska-checksums.ts';

/** An element of EBML, with its size in four bytes. */
function element(id: string, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length + 0x1000_0000);
  return Buffer.concat([Buffer.from(id, 'hex'), size, body]);
}

/** A cluster at a time in ticks, with the checksum of its content, or a wrong one. */
function cluster(time: number, { wrong = false } = {}): Buffer {
  const content = Buffer.concat([
    element('e7', Buffer.from([time >> 8, time & 255])),
    element('a3', Buffer.alloc(3000, time)),
  ]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE((crc32(content) ^ (wrong ? 1 : 0)) >>> 0);
  return element('1f43b675', Buffer.from('bf84', 'hex'), sum, content);
}

const INFO = element('1549a966', element('2ad7b1', Buffer.from([0x1e, 0x84, 0x80])));

function found(...parts: Buffer[]) {
  const all = Buffer.concat([element('1a45dfa3', Buffer.alloc(20)), element('18538067', ...parts)]);
  return wrongClusters({ size: all.length, read: async (at, length) => all.subarray(at, at + length) });
}

test('clusters that fit their checksums are right', async () => {
  expect(await found(INFO, cluster(0), cluster(500), cluster(1000))).toEqual({ count: 0, at: undefined });
});

test('those that do not are counted, with the time of the first by the clock of the file', async () => {
  // A tick is 2 ms.
  const wrong = await found(
    INFO,
    cluster(0),
    cluster(500, { wrong: true }),
    cluster(1000, { wrong: true }),
    cluster(1500),
  );
  expect(wrong).toEqual({ count: 2, at: 1 });
  expect((await found(cluster(500, { wrong: true }))).at).toBe(0.5);
});

test('checksums that are wrong throughout are the fault of their writer', async () => {
  const all = Array.from({ length: 12 }, (_, i) => cluster(i, { wrong: true }));
  expect((await found(INFO, ...all)).count).toBe(0);
});

test('clusters without a checksum, what is cut off, and what is no Matroska are passed over', async () => {
  const plain = element('1f43b675', element('e7', Buffer.from([0])), Buffer.alloc(50));
  expect((await found(plain, cluster(1, { wrong: true }).subarray(0, 900))).count).toBe(0);
  const short = ['bf84', 'bf84000000', 'bf8400000000', 'bf8400000000e7', 'bf8400000000e780', 'bf8400000000e784'];
  for (const content of short) {
    expect((await found(element('1f43b675', Buffer.from(content, 'hex')))).at).toBeUndefined();
  }
  const text = Buffer.from('no Matroska at all, but text');
  const read = async (at: number, length: number) => text.subarray(at, at + length);
  expect((await wrongClusters({ size: text.length, read })).count).toBe(0);
});

test('millions of empty elements cost a read for each four kilobytes', async () => {
  const empty = Buffer.alloc(2_000_000);
  for (let at = 0; at < empty.length; at += 2) empty.writeUInt16BE(0xec80, at);
  const all = Buffer.concat([
    element('1a45dfa3', Buffer.alloc(20)),
    element('18538067', empty, cluster(0, { wrong: true })),
  ]);
  let reads = 0;
  const read = async (at: number, length: number) => {
    reads += 1;
    return all.subarray(at, at + length);
  };
  await wrongClusters({ size: all.length, read });
  expect(reads).toBeLessThan(520);
});
