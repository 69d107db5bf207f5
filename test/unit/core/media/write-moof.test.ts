import { expect, test } from 'vitest';
import { readFragment, readInit, readSamples, type Sample } from '../../../../core/media/fragments.ts';
import { withEditList, writeMoof } from '../../../../core/media/write-moof.ts';

const KEY = 0x02000000;
const OTHER = 0x01010000;
/** In the order of the decoder. */
const samples = (...shown: number[]): Sample[] =>
  shown.map((at, i) => ({ bytes: 100 + i, flags: i === 0 ? KEY : OTHER, shown: at }));
const body = (moof: Uint8Array) => moof.subarray(8);

test('pictures that are reordered are shown at their times, and decoded without a gap', () => {
  const { moof } = writeMoof({ sequence: 4, samples: samples(600, 630, 610, 620), delay: 20, next: 640 });
  const fragment = readFragment(body(moof));
  expect(readSamples(body(moof)).map(({ shown }) => shown - 20)).toEqual([600, 630, 610, 620]);
  expect(readSamples(body(moof)).map(({ bytes, flags }) => [bytes, flags])).toEqual([
    [100, KEY],
    [101, OTHER],
    [102, OTHER],
    [103, OTHER],
  ]);
  expect(fragment).toMatchObject({ start: 600, duration: 40, samples: 4, startsWithKeyframe: true });
  expect(fragment.firstBytes).toBe(moof.length + 8 + 100);
});

test('no picture is decoded after it is shown, though the one after a pause is decoded before those ahead of it', () => {
  const shown = [0, 500, 10, 20];
  const { moof, lastDecoded } = writeMoof({ sequence: 1, samples: samples(...shown), delay: 20, next: 510 });
  const found = readSamples(body(moof));
  expect(found.map((sample) => sample.shown - 20)).toEqual(shown);
  // 0, 10, 20 and 500 by their order; the last is shown 20 after its 20.
  expect(lastDecoded).toBe(40);
  expect(readFragment(body(moof))).toMatchObject({ start: 0, duration: 510 });
  const offsets = new DataView(moof.buffer);
  const each = found.map((_, i) => offsets.getInt32(moof.length - 12 * (found.length - i) + 8));
  expect(each.every((offset) => offset >= 0)).toBe(true);
});

test('the duration of the last sample has a known place', () => {
  const { moof, lastDurationAt } = writeMoof({ sequence: 1, samples: samples(0, 10), delay: 0 });
  expect(readFragment(body(moof)).duration).toBe(10);
  new DataView(moof.buffer).setUint32(lastDurationAt, 7);
  expect(readFragment(body(moof)).duration).toBe(17);
});

test('flags of their own are kept', () => {
  const each = samples(0, 10, 20).map((sample, i) => ({ ...sample, flags: [KEY, OTHER, KEY][i] ?? 0 }));
  const { moof, lastDurationAt } = writeMoof({ sequence: 1, samples: each, delay: 0, next: 30 });
  expect(readSamples(body(moof)).map(({ flags }) => flags)).toEqual([KEY, OTHER, KEY]);
  expect(new DataView(moof.buffer).getUint32(lastDurationAt)).toBe(10);
});

/** A box of a type and contents. */
const box = (type: string, ...contents: Uint8Array[]) => {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(8 + contents.reduce((sum, { length }) => sum + length, 0));
  return Buffer.concat([size, Buffer.from(type), ...contents]);
};
const numbers = (...values: number[]) =>
  Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    }),
  );
const init = (...more: Uint8Array[]) => {
  const avcC = box('avcC', Buffer.from([1, 0x64, 0, 0x1f]));
  const stsd = box('stsd', numbers(0, 1), box('avc1', Buffer.alloc(78), avcC));
  const mdia = box('mdia', box('mdhd', numbers(0, 0, 0, 12_800, 0)), box('minf', box('stbl', stsd)));
  return Buffer.concat([box('ftyp', numbers(1)), box('moov', box('mvhd', numbers(0)), box('trak', ...more, mdia))]);
};

test('an init segment gets an edit list, and only one', () => {
  expect(readInit(init()).skip).toBe(0);
  const edited = withEditList(init(), 1024);
  expect(readInit(edited)).toMatchObject({ skip: 1024, timescale: 12_800, codec: 'avc1.64001F' });
  expect(edited.length).toBe(init().length + 36);
  expect(() => withEditList(edited, 1)).toThrow('the init segment has an edit list');
});
