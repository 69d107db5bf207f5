import { expect, test } from 'vitest';
import { fitsItself } from '../../../../containers/transcoder/asf.ts';

const INDEX = '90080033b1e5cf1189f400a0c90349cb';

/** An object of ASF: a GUID, its size, and its content. */
function object(guid: string, content: Buffer, size = 24 + content.length): Buffer {
  const head = Buffer.alloc(24);
  Buffer.from(guid, 'hex').copy(head);
  head.writeBigUInt64LE(BigInt(size), 16);
  return Buffer.concat([head, content]);
}

const HEAD = object('30', Buffer.alloc(100));
const DATA = object('36', Buffer.alloc(5000, 3));

function fits(...parts: Buffer[]) {
  const all = Buffer.concat(parts);
  return fitsItself({ size: all.length, read: async (at, length) => all.subarray(at, at + length) });
}

const WHOLE = { missing: 0, isShifted: false };

test('a whole ASF fits itself, with an index and without, and so does what a recorder could not finish', async () => {
  expect(await fits(HEAD, DATA, object(INDEX, Buffer.alloc(60)))).toEqual(WHOLE);
  expect(await fits(HEAD, DATA)).toEqual(WHOLE);
  expect(await fits(HEAD, object('36', Buffer.alloc(900), 0))).toEqual(WHOLE);
  // A tag behind it.
  expect(await fits(HEAD, DATA, Buffer.from('TAG'), Buffer.alloc(125))).toEqual(WHOLE);
});

test('bytes that are missing at its end are counted', async () => {
  expect(await fits(HEAD, DATA.subarray(0, -700))).toEqual({ missing: 700, isShifted: false });
});

test('an index that is not behind the data shows that the data was shifted', async () => {
  const index = object(INDEX, Buffer.alloc(60));
  const without = Buffer.concat([DATA.subarray(0, 2000), DATA.subarray(2050)]);
  expect(await fits(HEAD, without, index)).toEqual({ missing: 0, isShifted: true });
  expect(await fits(HEAD, DATA, Buffer.alloc(1125), index)).toEqual({ missing: 0, isShifted: true });
});

test('a head that is cut off says nothing', async () => {
  expect(await fits(HEAD.subarray(0, 20))).toEqual(WHOLE);
});
