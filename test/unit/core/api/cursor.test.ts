import { expect, it } from 'vitest';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../../../../core/api/cursor.ts';

const Position = z.object({ id: z.string() });

it('a cursor returns its position, and has only characters that need no escaping', () => {
  const cursor = encodeCursor('filters/ü?', { id: 'é~ÿ>>>' });
  expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(decodeCursor(cursor, 'filters/ü?', Position)).toEqual({ id: 'é~ÿ>>>' });
});

it.each([
  ['of other filters', encodeCursor('b', { id: 'x' })],
  ['of another form', encodeCursor('a', { id: 7 })],
  ['that is not base64', '%%%'],
  ['that is not UTF-8', '_w'],
  ['that is not JSON', 'YWJj'],
  ['that is empty', ''],
])('a cursor %s is refused', (_, cursor) => {
  expect(() => decodeCursor(cursor, 'a', Position)).toThrowError(expect.objectContaining({ code: 'invalid_cursor' }));
});
