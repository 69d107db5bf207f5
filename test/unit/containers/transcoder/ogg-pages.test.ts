import { expect, test } from 'vitest';
import { missingPages } from '../../../../containers/transcoder/ogg-pages.ts';

/** A page of a stream, with one segment of ten bytes. */
function page(number: number, { serial = 1, first = number === 0, bytes = 10 } = {}): Buffer {
  const head = Buffer.alloc(28);
  head.write('OggS');
  head[5] = first ? 2 : 0;
  head.writeUInt32LE(serial, 14);
  head.writeUInt32LE(number, 18);
  head[26] = 1;
  head[27] = bytes;
  return Buffer.concat([head, Buffer.alloc(bytes, 7)]);
}

function missing(...parts: Buffer[]): Promise<number> {
  const all = Buffer.concat(parts);
  return missingPages({ size: all.length, read: async (at, length) => all.subarray(at, at + length) });
}

test('pages that follow each other, of one stream or of several, miss none', async () => {
  expect(await missing(page(0), page(1), page(2))).toBe(0);
  expect(await missing(page(0), page(0, { serial: 2 }), page(1), page(1, { serial: 2 }), page(2))).toBe(0);
  // The second half of a stream, and a stream behind another with its serial number.
  expect(await missing(page(40), page(41))).toBe(0);
  expect(await missing(page(0), page(1), page(0), page(1))).toBe(0);
});

test('each gap in the numbers counts once, however many pages it lacks', async () => {
  expect(await missing(page(0), page(2), page(3), page(9))).toBe(2);
});

test('a page whose first bytes are damaged is missing, and bytes between pages are passed over', async () => {
  const damaged = page(1);
  damaged[1] = 0;
  expect(await missing(page(0), damaged, page(2), Buffer.alloc(70_000), page(3))).toBe(1);
});

test('a file of many pages is read to its end, and one that is cut off, too', async () => {
  const many = Array.from({ length: 9000 }, (_, i) => page(i, { bytes: 250 }));
  expect(await missing(...many)).toBe(0);
  expect(await missing(...many.slice(0, 8000), ...many.slice(8001))).toBe(1);
  expect(await missing(page(0), page(1).subarray(0, 20))).toBe(0);
});
