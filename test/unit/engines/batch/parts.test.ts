import { describe, expect, it } from 'vitest';
import {
  arrayOf,
  partText,
  readPart,
  readTaskName,
  readTwinName,
  taskName,
  twinName,
} from '../../../../engines/batch/parts.ts';

const JOB = 'abcdefghijklmnopqrstuvwxyz-3';

describe('a part of a film', () => {
  it.each([
    ['chunks-2', { name: 'chunks', count: 2 }],
    ['join-1000', { name: 'join', count: 1000 }],
  ] as const)('%s is read as it is written', (text, part) => {
    expect(readPart(text)).toEqual(part);
    expect(partText(part)).toBe(text);
    expect(readTaskName(taskName(JOB, text))).toEqual({ jobId: JOB, part: text });
  });

  it.each([
    undefined,
    'encode',
    'finish-2',
    'chunks',
    'chunks-1',
    'chunks-1001',
    'join-0',
    'chunks-2-3',
    'xchunks-2',
  ])('%s is none', (text) => {
    expect(readPart(text)).toBeNull();
  });

  it('is in the name of its job; that of the first part is the id of the job', () => {
    expect(taskName(JOB, undefined)).toBe(JOB);
    expect(readTaskName(JOB)).toEqual({ jobId: JOB });
    for (const name of ['film', `${JOB}-prepare`, `${JOB}-finish-1`, `${JOB}-chunks-1`, `${JOB}-join-2-x`]) {
      expect(readTaskName(name), name).toBeNull();
    }
  });
});

it('a child of an array has the id of the array, and its index', () => {
  expect(arrayOf('4c7599ae-0a82-49aa-ba5a-4727fcce14a8:12')).toBe('4c7599ae-0a82-49aa-ba5a-4727fcce14a8');
  for (const id of ['4c7599ae-0a82-49aa-ba5a-4727fcce14a8', 'a:b', ':1', 'a:1:2'])
    expect(arrayOf(id), id).toBeUndefined();
});

it('a worker beside a child has the id of that child in its name', () => {
  const child = '4c7599ae-0a82-49aa-ba5a-4727fcce14a8:12';
  const name = twinName(JOB, child);
  expect(name).toBe(`${JOB}-twin-12-4c7599ae-0a82-49aa-ba5a-4727fcce14a8`);
  expect(readTwinName(name)).toBe(child);
  expect(readTaskName(name)).toBeNull();
  for (const other of [JOB, 'film-twin-1-a', `${JOB}-chunks-2`, `${JOB}-twin-a-b`]) {
    expect(readTwinName(other), other).toBeNull();
  }
});
