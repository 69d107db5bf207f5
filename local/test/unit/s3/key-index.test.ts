import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareKeys, KeyIndex } from '../../../services/s3/key-index.ts';

const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\uffff', '\ue000', '\u{10000}', '😀', 'é') });

test('keys are ordered by their UTF-8 bytes', () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

test('an index lists the keys that were set and not deleted, in order, from any key on', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.boolean())), key, (steps, from) => {
      const index = new KeyIndex<number>();
      const model = new Map<string, number>();
      for (const [i, [name, keep]] of steps.entries()) {
        if (keep) {
          index.set(name, i);
          model.set(name, i);
        } else {
          index.delete(name);
          model.delete(name);
        }
      }
      const expected = [...model]
        .filter(([name]) => Buffer.compare(Buffer.from(name), Buffer.from(from)) >= 0)
        .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect([...index.from(from)]).toEqual(expected);
    }),
  );
});
